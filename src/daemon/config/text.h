/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of a configuration file: read whole, with limits, and looked through for what libconfig would not
 * survive or not notice.
 */
#ifndef MCPROXY_DAEMON_CONFIG_TEXT_H
#define MCPROXY_DAEMON_CONFIG_TEXT_H

#include "daemon/config/config.h"

#define CONFIG_TEXT_MAX (1024 * 1024)

/* The text of a file, less a byte order mark at its beginning, to be freed. NULL and `path: reason` in error
 * when the file cannot be read, is larger than CONFIG_TEXT_MAX, or has bytes in it that no text has. */
char *config_text_read(const char *path, char error[CONFIG_ERROR_SIZE]);

/* The directory part of a path, to be freed; "." when there is none. NULL when memory is short. */
char *config_text_directory(const char *path);

/* Looks through a text in libconfig's form and through the files that it includes, whose names are relative
 * to the directory. False and `path:line: reason` in error for strings and comments without end, numbers that
 * do not fit, and includes that cannot be read. */
bool config_text_check(const char *path, const char *directory, const char *text,
                       char error[CONFIG_ERROR_SIZE]);

#endif
