/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All output of mcproxyctl. Names of interfaces, instances and programs, answers of the daemon and words of the
 * command line may contain anything, and must not control the terminal. So nothing else in ctl prints a text
 * that is not a literal; tests/tree.sh proves that.
 */
#ifndef MCPROXY_CTL_CLIENT_PRINT_H
#define MCPROXY_CTL_CLIENT_PRINT_H

#include <stdbool.h>
#include <stdio.h>

/* As fprintf, and printf; the result passes text_clean, which leaves tabs and ends of lines. */
__attribute__((format(printf, 2, 3))) void print_to(FILE *out, const char *format, ...);
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);

enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_BAD, COLOUR_FAINT };

/* Prints a text of one line in a colour if `colour` is set, otherwise without. */
void colour_print(FILE *out, bool colour, enum colour which, const char *text);

/* For use between double quotes, in OpenMetrics text: with a backslash before quotes and
 * backslashes, `\n`, and controls as `\\u009b`, so that different texts stay different. */
void print_quoted(FILE *out, const char *text);

/* A JSON text and the end of the line, with controls as `\u009b`. */
void print_json(FILE *out, const char *text);

/* Bytes that the daemon has made, as they are: its JSON has no control. */
void print_bytes(FILE *out, const char *bytes, size_t size);

#endif
