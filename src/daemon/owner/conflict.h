/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A stream that reaches two instances of one kernel table, which has room for one entry for it: said once for
 * the two, with the remedy. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_CONFLICT_H
#define MCPROXY_DAEMON_OWNER_CONFLICT_H

#include "daemon/owner/owner.h"

/* A stream that has an entry arrives by another vif than the entry's, too. True: that vif is of instances
 * that do not have the stream. */
bool conflict_check(struct owner *owner, const struct table *table, const struct route_key *key,
                    unsigned vif);

#endif
