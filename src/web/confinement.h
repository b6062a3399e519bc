/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the program gives up before it answers a request: its user, all capabilities, files, system calls.
 */
#ifndef MCPROXY_WEB_CONFINEMENT_H
#define MCPROXY_WEB_CONFINEMENT_H

#include <stdbool.h>
#include <stddef.h>

/* Becomes the user, if the program runs as root; "root" changes nothing. The control socket stays in reach.
 * The files stay readable as far as the user may read them. Called before there are threads. False after a message. */
bool confinement_enter(const char *user, const char *const *files, size_t count);

#endif
