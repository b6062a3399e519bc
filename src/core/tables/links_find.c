/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/links_rows.h"

#include <utlist.h>

/* An interface that moves to another table keeps the vif of the old one until links_pull has removed it. */
static unsigned port_vif(const struct port *port, enum family family)
{
	const struct link_interface *interface = port->interface;

	if (!port->serves[family] || interface->vif_table[family] != interface->table[family])
		return LINKS_NO_VIF;
	return interface->vif[family];
}

unsigned links_vif(const struct links *links, unsigned instance, uint8_t id, enum family family)
{
	const struct port *port = links->ports[instance][id];

	return port != NULL ? port_vif(port, family) : LINKS_NO_VIF;
}

uint32_t links_vifs(const struct links *links, unsigned instance, uint64_t ids, enum family family)
{
	uint32_t vifs = 0;

	for (; ids != 0; ids &= ids - 1) {
		unsigned vif = links_vif(links, instance, (uint8_t)__builtin_ctzll(ids), family);

		if (vif != LINKS_NO_VIF)
			vifs |= (uint32_t)1 << vif;
	}
	return vifs;
}

uint8_t links_threshold(const struct links *links, unsigned table, enum family family, unsigned vif)
{
	const struct link_interface *interface = vif < LINKS_VIFS ? links->vifs[table][family][vif] : NULL;
	const struct port *port;
	uint8_t threshold = 1;

	if (interface != NULL)
		LL_FOREACH (interface->ports, port)
			if (!port->leaving && port->serves[family] &&
			    port->settings.ttl_threshold > threshold)
				threshold = port->settings.ttl_threshold;
	return threshold;
}

const char *links_vif_name(const struct links *links, unsigned table, enum family family, unsigned vif)
{
	const struct link_interface *interface = vif < LINKS_VIFS ? links->vifs[table][family][vif] : NULL;

	return interface != NULL ? interface->name : "?";
}

static void fill_port(const struct port *from, struct links_port *port)
{
	*port = (struct links_port){
		.instance = from->instance,
		.id = from->id,
		.role = from->role,
		.ifindex = from->interface->ifindex,
		.name = from->interface->name,
		.up = from->interface->up,
		.mtu = from->interface->mtu,
		.settings = from->settings,
	};
	for (int family = 0; family < FAMILIES; family++) {
		port->vif[family] = port_vif(from, family);
		port->address[family] = port_address(from, family);
		port->usable[family] = port_is_usable(from, family);
	}
}

bool links_next_port(const struct links *links, size_t *cursor, struct links_port *port)
{
	while (*cursor < (size_t)LINKS_INSTANCES * LINKS_MAX) {
		const struct port *from = links->ports[*cursor / LINKS_MAX][*cursor % LINKS_MAX];

		++*cursor;
		if (from == NULL || from->leaving)
			continue;
		fill_port(from, port);
		return true;
	}
	return false;
}

bool links_find_port(const struct links *links, unsigned instance, uint8_t id, struct links_port *port)
{
	const struct port *from =
		instance < LINKS_INSTANCES && id < LINKS_MAX ? links->ports[instance][id] : NULL;

	if (from == NULL || from->leaving)
		return false;
	fill_port(from, port);
	return true;
}

bool links_match(const struct links *links, const char *pattern, const char *name)
{
	const struct link_interface *interface;

	DL_FOREACH (links->interfaces, interface)
		if (!interface->gone && strcmp(interface->name, name) == 0)
			return interface_matches(interface, pattern);
	return names_match(pattern, name);
}

static bool is_missing(const struct links *links, const struct link_name *name)
{
	const struct link_interface *interface;

	DL_FOREACH (links->interfaces, interface)
		if (!interface->gone && interface_matches(interface, name->pattern))
			return false;
	return true;
}

bool links_next_missing(const struct links *links, size_t *cursor, unsigned *instance, const char **pattern)
{
	const struct link_name *name;
	size_t place = 0;

	LL_FOREACH (links->names.first, name) {
		if (place++ < *cursor)
			continue;
		++*cursor;
		if (!is_missing(links, name))
			continue;
		*instance = name->instance;
		*pattern = name->pattern;
		return true;
	}
	return false;
}
