/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Gives up privileges, to limit what a packet can do through a fault in the parser. Both calls do what the
 * build and the kernel allow, and succeed where that is nothing. They need libseccomp (not in a build with
 * sanitizers) and libcap-ng.
 */
#ifndef MCPROXY_DAEMON_WORKER_SANDBOX_H
#define MCPROXY_DAEMON_WORKER_SANDBOX_H

/* The process: no new privileges by exec, and only the capabilities that the owner needs. The main thread
 * calls it before there are others. 0 or -errno; after an error privileges may remain. */
int sandbox_process(void);

/* The calling worker thread, until it ends: no capability, and only the system calls for its descriptors, for
 * memory and for its own end; others fail with EPERM. 0 or -errno. */
int sandbox_worker(void);

#endif
