/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Connections to the daemon's control socket that never block.
 */
#ifndef MCPROXY_WEB_CONTROL_H
#define MCPROXY_WEB_CONTROL_H

#include <stddef.h>

/* A descriptor, or -errno. */
int control_connect(const char *path);
/* Sends a request: pairs of a member and its value, then NULL. A pair whose value is NULL or "" is left out. 0 or
 * -errno; the socket of a daemon that reads has room for a request. */
int control_ask(int fd, const char *const *members);
/* What this errno means for people. */
const char *control_problem(int error);

#endif
