/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/syntax_error.h"

#include "daemon/config/syntax.h"
#include "daemon/config/text.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text of the file where libconfig stopped, to be freed; NULL when it cannot be read. libconfig knows
 * an included file by its name relative to the directory. */
static char *erring_text(const char *file, const char *directory, const char *text)
{
	char why[CONFIG_ERROR_SIZE];
	char *path, *found;

	if (file == NULL)
		return strdup(text);
	if (strchr(file, '/') != NULL)
		return config_text_read(file, false, why);
	if (asprintf(&path, "%s/%s", directory, file) < 0)
		return NULL;
	found = config_text_read(path, false, why);
	free(path);
	return found;
}

bool config_fail_syntax(const struct config_t *tree, const char *path, const char *directory,
                        const char *text, char error[CONFIG_ERROR_SIZE])
{
	const char *file = config_error_file(tree);
	struct config_place place = {
		.path = file != NULL ? file : path,
		.line = (unsigned)config_error_line(tree),
	};
	const char *what = config_error_text(tree);
	char *erring = erring_text(file, directory, text);
	char quote[80], hint[128];

	if (erring == NULL)
		return config_fail(error, &place, "%s", what);
	config_syntax_quote(erring, place.line, quote, sizeof quote);
	config_syntax_explain(erring, place.line, hint, sizeof hint);
	free(erring);
	if (strcmp(what, "syntax error") != 0)
		return config_fail(error, &place, "%s in `%s`", what, quote);
	return config_fail(error, &place, *quote != '\0' ? "%s in `%s`: %s" : "%s%s: %s", what, quote, hint);
}
