/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/adoption.h"

#include "core/tables/links_vif_ports.h"
#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/adopted_wants.h"
#include "daemon/owner/inherited.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/store.h"
#include "daemon/owner/uplink.h"

#include <string.h>
#include <utlist.h>

#define CONTROL_INTERVAL (MTIME_SECOND / 10)
#define HELD_TIME        (9 * MTIME_SECOND)

/* Its entries. */

/* The links of an instance that are outputs of an entry, downstream ones. */
static uint64_t heard_links(const struct owner *owner, const struct adopted_entry *entry, unsigned instance)
{
	uint64_t heard = 0;

	for (uint32_t outputs = entry->outputs; outputs != 0; outputs &= outputs - 1) {
		struct links_vif_port port = {0};

		while (links_next_vif_port(owner->links, entry->table->number, entry->table->family,
		                           (unsigned)__builtin_ctz(outputs), false, &port))
			if (port.instance == instance)
				heard |= (uint64_t)1 << port.id;
	}
	return heard;
}

typedef bool port_handler(struct owner *owner, const struct adopted_entry *entry, unsigned vif,
                          const struct links_vif_port *port);

static bool is_upstream(const struct owner *owner, const struct links_vif_port *port)
{
	struct links_port link;

	return links_find_port(owner->links, port->instance, port->id, &link) && link.role == ROLE_UPSTREAM;
}

/* Instances that know the input; then other ones whose upstream link is an output, because the stream arrives there for
 * them. */
static bool for_each_port(struct owner *owner, const struct adopted_entry *entry, port_handler *handle)
{
	const struct table *table = entry->table;
	struct links_vif_port port = {0};
	uint64_t instances = 0;

	while (links_next_vif_port(owner->links, table->number, table->family, entry->input, false, &port)) {
		instances |= (uint64_t)1 << port.instance;
		if (!handle(owner, entry, entry->input, &port))
			return false;
	}
	for (uint32_t outputs = entry->outputs; outputs != 0; outputs &= outputs - 1) {
		unsigned vif = (unsigned)__builtin_ctz(outputs);

		port = (struct links_vif_port){0};
		while (links_next_vif_port(owner->links, table->number, table->family, vif, false, &port))
			if ((instances >> port.instance & 1) == 0 && is_upstream(owner, &port) &&
			    !handle(owner, entry, vif, &port))
				return false;
	}
	return true;
}

static bool claim(struct owner *owner, const struct adopted_entry *entry, unsigned vif,
                  const struct links_vif_port *port)
{
	(void)owner;
	routes_adopt_claim(entry->table->routes, &entry->key, port->instance, vif,
	                   entry->outputs & ~((uint32_t)1 << vif));
	return true;
}

static bool announce(struct owner *owner, const struct adopted_entry *entry, unsigned vif,
                     const struct links_vif_port *port)
{
	struct input input = {.kind = INPUT_ADOPTED,
	                      .link = port->id,
	                      .family = (uint8_t)entry->table->family,
	                      .source = entry->key.source,
	                      .group = entry->key.group,
	                      .heard = heard_links(owner, entry, port->instance),
	                      .bytes = entry->bytes};

	(void)vif;
	return worker_tell(owner->instances[port->instance].channel, &input, NULL, 0);
}

/* Where the host keeps memberships itself, no socket shows what was reported: at least the streams were. */
static void adopt_membership(struct owner *owner, const struct adopted_entry *entry, mtime now)
{
	const struct table *table = entry->table;
	struct uplink *uplink =
		uplink_find(owner, table->family,
	                    links_vif_name(owner->links, table->number, table->family, entry->input));
	struct addr source = entry->key.source;
	struct filter filter = {.mode = FILTER_EXCLUDE, .sources = sources_on(&source, 1)};

	if (uplink == NULL || host_membership(uplink->host) == MEMBERSHIP_KERNEL || entry->outputs == 0)
		return;
	if (link_settings_demand_source(&uplink->settings, &entry->key.group)) {
		filter.mode = FILTER_INCLUDE;
		filter.sources.count = 1;
	}
	host_adopt(uplink->host, now, &entry->key.group, &filter);
	owner->adoption->wants_widened = true;
}

