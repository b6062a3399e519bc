/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/links_rows.h"

#include <errno.h>
#include <utlist.h>

#define RETRY_INTERVAL (2 * MTIME_SECOND)

/* False for a vif in another table than the wanted one: that vif goes first. */
static bool wants_vif(const struct links *links, const struct link_interface *interface, enum family family)
{
	const struct port *port;

	if (interface->gone || !links->enabled[interface->table[family]][family])
		return false;
	if (interface->vif[family] != LINKS_NO_VIF &&
	    interface->vif_table[family] != interface->table[family])
		return false;
	LL_FOREACH (interface->ports, port)
		if (port->serves[family])
			return true;
	return false;
}

/* A source_address is this router's own, whether the interface has it or not. */
static void add_address(struct link_addresses *list, enum family family, const struct addr *address)
{
	uint8_t count = list->address_count[family];

	for (uint8_t i = 0; i < count; i++)
		if (addr_equal(&list->addresses[family][i], address))
			return;
	if (count < LINK_ADDRESSES_MAX && !addr_is_unspecified(address))
		list->addresses[family][list->address_count[family]++] = *address;
}

static void fill_change(const struct links *links, const struct port *port, struct link_change *change)
{
	memset(change, 0, sizeof *change);
	change->present = !port->leaving;
	change->role = (uint8_t)port->role;
	memcpy(change->name, port->interface->name, sizeof change->name);
	change->mtu = port->interface->mtu;
	change->elections = links->elections;
	change->settings = port->settings;
	/* The configuration that a leaving link is from may be gone. */
	if (port->leaving)
		link_settings_strip(&change->settings);
	addresses_list(port->interface->addresses, &change->addresses);
	for (int family = 0; family < FAMILIES; family++) {
		if (!port->serves[family])
			change->settings.version[family] = VERSION_NONE;
		change->family[family].usable =
			port_is_usable(port, family) && !port->announce_unusable[family];
		change->family[family].address = port_address(port, family);
		add_address(&change->addresses, family, &change->family[family].address);
	}
}

static bool port_has_news(const struct links *links, const struct port *port)
{
	if (port->leaving || !port->announced || port->reconfigured ||
	    (port->role == ROLE_DOWNSTREAM && port->announced_elections != links->elections) ||
	    port->announced_mtu != port->interface->mtu ||
	    port->announced_multicast != port->interface->multicast)
		return true;
	for (int family = 0; family < FAMILIES; family++) {
		const struct addresses *addresses = &port->interface->addresses[family];
		struct addr address = port_address(port, family);

		if (port->announce_unusable[family] ||
		    port->announced_addresses[family] != addresses->changes ||
		    port->announced_usable[family] != port_is_usable(port, family) ||
		    !addr_equal(&port->announced_address[family], &address))
			return true;
	}
	return false;
}

static bool pull_announcement(const struct links *links, struct link_interface *interface, struct link_op *op)
{
	struct port *port;

	LL_FOREACH (interface->ports, port) {
		if (!port_has_news(links, port) || (links->refused >> port->instance & 1) != 0)
			continue;
		*op = (struct link_op){.kind = LINK_ANNOUNCE,
		                       .ifindex = interface->ifindex,
		                       .name = interface->name,
		                       .instance = port->instance,
		                       .id = port->id,
		                       .multicast = interface->multicast};
		fill_change(links, port, &op->change);
		return true;
	}
	return false;
}

static bool find_vif(struct links *links, unsigned table, enum family family, int ifindex,
                     links_vif_is_free *is_free, void *context, unsigned *vif)
{
	for (*vif = 0; *vif < LINKS_VIFS; ++*vif)
		if (links->vifs[table][family][*vif] == NULL &&
		    is_free(context, table, family, *vif, ifindex))
			return true;
	return false;
}

static bool is_full(const struct links *links, unsigned table, enum family family)
{
	for (unsigned vif = 0; vif < LINKS_VIFS; vif++)
		if (links->vifs[table][family][vif] == NULL || links->vifs[table][family][vif]->gone)
			return false;
	return true;
}

/* No number is free, for a while or permanently; the latter is logged. */
static bool wait_for_vif(struct links *links, struct link_interface *interface, enum family family, mtime now,
                         struct link_op *op)
{
	unsigned table = interface->table[family];

	interface->retry_at[family] = now + RETRY_INTERVAL;
	if (interface->logged_full[family] || !is_full(links, table, family))
		return false;
	interface->logged_full[family] = true;
	*op = (struct link_op){.kind = LINK_FULL,
	                       .table = table,
	                       .family = family,
	                       .ifindex = interface->ifindex,
	                       .name = interface->name,
	                       .instance = interface->ports->instance};
	return true;
}

