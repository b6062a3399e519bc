/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests of the workers: what they want goes into the tables, their packets go out, their pages and events
 * to their readers. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_REQUESTS_H
#define MCPROXY_DAEMON_OWNER_REQUESTS_H

#include "core/base/mtime.h"

struct owner;
struct loop_source;

/* The handler of instances' sources; context: the owner. Takes a limited number of requests. */
void requests_take(void *context, struct loop_source *source, mtime now);
/* Takes requests of the instances for which the turn before reached the limit. */
void requests_take_rest(struct owner *owner, mtime now);
/* Makes workers repeat the requests for which memory was short, when it is due. */
void requests_repeat(struct owner *owner, mtime now);
mtime requests_deadline(const struct owner *owner);

#endif
