/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the process gives up after its start, so that a fault in a parser does little harm: its user, all but two
 * capabilities, system calls (seccomp), and files (Landlock). docs/security.md lists all of it. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_CONFINEMENT_H
#define MCPROXY_DAEMON_OWNER_CONFINEMENT_H

#include "daemon/config/config.h"

#include <limits.h>
#include <stdbool.h>

struct owner;

/* The member `confinement` of struct owner. */
struct confinement {
	bool system_calls;              /* the filter is in force */
	int landlock;                   /* version of the kernel's interface in force; 0: none */
	char user[CONFIG_ACCOUNT_SIZE]; /* of the process */
	/* The directories of the status file and of the control socket that Landlock lets it write to, without
	 * symbolic links; empty: none. */
	char status_directory[PATH_MAX], control_directory[PATH_MAX];
};

/* Confines the process for the rest of its life. The caller has opened what needs more privileges, and started
 * no thread. What the kernel lacks is logged, and the daemon continues without it. 0, or the exit status after a
 * message: the process cannot become the configured user. */
int confinement_begin(struct owner *owner);

/* After a reload: logs what takes effect only after a restart, because the process cannot reach it. False when
 * the control socket is part of that. */
bool confinement_check_reload(const struct owner *owner, const struct config *old);

#endif
