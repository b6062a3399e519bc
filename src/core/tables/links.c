/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/links_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

struct links *links_new(void)
{
	return calloc(1, sizeof(struct links));
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
	links->names = (struct link_names){.first = NULL};
}

void links_reconfigure_end(struct links *links, bool good)
{
	struct link_names unwanted = good ? links->old_names : links->names;
	struct link_interface *interface;

	if (!good)
		links->names = links->old_names;
	links->old_names = (struct link_names){.first = NULL};
	names_fini(&unwanted);
	links->elections += good;
	DL_FOREACH (links->interfaces, interface)
		if (good && !interface->gone)
			interface_attach(links, interface);
	links->changed = true;
}

bool links_interface(struct links *links, int ifindex, const char *name, bool up, bool multicast,
                     uint32_t mtu)
{
	struct link_interface *interface = interface_find(links, ifindex);
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

bool links_altnames(struct links *links, int ifindex, const char *names)
{
	struct link_interface *interface = interface_find(links, ifindex);
	size_t size = 1;

	if (interface == NULL)
		return true;
	free(interface->altnames);
	interface->altnames = NULL;
	links->changed = interface->incomplete = true;
	if (*names == '\0')
		return true;
	for (const char *name = names; *name != '\0'; name += strlen(name) + 1)
		size += strlen(name) + 1;
	interface->altnames = malloc(size);
	if (interface->altnames == NULL)
		return false;
	memcpy(interface->altnames, names, size);
	return true;
}

bool links_attachment(struct links *links, int ifindex, const struct link_attachment *attachment)
{
	struct link_interface *interface = interface_find(links, ifindex);
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
	struct link_interface *interface = interface_find(links, ifindex);

	if (interface == NULL)
		return;
	interface_detach(links, interface);
	links->changed = true;
}

bool links_address(struct links *links, int ifindex, const struct interface_address *address, bool present)
{
	struct link_interface *interface = interface_find(links, ifindex);
	int list = addr_family(&address->address);

	if (interface == NULL)
		return true;
	if (list == FAMILY_IPV6 && !addr_is_link_local(&address->address))
		list = ADDRESSES_OTHER;
	links->changed = interface->incomplete = true;
	if (present)
		return addresses_add(&interface->addresses[list], address);
	addresses_remove(&interface->addresses[list], address);
	return true;
}

void links_dump_begin(struct links *links)
{
	struct link_interface *interface;

	DL_FOREACH (links->interfaces, interface) {
		interface->seen = false;
		for (int list = 0; list < ADDRESS_LISTS; list++)
			addresses_dump_begin(&interface->addresses[list]);
	}
}

void links_dump_end(struct links *links)
{
	struct link_interface *interface;

	DL_FOREACH (links->interfaces, interface) {
		if (interface->gone)
			continue;
		if (!interface->seen) {
			interface_detach(links, interface);
			continue;
		}
		for (int list = 0; list < ADDRESS_LISTS; list++)
			addresses_dump_end(&interface->addresses[list]);
		interface->incomplete = true;
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
	struct link_interface *interface;

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
