/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Does the daemon accept a configuration? Some limits only its own reader knows.
 */
#ifndef MCPROXY_CTL_CONVERT_ACCEPT_H
#define MCPROXY_CTL_CONVERT_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>

/* False: the problem, and its line in the text (0: none). */
bool accept_configuration(const char *text, unsigned *line, char *problem, size_t size);

#endif
