/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/receive.h"

#include "core/policy/group_map.h"
#include "core/router/election.h"
#include "core/router/filtering.h"
#include "core/router/group_records.h"
#include "core/router/membership.h"
#include "core/router/prefetch.h"
#include "core/router/router_discovery.h"
#include "core/wire/igmp.h"
#include "core/wire/mld.h"
#include "core/wire/mrd.h"

#define QUERY_SOURCES_MAX 1024 /* kept of an upstream query */

/* A v4-mapped address in an MLD message has the wrong family; it is no IPv4 group. */
static bool group_is_allowed(struct instance *instance, struct link *link, enum family family,
                             const struct addr *group)
{
	bool is_group = addr_is_multicast(group) && addr_family(group) == family;

	if (is_group && addr_is_proxied_group(group))
		return true;
	engine_drop(instance, link, family, is_group ? DROP_SCOPE : DROP_GROUP);
	return false;
}

/* The sources of a record or query that can send a stream, as a sorted set. Sources beyond its capacity are
 * left out and counted. */
static struct sources read_sources(struct instance *instance, struct link *link, const uint8_t *at,
                                   size_t count, enum family family)
{
	struct sources sources = sources_on(instance->scratch, REQUEST_SOURCES_MAX);

	for (size_t i = 0; i < count; i++) {
		struct addr source = wire_get_addr(at + i * addr_wire_size(family), family);

		if (addr_family(&source) != family || !addr_is_source(&source))
			continue;
		if (sources.count == sources.capacity) {
			engine_drop(instance, link, family, DROP_SOURCES_MAX);
			break;
		}
		sources.list[sources.count++] = source;
	}
	if (sources.count > 1)
		sources.count = sources_normalize(sources.list, sources.count);
	return sources;
}

/* RFC 4604 section 2.2: in the source-specific range only version 3 and INCLUDE mode count. */
static bool ssm_allows(const struct link *link, enum version version, const struct record *record)
{
	return !link_settings_demand_source(&link->settings, &record->group) ||
	       (version == VERSION_3 && record->type != IS_EX && record->type != TO_EX);
}

/* ssm_map: a join of all sources stands for the sources that the map gives the group, and so does the leave of an older
 * host. TO_EX becomes ALLOW, which like IS_IN adds sources, because it is no answer to a query. False: the map does not
 * concern the record. */
static bool map_record(const struct link *link, enum version version, struct record *record,
                       struct sources *sources)
{
	bool is_leave = version < VERSION_3 && record->type == TO_IN;
	struct filter mapped = {.sources = *sources};

	if (link->settings.ssm_map == NULL || sources->count > 0 ||
	    (!is_leave && record->type != IS_EX && record->type != TO_EX))
		return false;
	group_map_filter(link->settings.ssm_map, &record->group, &mapped);
	if (filter_is_none(&mapped))
		return false;
	*sources = mapped.sources;
	record->type = is_leave ? BLOCK : record->type == IS_EX ? IS_IN : ALLOW;
	return true;
}

/* A link configured for an older version keeps no source lists of version 3 hosts: their records count as those of older
 * hosts. False: the record has no meaning there. */
static bool limit_to_link(const struct link *link, enum family family, enum version *version,
                          struct record *record, struct sources *sources)
{
	if (*version < VERSION_3 || link->settings.version[family] == VERSION_3)
		return true;
	if (!group_express_as_older(&record->type, sources->count > 0))
		return false;
	sources->count = 0;
	*version = VERSION_2;
	return true;
}

static void receive_record(struct instance *instance, struct link *link, mtime now,
                           const struct packet *packet, const struct addr *mac, enum version version,
                           struct record *record)
{
	const struct reporting_host host = {packet->source, *mac};
	struct sources sources;

	if (record->type < IS_IN || record->type > BLOCK) {
		engine_drop(instance, link, packet->family, DROP_RECORD);
		return;
	}
	if (!group_is_allowed(instance, link, packet->family, &record->group))
		return;
	sources = read_sources(instance, link, record->sources, record->source_count, packet->family);
	if (!limit_to_link(link, packet->family, &version, record, &sources))
		return;
	if (!map_record(link, version, record, &sources) && !ssm_allows(link, version, record)) {
		engine_drop(instance, link, packet->family, DROP_SSM);
		return;
	}
	if (filtering_admit(instance, link, &host, record, &sources, now))
		membership_record(instance, link, now, version, &host, record, &sources);
}

static size_t next_records(struct message *message, struct record *records, size_t most)
{
	size_t count = 0;

	while (count < most && message_next_record(message, &records[count]))
		count++;
	return count;
}

/* A link's own version is always served. */
static bool is_too_old(const struct link *link, enum family family, enum version version)
{
	return version < link->settings.oldest_version[family] && version < link->settings.version[family];
}

