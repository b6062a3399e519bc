/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy.h"

#include <assert.h>
#include <stdlib.h>

#define ROUTER_STATION_IS_LOW    true
#define IGMPV1_RESPONSE_INTERVAL (10 * MTIME_SECOND) /* such hosts know no other */
#define HOST_REPORT_RATE         200                 /* more than a host sends, as each report counts */

struct style {
	int newest; /* of the hosts' versions, all alike, or mixed */
	bool mixed;
	bool suppresses;
	bool leaves_always;
	bool reports_filters;
};

void world_init(struct world *world, uint64_t seed, uint64_t *tallies)
{
	memset(world, 0, sizeof *world);
	world->seed = seed;
	world->random.state = seed;
	world->tallies = tallies;
	world->recording_fd = -1;
	world->agenda.now = MTIME_SECOND;
}

mtime world_response_interval_max(const struct world *world)
{
	return world->query_response_interval_max + IGMPV1_RESPONSE_INTERVAL;
}

mtime world_membership_interval_max(const struct world *world)
{
	return ROBUSTNESS_MAX * world->query_interval_max + 2 * world_response_interval_max(world);
}

mtime world_leave_time_max(const struct world *world)
{
	/* The leave is sent several times, and each one may start the queries again. */
	mtime time = ROBUSTNESS_MAX * (LAST_MEMBER_QUERY_INTERVAL_MAX + MTIME_SECOND) + MTIME_SECOND;

	/* General queries may take the place of specific ones. */
	for (unsigned i = 1; i < world->segment_count; i++)
		if (world->segments[i].server->settings.query_rate_max > 0)
			return time + (ROBUSTNESS_MAX + 1) * world->query_response_interval_max;
	return time;
}

static uint8_t random_version(struct random *random, enum family family)
{
	unsigned dice = random_below(random, 100);

	if (dice < 70)
		return VERSION_3;
	return dice < 94 || family == FAMILY_IPV6 ? VERSION_2 : VERSION_1;
}

struct link_settings random_settings(struct world *world)
{
	struct random *random = &world->random;
	uint32_t seconds = (uint32_t)(world->query_interval_max / MTIME_SECOND);
	struct link_settings settings = {
		.querier_election = random_percent(random, 80),
		.robustness = (uint8_t)random_between(random, 2, ROBUSTNESS_MAX),
		.last_member_query_count = (uint8_t)random_between(random, 0, ROBUSTNESS_MAX),
		.query_interval = random_between(random, seconds / 2, seconds) * MTIME_SECOND,
		.last_member_query_interval =
			random_between(random, 2, LAST_MEMBER_QUERY_INTERVAL_MAX / 100) * 100,
		.groups_max = 1000,
		.sources_max = 1000,
		.fast_leave = random_percent(random, 50),
		.track_hosts = random_percent(random, 10),
		.hosts_max = random_percent(random, 60) ? 1000 : random_between(random, 1, 3),
	};

	settings.query_response_interval =
		random_between(random, 10, (uint32_t)world->query_response_interval_max / 100) * 100;
	settings.router_discovery = (uint8_t)(settings.query_interval / MTIME_SECOND % 3);
	settings.forward_without_querier = (uint8_t)random_between(random, FORWARD_NEVER, FORWARD_AUTO);
	if (world->limits_queries && random_percent(random, 50))
		settings.query_rate_max = random_between(random, 1, 3);
	if (random_percent(random, 50))
		settings.host_report_rate_max = HOST_REPORT_RATE;
	for (int family = 0; family < FAMILIES; family++) {
		settings.version[family] =
			world->served[family] ? random_version(random, family) : VERSION_NONE;
		/* With other values, reports that are ignored would suppress those of the other older hosts. */
		if (settings.version[family] == VERSION_3 && random_percent(random, 10))
			settings.oldest_version[family] = VERSION_3;
	}
	if (settings.version[FAMILY_IPV4] == VERSION_1)
		settings.query_response_interval = IGMPV1_RESPONSE_INTERVAL;
	return settings;
}

static void choose_size(struct world *world)
{
	struct random *random = &world->random;
	unsigned dice = random_below(random, 100);

	world->served[FAMILY_IPV4] = dice < 75;
	world->served[FAMILY_IPV6] = dice >= 40;
	world->group_count = random_between(random, 1, random_percent(random, 80) ? 10 : GROUPS_MAX);
	world->source_count = random_between(random, 1, random_percent(random, 80) ? 10 : SOURCES_MAX);
	world->query_interval_max = random_between(random, 8, 40) * MTIME_SECOND;
	world->query_response_interval_max = world->query_interval_max / 3;
	world->stream_interval = random_between(random, 500, 2000);
	world->limits_queries = random_percent(random, 25);
}

static struct segment *add_segment(struct world *world, unsigned depth)
{
	struct segment *segment = &world->segments[world->segment_count];

	segment->world = world;
	segment->number = world->segment_count++;
	segment->depth = depth;
	if (depth > world->depth)
		world->depth = depth;
	return segment;
}

static struct segment *choose_upstream(struct world *world)
{
	for (;;) {
		struct segment *segment =
			&world->segments[random_below(&world->random, world->segment_count)];

		if (segment->depth < DEPTH_MAX)
			return segment;
	}
}

static void add_proxy(struct world *world)
{
	struct random *random = &world->random;
	struct segment *upstream = choose_upstream(world);
	struct proxy *proxy = proxy_new(world, world->proxy_count, upstream);
	unsigned links = random_between(random, 1, PROXY_LINKS_MAX - 2);

	world->proxies[world->proxy_count++] = proxy;
	for (unsigned i = 0; i < links && (i == 0 || world->segment_count < SEGMENTS_MAX - PROXIES_MAX);
	     i++) {
		struct link_settings settings = random_settings(world);

		proxy_serve(proxy, add_segment(world, upstream->depth + 1), &settings);
	}
	if (world->has_policies && upstream->depth == 0 && random_percent(random, 60))
		proxy_add_second(proxy);
}

