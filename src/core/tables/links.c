/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/links_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

struct links *links_new(void)
{
	return calloc(1, sizeof(struct links));
}

void interface_free(struct links *links, struct interface *interface)
{
	struct port *port, *next;

	LL_FOREACH_SAFE (interface->ports, port, next)
		free(port);
	for (int family = 0; family < FAMILIES; family++)
		for (unsigned vif = 0; vif < LINKS_VIFS; vif++)
			if (links->vifs[interface->vif_table[family]][family][vif] == interface)
				links->vifs[interface->vif_table[family]][family][vif] = NULL;
	for (int family = 0; family < FAMILIES; family++)
		addresses_fini(&interface->addresses[family]);
	DL_DELETE(links->interfaces, interface);
	free(interface);
}

void links_free(struct links *links)
{
	if (links == NULL)
		return;
	while (links->interfaces != NULL)
		interface_free(links, links->interfaces);
	names_fini(&links->names);
	free(links);
}

void links_enable_table(struct links *links, unsigned table, enum family family)
{
	assert(table < LINKS_TABLES);
	links->enabled[table][family] = true;
	links->changed = true;
}

void links_disable_table(struct links *links, unsigned table, enum family family)
{
	links->enabled[table][family] = false;
}

void links_set_table(struct links *links, unsigned instance, unsigned table)
{
	assert(table < LINKS_TABLES && instance < LINKS_INSTANCES);
	links->names.tables[instance] = (uint8_t)table;
}

bool links_name(struct links *links, unsigned instance, enum link_role role, const char *pattern,
                const struct link_settings *settings)
{
	return names_add(&links->names, instance, role, pattern, settings);
}

void links_reconfigure_begin(struct links *links)
{
	links->old_names = links->names;
	links->names = (struct names){.first = NULL};
}

static struct interface *find_interface(const struct links *links, int ifindex)
{
	struct interface *interface;

	DL_FOREACH (links->interfaces, interface)
		if (interface->ifindex == ifindex && !interface->gone)
			return interface;
	return NULL;
}

static void port_configure(struct port *port, const struct name *name, const bool serves[FAMILIES])
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

