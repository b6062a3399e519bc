/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log/log.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/link_readers.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/repair.h"
#include "daemon/owner/uplink.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

#define OPERATIONS_PER_TURN                                                                                  \
	512 /* of one kind; the rest comes with the next turn, so that nobody waits long */

/* Vifs: the links' operations. */

static bool vif_is_free(void *context, unsigned table, enum family family, unsigned vif)
{
	const struct owner *owner = context;

	return !routes_vif_is_named(table_find(owner, table, family)->routes, vif);
}

/* Once per interface and cause: it is tried again every few seconds. */
static void log_vif_failure(struct table *table, const struct link_op *op, int result)
{
	if (result == 0 || result == -ENODEV ||
	    (table->logged_vif_ifindex == op->ifindex && table->logged_vif_error == -result))
		return;
	table->logged_vif_ifindex = op->ifindex;
	table->logged_vif_error = errno = -result;
	warn("%s: cannot be made a vif; trying again", op->name);
}

static int add_vif(struct owner *owner, const struct link_op *op)
{
	struct table *table = table_find(owner, op->table, op->family);
	int result = table_add_vif(owner, table, op->vif, op->ifindex, op->name);

	log_vif_failure(table, op, result);
	return result;
}

static enum link_word link_word(const struct owner *owner, const struct link_op *op, enum family family)
{
	size_t cursor = (size_t)op->instance * LINKS_MAX + op->id;
	struct links_port port;

	if (op->change.settings.version[family] == VERSION_NONE ||
	    owner->instances[op->instance].tables[family] == NULL)
		return WORD_NONE;
	if (op->change.family[family].usable)
		return WORD_USED;
	if (links_next_port(owner->links, &cursor, &port) && !port.up)
		return WORD_DOWN;
	return family == FAMILY_IPV6 ? WORD_NO_ADDRESS : WORD_NONE;
}

static void log_word(const struct owner *owner, const struct link_op *op, enum family family,
                     enum link_word word)
{
	const char *instance = owner->instances[op->instance].config->name;
	const char *role = op->change.role == ROLE_UPSTREAM ? "upstream" : "downstream";
	const struct addr *address = &op->change.family[family].address;
	char text[ADDR_TEXT_SIZE];

	switch (word) {
	case WORD_USED:
		info("%s: %s: %s link in use, vif %u, %s %s", instance, op->name, role,
		     links_vif(owner->links, op->instance, op->id, family),
		     addr_is_unspecified(address) ? "no IPv4 address, so queries come from" : "address",
		     addr_format(address, text));
		break;
	case WORD_DOWN:
		info("%s: %s: %s interface is down or has no carrier; waiting for it", instance, op->name,
		     role);
		break;
	case WORD_NO_ADDRESS:
		if (settings_value(SETTINGS_IPV6, op->name, "disable_ipv6") == 1)
			info("%s: %s: no IPv6 link-local address: net.ipv6.conf.%s.disable_ipv6 is 1; IPv6 "
			     "waits for it",
			     instance, op->name, op->name);
		else
			info("%s: %s: no IPv6 link-local address yet; IPv6 waits for it", instance, op->name);
		break;
	case WORD_NONE:
		break;
	}
}

static bool is_configured(const struct instance_slot *slot, const struct link_op *op)
{
	return instance_names_link(slot, op->change.role, FAMILY_IPV4, op->name) ||
	       instance_names_link(slot, op->change.role, FAMILY_IPV6, op->name);
}

/* The kernel's multicast routing does not ask for the flag (seen), so the link is used all the same. */
static void log_multicast(struct instance_slot *slot, const struct link_op *op)
{
	uint64_t link = (uint64_t)1 << op->id;

	if (!op->multicast && (slot->logged_no_multicast & link) == 0)
		warnx("%s: %s: the interface has no MULTICAST flag: it is used all the same, but its "
		      "driver, and programs that send or receive there, may let no stream pass; if none "
		      "does: ip link set %s multicast on",
		      slot->config->name, op->name, op->name);
	slot->logged_no_multicast &= ~link;
	if (!op->multicast)
		slot->logged_no_multicast |= link;
}

static void log_link(struct owner *owner, const struct link_op *op)
{
	struct instance_slot *slot = &owner->instances[op->instance];

	if (!op->change.present) {
		if (is_configured(slot, op))
			info("%s: %s: %s interface is gone; waiting for it", slot->config->name, op->name,
			     op->change.role == ROLE_UPSTREAM ? "upstream" : "downstream");
		memset(slot->logged[op->id], 0, sizeof slot->logged[op->id]);
		slot->logged_no_multicast &= ~((uint64_t)1 << op->id);
		return;
	}
	log_multicast(slot, op);
	for (int family = 0; family < FAMILIES; family++) {
		struct link_logged *logged = &slot->logged[op->id][family];
		enum link_word word = link_word(owner, op, family);

		if (logged->word == word && addr_equal(&logged->address, &op->change.family[family].address))
			continue;
		/* Down is down, for both families. */
		if (word != WORD_DOWN || family == FAMILY_IPV4 ||
		    slot->logged[op->id][FAMILY_IPV4].word != WORD_DOWN)
			log_word(owner, op, family, word);
		*logged = (struct link_logged){.word = (uint8_t)word,
		                               .address = op->change.family[family].address};
	}
}

static void disable_rp_filter(struct owner *owner, const char *name)
{
	int result = sysctl_set(owner->rpfilter, name, 0);

	if (result == 0 || owner->logged_rp_filter)
		return;
	owner->logged_rp_filter = true;
	errno = -result;
	warn("%s: rp_filter cannot be set to 0 (net.ipv4.conf.%s.rp_filter)", name, name);
}

