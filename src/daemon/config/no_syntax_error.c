/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for syntax_error.c in a build without diagnostics: libconfig's message and the line alone.
 */
#include "daemon/config/syntax_error.h"

#include <libconfig.h>

bool config_fail_syntax(const struct config_t *tree, const char *path, const char *directory,
                        const char *text, char error[CONFIG_ERROR_SIZE])
{
	const char *file = config_error_file(tree);
	struct config_place place = {
		.path = file != NULL ? file : path,
		.line = (unsigned)config_error_line(tree),
	};

	(void)directory;
	(void)text;
	return config_fail(error, &place, "%s", config_error_text(tree));
}