static bool port_new(struct links *links, struct interface *interface, const struct name *name,
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

static struct port *find_port(const struct interface *interface, unsigned instance)
{
	struct port *port;

	LL_FOREACH (interface->ports, port)
		if (port->instance == instance)
			return port;
	return NULL;
}

static void note_conflict(struct interface *interface, const struct name_matches *name_matches)
{
	if (name_matches->loser == NULL || name_matches->loser->announced)
		return;
	name_matches->loser->announced = true;
	interface->conflict = true;
	interface->loser = (uint8_t)name_matches->loser->instance;
	interface->winner = (uint8_t)name_matches->winner->instance;
}

static bool is_waited_for(const struct interface *interface, enum family family)
{
	const struct port *port;

	LL_FOREACH (interface->ports, port)
		if (port->announce_unusable[family])
			return true;
	return false;
}

bool interface_has_vif(const struct interface *interface, unsigned table, enum family family, unsigned vif)
{
	return interface->vif[family] == vif && interface->vif_table[family] == table;
}

void interface_release_vifs(struct links *links, struct interface *interface)
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

/* Told to the instance as gone, and then freed; at once if it knows nothing of it. */
static void port_leave(struct links *links, struct port *port)
{
	port->leaving = true;
	if (!port->announced)
		port_free(links, port);
}

static void set_tables(const struct links *links, struct interface *interface,
                       const struct name_matches *name_matches)
{
	for (unsigned instance = 0; instance < LINKS_INSTANCES; instance++)
		for (int family = 0; family < FAMILIES; family++)
			if (name_matches->serves[instance][family])
				interface->table[family] = links->names.tables[instance];
}

bool interface_attach(struct links *links, struct interface *interface)
{
	struct name_matches name_matches;

	names_match_interface(&links->names, interface->name, &name_matches);
	note_conflict(interface, &name_matches);
	set_tables(links, interface, &name_matches);
	interface->incomplete = false;
	for (unsigned instance = 0; instance < LINKS_INSTANCES; instance++) {
		const struct name *name = name_matches.names[instance];
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

/* Ports that their instance knows nothing of go at once. */
static void detach(struct links *links, struct interface *interface)
{
	struct port *port, *next;

	interface->gone = true;
	interface->incomplete = false;
	interface->retry_at[FAMILY_IPV4] = interface->retry_at[FAMILY_IPV6] = 0;
	LL_FOREACH_SAFE (interface->ports, port, next)
		port_leave(links, port);
}

static struct interface *interface_new(struct links *links, int ifindex, const char *name)
{
	struct interface *interface = calloc(1, sizeof *interface), *other;

	if (interface == NULL)
		return NULL;
	/* Whoever had the name before is gone, or renamed: there is no news of that yet. */
	DL_FOREACH (links->interfaces, other)
		if (!other->gone && strcmp(other->name, name) == 0)
			detach(links, other);
	interface->ifindex = ifindex;
	strncpy(interface->name, name, sizeof interface->name - 1);
	interface->vif[FAMILY_IPV4] = interface->vif[FAMILY_IPV6] = LINKS_NO_VIF;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		addresses_init(&interface->addresses[family], family);
	DL_APPEND(links->interfaces, interface);
	return interface;
}

/* Other names and patterns may apply, so it is another link. Its addresses stay, and are not announced again. */
static struct interface *interface_rename(struct links *links, struct interface *interface, const char *name)
{
	struct interface *renamed = interface_new(links, interface->ifindex, name);

	detach(links, interface);
	if (renamed == NULL)
		return NULL;
	for (int family = 0; family < FAMILIES; family++)
		addresses_move(&renamed->addresses[family], &interface->addresses[family]);
	return renamed;
}

void links_reconfigure_end(struct links *links, bool good)
{
	struct names unwanted = good ? links->old_names : links->names;
	struct interface *interface;

	if (!good)
		links->names = links->old_names;
	links->old_names = (struct names){.first = NULL};
	names_fini(&unwanted);
	DL_FOREACH (links->interfaces, interface)
		if (good && !interface->gone)
			interface_attach(links, interface);
	links->changed = true;
}

bool links_interface(struct links *links, int ifindex, const char *name, bool up, bool multicast,
                     uint32_t mtu)
{
	struct interface *interface = find_interface(links, ifindex);
	bool is_new = interface == NULL || strcmp(interface->name, name) != 0;

	links->changed = true;
	if (is_new)
		interface = interface == NULL ? interface_new(links, ifindex, name)
		                              : interface_rename(links, interface, name);
	if (interface == NULL)
		return false;
	if (up && !interface->up)
		interface->retry_at[FAMILY_IPV4] = interface->retry_at[FAMILY_IPV6] = 0;
	interface->up = up;
	interface->multicast = multicast;
	interface->mtu = mtu;
	interface->seen = true;
	return !is_new || interface_attach(links, interface);
}

bool links_attachment(struct links *links, int ifindex, const struct link_attachment *attachment)
{
	struct interface *interface = find_interface(links, ifindex);
	bool changed;

	if (interface == NULL)
		return false;
	changed = interface->attached && memcmp(&interface->attachment, attachment, sizeof *attachment) != 0;
	interface->attached = true;
	interface->attachment = *attachment;
	return changed;
}

void links_interface_gone(struct links *links, int ifindex)
{
	struct interface *interface = find_interface(links, ifindex);

	if (interface == NULL)
		return;
	detach(links, interface);
	links->changed = true;
}

bool links_address(struct links *links, int ifindex, const struct addr *address, bool present)
{
	struct interface *interface = find_interface(links, ifindex);
	enum family family = addr_family(address);

	if (interface == NULL)
		return true;
	if (family == FAMILY_IPV6 && !addr_is_link_local(address))
		return true;
	links->changed = true;
	if (present)
		return addresses_add(&interface->addresses[family], address);
	addresses_remove(&interface->addresses[family], address);
	return true;
}

void links_dump_begin(struct links *links)
{
	struct interface *interface;

	DL_FOREACH (links->interfaces, interface) {
		interface->seen = false;
		for (int family = 0; family < FAMILIES; family++)
			addresses_dump_begin(&interface->addresses[family]);
	}
}

void links_dump_end(struct links *links)
{
	struct interface *interface;

	DL_FOREACH (links->interfaces, interface) {
		if (interface->gone)
			continue;
		if (!interface->seen) {
			detach(links, interface);
			continue;
		}
		for (int family = 0; family < FAMILIES; family++)
			addresses_dump_end(&interface->addresses[family]);
	}
	links->changed = true;
}

void links_id_free(struct links *links, unsigned instance, uint8_t id)
{
	assert(links->ports[instance][id] == NULL);
	links->ids_used[instance] &= ~((uint64_t)1 << id);
	links->changed = true;
}

void links_forget_instance(struct links *links, unsigned instance)
{
	struct interface *interface;

	for (unsigned id = 0; id < LINKS_MAX; id++) {
		struct port *port = links->ports[instance][id];

		if (port == NULL)
			continue;
		interface = port->interface;
		port_free(links, port);
		interface->incomplete = !interface->gone;
		interface_release_vifs(links, interface);
	}
	DL_FOREACH (links->interfaces, interface)
		if (interface->winner == instance || interface->loser == instance)
			interface->conflict = false;
	links->ids_used[instance] = 0;
	links->changed = true;
}
