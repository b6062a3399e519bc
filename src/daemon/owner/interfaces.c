/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/interfaces.h"

#include "core/policy/group_map.h"
#include "core/tables/links.h"
#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/inherited.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/link_log.h"
#include "daemon/owner/link_readers.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/uplink.h"
#include "kernel/netlink.h"

#include <errno.h>

#define RETRY_INTERVAL (1 * MTIME_SECOND)

/* Netlink -> links. */

/* When memory is short, a dump a moment later has the address again. */
static void take_address(struct owner *owner, const struct netlink_news *news)
{
	if (links_address(owner->links, news->ifindex, &news->address, news->kind == NETLINK_ADDRESS))
		return;
	owner->interfaces.refresh_at = clock_now() + RETRY_INTERVAL;
}

static void take_news(void *context, const struct netlink_news *news)
{
	struct owner *owner = context;

	switch (news->kind) {
	case NETLINK_LINK:
		settings_interface(owner, news->name, false);
		if (!links_interface(owner->links, news->ifindex, news->name, news->up, news->multicast,
		                     news->mtu)) {
			warnx("link %s: not used now: out of memory, or more than %d links in an instance",
			      news->name, LINKS_MAX);
			owner->interfaces.refresh_at = clock_now() + RETRY_INTERVAL;
		}
		if (!links_altnames(owner->links, news->ifindex, news->altnames))
			owner->interfaces.refresh_at = clock_now() + RETRY_INTERVAL;
		if (links_attachment(owner->links, news->ifindex, &news->attachment) || news->moved)
			uplinks_announce(owner, news->ifindex);
		if (news->has_master)
			link_log_master(owner, news->ifindex);
		break;
	case NETLINK_LINK_GONE:
		settings_interface(owner, news->name, true);
		links_interface_gone(owner->links, news->ifindex);
		break;
	case NETLINK_ADDRESS:
	case NETLINK_ADDRESS_GONE:
		take_address(owner, news);
		break;
	case NETLINK_OVERRUN:
		links_dump_begin(owner->links);
		break;
	case NETLINK_DUMP_END:
		links_dump_end(owner->links);
		if (!owner->interfaces.known)
			link_log_missing(owner, UINT64_MAX);
		owner->interfaces.known = true;
		break;
	}
}

/* Asks for the lost messages again, until netlink can be read. Logged once. */
static void netlink_failed(struct owner *owner, mtime now, int result)
{
	owner->interfaces.refresh_at = now + RETRY_INTERVAL;
	if (owner->interfaces.logged_failure)
		return;
	owner->interfaces.logged_failure = true;
	errno = -result;
	warn("netlink: news of interfaces cannot be read; trying again");
}

static void receive(void *context, struct loop_source *source, mtime now)
{
	struct owner *owner = context;
	int result = netlink_receive(owner->interfaces.netlink, take_news, owner);

	(void)source;
	if (result != 0)
		netlink_failed(owner, now, result);
}

void interfaces_refresh(struct owner *owner, mtime now)
{
	int result;

	if (owner->interfaces.refresh_at > now)
		return;
	owner->interfaces.refresh_at = MTIME_NEVER;
	links_dump_begin(owner->links);
	result = netlink_refresh(owner->interfaces.netlink);
	if (result != 0)
		netlink_failed(owner, now, result);
}

bool interfaces_open(struct owner *owner)
{
	struct interface_watch *interfaces = &owner->interfaces;
	int result = netlink_open(&interfaces->netlink);

	if (result != 0) {
		errno = -result;
		return false;
	}
	interfaces->source = (struct loop_source){
		.fd = netlink_fd(interfaces->netlink), .ready = receive, .context = owner};
	return loop_watch(&owner->loop, &interfaces->source);
}

void interfaces_close(struct owner *owner)
{
	if (owner->interfaces.netlink != NULL)
		netlink_close(owner->interfaces.netlink);
}

/* Links -> vifs and instances. */

static bool vif_is_free(void *context, unsigned table, enum family family, unsigned vif, int ifindex)
{
	const struct owner *owner = context;

	return inherited_allows_vif(table_find(owner, table, family), vif, ifindex);
}

static int add_vif(struct owner *owner, const struct link_op *op)
{
	struct table *table = table_find(owner, op->table, op->family);
	int result = table_add_vif(owner, table, op->vif, op->ifindex, op->name);

	link_log_vif_failure(table, op, result);
	return result;
}

/* An entry that is written again keeps its stream. */
static void follow_threshold(struct table *table, unsigned vif, uint8_t threshold)
{
	if (mrt_threshold(table->mrt, vif) == threshold)
		return;
	mrt_set_threshold(table->mrt, vif, threshold);
	routes_rewrite(table->routes, vif);
}

static void follow_thresholds(struct owner *owner, const struct link_op *op, enum family family)
{
	unsigned vif = links_vif(owner->links, op->instance, op->id, family);
	struct table *table = owner->instances[op->instance].tables[family];

	if (table != NULL && vif != LINKS_NO_VIF)
		follow_threshold(table, vif, links_threshold(owner->links, table->number, family, vif));
}

/* An instance that begins to use an upstream link learns of the streams that already pass there. */
static void show_streams(struct owner *owner, const struct link_op *op, enum family family)
{
	unsigned vif = links_vif(owner->links, op->instance, op->id, family);
	const struct table *table = owner->instances[op->instance].tables[family];

	if (owner->instance_count > 1 && table != NULL && vif != LINKS_NO_VIF && op->change.present &&
	    op->change.role == ROLE_UPSTREAM && op->change.family[family].usable)
		routes_upcalls_pending_at(table->routes, vif, op->instance);
}

/* -EAGAIN when the worker's channel is full: it rings when it has made room. -ENOMEM when memory is short for
 * its uplink: the memberships that it then wants there would be lost. */
static int announce_link(struct owner *owner, const struct link_op *op, mtime now)
{
	struct input input = {.kind = INPUT_LINK, .link = op->id};

	for (int family = 0; family < FAMILIES; family++)
		if (!uplink_prepare(owner, op, family))
			return -ENOMEM;
	settings_hold(&op->change.settings);
	if (!worker_tell(owner->instances[op->instance].channel, &input, &op->change, sizeof op->change)) {
		settings_release(&op->change.settings);
		return -EAGAIN;
	}
	link_readers_link_changed(owner, op);
	link_log_change(owner, op);
	owner->service.links_changed = true;
	if (owner->settings.rp_filter == NULL)
		link_log_rp_filter(op);
	else if (op->change.present)
		settings_link(owner, op->name);
	else
		settings_link_left(owner);
	for (int family = 0; family < FAMILIES; family++) {
		uplink_link_changed(owner, op, family, now);
		show_streams(owner, op, family);
		follow_thresholds(owner, op, family);
	}
	return 0;
}

void interfaces_apply(struct owner *owner, mtime now)
{
	struct link_op op;

	while (links_pull(owner->links, now, vif_is_free, owner, &op)) {
		int result = 0;

		switch (op.kind) {
		case LINK_ADD_VIF:
			result = add_vif(owner, &op);
			break;
		case LINK_DEL_VIF:
			table_del_vif(owner, table_find(owner, op.table, op.family), op.vif);
			break;
		case LINK_ANNOUNCE:
			result = announce_link(owner, &op, now);
			break;
		case LINK_FULL:
			link_log_full(owner, &op);
			break;
		case LINK_CONFLICT:
			link_log_conflict(owner, &op);
			break;
		}
		owner->written |= op.kind == LINK_ADD_VIF || op.kind == LINK_DEL_VIF;
		links_done(owner->links, now, &op, result);
	}
}
