/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/links.h"

#include "core/names.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#define RETRY_INTERVAL (2 * MTIME_SECOND)
#define ADDRESSES_MAX  16 /* per interface, further ones are not considered */

struct port {
	struct port *next; /* of the same interface */
	struct interface *interface;
	unsigned instance;
	uint8_t id;
	enum link_role role;
	struct link_settings settings;
	bool serves[FAMILIES];
	bool told;         /* the instance knows the link */
	bool reconfigured; /* but not its newest role and settings */
	bool told_usable[FAMILIES];
	struct addr told_address[FAMILIES];
	uint32_t told_mtu;
	bool told_multicast;
	bool tell_unusable[FAMILIES]; /* the vif went: say so before anything else */
	bool leaving;                 /* to be told as gone, then freed */
};

struct interface {
	struct interface *prev, *next;
	int ifindex;
	char name[LINK_NAME_SIZE];
	bool up;
	bool multicast;
	bool gone;
	bool seen; /* in the dump under way */
	uint32_t mtu;
	struct addr addresses[ADDRESSES_MAX];
	bool address_seen[ADDRESSES_MAX];
	size_t address_count;
	unsigned table[FAMILIES]; /* where it shall be a vif */
	unsigned vif_table[FAMILIES];
	unsigned vif[FAMILIES];   /* in that table; LINKS_NO_VIF */
	bool vif_went;            /* a vif that is gone may still hold its number */
	mtime retry_at[FAMILIES]; /* after a failure; 0: none */
	bool told_full[FAMILIES]; /* that no number is left for a vif */
	bool incomplete;          /* a port could not be made: ids or memory were short */
	bool conflict;            /* to be told: two patterns exclude each other */
	uint8_t loser, winner;    /* their instances */
	struct port *ports;
};

struct links {
	struct names names;
	struct names old_names; /* during a reconfiguration */
	struct interface *interfaces;
	struct interface *vifs[LINKS_TABLES][FAMILIES][LINKS_VIFS];
	struct port *ports[LINKS_INSTANCES][LINKS_MAX]; /* by link id */
	uint64_t ids_used[LINKS_INSTANCES];             /* given out, or not yet given back */
	bool enabled[LINKS_TABLES][FAMILIES];
	bool changed;     /* links_pull may find something */
	uint64_t refused; /* set of instances that could not be told in this pass */
};

struct links *links_new(void)
{
	return calloc(1, sizeof(struct links));
}

static void interface_free(struct links *links, struct interface *interface)
{
	struct port *port, *next;

	LL_FOREACH_SAFE (interface->ports, port, next)
		free(port);
	for (int family = 0; family < FAMILIES; family++)
		for (unsigned vif = 0; vif < LINKS_VIFS; vif++)
			if (links->vifs[interface->vif_table[family]][family][vif] == interface)
				links->vifs[interface->vif_table[family]][family][vif] = NULL;
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

static void note_conflict(struct interface *interface, const struct claims *claims)
{
	if (claims->loser == NULL || claims->loser->told)
		return;
	claims->loser->told = true;
	interface->conflict = true;
	interface->loser = (uint8_t)claims->loser->instance;
	interface->winner = (uint8_t)claims->winner->instance;
}

static bool is_waited_for(const struct interface *interface, enum family family)
{
	const struct port *port;

	LL_FOREACH (interface->ports, port)
		if (port->tell_unusable[family])
			return true;
	return false;
}

static bool has_vif(const struct interface *interface, unsigned table, enum family family, unsigned vif)
{
	return interface->vif[family] == vif && interface->vif_table[family] == table;
}

/* The number of a vif that is gone is free when all instances were told. */
static void release_vifs(struct links *links, struct interface *interface)
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
				    !has_vif(interface, table, family, vif))
					links->vifs[table][family][vif] = NULL;
	}
}

static void port_free(struct links *links, struct port *port)
{
	LL_DELETE(port->interface->ports, port);
	links->ports[port->instance][port->id] = NULL;
	if (!port->told)
		links->ids_used[port->instance] &= ~((uint64_t)1 << port->id);
	free(port);
}

/* Told to the instance as gone, and then freed; at once if it knows nothing of it. */
static void port_leave(struct links *links, struct port *port)
{
	port->leaving = true;
	if (!port->told)
		port_free(links, port);
}

