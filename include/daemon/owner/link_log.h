/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the log says of the links of instances: each change once, with the reason why a link is not in use and
 * the remedy. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_LINK_LOG_H
#define MCPROXY_DAEMON_OWNER_LINK_LOG_H

#include "core/base/addr.h"

#include <stdbool.h>
#include <stdint.h>

struct owner;
struct table;
struct link_op;

/* What was logged of a link. */
struct link_logged {
	struct {
		uint8_t word; /* enum link_word, link_log.c */
		struct addr address;
	} family[FAMILIES];
	bool no_multicast;
	bool has_master;
};

/* LINK_ANNOUNCE: logs what has changed of an instance's link. */
void link_log_change(struct owner *owner, const struct link_op *op);
/* An interface has become a port of a bridge or a member of a bond: logs it if instances use it. */
void link_log_master(struct owner *owner, int ifindex);
/* Without -r: logs a filter that drops streams whose source another interface leads back to. */
void link_log_rp_filter(const struct link_op *op);
/* Logs that a link cannot be made a vif: once for each interface and cause, since each retry fails the same.
 */
void link_log_vif_failure(struct table *table, const struct link_op *op, int result);
/* LINK_FULL and LINK_CONFLICT. */
void link_log_full(struct owner *owner, const struct link_op *op);
void link_log_conflict(struct owner *owner, const struct link_op *op);
/* Logs the configured links of a set of instances that have no interface. */
void link_log_missing(struct owner *owner, uint64_t instances);

#endif