/* No host sends from a multicast, loopback or broadcast address, and this router's own kernel is no host
 * downstream. A host without an address may report from 0.0.0.0 (RFC 9776 section 4.2.14). */
static enum drop check_host(struct link *link, enum family family, const struct addr *host)
{
	struct addr *checked = &link->family[family].checked_host;

	if (addr_equal(checked, host))
		return DROP_NONE;
	if (link_has_address(link, host))
		return DROP_OWN_ADDRESS;
	if (addr_is_multicast(host) || addr_is_loopback(host) || link_is_broadcast(link, host))
		return DROP_SENDER;
	if (link->settings.verify_source_subnet && !addr_is_unspecified(host) &&
	    !link_has_subnet_of(link, host))
		return DROP_HOST_SUBNET;
	*checked = *host;
	return DROP_NONE;
}

static void receive_report(struct instance *instance, struct link *link, mtime now,
                           const struct packet *packet, const struct addr *mac, struct message *message)
{
	struct record records[PREFETCH_RECORDS_MAX];
	enum drop drop = link->role == ROLE_UPSTREAM ? DROP_ROLE : DROP_NONE;
	size_t count;

	if (drop == DROP_NONE)
		drop = check_host(link, message->family, &packet->source);
	if (drop == DROP_NONE && is_too_old(link, message->family, message->report.version))
		drop = DROP_VERSION;
	if (drop != DROP_NONE) {
		engine_drop(instance, link, message->family, drop);
		return;
	}
	link->family[message->family].counters[COUNTER_REPORTS]++;
	while ((count = next_records(message, records, PREFETCH_RECORDS_MAX)) > 0) {
		prefetch_records(instance, records, count);
		for (size_t i = 0; i < count; i++)
			receive_record(instance, link, now, packet, mac, message->report.version,
			               &records[i]);
	}
}

/* The newest query counts, but with the earliest answer (RFC 9776 section 5.2) and the oldest version of
 * all. */
static void keep_general_query(struct instance *instance, const struct link *link, enum family family,
                               struct upstream_query query)
{
	struct upstream_queries *queries = &instance->upstream_queries;
	struct upstream_query *kept = &queries->general[link->id][family];

	if (set64_has(queries->general_due[family], link->id)) {
		if (kept->max_response < query.max_response)
			query.max_response = kept->max_response;
		if (kept->version < query.version)
			query.version = kept->version;
	}
	*kept = query;
	set64_add(&queries->general_due[family], link->id);
}

/* NULL when memory is short, or there are none. */
static struct addr *keep_sources(const struct link *link, const struct sources *sources)
{
	size_t size = sources->count * sizeof *sources->list;
	struct addr *list;

	if (sources->count == 0)
		return NULL;
	list = pool_take(link->pool, size);
	if (list != NULL)
		memcpy(list, sources->list, size);
	return list;
}

static void keep_specific_query(struct instance *instance, struct link *link, const struct packet *packet,
                                const struct query *query, struct upstream_query kept)
{
	/* A query with more sources is answered as one about the whole group. */
	bool about_sources = query->source_count > 0 && query->source_count <= QUERY_SOURCES_MAX;
	struct upstream_queries *queries = &instance->upstream_queries;
	unsigned place = (queries->first + queries->count) % INSTANCE_QUERIES_MAX;
	struct sources sources;
	struct addr *list;

	if (queries->count == INSTANCE_QUERIES_MAX) {
		engine_drop(instance, link, packet->family, DROP_QUERIES_MAX);
		return;
	}
	sources = read_sources(instance, link, query->sources, about_sources ? query->source_count : 0,
	                       packet->family);
	list = keep_sources(link, &sources);
	kept.source_count = list != NULL ? (uint16_t)sources.count : 0;
	kept.about_sources = about_sources && kept.source_count == sources.count;
	queries->specific[place] = (struct specific_query){
		.link = link->id, .family = (uint8_t)packet->family, .query = kept, .sources = list};
	queries->count++;
}

/* Keeps a query from upstream until the owner's host side gets it. */
static void receive_upstream_query(struct instance *instance, struct link *link, const struct packet *packet,
                                   const struct query *query)
{
	struct upstream_query kept = {
		.querier = packet->source,
		.group = query->group,
		.max_response = query->max_response,
		.query_interval = query->query_interval,
		.version = (uint8_t)query->version,
		.robustness = query->robustness,
		.suppress = query->suppress,
	};

	if (addr_is_unspecified(&query->group))
		keep_general_query(instance, link, packet->family, kept);
	else
		keep_specific_query(instance, link, packet, query, kept);
}

