/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/render.h"

#include "core/tables/links.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/link_readers.h"

#include <stdio.h>
#include <unistd.h>

static const char *role_name(int role)
{
	return role == ROLE_UPSTREAM ? "upstream" : "downstream";
}

static void put_link_name(struct json *json, const char *key, struct owner *owner, unsigned instance,
                          uint8_t id)
{
	struct links_port port;

	json_string(json, key, links_find_port(owner->links, instance, id, &port) ? port.name : NULL);
}

static void put_table(struct json *json, const struct table *table)
{
	struct route_key key;

	json_open(json, NULL, '{');
	json_number(json, "table", table->id);
	json_string(json, "family", family_name(table->family));
	json_boolean(json, "served", true);
	json_number(json, "routes", routes_count(table->routes));
	json_number(json, "route_failures", routes_failures(table->routes));
	json_number(json, "upcalls", table->upcalls);
	json_number(json, "upcalls_deferred", table->upcalls_deferred);
	json_number(json, "routes_restored", routes_restored(table->routes, &key));
	json_number(json, "routes_moved", table->moves);
	json_number(json, "routes_with_copies", wrong_vif_copies(table->wrong_vif));
	json_number(json, "copies_found", wrong_vif_copies_found(table->wrong_vif));
	json_number(json, "watches_refused", wrong_vif_refused(table->wrong_vif));
	json_number(json, "routes_yielded", yield_count(table->yield));
	json_number(json, "yields", yield_total(table->yield));
	json_close(json, '}');
}

/* A table that another program holds; of an own table the number is not known. */
static void put_held_table(struct json *json, const struct instance_slot *instance, enum family family)
{
	char text[HOLDER_TEXT_SIZE];

	json_open(json, NULL, '{');
	if (instance->config->table == CONFIG_TABLE_DEFAULT)
		json_number(json, "table", MRT_TABLE_DEFAULT);
	else if (instance->config->table != CONFIG_TABLE_OWN)
		json_number(json, "table", instance->config->table);
	json_string(json, "family", family_name(family));
	json_boolean(json, "served", false);
	json_string(json, "held_by", holder_text(&instance->holders[family], text));
	json_close(json, '}');
}

/* Each once: instances share tables. */
static void put_held_tables(struct json *json, const struct owner *owner, enum family family)
{
	uint64_t shown[(LINKS_TABLES + 63) / 64] = {0};

	for (size_t i = 0; i < owner->instance_count; i++) {
		const struct instance_slot *instance = &owner->instances[i];
		uint64_t bit = (uint64_t)1 << instance->table % 64;

		if (instance->config == NULL || !instance->holders[family].there ||
		    (shown[instance->table / 64] & bit) != 0)
			continue;
		shown[instance->table / 64] |= bit;
		put_held_table(json, instance, family);
	}
}

static void put_confinement(struct json *json, const struct confinement *confinement)
{
	json_open(json, "confinement", '{');
	json_string(json, "user", confinement->user);
	json_boolean(json, "system_calls", confinement->system_calls);
	json_boolean(json, "files", confinement->landlock > 0);
	json_number(json, "landlock_version", (uint64_t)confinement->landlock);
	json_close(json, '}');
}

/* Each family that some instance wants, and whether all of these have their tables. */
static void put_families(struct json *json, const struct owner *owner)
{
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		bool wanted = false, serving = true;

		for (size_t i = 0; i < owner->instance_count; i++) {
			const struct instance_slot *instance = &owner->instances[i];

			if (instance->config == NULL || !config_instance_wants(instance->config, family))
				continue;
			wanted = true;
			serving = serving && instance->tables[family] != NULL;
		}
		if (!wanted)
			continue;
		json_open(json, NULL, '{');
		json_string(json, "family", family_name(family));
		json_boolean(json, "serving", serving);
		json_close(json, '}');
	}
}

void render_daemon(struct json *json, struct owner *owner, mtime now)
{
	json_string(json, "program", "mcproxy");
	json_string(json, "program_version", MCPROXY_VERSION);
	json_number(json, "pid", (uint64_t)getpid());
	json_seconds(json, "started", (uint64_t)owner->started_wall);
	json_seconds(json, "uptime", (uint64_t)(now - owner->started_at));
	json_string(json, "configuration", options_source(owner->options));
	json_seconds(json, "configuration_loaded", (uint64_t)owner->config->read_at);
	json_number(json, "instances", owner->config->instance_count);
	json_boolean(json, "last_reload_successful", owner->reload_problem[0] == '\0');
	json_open(json, "families", '[');
	put_families(json, owner);
	json_close(json, ']');
	put_confinement(json, &owner->confinement);
	json_open(json, "tables", '[');
	for (const struct table *table = owner->tables; table; table = table->next)
		put_table(json, table);
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		put_held_tables(json, owner, family);
	json_close(json, ']');
}

