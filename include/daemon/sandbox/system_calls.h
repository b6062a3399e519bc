/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Filters of system calls, to limit what a packet can do through a fault in a parser. A refused call fails with
 * EPERM and does not end the process. Threads share memory, so the filter of the process is the boundary; a
 * worker has a narrower one in addition. They need libseccomp (not in a build with sanitizers).
 */
#ifndef MCPROXY_DAEMON_SANDBOX_SYSTEM_CALLS_H
#define MCPROXY_DAEMON_SANDBOX_SYSTEM_CALLS_H

/* The whole process, for the rest of its life: permits what the owner needs after the start, also to reload. It
 * refuses to run programs, executable memory, new processes, signals to other processes, and all sockets but
 * those for links, joins, netlink, the control socket and the system log. The main thread calls it before there
 * are others. 0, or -errno (-ENOPKG: not in this build); after an error there is no filter. */
int system_calls_limit_process(void);

/* The calling worker thread, until it ends: only the system calls for its descriptors, for memory and for its
 * own end. 0, or -errno as above. */
int system_calls_limit_worker(void);

/* A program that serves the state of the daemon to others: it accepts connections, connects to Unix sockets, and
 * reads files and the tables of the kernel's interfaces and routes; nothing else. The main thread calls it before
 * there are others. 0, or -errno as above. */
int system_calls_limit_client(void);

#endif