/* The configured version stays in force (RFC 9776 section 7.3.1). One event per link and family. */
static void receive_other_version(struct instance *instance, struct link *link, mtime now,
                                  const struct packet *packet, const struct query *query)
{
	struct link_family *state = &link->family[packet->family];
	struct event event = {
		.kind = EVENT_OLDER_QUERY,
		.link = link->id,
		.family = (uint8_t)packet->family,
		.before = (uint8_t)query->version,
		.after = link->settings.version[packet->family],
		.source = packet->source,
	};

	state->other_version_querier = packet->source;
	state->other_version_at = now;
	state->other_version = (uint8_t)query->version;
	if (state->counters[COUNTER_OLDER_QUERIES]++ == 0)
		events_push(&instance->events, &event);
}

/* One event for each of the first few queriers; all of their queries are counted. */
static void receive_foreign_query(struct instance *instance, struct link *link, const struct addr *querier)
{
	struct event event = {
		.kind = EVENT_FOREIGN_QUERIER, .link = link->id, .family = FAMILY_IPV4, .source = *querier};

	engine_drop(instance, link, FAMILY_IPV4, DROP_SUBNET);
	for (unsigned i = 0; i < link->foreign_count; i++)
		if (addr_equal(&link->foreign_queriers[i], querier))
			return;
	if (link->foreign_count == FOREIGN_QUERIERS_MAX)
		return;
	link->foreign_queriers[link->foreign_count++] = *querier;
	events_push(&instance->events, &event);
}

static enum drop check_querier(const struct link *link, const struct addr *querier, const struct query *query)
{
	enum family family = addr_family(querier);

	if (!addr_is_source(querier) && !addr_is_unspecified(querier))
		return DROP_SOURCE_ADDRESS;
	if (link_has_address(link, querier))
		return DROP_OWN_ADDRESS;
	if (is_too_old(link, family, query->version))
		return DROP_VERSION;
	/* A snooping switch sends queries from 0.0.0.0. */
	return addr_is_unspecified(querier) || link_has_subnet_of(link, querier) ? DROP_NONE : DROP_SUBNET;
}

static void receive_downstream_query(struct instance *instance, struct link *link, mtime now,
                                     const struct packet *packet, const struct query *query)
{
	struct link_family *state = &link->family[packet->family];
	enum drop drop = check_querier(link, &packet->source, query);
	struct sources sources;

	if (drop == DROP_SUBNET) {
		receive_foreign_query(instance, link, &packet->source);
		return;
	}
	/* Hosts follow also those that are dropped, such as the queries of this machine's own bridge. */
	if (query->version != link->settings.version[packet->family] && drop != DROP_SOURCE_ADDRESS)
		receive_other_version(instance, link, now, packet, query);
	if (drop != DROP_NONE) {
		engine_drop(instance, link, packet->family, drop);
		return;
	}
	election_receive(instance, link, packet->family, now, &packet->source, query);
	/* RFC 9776 section 6.6.1: specific queries of the elected querier lower our timers too. */
	if (addr_is_unspecified(&query->group) || querier_is_elected(&state->querier, now) ||
	    !addr_equal(&packet->source, &state->querier.other))
		return;
	sources = read_sources(instance, link, query->sources, query->source_count, packet->family);
	/* A query about sources that cannot send is no query about the group. */
	if (query->source_count > 0 && sources.count == 0)
		return;
	membership_receive_query(instance, link, now, &query->group, &sources, query->suppress);
}

static void receive_query(struct instance *instance, struct link *link, mtime now,
                          const struct packet *packet, const struct query *query)
{
	link->family[packet->family].counters[COUNTER_QUERIES_RECEIVED]++;
	if (link->role == ROLE_UPSTREAM)
		receive_upstream_query(instance, link, packet, query);
	else
		receive_downstream_query(instance, link, now, packet, query);
}

void receive_packet(struct instance *instance, struct link *link, mtime now, enum family family,
                    const struct addr *mac, const uint8_t *data, size_t size)
{
	struct packet packet;
	struct message message;
	enum drop drop = packet_parse(family, data, size, &packet);

	if (drop == DROP_NONE && mrd_is_message(&packet)) {
		router_discovery_receive(instance, link, now, &packet);
		return;
	}
	if (drop == DROP_NONE)
		drop = family == FAMILY_IPV4 ? igmp_decode(&packet, &message) : mld_decode(&packet, &message);
	if (drop == DROP_NONE && link->settings.require_router_alert && !packet.router_alert)
		drop = DROP_ROUTER_ALERT;
	if (drop != DROP_NONE)
		engine_drop(instance, link, family, drop);
	else if (message.kind == MESSAGE_QUERY)
		receive_query(instance, link, now, &packet, &message.query);
	else
		receive_report(instance, link, now, &packet, mac, &message);
}
