/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The user and the capabilities of the process. All calls are made by the main thread before there are others,
 * except for privileges_drop_all.
 */
#ifndef MCPROXY_DAEMON_SANDBOX_PRIVILEGES_H
#define MCPROXY_DAEMON_SANDBOX_PRIVILEGES_H

#include <stddef.h>
#include <sys/types.h>

/* Becomes another user, with the groups given. Keeps the permitted capabilities; privileges_keep then removes
 * those that are not needed. 0 or -errno. */
int privileges_become(uid_t user, gid_t group, const gid_t *groups, size_t count);

/* Which capabilities the process keeps of those that it has. Both sets contain CAP_NET_ADMIN and CAP_NET_RAW. */
enum privileges_set {
	PRIVILEGES_NETWORK, /* nothing else: the process has a user of its own */
	PRIVILEGES_FILES,   /* also those to reach files of other users, and to set the owner's priority */
};

/* Removes all other capabilities, also from the bounding set if the process may do that, and forbids new ones by
 * exec. 0 or -errno; after an error privileges may remain. */
int privileges_keep(enum privileges_set set);

/* Removes all capabilities of the calling thread: a worker, or the keeper. 0 or -errno. */
int privileges_drop_all(void);

#endif
