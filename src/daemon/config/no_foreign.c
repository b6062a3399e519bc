/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for foreign.c in a build without diagnostics: no other program's syntax is recognised.
 */
#include "daemon/config/foreign.h"

unsigned config_foreign_explain(const char *text, char *hint, size_t size)
{
	(void)text;
	(void)hint;
	(void)size;
	return 0;
}
