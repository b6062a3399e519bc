/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The descriptors that the keeper holds for the daemon, by name, in the order in which they came.
 */
#ifndef MCPROXY_DAEMON_KEEPER_DESCRIPTORS_H
#define MCPROXY_DAEMON_KEEPER_DESCRIPTORS_H

#include <stdbool.h>
#include <sys/types.h>

/* Takes the descriptor over. */
void descriptors_add(pid_t from, const char *name, int fd);
/* settled: false: the process that asks for it may be given up, so they are closed with descriptors_settle. */
void descriptors_remove(const char *name, bool settled);
void descriptors_settle(void);
/* That process is given up: what it stored is closed, and what it removed stays. */
void descriptors_revert(pid_t from);
/* All but those that the daemon has stored itself or was passed: its predecessor has ended. */
void descriptors_drop_rest(pid_t daemon);
void descriptors_drop_all(void);
/* What the next process gets; link sockets only where no other process reads them. */
void descriptors_choose(bool with_links);
/* In that process, before exec: puts them where the daemon looks for them, and names them in its environment. */
void descriptors_pass(void);

#endif