static void add_askers(struct world *world)
{
	for (unsigned i = 1; i < world->segment_count; i++)
		for (int family = 0; family < FAMILIES; family++)
			world->segments[i].rivals[family] = other_querier_new(
				world, &world->segments[i], family, random_percent(&world->random, 70));
	for (int family = 0; family < FAMILIES; family++) {
		struct other_querier *router =
			other_querier_new(world, &world->segments[0], family, ROUTER_STATION_IS_LOW);

		world->router[family] = router;
		router->version = random_percent(&world->random, 80) ? VERSION_3 : VERSION_2;
		router->robustness = 2;
		router->query_interval = world->query_interval_max;
		router->query_response_interval = world->query_response_interval_max;
		router->last_member_query_interval = MTIME_SECOND;
		if (world->served[family])
			other_querier_start(router);
	}
}

static struct style choose_style(struct random *random)
{
	unsigned dice = random_below(random, 100);

	return (struct style){
		.newest = dice < 75   ? VERSION_3
	                  : dice < 90 ? VERSION_2
	                              : VERSION_1,
		.mixed = dice >= 50 && dice < 75,
		.suppresses = random_percent(random, 50),
		.leaves_always = random_percent(random, 70),
		.reports_filters = random_percent(random, 30),
	};
}

static void add_host(struct world *world, const struct style *style)
{
	struct random *random = &world->random;
	struct segment *segment = &world->segments[random_between(random, 1, world->segment_count - 1)];
	enum family family =
		world->served[FAMILY_IPV4] && (!world->served[FAMILY_IPV6] || random_percent(random, 50))
			? FAMILY_IPV4
			: FAMILY_IPV6;
	int version = style->mixed ? (int)random_between(random, VERSION_1, VERSION_3) : style->newest;
	struct member *host;

	if (family == FAMILY_IPV6 && version == VERSION_1)
		version = VERSION_2;
	host = member_new(world, segment, family, world->host_count, version);
	host->suppresses = style->suppresses;
	host->leaves_always = style->leaves_always;
	host->reports_filters = style->reports_filters && random_percent(random, 50);
	host->port.receives_reports = style->suppresses || !style->leaves_always;
	world->hosts[world->host_count++] = host;
}

static void add_hosts(struct world *world)
{
	struct random *random = &world->random;
	struct style style = choose_style(random);
	unsigned dice = random_below(random, 100);
	unsigned count = dice < 60   ? random_between(random, 2, 30)
	                 : dice < 96 ? random_between(random, 30, 120)
	                             : random_between(random, 120, HOSTS_MAX);

	world->tells_hosts =
		world->has_policies && !style.suppresses && !style.mixed && style.newest == VERSION_3;
	world->hosts = calloc(count, sizeof(struct member *));
	assert(world->hosts != NULL);
	while (world->host_count < count)
		add_host(world, &style);
}

static void add_sources(struct world *world)
{
	struct random *random = &world->random;

	for (int family = 0; family < FAMILIES; family++) {
		for (unsigned number = 0; number < world->source_count; number++) {
			unsigned segment =
				random_percent(random, 60) ? 0 : random_below(random, world->segment_count);

			world->sources[family][number] = (struct stream_source){
				.world = world,
				.family = (uint8_t)family,
				.number = number,
				.segment = &world->segments[segment],
			};
			if (world->served[family])
				agenda_add(&world->agenda, world_now(world) + random_below(random, 1000),
				           source_run, &world->sources[family][number]);
		}
	}
}

void world_build(struct world *world)
{
	unsigned proxies;

	choose_size(world);
	add_segment(world, 0);
	world->second = (struct segment){.world = world, .number = SEGMENTS_MAX};
	proxies = random_percent(&world->random, 30) ? 1 : random_between(&world->random, 1, PROXIES_MAX);
	while (world->proxy_count < proxies)
		add_proxy(world);
	add_askers(world);
	add_hosts(world);
	add_sources(world);
	for (unsigned i = 0; i < world->proxy_count; i++)
		proxy_start(world->proxies[i]);
	for (unsigned i = random_below(&world->random, 8); world->has_policies && i > 0; i--)
		trouble_policy(world);
	world_count(world, TALLY_WORLDS);
}

void world_fini(struct world *world)
{
	for (unsigned i = 0; i < world->proxy_count; i++)
		proxy_free(world->proxies[i]);
	for (unsigned i = 0; i < world->host_count; i++)
		member_free(world->hosts[i]);
	for (unsigned i = 0; i < world->segment_count; i++) {
		for (int family = 0; i > 0 && family < FAMILIES; family++)
			other_querier_free(world->segments[i].rivals[family]);
		free(world->segments[i].ports);
	}
	for (int family = 0; family < FAMILIES; family++)
		other_querier_free(world->router[family]);
	free(world->second.ports);
	free(world->hosts);
	agenda_fini(&world->agenda);
}

static bool host_leaves_work(const struct member *host)
{
	int version = host->port.segment->server->settings.version[host->family];

	return host->version >= version && (host->leaves_always || version == VERSION_3);
}

bool world_leaves_work(const struct world *world, enum family family)
{
	if (world->has_policies)
		return false;
	for (unsigned i = 1; i < world->segment_count; i++) {
		const struct segment *segment = &world->segments[i];

		if (segment->rivals[family]->active || segment->server->settings.version[family] == VERSION_1)
			return false;
	}
	for (unsigned i = 0; i < world->host_count; i++)
		if (world->hosts[i]->family == family && !host_leaves_work(world->hosts[i]))
			return false;
	return true;
}