void render_instance(struct json *json, const struct instance_slot *instance,
                     const struct snapshot_instance *record)
{
	json_open(json, NULL, '{');
	json_string(json, "instance", instance->config->name);
	json_number(json, "groups", record->groups);
	json_number(json, "groups_joined", record->joined);
	json_number(json, "routes", record->flows);
	json_number(json, "negative_routes", record->negative_flows);
	json_number(json, "bit_rate", record->rate * 8);
	json_number(json, "memory", record->memory);
	json_number(json, "memory_max", instance->config->settings.memory_max);
	json_number(json, "routes_max", instance->config->settings.routes_max);
	json_number(json, "refused_for_routes_max", record->drops[0]);
	json_number(json, "refused_for_memory", record->drops[1]);
	json_number(json, "requests_postponed", instance->postponed);
	json_number(json, "events_lost", record->events_dropped);
	json_close(json, '}');
}

/* The querier of a downstream link, and why it is the querier. */
static void put_querier(struct json *json, const struct snapshot_link *record)
{
	bool other = !addr_is_unspecified(&record->other_querier);

	json_boolean(json, "this_router_is_querier", record->querier);
	json_addr(json, "querier", record->querier ? &record->address : &record->other_querier);
	json_string(json, "querier_reason",
	            !record->usable    ? "the link is not usable"
	            : !record->querier ? "another router with a lower address asks"
	            : other            ? "no other router with a lower address asks any more"
	                               : "no other router with a lower address asks");
	if (!record->querier && record->usable) {
		json_seconds(json, "other_querier_left", record->other_querier_left);
		json_seconds(json, "other_query_age", record->other_query_age);
	}
	if (!addr_is_unspecified(&record->foreign_querier))
		json_addr(json, "foreign_querier", &record->foreign_querier);
	if (record->other_version != 0 && record->other_version != record->version) {
		json_string(json, "other_version", version_name(record->family, record->other_version));
		json_addr(json, "other_version_querier", &record->other_version_querier);
		json_seconds(json, "other_version_age", record->other_version_age);
	}
	if (record->querier)
		json_seconds(json, "next_query_left", record->next_query_left);
}

static void put_timers(struct json *json, const struct snapshot_link *record)
{
	json_open(json, "timers", '{');
	json_number(json, "robustness", record->robustness);
	json_seconds(json, "query_interval", record->query_interval);
	json_seconds(json, "query_response_interval", record->query_response_interval);
	json_seconds(json, "startup_query_interval", record->startup_query_interval);
	json_number(json, "startup_query_count", record->startup_query_count);
	json_seconds(json, "last_member_query_interval", record->last_member_query_interval);
	json_number(json, "last_member_query_count", record->last_member_query_count);
	json_seconds(json, "group_membership_interval", record->membership_interval);
	json_seconds(json, "other_querier_present_interval", record->other_querier_present_interval);
	json_seconds(json, "older_host_present_interval", record->older_host_present_interval);
	json_close(json, '}');
}

static void put_counters(struct json *json, const struct snapshot_link *record, struct vif *vif)
{
	json_open(json, "counters", '{');
	json_number(json, "reports", record->reports);
	json_number(json, "queries_sent", record->queries_sent);
	json_number(json, "queries_heard", record->queries_received);
	json_number(json, "queries_of_another_version", record->older_queries);
	if (vif != NULL) {
		json_number(json, "lost_in_socket", link_readers_lost(vif));
		json_number(json, "sends_failed", vif->sends_failed);
	}
	json_close(json, '}');
	json_open(json, "drops", '{');
	for (int drop = 0; drop < DROP_CAUSES; drop++)
		if (record->drops[drop] > 0)
			json_number(json, drop_name((enum drop)drop), record->drops[drop]);
	json_close(json, '}');
}

void render_link(struct json *json, struct owner *owner, const struct instance_slot *instance,
                 const struct snapshot_link *record)
{
	unsigned number = links_vif(owner->links, instance->number, record->id, record->family);
	const struct table *table = instance->tables[record->family];
	char text[HOLDER_TEXT_SIZE];
	struct links_port port;

	json_open(json, NULL, '{');
	json_string(json, "instance", instance->config->name);
	json_string(json, "link", record->name);
	json_string(json, "role", role_name(record->role));
	json_string(json, "family", family_name(record->family));
	json_string(json, "version", version_name(record->family, record->version));
	json_boolean(json, "present", true);
	json_boolean(json, "up",
	             links_find_port(owner->links, instance->number, record->id, &port) && port.up);
	json_boolean(json, "usable", record->usable);
	if (instance->holders[record->family].there)
		json_string(json, "not_served", holder_text(&instance->holders[record->family], text));
	json_addr(json, "address", &record->address);
	if (number != LINKS_NO_VIF)
		json_number(json, "vif", number);
	json_number(json, "groups", record->groups);
	json_number(json, "routes", record->routes);
	json_number(json, "memory", record->memory);
	json_number(json, "memory_share", record->memory_share);
	if (record->role == ROLE_DOWNSTREAM) {
		put_querier(json, record);
		put_timers(json, record);
	}
	put_counters(json, record, table != NULL && number != LINKS_NO_VIF ? table->vifs[number] : NULL);
	json_close(json, '}');
}

