/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The error text of a file that libconfig cannot parse.
 */
#ifndef MCPROXY_DAEMON_CONFIG_SYNTAX_ERROR_H
#define MCPROXY_DAEMON_CONFIG_SYNTAX_ERROR_H

#include "daemon/config/fail.h"

struct config_t; /* libconfig's */

/* Writes libconfig's own message, the line and, for a syntax error, what is probably wrong; returns false. text:
 * what was parsed, of the file path. directory: where libconfig looked for included files. */
bool config_fail_syntax(const struct config_t *tree, const char *path, const char *directory,
                        const char *text, char error[CONFIG_ERROR_SIZE]);

#endif
