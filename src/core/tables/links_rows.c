/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/links_rows.h"

#include <stdlib.h>
#include <utlist.h>

static void port_configure(struct port *port, const struct link_name *name, const bool serves[FAMILIES])
{
	if (port->leaving || port->role != name->role ||
	    !link_settings_equal(&port->settings, &name->settings) ||
	    memcmp(port->serves, serves, sizeof port->serves) != 0)
		port->reconfigured = true;
	port->leaving = false;
	port->role = name->role;
	port->settings = name->settings;
	memcpy(port->serves, serves, sizeof port->serves);
}

static bool port_new(struct links *links, struct link_interface *interface, const struct link_name *name,
                     const bool serves[FAMILIES])
{
	uint64_t unused = ~links->ids_used[name->instance];
	struct port *port = unused ? calloc(1, sizeof *port) : NULL;

	links->memory_short |= unused != 0 && port == NULL;
	if (port == NULL)
		return false;
	port->interface = interface;
	port->instance = name->instance;
	port->id = (uint8_t)__builtin_ctzll(unused);
	port_configure(port, name, serves);
	links->ids_used[name->instance] |= (uint64_t)1 << port->id;
	links->ports[name->instance][port->id] = port;
	LL_PREPEND(interface->ports, port);
	return true;
}

static struct port *find_port(const struct link_interface *interface, unsigned instance)
{
	struct port *port;

	LL_FOREACH (interface->ports, port)
		if (port->instance == instance)
			return port;
	return NULL;
}

struct addr port_address(const struct port *port, enum family family)
{
	return addr_is_unspecified(&port->settings.source_address[family])
	               ? port->interface->addresses[family].best
	               : port->settings.source_address[family];
}

bool port_is_usable(const struct port *port, enum family family)
{
	const struct link_interface *interface = port->interface;
	const struct addr *address = &interface->addresses[family].best;

	return !port->leaving && interface->up && interface->vif[family] != LINKS_NO_VIF &&
	       port->serves[family] && (family == FAMILY_IPV4 || !addr_is_unspecified(address));
}

bool interface_has_vif(const struct link_interface *interface, unsigned table, enum family family,
                       unsigned vif)
{
	return interface->vif[family] == vif && interface->vif_table[family] == table;
}

static bool is_waited_for(const struct link_interface *interface, enum family family)
{
	const struct port *port;

	LL_FOREACH (interface->ports, port)
		if (port->announce_unusable[family])
			return true;
	return false;
}

void interface_release_vifs(struct links *links, struct link_interface *interface)
{
	if (!interface->vif_went)
		return;
	interface->vif_went = false;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		if (is_waited_for(interface, family)) {
			interface->vif_went = true;
			continue;
		}
		for (unsigned table = 0; table < LINKS_TABLES; table++)
			for (unsigned vif = 0; vif < LINKS_VIFS; vif++)
				if (links->vifs[table][family][vif] == interface &&
				    !interface_has_vif(interface, table, family, vif))
					links->vifs[table][family][vif] = NULL;
	}
}

void port_free(struct links *links, struct port *port)
{
	LL_DELETE(port->interface->ports, port);
	links->ports[port->instance][port->id] = NULL;
	if (!port->announced)
		links->ids_used[port->instance] &= ~((uint64_t)1 << port->id);
	free(port);
}

/* The instance is to learn that the link is gone; then the port is freed. A port that was never announced is
 * freed at once. */
static void port_leave(struct links *links, struct port *port)
{
	port->leaving = true;
	if (!port->announced)
		port_free(links, port);
}

static void note_conflict(struct link_interface *interface, const struct name_matches *name_matches)
{
	if (name_matches->loser == NULL || name_matches->loser->logged)
		return;
	name_matches->loser->logged = true;
	interface->conflict = true;
	interface->loser = (uint8_t)name_matches->loser->instance;
	interface->winner = (uint8_t)name_matches->winner->instance;
}

static void set_tables(const struct links *links, struct link_interface *interface,
                       const struct name_matches *name_matches)
{
	for (unsigned instance = 0; instance < LINKS_INSTANCES; instance++)
		for (int family = 0; family < FAMILIES; family++)
			if (name_matches->serves[instance][family])
				interface->table[family] = links->names.tables[instance];
}