static bool names(const struct config_link *links, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(links[i].name, name) == 0)
			return true;
	return false;
}

void render_missing_link(struct json *json, const struct instance_slot *instance, const char *name)
{
	bool upstream = names(instance->config->upstream, instance->config->upstream_count, name);

	json_open(json, NULL, '{');
	json_string(json, "instance", instance->config->name);
	json_string(json, "link", name);
	json_string(json, "role", role_name(upstream ? ROLE_UPSTREAM : ROLE_DOWNSTREAM));
	json_boolean(json, "present", false);
	json_boolean(json, "usable", false);
	json_close(json, '}');
}

void render_open_group(struct json *json, struct owner *owner, const struct instance_slot *instance,
                       const struct snapshot_group *record)
{
	enum family family = addr_family(&record->group);

	json_open(json, NULL, '{');
	json_string(json, "instance", instance->config->name);
	put_link_name(json, "link", owner, instance->number, record->link);
	json_string(json, "family", family_name(family));
	json_addr(json, "group", &record->group);
	json_string(json, "mode", filter_mode_name(record->mode));
	json_string(json, "version", version_name(family, record->version));
	json_boolean(json, "queried", record->queried);
	json_boolean(json, "static", record->is_static);
	json_seconds(json, "left", record->left);
	json_number(json, "rounds_left", record->rounds);
	json_seconds(json, "age", (uint64_t)record->age);
	json_number(json, "hosts", record->hosts);
	json_open(json, "sources", '[');
}

void render_source(struct json *json, const struct snapshot_source *record)
{
	json_open(json, NULL, '{');
	json_addr(json, "source", &record->source);
	json_boolean(json, "blocked", record->blocked);
	json_boolean(json, "static", record->is_static);
	if (!record->blocked && (record->left > 0 || !record->is_static))
		json_seconds(json, "left", record->left);
	json_close(json, '}');
}

void render_open_members(struct json *json)
{
	json_close(json, ']');
	json_open(json, "members", '[');
}

void render_member(struct json *json, const struct snapshot_host *record)
{
	json_open(json, NULL, '{');
	json_addr(json, "host", &record->host);
	json_string(json, "mode", filter_mode_name(record->mode));
	json_number(json, "sources", record->sources);
	json_seconds(json, "left", record->left);
	json_close(json, '}');
}

void render_close_group(struct json *json)
{
	json_close(json, ']');
	json_close(json, '}');
}

#define READ_AGE_MIN (2 * MTIME_SECOND) /* to measure a rate by */

/* The kernel's counters as they are now, or the last ones that were read. */
static void put_traffic(struct json *json, const struct table *table, const struct snapshot_flow *record)
{
	struct mrt_counters counters = {
		.packets = record->packets, .bytes = record->bytes, .wrong_vif = record->wrong_link};
	uint64_t rate = record->rate;

	if (table != NULL &&
	    mrt_route_counters(table->mrt, &record->source, &record->group, &counters) == 0 &&
	    record->read_age >= READ_AGE_MIN && counters.bytes >= record->bytes)
		rate = (counters.bytes - record->bytes) * 1000 / (uint64_t)record->read_age;
	json_number(json, "packets", counters.packets);
	json_number(json, "bytes", counters.bytes);
	json_number(json, "bit_rate", rate * 8);
	json_number(json, "wrong_interface", counters.wrong_vif);
}

/* The link where a copy of the stream arrives. */
static const char *copy_link(const struct owner *owner, const struct table *table,
                             const struct snapshot_flow *record)
{
	struct route_key key = {.source = record->source, .group = record->group};
	struct wrong_vif_copy copy;

	if (table == NULL || !wrong_vif_find_copy(table->wrong_vif, &key, &copy))
		return NULL;
	return links_vif_name(owner->links, table->number, table->family, copy.vif);
}

/* The links where the stream is left to another router: no outputs, for now. */
static uint32_t yielded_vifs(const struct table *table, const struct snapshot_flow *record)
{
	struct route_key key = {.source = record->source, .group = record->group};

	return table != NULL ? routes_yielded(table->routes, &key) : 0;
}

