/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Streams that came in by a vif that their entry sends them to. Either the source has moved there, or the
 * kernel has looped back what it sent out itself (Linux does so for IPv6 where this machine is a member of
 * the group on that link). The counters tell a moment later: a looped packet has one that came in rightly
 * beside it. Pure. Readings are packets in all, and those by a wrong vif. Owner thread.
 */
#ifndef MCPROXY_CORE_TABLES_WRONG_VIF_H
#define MCPROXY_CORE_TABLES_WRONG_VIF_H

#include "core/tables/routes.h"

struct suspects;

struct suspects *suspects_new(void); /* NULL when memory is short */
void suspects_free(struct suspects *suspects);

/* Their number is limited: further ones have to wait for the kernel's next word, after 3 s. */
void suspects_add(struct suspects *suspects, mtime now, const struct route_key *key, unsigned vif,
                  uint64_t packets, uint64_t wrong);
/* The next one to be looked at: the caller reads the counters and asks suspects_has_moved. */
bool suspects_pull(struct suspects *suspects, mtime now, struct route_key *key, unsigned *vif);
bool suspects_has_moved(struct suspects *suspects, mtime now, const struct route_key *key, uint64_t packets,
                        uint64_t wrong);
/* When one is to be looked at; MTIME_NEVER. */
mtime suspects_deadline(const struct suspects *suspects);

#endif
