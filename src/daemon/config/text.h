/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of a configuration file. It is read whole, with limits, and checked for what libconfig would
 * crash on or overlook.
 */
#ifndef MCPROXY_DAEMON_CONFIG_TEXT_H
#define MCPROXY_DAEMON_CONFIG_TEXT_H

#include "daemon/config/config.h"

#define CONFIG_TEXT_MAX (1024 * 1024)

/* The text of a file without a byte order mark at its start; the caller frees it. NULL, with `path: reason`
 * in error, when the file cannot be read, is larger than CONFIG_TEXT_MAX, or contains bytes that a text
 * cannot contain. once: the path may also name a pipe (FILE_STREAM), which must end within 5 s. */
char *config_text_read(const char *path, bool once, char error[CONFIG_ERROR_SIZE]);

/* The directory part of a path, "." when there is none; the caller frees it. NULL when memory is short. */
char *config_text_directory(const char *path);

/* Checks a text in libconfig's form and the files that it includes, whose names are relative to the
 * directory. False, with `path:line: reason` in error, for strings and comments without end, numbers that
 * do not fit, and includes that cannot be read. */
bool config_text_check(const char *path, const char *directory, const char *text,
                       char error[CONFIG_ERROR_SIZE]);

/* The last line up to the given one that contains the string; the given one if none does. */
unsigned config_text_line(const char *text, unsigned line, const char *string);

#endif