static void put_outputs(struct json *json, const char *key, struct owner *owner,
                        const struct instance_slot *instance, const struct snapshot_flow *record,
                        bool yielded)
{
	enum family family = addr_family(&record->group);
	uint32_t vifs = yielded_vifs(instance->tables[family], record);

	json_open(json, key, '[');
	for (uint64_t outputs = record->outputs; outputs != 0; outputs &= outputs - 1) {
		uint8_t id = (uint8_t)__builtin_ctzll(outputs);
		unsigned vif = links_vif(owner->links, instance->number, id, family);

		if ((vif < MRT_VIFS && (vifs >> vif & 1) != 0) == yielded)
			put_link_name(json, NULL, owner, instance->number, id);
	}
	json_close(json, ']');
}

void render_route(struct json *json, struct owner *owner, const struct instance_slot *instance,
                  const struct snapshot_flow *record)
{
	enum family family = addr_family(&record->group);

	json_open(json, NULL, '{');
	json_string(json, "instance", instance->config->name);
	json_string(json, "family", family_name(family));
	json_addr(json, "group", &record->group);
	json_addr(json, "source", &record->source);
	put_link_name(json, "input", owner, instance->number, record->input);
	json_string(json, "copy_input", copy_link(owner, instance->tables[family], record));
	put_outputs(json, "outputs", owner, instance, record, false);
	put_outputs(json, "yielded", owner, instance, record, true);
	json_number(json, "hosts", record->hosts);
	put_traffic(json, instance->tables[family], record);
	json_number(json, "rounds_left", record->rounds);
	json_seconds(json, "age", (uint64_t)record->age);
	json_close(json, '}');
}

static void put_upstream_query(struct json *json, const struct host_status *host, mtime now)
{
	if (host->query_received_at == MTIME_NEVER) {
		json_string(json, "querier", NULL);
		return;
	}
	json_addr(json, "querier", &host->querier);
	json_seconds(json, "query_age", (uint64_t)(now - host->query_received_at));
}

void render_uplink(struct json *json, struct owner *owner, const struct uplink *uplink, mtime now)
{
	struct host_status host;

	host_get_status(uplink->host, now, &host);
	json_open(json, NULL, '{');
	json_string(json, "link", uplink->name);
	json_string(json, "family", family_name(uplink->family));
	json_open(json, "instances", '[');
	for (size_t i = 0; i < owner->instance_count; i++)
		if (uplink->instances >> i & 1)
			json_string(json, NULL, owner->instances[i].config->name);
	json_close(json, ']');
	json_boolean(json, "present", uplink->ifindex != 0);
	json_string(json, "membership", membership_name(host.membership));
	json_string(json, "version", version_name(uplink->family, host.version));
	json_number(json, "groups", host.groups);
	json_number(json, "kept_by_kernel", host.groups - host.kept_here);
	json_number(json, "kept_by_mcproxy", host.kept_here);
	json_number(json, "refused_by_kernel", host.failing);
	json_string(json, "last_error", host.last_error != 0 ? strerror(host.last_error) : NULL);
	json_number(json, "supersets", host.supersets);
	put_upstream_query(json, &host, now);
	if (host.older_until != 0)
		json_seconds(json, "older_version_left", (uint64_t)(host.older_until - now));
	json_boolean(json, "query_missing", host.query_missing);
	json_number(json, "queries_heard", host.queries_received);
	json_number(json, "reports_sent", host.reports_sent);
	json_number(json, "repeats_without_querier", host.repeats);
	json_number(json, "sends_failed", uplink->send_failures);
	json_close(json, '}');
}

static const char *membership_state(const struct host_group *group)
{
	if (group->refused)
		return "refused";
	if (group->wanted.mode == FILTER_INCLUDE && group->wanted.sources.count == 0)
		return "leaving";
	return group->joining ? "joining" : "joined";
}

void render_membership(struct json *json, const struct uplink *uplink, const struct host_group *group)
{
	json_open(json, NULL, '{');
	json_string(json, "link", uplink->name);
	json_string(json, "family", family_name(uplink->family));
	json_addr(json, "group", &group->group);
	json_string(json, "mode", filter_mode_name(group->wanted.mode));
	json_string(json, "state", membership_state(group));
	json_string(json, "kept_by", group->kept_here ? "mcproxy" : "kernel");
	json_boolean(json, "superset", group->superset);
	json_open(json, "sources", '[');
	for (size_t i = 0; i < group->wanted.sources.count; i++)
		json_addr(json, NULL, &group->wanted.sources.list[i]);
	json_close(json, ']');
	json_close(json, '}');
}
