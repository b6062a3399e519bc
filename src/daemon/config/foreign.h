/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Recognises a text that is not a configuration of this program but of another multicast proxy, and gives its
 * instances in the form of this one. Pure.
 */
#ifndef MCPROXY_DAEMON_CONFIG_FOREIGN_H
#define MCPROXY_DAEMON_CONFIG_FOREIGN_H

#include <stddef.h>

/* Writes which program's syntax the text has and what to write instead. Returns the line that shows it; 0: the text
 * has none of the known syntaxes. Only for a text that could not be read. */
unsigned config_foreign_explain(const char *text, char *hint, size_t size);

#endif
