/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The status text: a renderer over snapshot pages, in the format of the startup guide. Each loop turn makes
 * one page at most, so that the text never holds up the owner. Owner thread.
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

/* Begins a status. detail: 0 instances and links, 1 also groups, 2 also sources. While a status is being
 * made, one to another destination begins after it; so does one to the same if it has more detail. */
void status_begin(struct status *status, struct owner *owner, int detail,
                  enum status_destination destination);
/* Continues the text, and retries a request for a page that had no room; once a turn. */
void status_continue(struct status *status, struct owner *owner);
/* When to try a slow reader of stdout again; MTIME_NEVER. */
mtime status_deadline(const struct status *status);

#endif
