/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Privileges that are given up: what a stranger's packet could do, should it ever find a hole in the parsing.
 * Both calls do what the build and the kernel allow, and are no failure where that is nothing; built with
 * libseccomp and libcap-ng, under sanitizers without the former.
 */
#ifndef MCPROXY_DAEMON_WORKER_SANDBOX_H
#define MCPROXY_DAEMON_WORKER_SANDBOX_H

/* The process: no new privileges by exec, and only the capabilities that the owner uses later on. Called by
 * the main thread before there are others. 0 or -errno; what could not be given up stays. */
int sandbox_process(void);

/* The calling worker thread, for good: no capability at all, and no system call but those on descriptors it
 * has, memory, and its own end; others fail with EPERM. 0 or -errno. */
int sandbox_worker(void);

#endif
