/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The status text: a renderer over snapshot pages, in the format that users of the startup guide know. It is
 * made one page per loop turn, so that it never holds up the owner. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_STATUS_H
#define MCPROXY_DAEMON_OWNER_STATUS_H

#include "core/base/mtime.h"

struct owner;

enum status_destination {
	STATUS_STDOUT,
	STATUS_FILE, /* config's status_file, replaced as a whole */
	STATUS_LOG,
};

/* Takes one of the owner's walks. NULL when all are taken or memory is short. */
struct status *status_new(struct owner *owner);
void status_free(struct status *status);

/* Begins a status: detail 0 instances and links, 1 groups too, 2 sources too. While one is being made, a new
 * one to another destination begins after it, and one to the same is not made twice. */
void status_begin(struct status *status, struct owner *owner, int detail,
                  enum status_destination destination);
/* Asks again for a page that could not be asked for, and goes on; once a turn. */
void status_continue(struct status *status, struct owner *owner);
/* When a slow reader of stdout is looked at again; MTIME_NEVER. */
mtime status_deadline(const struct status *status);

#endif
