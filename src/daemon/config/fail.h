/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of a configuration error, `path:line: key: reason`, always one printable line.
 */
#ifndef MCPROXY_DAEMON_CONFIG_FAIL_H
#define MCPROXY_DAEMON_CONFIG_FAIL_H

#include "daemon/config/config.h"

/* Where an error is. */
struct config_place {
	const char *path;
	unsigned line;   /* 0: the file as a whole */
	const char *key; /* NULL: the line as a whole */
};

/* Writes the text and returns false. A text that is too long is cut: the front of the path, and the end of
 * the key and of the reason. */
__attribute__((format(printf, 3, 4))) bool
config_fail(char error[CONFIG_ERROR_SIZE], const struct config_place *place, const char *format, ...);

/* Writes the text for a word that is not a protocol, and returns false. */
bool config_fail_protocol(char error[CONFIG_ERROR_SIZE], const struct config_place *place, const char *word);

#endif
