/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A new configuration without a restart (SIGHUP). The owner checks all of it, and opens and starts what it
 * needs, before it changes anything: if that fails, everything stays as it was. Instances that go on keep
 * their worker, links and routes, and learn the difference. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_RELOAD_H
#define MCPROXY_DAEMON_OWNER_RELOAD_H

struct owner;

/* Reads the configuration again and puts it into force. Logs the result. Not while sources are served: a
 * reload removes sources. */
void reload(struct owner *owner);

#endif
