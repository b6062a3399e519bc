/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sockets on which the server listens.
 */
#ifndef MCPROXY_WEB_LISTENER_H
#define MCPROXY_WEB_LISTENER_H

#include <stdbool.h>

/* Listens on ADDRESS:PORT; an IPv6 address is in brackets. *local: only this machine can connect. A descriptor, or
 * -errno (-EINVAL: not an address with a port). */
int listener_open(const char *text, bool *local);

#endif
