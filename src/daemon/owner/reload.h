/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A new configuration while all goes on (SIGHUP). It is checked whole, and what it needs is opened and
 * started, before anything is changed: where that fails everything stays as it was. Instances that go on keep
 * their worker, links and routes, and are logged the difference. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_RELOAD_H
#define MCPROXY_DAEMON_OWNER_RELOAD_H

struct owner;

/* Reads the configuration anew and puts it into force. Logs how that went. Not while sources are served: some
 * may go. */
void reload(struct owner *owner);

#endif