static void set_tables(const struct links *links, struct interface *interface, const struct claims *claims)
{
	for (unsigned instance = 0; instance < LINKS_INSTANCES; instance++)
		for (int family = 0; family < FAMILIES; family++)
			if (claims->serves[instance][family])
				interface->table[family] = links->names.tables[instance];
}

/* Brings the ports of an interface to what the names say. */
static bool attach(struct links *links, struct interface *interface)
{
	struct claims claims;

	names_claim(&links->names, interface->name, &claims);
	note_conflict(interface, &claims);
	set_tables(links, interface, &claims);
	interface->incomplete = false;
	for (unsigned instance = 0; instance < LINKS_INSTANCES; instance++) {
		const struct name *name = claims.names[instance];
		struct port *port = find_port(interface, instance);

		if (name == NULL && port != NULL)
			port_leave(links, port);
		else if (name != NULL && port != NULL)
			port_configure(port, name, claims.serves[instance]);
		else if (name != NULL && !port_new(links, interface, name, claims.serves[instance]))
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
	DL_APPEND(links->interfaces, interface);
	return interface;
}

/* Other names and patterns may apply, so it is another link. Its addresses stay, and are not told again. */
static struct interface *interface_rename(struct links *links, struct interface *interface, const char *name)
{
	struct interface *renamed = interface_new(links, interface->ifindex, name);

	detach(links, interface);
	if (renamed == NULL)
		return NULL;
	memcpy(renamed->addresses, interface->addresses, sizeof renamed->addresses);
	memcpy(renamed->address_seen, interface->address_seen, sizeof renamed->address_seen);
	renamed->address_count = interface->address_count;
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
			attach(links, interface);
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
	return !is_new || attach(links, interface);
}

void links_interface_gone(struct links *links, int ifindex)
{
	struct interface *interface = find_interface(links, ifindex);

	if (interface == NULL)
		return;
	detach(links, interface);
	links->changed = true;
}

void links_address(struct links *links, int ifindex, const struct addr *address, bool present)
{
	struct interface *interface = find_interface(links, ifindex);
	size_t place = 0;

	if (interface == NULL)
		return;
	/* Of IPv6 only link-local addresses count, and there must be room for them. */
	if (addr_family(address) == FAMILY_IPV6 && !addr_is_link_local(address))
		return;
	links->changed = true;
	while (place < interface->address_count && !addr_equal(&interface->addresses[place], address))
		place++;
	if (present && place < ADDRESSES_MAX) {
		interface->addresses[place] = *address;
		interface->address_seen[place] = true;
		if (place == interface->address_count)
			interface->address_count++;
	}
	if (present || place == interface->address_count)
		return;
	interface->address_count--;
	for (; place < interface->address_count; place++) {
		interface->addresses[place] = interface->addresses[place + 1];
		interface->address_seen[place] = interface->address_seen[place + 1];
	}
}

void links_dump_begin(struct links *links)
{
	struct interface *interface;

	DL_FOREACH (links->interfaces, interface) {
		interface->seen = false;
		memset(interface->address_seen, 0, sizeof interface->address_seen);
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
		for (size_t i = interface->address_count; i-- > 0;)
			if (!interface->address_seen[i])
				links_address(links, interface->ifindex, &interface->addresses[i], false);
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
		release_vifs(links, interface);
	}
	DL_FOREACH (links->interfaces, interface)
		if (interface->winner == instance || interface->loser == instance)
			interface->conflict = false;
	links->ids_used[instance] = 0;
	links->changed = true;
}

/* The address that queries are sent from: the first IPv4 one; the lowest link-local IPv6 one. */
static struct addr interface_address(const struct interface *interface, enum family family)
{
	struct addr best = addr_unspecified(family);

	for (size_t i = 0; i < interface->address_count; i++) {
		const struct addr *address = &interface->addresses[i];

		if (addr_family(address) != family)
			continue;
		if (family == FAMILY_IPV4)
			return *address;
		if (addr_is_link_local(address) &&
		    (addr_is_unspecified(&best) || addr_compare(address, &best) < 0))
			best = *address;
	}
	return best;
}

/* A vif in a table that is not the wanted one goes first. */
static bool wants_vif(const struct links *links, const struct interface *interface, enum family family)
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

static bool port_is_usable(const struct port *port, enum family family)
{
	const struct interface *interface = port->interface;
	struct addr address = interface_address(interface, family);

	return !port->leaving && interface->up && interface->vif[family] != LINKS_NO_VIF &&
	       port->serves[family] && (family == FAMILY_IPV4 || !addr_is_unspecified(&address));
}

static void fill_change(const struct port *port, struct link_change *change)
{
	memset(change, 0, sizeof *change);
	change->present = !port->leaving;
	change->role = (uint8_t)port->role;
	memcpy(change->name, port->interface->name, sizeof change->name);
	change->mtu = port->interface->mtu;
	change->settings = port->settings;
	for (int family = 0; family < FAMILIES; family++) {
		if (!port->serves[family])
			change->settings.version[family] = VERSION_NONE;
		change->family[family].usable = port_is_usable(port, family) && !port->tell_unusable[family];
		change->family[family].address = interface_address(port->interface, family);
	}
}

static bool port_has_news(const struct port *port)
{
	if (port->leaving || !port->told || port->reconfigured || port->told_mtu != port->interface->mtu ||
	    port->told_multicast != port->interface->multicast)
		return true;
	for (int family = 0; family < FAMILIES; family++) {
		struct addr address = interface_address(port->interface, family);

		if (port->tell_unusable[family] ||
		    port->told_usable[family] != port_is_usable(port, family) ||
		    !addr_equal(&port->told_address[family], &address))
			return true;
	}
	return false;
}

static bool pull_tell(const struct links *links, struct interface *interface, struct link_op *op)
{
	struct port *port;

	LL_FOREACH (interface->ports, port) {
		if (!port_has_news(port) || (links->refused >> port->instance & 1) != 0)
			continue;
		*op = (struct link_op){.kind = LINK_TELL,
		                       .ifindex = interface->ifindex,
		                       .name = interface->name,
		                       .instance = port->instance,
		                       .id = port->id,
		                       .multicast = interface->multicast};
		fill_change(port, &op->change);
		return true;
	}
	return false;
}

static bool find_vif(struct links *links, unsigned table, enum family family,
                     bool (*is_free)(void *, unsigned, enum family, unsigned), void *context, unsigned *vif)
{
	for (*vif = 0; *vif < LINKS_VIFS; ++*vif)
		if (links->vifs[table][family][*vif] == NULL && is_free(context, table, family, *vif))
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

/* For some time no number is left, or for ever. */
static bool wait_for_vif(struct links *links, struct interface *interface, enum family family, mtime now,
                         struct link_op *op)
{
	unsigned table = interface->table[family];

	interface->retry_at[family] = now + RETRY_INTERVAL;
	if (interface->told_full[family] || !is_full(links, table, family))
		return false;
	interface->told_full[family] = true;
	*op = (struct link_op){.kind = LINK_FULL,
	                       .table = table,
	                       .family = family,
	                       .ifindex = interface->ifindex,
	                       .name = interface->name,
	                       .instance = interface->ports->instance};
	return true;
}

static bool pull_vif(struct links *links, struct interface *interface, enum family family, mtime now,
                     bool (*is_free)(void *, unsigned, enum family, unsigned), void *context,
                     struct link_op *op)
{
	bool wanted = wants_vif(links, interface, family);
	unsigned table = wanted ? interface->table[family] : interface->vif_table[family];
	unsigned vif = interface->vif[family];

	if (wanted == (vif != LINKS_NO_VIF))
		interface->retry_at[family] = 0;
	if (wanted == (vif != LINKS_NO_VIF) || interface->retry_at[family] > now)
		return false;
	if (wanted && !find_vif(links, table, family, is_free, context, &vif))
		return wait_for_vif(links, interface, family, now, op);
	*op = (struct link_op){.kind = wanted ? LINK_ADD_VIF : LINK_DEL_VIF,
	                       .table = table,
	                       .family = family,
	                       .vif = vif,
	                       .ifindex = interface->ifindex,
	                       .name = interface->name};
	return true;
}

static bool pull_conflict(struct interface *interface, struct link_op *op)
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

bool links_pull(struct links *links, mtime now,
                bool (*vif_is_free)(void *context, unsigned table, enum family family, unsigned vif),
                void *context, struct link_op *op)
{
	struct interface *interface, *next;

	if (!links->changed && links_deadline(links) > now)
		return false;
	DL_FOREACH_SAFE (links->interfaces, interface, next) {
		if (interface->incomplete)
			attach(links, interface);
		if (pull_conflict(interface, op))
			return true;
		for (int family = 0; family < FAMILIES; family++)
			if (pull_vif(links, interface, family, now, vif_is_free, context, op))
				return true;
		if (pull_tell(links, interface, op))
			return true;
		if (interface->gone && interface->ports == NULL)
			interface_free(links, interface);
	}
	/* Whoever refused is asked again with the next pass. */
	links->changed = links->refused != 0;
	links->refused = 0;
	return false;
}

static struct interface *op_interface(struct links *links, const struct link_op *op)
{
	struct interface *interface;

	if (op->kind == LINK_TELL)
		return links->ports[op->instance][op->id]->interface;
	if (op->kind == LINK_DEL_VIF)
		return links->vifs[op->table][op->family][op->vif];
	DL_FOREACH (links->interfaces, interface)
		if (interface->ifindex == op->ifindex && !interface->gone)
			return interface;
	return NULL;
}

static void vif_done(struct links *links, mtime now, struct interface *interface, const struct link_op *op,
                     int result)
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
		port->tell_unusable[op->family] = port->told_usable[op->family];
	release_vifs(links, interface);
}

static void tell_done(struct links *links, const struct link_op *op)
{
	struct port *port = links->ports[op->instance][op->id];
	struct interface *interface = port->interface;

	if (!op->change.present) {
		port_free(links, port);
		release_vifs(links, interface);
		return;
	}
	port->told = true;
	port->reconfigured = false;
	port->told_mtu = op->change.mtu;
	port->told_multicast = op->multicast;
	for (int family = 0; family < FAMILIES; family++) {
		port->told_usable[family] = op->change.family[family].usable;
		port->told_address[family] = op->change.family[family].address;
		port->tell_unusable[family] = false;
	}
	release_vifs(links, interface);
}

void links_done(struct links *links, mtime now, const struct link_op *op, int result)
{
	if (op->kind == LINK_TELL && result != 0)
		links->refused |= (uint64_t)1 << op->instance;
	links->changed = true;
	if (op->kind == LINK_TELL && result == 0)
		tell_done(links, op);
	else if (op->kind == LINK_ADD_VIF || op->kind == LINK_DEL_VIF)
		vif_done(links, now, op_interface(links, op), op, result);
}

mtime links_deadline(const struct links *links)
{
	const struct interface *interface;
	mtime at = MTIME_NEVER;

	DL_FOREACH (links->interfaces, interface)
		for (int family = 0; family < FAMILIES; family++)
			if (interface->retry_at[family] != 0)
				at = mtime_min(at, interface->retry_at[family]);
	return at;
}

unsigned links_vif(const struct links *links, unsigned instance, uint8_t id, enum family family)
{
	const struct port *port = links->ports[instance][id];

	return port != NULL && port->serves[family] ? port->interface->vif[family] : LINKS_NO_VIF;
}

void links_each_port(const struct links *links, unsigned table, enum family family, unsigned vif, bool usable,
                     void (*tell)(void *context, unsigned instance, uint8_t id), void *context)
{
	const struct interface *interface = vif < LINKS_VIFS ? links->vifs[table][family][vif] : NULL;
	const struct port *port;

	if (interface == NULL || !has_vif(interface, table, family, vif))
		return;
	LL_FOREACH (interface->ports, port)
		if (usable ? port->told_usable[family] : port->told && !port->leaving && port->serves[family])
			tell(context, port->instance, port->id);
}

const char *links_vif_name(const struct links *links, unsigned table, enum family family, unsigned vif)
{
	const struct interface *interface = vif < LINKS_VIFS ? links->vifs[table][family][vif] : NULL;

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
		port->vif[family] = from->serves[family] ? from->interface->vif[family] : LINKS_NO_VIF;
		port->address[family] = interface_address(from->interface, family);
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

static bool is_missing(const struct links *links, const struct name *name)
{
	const struct interface *interface;

	DL_FOREACH (links->interfaces, interface)
		if (!interface->gone && names_match(name->pattern, interface->name))
			return false;
	return true;
}

bool links_next_missing(const struct links *links, size_t *cursor, unsigned *instance, const char **pattern)
{
	const struct name *name;
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
