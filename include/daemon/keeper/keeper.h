/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A process that holds the daemon's descriptors and starts the daemon again after a crash, where no service manager with a
 * descriptor store does. It speaks the protocol of sd_notify(3) to the daemon, and passes the daemon's messages on to a
 * service manager above. It reads no packet and no configuration, and drops its capabilities; a program that root executes
 * has all again.
 *
 *   SIGTERM, SIGINT   end the daemon, which leaves everything
 *   SIGHUP, SIGUSR1   go to the daemon
 *   SIGUSR2           upgrade: start the installed program beside the daemon, which hands over when the new one is ready
 *
 * A daemon that ends by itself is started again after 0, 1, 2, 4 ... 30 s, with all descriptors; after the third crash in a
 * minute without them. One that ends before it was ever ready, or with status 0, ends the keeper with the same status.
 */
#ifndef MCPROXY_DAEMON_KEEPER_KEEPER_H
#define MCPROXY_DAEMON_KEEPER_KEEPER_H

#define KEEPER_SIGNAL "mcproxy-signal" /* the name of a process that only signals the daemon */

/* arguments: of the daemon, its name first. Returns the exit status. */
int keeper_run(char **arguments);

/* arguments: KEEPER_SIGNAL, the signal, the pid. Returns the exit status. */
int keeper_signal(char **arguments);

#endif
