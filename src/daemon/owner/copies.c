/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/copies.h"

#include "core/tables/links_vif_ports.h"
#include "daemon/log/log.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/uplink.h"
#include "kernel/join.h"
#include "kernel/unicast.h"

#define MEMBERS_INTERVAL 100 /* the list may be long */
#define LOGGED_MAX       10
#define LOGGED_INTERVAL  (3600 * MTIME_SECOND)

/* How many times the kernel loops back a packet that it forwards: once for each outgoing link where this
 * machine is a member. It does not loop back IPv4 packets. False: not known yet. */
static bool count_loops(struct table *table, mtime now, const struct route_key *key, uint32_t outputs,
                        unsigned *loops)
{
	int interfaces[MRT_VIFS];
	size_t count;

	*loops = 0;
	if (table->family == FAMILY_IPV4 || outputs == 0)
		return true;
	if (now - table->members_read_at < MEMBERS_INTERVAL)
		return false;
	table->members_read_at = now;
	count = mld_member_interfaces(&key->group, interfaces, MRT_VIFS);
	for (size_t i = 0; i < count; i++) {
		unsigned vif = table_find_vif(table, interfaces[i]);

		*loops += vif < MRT_VIFS && (outputs >> vif & 1) != 0;
	}
	return true;
}

static bool may_log(struct table *table, mtime now)
{
	if (table->copies_logged == 0 || now - table->copies_logged_at >= LOGGED_INTERVAL) {
		table->copies_logged = 0;
		table->copies_logged_at = now;
	}
	return table->copies_logged++ <= LOGGED_MAX;
}

static void log_copy(struct owner *owner, struct table *table, mtime now, const struct wrong_vif_copy *copy)
{
	char source[ADDR_TEXT_SIZE], group[ADDR_TEXT_SIZE];

	if (!may_log(table, now))
		return;
	if (table->copies_logged > LOGGED_MAX) {
		warnx("more streams arrive on two links, and are not logged for an hour: mcproxyctl show "
		      "routes");
		return;
	}
	warnx("(%s, %s) arrives on %s, and a copy of it on %s, which is not forwarded: look for a second "
	      "router that forwards streams between these links",
	      addr_format(&copy->key.source, source), addr_format(&copy->key.group, group),
	      links_vif_name(owner->links, table->number, table->family, copy->input),
	      links_vif_name(owner->links, table->number, table->family, copy->vif));
}

bool copies_is_upstream(struct owner *owner, const struct table *table, unsigned vif)
{
	return uplink_find(owner, table->family,
	                   links_vif_name(owner->links, table->number, table->family, vif)) != NULL;
}

/* After a pause of the stream the copy may come first, and would be sent back to where the stream comes from.
 * The unicast route to the source shows its origin. Without one the stream stays, but it returns upstream if
 * it came from there before it fell silent. */
static bool is_origin(struct owner *owner, const struct table *table, const struct route_key *key,
                      const struct routes_entry *entry, unsigned vif)
{
	const struct vif *input = table->vifs[entry->input], *other = table->vifs[vif];
	int interface;

	if (input == NULL || other == NULL)
		return false;
	interface = unicast_interface(&key->source);
	if (interface == input->ifindex)
		return false;
	return interface == other->ifindex || (vif == entry->left && copies_is_upstream(owner, table, vif) &&
	                                       !copies_is_upstream(owner, table, entry->input));
}

/* The instances that have the interface of a vif: the first of them, and whether one wants the stream. */
struct users {
	bool any, want_it;
	unsigned first;
};

static struct users find_users(const struct owner *owner, const struct table *table,
                               const struct route_key *key, unsigned vif)
{
	struct users users = {.any = false};
	struct links_vif_port port = {0};
	uint64_t wanted_by = routes_wanted_by(table->routes, key);

	while (links_next_vif_port(owner->links, table->number, table->family, vif, false, &port)) {
		if (!users.any || port.instance < users.first)
			users.first = port.instance;
		users.any = true;
		users.want_it |= wanted_by >> port.instance & 1;
	}
	return users;
}

static void log_conflict(struct owner *owner, const struct table *table, const struct route_key *key,
                         unsigned instance, unsigned input, unsigned other, unsigned vif)
{
	const char *name = owner->instances[instance].config->name;
	const char *other_name = owner->instances[other].config->name;
	char source[ADDR_TEXT_SIZE], group[ADDR_TEXT_SIZE];

	warnx("(%s, %s) reaches instance %s by %s and instance %s by %s, and they share a kernel table, "
	      "which has one entry for it: only %s forwards it; give each a table to itself: table = \"own\"",
	      addr_format(&key->source, source), addr_format(&key->group, group), name,
	      links_vif_name(owner->links, table->number, table->family, input), other_name,
	      links_vif_name(owner->links, table->number, table->family, vif), name);
}

/* A stream that reaches two instances of one kernel table, which has one entry for it: logged once for the
 * two, with the remedy. True: the vif is of instances that do not have the stream. */
static bool is_conflict(struct owner *owner, const struct table *table, const struct route_key *key,
                        unsigned vif)
{
	struct users users;
	unsigned instance, input;
	uint64_t *logged;

	if (owner->instance_count < 2 || !routes_first(table->routes, key, &instance, &input) || input == vif)
		return false;
	users = find_users(owner, table, key, vif);
	/* Instances that want it know where it comes from. */
	if (!users.any || users.want_it)
		return false;
	logged = &owner->instances[instance].logged_conflicts;
	if ((*logged >> users.first & 1) == 0)
		log_conflict(owner, table, key, instance, input, users.first, vif);
	*logged |= (uint64_t)1 << users.first;
	return true;
}

unsigned copies_find_home(struct owner *owner, const struct table *table, const struct route_key *key,
                          const struct routes_entry *entry, unsigned vif)
{
	const struct vif *input = table->vifs[entry->input];
	unsigned home = copies_is_upstream(owner, table, vif) ? vif : entry->home;
	int interface;

	if (home >= MRT_VIFS || input == NULL || table->vifs[home] == NULL ||
	    copies_is_upstream(owner, table, entry->input) || !copies_is_upstream(owner, table, home))
		return MRT_VIFS;
	/* Without a route of its own, a source may be on any link: the stream only returns. */
	interface = unicast_interface(&key->source);
	if (interface == input->ifindex)
		return MRT_VIFS;
	return interface == table->vifs[home]->ifindex || home == entry->home ? home : MRT_VIFS;
}

bool copies_check(struct owner *owner, struct table *table, mtime now, const struct route_key *key,
                  const struct routes_entry *entry, unsigned *vif)
{
	struct wrong_vif_copy copy;
	unsigned loops;

	if (!count_loops(table, now, key, entry->outputs, &loops) ||
	    !wrong_vif_confirm(table->wrong_vif, now, key, loops) ||
	    !wrong_vif_find_copy(table->wrong_vif, key, &copy) || is_conflict(owner, table, key, *vif))
		return false;
	if (is_origin(owner, table, key, entry, *vif))
		return true;
	/* The kernel may have named the vif of looped packets. */
	if (loops > 0 && entry->left != entry->input && is_origin(owner, table, key, entry, entry->left)) {
		*vif = entry->left;
		return true;
	}
	if (routes_note_copy(table->routes, key))
		log_copy(owner, table, now, &copy);
	return false;
}
