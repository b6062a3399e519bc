/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/fail.h"

#include "core/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The place takes at most half of the text, so that the reason remains visible. */
#define PATH_SHOWN 80
#define KEY_SHOWN  32

__attribute__((format(printf, 3, 4))) static size_t append(char error[CONFIG_ERROR_SIZE], size_t used,
                                                           const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(error + used, CONFIG_ERROR_SIZE - used, format, arguments);
	va_end(arguments);
	return length < 0 ? used : used + (size_t)length;
}

static size_t append_place(char error[CONFIG_ERROR_SIZE], const struct config_place *place)
{
	size_t length = strlen(place->path);
	size_t used;

	if (length > PATH_SHOWN)
		used = append(error, 0, "...%s", place->path + length - (PATH_SHOWN - 3));
	else
		used = append(error, 0, "%s", place->path);
	if (place->line > 0)
		used = append(error, used, ":%u", place->line);
	if (place->key != NULL)
		used = append(error, used, ": %.*s", KEY_SHOWN, place->key);
	return append(error, used, ": ");
}

bool config_fail(char error[CONFIG_ERROR_SIZE], const struct config_place *place, const char *format, ...)
{
	size_t used = append_place(error, place);
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(error + used, CONFIG_ERROR_SIZE - used, format, arguments) < 0)
		error[used] = '\0';
	va_end(arguments);
	text_clean(error, strlen(error), "");
	return false;
}

bool config_fail_protocol(char error[CONFIG_ERROR_SIZE], const struct config_place *place, const char *word)
{
	if (strpbrk(word, ", \t") != NULL)
		return config_fail(
			error, place,
			"%.20s: a single protocol is expected; both families: protocol = [ \"IGMPv3\", "
			"\"MLDv2\" ];",
			word);
	return config_fail(error, place,
	                   "%.20s: unknown; the protocols are IGMPv1, IGMPv2, IGMPv3, MLDv1, MLDv2", word);
}