/* Without -r: a filter that drops what does not come the way that leads back is logged, with the remedy. */
static void check_rp_filter(const struct link_op *op)
{
	int value = rpfilter_effective(SETTINGS_IPV4, op->name);

	if (value == 1 && op->change.role == ROLE_UPSTREAM && op->change.family[FAMILY_IPV4].usable)
		info("%s: rp_filter is 1: streams whose source is not reached by this link are dropped; -r "
		     "turns it off, or sysctl net.ipv4.conf.{all,%s}.rp_filter=0",
		     op->name, op->name);
}

/* Streams that arrive on an upstream link, or leave by it, are there for an instance that begins to use
 * it. */
static void show_streams(struct owner *owner, const struct link_op *op, enum family family)
{
	unsigned vif = links_vif(owner->links, op->instance, op->id, family);
	const struct table *table = owner->instances[op->instance].tables[family];

	if (owner->instance_count > 1 && table != NULL && vif != LINKS_NO_VIF && op->change.present &&
	    op->change.role == ROLE_UPSTREAM && op->change.family[family].usable)
		routes_untold_at(table->routes, vif, op->instance);
}

/* -EAGAIN when the worker's channel is full: it rings when it has made room. -ENOMEM when there is no memory
 * for its uplink: what it then wants there would be lost. */
static int announce_link(struct owner *owner, const struct link_op *op, mtime now)
{
	struct input input = {.kind = INPUT_LINK, .link = op->id};

	for (int family = 0; family < FAMILIES; family++)
		if (!uplink_prepare(owner, op, family))
			return -ENOMEM;
	if (!worker_tell(owner->instances[op->instance].channel, &input, &op->change, sizeof op->change))
		return -EAGAIN;
	link_readers_link_changed(owner, op);
	log_link(owner, op);
	service_links_changed(owner);
	if (owner->rpfilter != NULL && op->change.present)
		disable_rp_filter(owner, op->name);
	else if (owner->rpfilter == NULL)
		check_rp_filter(op);
	for (int family = 0; family < FAMILIES; family++) {
		uplink_link_changed(owner, op, family, now);
		show_streams(owner, op, family);
	}
	return 0;
}

static void apply_links(struct owner *owner, mtime now)
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
			warnx("%s: %s: the kernel takes no more than %d %s links in a table: it waits for "
			      "another to go; give instances tables to themselves: table = \"own\"",
			      owner->instances[op.instance].config->name, op.name, LINKS_VIFS,
			      op.family == FAMILY_IPV4 ? "IPv4" : "IPv6");
			break;
		case LINK_CONFLICT:
			warnx("%s: patterns of instances %s and %s match it: %s, the first, has it; name it "
			      "in the other to give it there",
			      op.name, owner->instances[op.instance].config->name,
			      owner->instances[op.loser].config->name,
			      owner->instances[op.instance].config->name);
			break;
		}
		owner->written |= op.kind == LINK_ADD_VIF || op.kind == LINK_DEL_VIF;
		links_done(owner->links, now, &op, result);
	}
}

/* Routes. */

static int perform_route(struct table *table, const struct route_op *op)
{
	if (op->kind == ROUTE_DELETE)
		return mrt_del_route(table->mrt, &op->key.source, &op->key.group);
	return mrt_set_route(table->mrt, &op->key.source, &op->key.group, op->input, op->outputs);
}

static void log_route_failure(struct table *table, const struct route_op *op, int result)
{
	char source[ADDR_TEXT_SIZE], group[ADDR_TEXT_SIZE];

	if (result == 0 || op->kind == ROUTE_DELETE || table->logged_error == -result)
		return;
	table->logged_error = errno = -result;
	warn("route (%s, %s) is refused by the kernel; trying again", addr_format(&op->key.source, source),
	     addr_format(&op->key.group, group));
}

void edge_apply_routes(struct owner *owner, struct table *table, mtime now)
{
	struct route_op op;
	int count = 0;

	while (routes_pull(table->routes, now, &op)) {
		int result = perform_route(table, &op);

		owner->written = true;
		log_route_failure(table, &op, result);
		routes_done(table->routes, now, &op, result);
		if (++count == OPERATIONS_PER_TURN) {
			owner->again = true;
			break;
		}
	}
}

void edge_apply(struct owner *owner, mtime now)
{
	struct uplink *uplink;
	struct table *table;

	apply_links(owner, now);
	LL_FOREACH (owner->tables, table)
		edge_apply_routes(owner, table, now);
	tables_close_unused(owner);
	LL_FOREACH (owner->uplinks, uplink)
		uplink_apply(owner, uplink, now);
	if (owner->written)
		repair_receive(owner, now);
	owner->written = false;
	repair_apply(owner, now);
	LL_FOREACH (owner->tables, table) {
		upcalls_retry(owner, table);
		intake_wrong_vif(owner, table, now);
		intake_counters(owner, table, now);
	}
}

mtime edge_deadline(const struct owner *owner)
{
	const struct uplink *uplink;
	const struct table *table;
	mtime at = mtime_min(links_deadline(owner->links), repair_deadline(owner));

	LL_FOREACH (owner->tables, table)
		at = mtime_min(
			at, mtime_min(routes_deadline(table->routes), wrong_vif_deadline(table->wrong_vif)));
	LL_FOREACH (owner->uplinks, uplink)
		at = mtime_min(at, uplink_deadline(uplink));
	return at;
}
