/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Explains what libconfig only calls a syntax error: the line where it stopped, and what is probably wrong
 * there. Pure.
 */
#ifndef MCPROXY_DAEMON_CONFIG_SYNTAX_H
#define MCPROXY_DAEMON_CONFIG_SYNTAX_H

#include <stddef.h>

/* Writes what is probably wrong with a text that libconfig stopped parsing at a line. It always writes
 * something. */
void config_syntax_explain(const char *text, unsigned line, char *hint, size_t size);

/* Writes a line of a text without the blanks around it, cut if it is long. */
void config_syntax_quote(const char *text, unsigned line, char *quote, size_t size);

#endif
