/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Uplinks: the sockets and packets of the host side (core/host/host.h) on each upstream interface and family.
 * Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_UPLINK_H
#define MCPROXY_DAEMON_OWNER_UPLINK_H

#include "core/contract/link_change.h"
#include "core/host/host.h"
#include "core/tables/links.h"

struct owner;
struct table;
struct link_op;

/* Known by the interface's name, so that the wanted state outlives the interface. */
struct uplink {
	struct uplink *next;
	char name[LINK_NAME_SIZE];
	enum family family;
	int ifindex; /* 0: not there */
	struct table *table;
	unsigned vif; /* in that table */
	struct host *host;
	mtime replace_at; /* when to retry a change of membership that memory was short for; 0: none */
	int *sockets;     /* by slot; -1: closed */
	size_t socket_count;
	uint64_t instances;               /* set of those that have it as upstream */
	uint8_t numbers[LINKS_INSTANCES]; /* the id that it has, or had last, in each of them, plus 1 */
	int logged_error;                 /* the last failure that was logged */
	bool logged_superset;
	bool logged_missing;    /* that no query arrives */
	uint8_t logged_version; /* enum version: the one that is spoken there */
	bool logged_version_1;  /* a version 1 query is not followed */
	mtime version_at;       /* when the forced version may be read again */
	uint64_t send_failures;
	bool announce;                 /* its attachment has changed: this turn reports all groups */
	struct link_settings settings; /* in force: those of the first of its instances */
	struct host_link link;         /* as it was passed to the host */
};

/* NULL when there is none of that name and family. */
struct uplink *uplink_find(const struct owner *owner, enum family family, const char *name);
/* Makes the uplink that uplink_link_changed will need; false when memory is short. */
bool uplink_prepare(struct owner *owner, const struct link_op *op, enum family family);
/* LINK_ANNOUNCE: an upstream link gets its uplink, or the uplink follows the change. The uplink of a link
 * that is no longer upstream loses the instance. */
void uplink_link_changed(struct owner *owner, const struct link_op *op, enum family family, mtime now);
/* The attachment of an interface has changed: the next uplink_apply reports all memberships there. */
void uplinks_announce(struct owner *owner, int ifindex);
/* Brings the kernel's memberships to where the host wants them; then sends the reports of them. */
void uplink_apply(struct owner *owner, struct uplink *uplink, mtime now);
mtime uplink_deadline(const struct uplink *uplink);
/* Reads which version the administrator forces (force_igmp_version), and follows it: the kernel does not
 * announce a change. */
void uplink_follow_version(struct uplink *uplink, mtime now);
/* After a reload: instances leave the uplinks that they no longer name, and uplinks without instances end. */
void uplinks_reconsider(struct owner *owner, mtime now);
/* A table is about to be freed. */
void uplinks_forget_table(struct owner *owner, const struct table *table);
/* Leaves everything. */
void uplinks_free(struct owner *owner);

#endif