static void adopt_entry(struct owner *owner, struct adopted_entry *entry, mtime now)
{
	struct table *table = entry->table;
	struct mrt_counters counters = {0};

	mrt_route_counters(table->mrt, &entry->key.source, &entry->key.group, &counters);
	entry->bytes = counters.bytes;
	/* An output that is no vif now would forward again as soon as its number is used. */
	owner->written = true;
	if (mrt_set_route(table->mrt, &entry->key.source, &entry->key.group, entry->input, entry->outputs) !=
	            0 ||
	    !routes_adopt(table->routes, now, &entry->key, entry->input, entry->outputs,
	                  counters.packets - counters.wrong_vif))
		return;
	for_each_port(owner, entry, claim);
	adopt_membership(owner, entry, now);
}

bool adoption_note(struct owner *owner, struct table *table, const struct route_key *key, unsigned input,
                   uint32_t outputs)
{
	struct adopted_entry entry = {.table = table, .key = *key, .input = input, .outputs = outputs};

	if (owner->adoption == NULL || !owner->adoption->begun || input >= MRT_VIFS ||
	    !addr_is_proxied_stream(&key->source, &key->group) ||
	    !inherited_add(owner->adoption, table, &entry))
		return false;
	adopt_entry(owner, &entry, clock_now());
	owner->loop.again = true;
	return true;
}

/* Streams that begin. */

static bool is_only_adopted(const struct owner *owner, const struct table *table,
                            const struct mrt_upcall *upcall)
{
	const struct uplink *uplink =
		uplink_find(owner, table->family,
	                    links_vif_name(owner->links, table->number, table->family, upcall->vif));

	return uplink != NULL && host_is_only_adopted(uplink->host, &upcall->group);
}

bool adoption_holds(struct owner *owner, struct table *table, mtime now, const struct mrt_upcall *upcall)
{
	struct adoption *adoption = owner->adoption;

	if (adoption == NULL || adoption->held_count == HELD_UPCALLS_MAX ||
	    !is_only_adopted(owner, table, upcall))
		return false;
	adoption->held[adoption->held_count++] =
		(struct held_upcall){.table = table, .upcall = *upcall, .until = now + HELD_TIME};
	return true;
}

bool adoption_pull_held(struct owner *owner, mtime now, struct table **table, struct mrt_upcall *upcall)
{
	struct adoption *adoption = owner->adoption;

	for (size_t i = 0; adoption != NULL && i < adoption->held_count; i++) {
		const struct held_upcall *held = &adoption->held[i];

		if (now < held->until && now < adoption->until &&
		    is_only_adopted(owner, held->table, &held->upcall))
			continue;
		*table = held->table;
		*upcall = held->upcall;
		memmove(&adoption->held[i], &adoption->held[i + 1],
		        (--adoption->held_count - i) * sizeof adoption->held[0]);
		return true;
	}
	return false;
}

static mtime held_until(const struct adoption *adoption)
{
	return adoption->held_count > 0 ? adoption->held[0].until : MTIME_NEVER;
}

/* The course of it. */

bool adoption_is_announcing(const struct owner *owner)
{
	return owner->adoption != NULL &&
	       (!owner->adoption->begun || owner->adoption->announced < owner->adoption->count);
}

bool adoption_is_settling(const struct owner *owner)
{
	return adoption_is_announcing(owner) ||
	       (owner->adoption != NULL &&
	        (!owner->adoption->asked || owner->adoption->asking != 0 || owner->adoption->answering != 0));
}

/* The answers follow those to all entries, and show that none is missing. */
static void ask_for_answers(struct owner *owner)
{
	struct adoption *adoption = owner->adoption;
	struct input input = {.kind = INPUT_ALL_ADOPTED};

	for (size_t i = 0; i < owner->instance_count && !adoption->asked; i++)
		if (owner->instances[i].channel != NULL)
			adoption->asking |= (uint64_t)1 << i;
	adoption->asked = true;
	/* A worker without room rings when it has made some. */
	for (uint64_t asking = adoption->asking; asking != 0; asking &= asking - 1) {
		unsigned number = (unsigned)__builtin_ctzll(asking);

		if (!worker_tell(owner->instances[number].channel, &input, NULL, 0))
			continue;
		adoption->asking &= ~((uint64_t)1 << number);
		adoption->answering |= (uint64_t)1 << number;
	}
}

void adoption_answered(struct owner *owner, const struct instance_slot *instance)
{
	struct adoption *adoption = owner->adoption;

	if (adoption == NULL)
		return;
	adoption->asking &= ~((uint64_t)1 << instance->number);
	adoption->answering &= ~((uint64_t)1 << instance->number);
	for (size_t i = 0; i < adoption->count; i++) {
		const struct adopted_entry *entry = &adoption->entries[i];

		if (entry->table == instance->tables[entry->table->family])
			routes_end_adopted(entry->table->routes, &entry->key, instance->number);
	}
}