static bool pull_vif(struct links *links, struct link_interface *interface, enum family family, mtime now,
                     links_vif_is_free *is_free, void *context, struct link_op *op)
{
	bool wanted = wants_vif(links, interface, family);
	unsigned table = wanted ? interface->table[family] : interface->vif_table[family];
	unsigned vif = interface->vif[family];

	if (wanted == (vif != LINKS_NO_VIF))
		interface->retry_at[family] = 0;
	if (wanted == (vif != LINKS_NO_VIF) || interface->retry_at[family] > now)
		return false;
	if (wanted && !find_vif(links, table, family, interface->ifindex, is_free, context, &vif))
		return wait_for_vif(links, interface, family, now, op);
	*op = (struct link_op){.kind = wanted ? LINK_ADD_VIF : LINK_DEL_VIF,
	                       .table = table,
	                       .family = family,
	                       .vif = vif,
	                       .ifindex = interface->ifindex,
	                       .name = interface->name};
	return true;
}

static bool pull_conflict(struct link_interface *interface, struct link_op *op)
{
	if (!interface->conflict)
		return false;
	interface->conflict = false;
	*op = (struct link_op){.kind = LINK_CONFLICT,
	                       .ifindex = interface->ifindex,
	                       .name = interface->name,
	                       .instance = interface->winner,
	                       .loser = interface->loser};
	return true;
}

bool links_pull(struct links *links, mtime now, links_vif_is_free *vif_is_free, void *context,
                struct link_op *op)
{
	struct link_interface *interface, *next;

	if (!links->changed && links_deadline(links) > now)
		return false;
	if (links->retry_at <= now)
		links->retry_at = 0;
	DL_FOREACH_SAFE (links->interfaces, interface, next) {
		if (interface->incomplete && !interface->gone)
			interface_attach(links, interface);
		if (pull_conflict(interface, op))
			return true;
		for (int family = 0; family < FAMILIES; family++)
			if (pull_vif(links, interface, family, now, vif_is_free, context, op))
				return true;
		if (pull_announcement(links, interface, op))
			return true;
		if (interface->gone && interface->ports == NULL)
			interface_free(links, interface);
	}
	/* Instances that took no announcement get it in the next pass. */
	links->changed = links->refused != 0;
	links->refused = 0;
	if (links->memory_short)
		links->retry_at = now + RETRY_INTERVAL;
	links->memory_short = false;
	return false;
}

static struct link_interface *op_interface(struct links *links, const struct link_op *op)
{
	if (op->kind == LINK_ANNOUNCE)
		return links->ports[op->instance][op->id]->interface;
	if (op->kind == LINK_DEL_VIF)
		return links->vifs[op->table][op->family][op->vif];
	return interface_find(links, op->ifindex);
}

static void vif_done(struct links *links, mtime now, struct link_interface *interface,
                     const struct link_op *op, int result)
{
	struct port *port;

	if (op->kind == LINK_ADD_VIF && result != 0) {
		interface->retry_at[op->family] = now + RETRY_INTERVAL;
		return;
	}
	interface->retry_at[op->family] = 0;
	if (op->kind == LINK_ADD_VIF) {
		interface->vif_table[op->family] = op->table;
		interface->vif[op->family] = op->vif;
		links->vifs[op->table][op->family][op->vif] = interface;
		return;
	}
	interface->vif[op->family] = LINKS_NO_VIF;
	interface->vif_went = true;
	LL_FOREACH (interface->ports, port)
		port->announce_unusable[op->family] = port->announced_usable[op->family];
	interface_release_vifs(links, interface);
}

static void announce_done(struct links *links, const struct link_op *op)
{
	struct port *port = links->ports[op->instance][op->id];
	struct link_interface *interface = port->interface;

	if (!op->change.present) {
		port_free(links, port);
		interface_release_vifs(links, interface);
		return;
	}
	port->announced = true;
	port->reconfigured = false;
	port->announced_elections = op->change.elections;
	port->announced_mtu = op->change.mtu;
	port->announced_multicast = op->multicast;
	for (int family = 0; family < FAMILIES; family++) {
		port->announced_usable[family] = op->change.family[family].usable;
		port->announced_address[family] = op->change.family[family].address;
		port->announced_addresses[family] = interface->addresses[family].changes;
		port->announce_unusable[family] = false;
	}
	interface_release_vifs(links, interface);
}

void links_done(struct links *links, mtime now, const struct link_op *op, int result)
{
	if (op->kind == LINK_ANNOUNCE && result != 0)
		links->refused |= (uint64_t)1 << op->instance;
	links->memory_short |= op->kind == LINK_ANNOUNCE && result == -ENOMEM;
	links->changed = true;
	if (op->kind == LINK_ANNOUNCE && result == 0)
		announce_done(links, op);
	else if (op->kind == LINK_ADD_VIF || op->kind == LINK_DEL_VIF)
		vif_done(links, now, op_interface(links, op), op, result);
}

mtime links_deadline(const struct links *links)
{
	const struct link_interface *interface;
	mtime at = links->retry_at != 0 ? links->retry_at : MTIME_NEVER;

	DL_FOREACH (links->interfaces, interface)
		for (int family = 0; family < FAMILIES; family++)
			if (interface->retry_at[family] != 0)
				at = mtime_min(at, interface->retry_at[family]);
	return at;
}