static bool has_altname(const struct link_interface *interface, const char *pattern)
{
	const char *name = interface->altnames != NULL ? interface->altnames : "";

	for (; *name != '\0'; name += strlen(name) + 1)
		if (names_match(pattern, name))
			return true;
	return false;
}

static bool has_address(const struct link_interface *interface, const char *text)
{
	struct range range;

	if (range_parse(text, &range) != NULL)
		return false;
	for (int list = 0; list < ADDRESS_LISTS; list++)
		if (addresses_meet(&interface->addresses[list], &range))
			return true;
	return false;
}

bool interface_matches(const struct link_interface *interface, const char *pattern)
{
	if (pattern[0] == '@')
		return has_address(interface, pattern + 1);
	return names_match(pattern, interface->name) || has_altname(interface, pattern);
}

bool interface_attach(struct links *links, struct link_interface *interface)
{
	struct name_matches name_matches;

	names_match_interface(&links->names, interface, interface_matches, &name_matches);
	note_conflict(interface, &name_matches);
	set_tables(links, interface, &name_matches);
	interface->incomplete = false;
	for (unsigned instance = 0; instance < LINKS_INSTANCES; instance++) {
		const struct link_name *name = name_matches.names[instance];
		struct port *port = find_port(interface, instance);

		if (name == NULL && port != NULL)
			port_leave(links, port);
		else if (name != NULL && port != NULL)
			port_configure(port, name, name_matches.serves[instance]);
		else if (name != NULL && !port_new(links, interface, name, name_matches.serves[instance]))
			interface->incomplete = true;
	}
	return !interface->incomplete;
}

void interface_detach(struct links *links, struct link_interface *interface)
{
	struct port *port, *next;

	interface->gone = true;
	interface->incomplete = false;
	interface->retry_at[FAMILY_IPV4] = interface->retry_at[FAMILY_IPV6] = 0;
	LL_FOREACH_SAFE (interface->ports, port, next)
		port_leave(links, port);
}

struct link_interface *interface_find(const struct links *links, int ifindex)
{
	struct link_interface *interface;

	DL_FOREACH (links->interfaces, interface)
		if (interface->ifindex == ifindex && !interface->gone)
			return interface;
	return NULL;
}

struct link_interface *interface_new(struct links *links, int ifindex, const char *name)
{
	struct link_interface *interface = calloc(1, sizeof *interface), *other;

	if (interface == NULL)
		return NULL;
	/* The interface that had the name is gone or renamed; that news is still to come. */
	DL_FOREACH (links->interfaces, other)
		if (!other->gone && strcmp(other->name, name) == 0)
			interface_detach(links, other);
	interface->ifindex = ifindex;
	strncpy(interface->name, name, sizeof interface->name - 1);
	interface->vif[FAMILY_IPV4] = interface->vif[FAMILY_IPV6] = LINKS_NO_VIF;
	for (int list = 0; list < ADDRESS_LISTS; list++)
		addresses_init(&interface->addresses[list], list == FAMILY_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6);
	DL_APPEND(links->interfaces, interface);
	return interface;
}

struct link_interface *interface_rename(struct links *links, struct link_interface *interface,
                                        const char *name)
{
	struct link_interface *renamed = interface_new(links, interface->ifindex, name);

	interface_detach(links, interface);
	if (renamed == NULL)
		return NULL;
	for (int list = 0; list < ADDRESS_LISTS; list++)
		addresses_move(&renamed->addresses[list], &interface->addresses[list]);
	return renamed;
}

void interface_free(struct links *links, struct link_interface *interface)
{
	struct port *port, *next;

	LL_FOREACH_SAFE (interface->ports, port, next)
		free(port);
	for (int family = 0; family < FAMILIES; family++)
		for (unsigned vif = 0; vif < LINKS_VIFS; vif++)
			if (links->vifs[interface->vif_table[family]][family][vif] == interface)
				links->vifs[interface->vif_table[family]][family][vif] = NULL;
	for (int list = 0; list < ADDRESS_LISTS; list++)
		addresses_fini(&interface->addresses[list]);
	free(interface->altnames);
	DL_DELETE(links->interfaces, interface);
	free(interface);
}