static mtime answers_until(const struct owner *owner, mtime now)
{
	struct links_port port;
	mtime longest = 0;
	size_t cursor = 0;

	while (links_next_port(owner->links, &cursor, &port))
		if (port.role == ROLE_DOWNSTREAM && link_settings_adoption_time(&port.settings) > longest)
			longest = link_settings_adoption_time(&port.settings);
	return now + longest;
}

static void delete_unused_vifs(struct table *table)
{
	for (unsigned vif = 0; vif < MRT_VIFS; vif++)
		if (table->inherited_vifs[vif] != 0) {
			mrt_del_vif(table->mrt, vif);
			table->inherited_vifs[vif] = 0;
		}
}

static uint32_t own_vifs(const struct table *table)
{
	uint32_t vifs = 0;

	for (unsigned vif = 0; vif < MRT_VIFS; vif++)
		if (table->vifs[vif] != NULL)
			vifs |= (uint32_t)1 << vif;
	return vifs;
}

static void begin(struct owner *owner, mtime now)
{
	struct adoption *adoption = owner->adoption;
	struct table *table;
	size_t kept = 0;

	adoption->begun = true;
	adoption->until = answers_until(owner, now);
	settings_link_left(owner); /* what the earlier run has set, and this configuration does not */
	LL_FOREACH (owner->tables, table) {
		delete_unused_vifs(table);
		if (table->inherited)
			loop_watch(&owner->loop, &table->source);
		table->inherited = false;
	}
	for (size_t i = 0; i < adoption->count; i++) {
		struct adopted_entry entry = adoption->entries[i];
		uint32_t vifs = own_vifs(entry.table);

		if ((vifs >> entry.input & 1) == 0) {
			mrt_del_route(entry.table->mrt, &entry.key.source, &entry.key.group);
			continue;
		}
		entry.outputs &= vifs;
		adopt_entry(owner, &entry, now);
		adoption->entries[kept++] = entry;
	}
	adoption->count = kept;
	store_end_tables();
	store_drop(STORE_LINK);
	/* What led packets to tables and vifs that are gone. */
	tables_clean(owner);
	info("%zu forwarding entries of an earlier run are taken over", kept);
}

void adoption_apply(struct owner *owner, mtime now)
{
	struct adoption *adoption = owner->adoption;

	if (adoption == NULL || !owner->interfaces.known)
		return;
	if (!adoption->begun)
		begin(owner, now);
	/* A worker without room rings when it has made some. */
	while (adoption->announced < adoption->count &&
	       for_each_port(owner, &adoption->entries[adoption->announced], announce))
		adoption->announced++;
	if (adoption->announced == adoption->count)
		ask_for_answers(owner);
	instances_wake(owner);
	adopted_wants_narrow(owner, now);
}

/* An earlier run that went on for a moment has restored what it had. */
static void delete_restored(struct owner *owner)
{
	struct table *table;

	LL_FOREACH (owner->tables, table)
		for (unsigned vif = 0; vif < MRT_VIFS; vif++)
			if (table->vifs[vif] == NULL && mrt_has_vif(table->mrt, vif))
				mrt_del_vif(table->mrt, vif);
	tables_clean(owner);
}

static void end(struct owner *owner, mtime now)
{
	struct uplink *uplink;

	LL_FOREACH (owner->uplinks, uplink)
		host_adoption_end(uplink->host, now);
	delete_restored(owner);
	inherited_close(owner);
	owner->loop.again = true;
	if (owner->control != NULL)
		owner->control_handlers->retry(owner);
}

void adoption_end_turn(struct owner *owner, mtime now)
{
	struct adoption *adoption = owner->adoption;

	if (adoption == NULL)
		return;
	if (adoption->begun && !adoption->joined && !owner->loop.again) {
		adoption->joined = true;
		store_drop(STORE_JOIN);
	}
	if (owner->control != NULL && now >= adoption->control_at) {
		adoption->control_at =
			owner->control_handlers->retry(owner) ? MTIME_NEVER : now + CONTROL_INTERVAL;
	}
	if (now >= adoption->until)
		end(owner, now);
}

mtime adoption_deadline(const struct owner *owner)
{
	const struct adoption *adoption = owner->adoption;

	return adoption == NULL
	               ? MTIME_NEVER
	               : mtime_min(mtime_min(adoption->until, adoption->control_at), held_until(adoption));
}
