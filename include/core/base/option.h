/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Error texts for command-line options that getopt_long does not accept. Pure.
 */
#ifndef MCPROXY_CORE_BASE_OPTION_H
#define MCPROXY_CORE_BASE_OPTION_H

#include <stddef.h>

struct option; /* of <getopt.h> */

/* Writes "--chekc: no such option; did you mean --check?". options: the last one has no name. letter: optopt
 * after getopt_long has returned '?'; word: the argument where it stopped, argv[optind - 1]. */
void option_problem(const struct option *options, int letter, const char *word, char *text, size_t size);

#endif
