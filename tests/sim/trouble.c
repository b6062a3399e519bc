/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What may happen: hosts change their minds, links fail and vanish, other queriers come up, sources move,
 * proxies are restarted, settings change, packets are lost.
 */
#include "oracle.h"

#include <assert.h>
#include <stdlib.h>

#define DOWN_MAX (20 * MTIME_SECOND)

static mtime within(struct world *world, mtime longest)
{
	return world_now(world) + random_below(&world->random, (uint32_t)longest) + 1;
}

static struct proxy_link *any_link(struct world *world)
{
	struct proxy *proxy = world->proxies[random_below(&world->random, world->proxy_count)];

	return &proxy->links[random_below(&world->random, proxy->link_count)];
}

static struct segment *any_segment(struct world *world)
{
	return &world->segments[random_below(&world->random, world->segment_count)];
}

static struct segment *any_served_segment(struct world *world)
{
	return &world->segments[random_between(&world->random, 1, world->segment_count - 1)];
}

static uint64_t random_sources(struct world *world)
{
	uint64_t all = ((uint64_t)1 << world->source_count) - 1;

	return random_next(&world->random) & random_next(&world->random) & all;
}

static struct want random_want(struct world *world, const struct member *host)
{
	unsigned dice = random_below(&world->random, 100);

	if (dice < 35)
		return WANT_NONE;
	if (dice < 55 || host->version < VERSION_3)
		return WANT_ALL;
	return (struct want){.exclude = dice < 75, .sources = random_sources(world)};
}

static struct member *any_host(struct world *world)
{
	return world->hosts[random_below(&world->random, world->host_count)];
}

/* A host on the same link as another. */
static struct member *any_neighbour(struct world *world, const struct member *of)
{
	struct member *host = any_host(world);

	while (host->port.segment != of->port.segment || host->family != of->family)
		host = any_host(world);
	return host;
}

void trouble_want(struct world *world)
{
	bool hot = !world->in_trouble && random_percent(&world->random, 70);
	struct member *host = hot ? any_neighbour(world, world->hot) : any_host(world);
	unsigned group = hot ? world->hot_group : random_below(&world->random, world->group_count);
	struct want want = random_want(world, host);
	char text[WANT_TEXT_SIZE];

	world_note(world, "host on segment %u: family %u group %u version %d %s", host->port.segment->number,
	           host->family, group, host->version, want_format(want, text));
	oracle_note_change(world, host, group, want);
	member_set_want(host, group, want);
}

/* Streams. */

static void move_source(struct world *world, struct stream_source *source)
{
	source->segment = any_segment(world);
	source->on_both = false;
	if (world->has_policies && random_percent(&world->random, 40)) {
		source->on_both = random_percent(&world->random, 60);
		source->segment = source->on_both ? &world->segments[0] : &world->second;
	}
	world_count(world, TALLY_STREAMS_MOVED);
	world_note(world, "source %u of family %u moves to segment %u", source->number, source->family,
	           source->segment->number);
}

void trouble_stream(struct world *world)
{
	struct random *random = &world->random;
	struct stream_source *source =
		&world->sources[random_below(random, FAMILIES)][random_below(random, world->source_count)];
	unsigned group = random_below(random, world->group_count);

	if (!world->served[source->family])
		return;
	if (random_percent(random, 30)) {
		move_source(world, source);
		return;
	}
	if (__builtin_popcount(source->groups) >= 2 || random_percent(random, 30)) {
		source->groups = 0;
		return;
	}
	source->groups |= 1u << group;
	world_count(world, TALLY_STREAMS_STARTED);
	world_note(world, "source %u of family %u on segment %u sends to group %u", source->number,
	           source->family, source->segment->number, group);
}

/* Links. */

static void link_up_again(void *object, mtime at)
{
	struct proxy_link *link = object;

	(void)at;
	if (!link->proxy->world->in_trouble)
		return;
	link->usable[FAMILY_IPV4] = link->usable[FAMILY_IPV6] = true;
	if (link->present)
		proxy_link_changed(link);
}

static void set_link_down(struct world *world, struct proxy_link *link)
{
	unsigned dice = random_below(&world->random, 4);

	world_count(world, TALLY_LINK_FLAPS);
	world_note(world, "proxy %u: link to segment %u goes down", link->proxy->number,
	           link->port.segment->number);
	for (unsigned family = 0; family < FAMILIES; family++)
		if (dice != family)
			link->usable[family] = false;
	if (link->present)
		proxy_link_changed(link);
}

static void trouble_link_down(struct world *world)
{
	struct proxy_link *link = any_link(world);

	set_link_down(world, link);
	agenda_add(&world->agenda, within(world, DOWN_MAX), link_up_again, link);
}

static void link_appears(void *object, mtime at)
{
	struct proxy_link *link = object;

	/* Its id is not used again before the engine gave it back. */
	if (link->announced_gone) {
		agenda_add(&link->proxy->world->agenda, at + 100, link_appears, link);
		return;
	}
	if (link->present)
		return;
	link->present = true;
	proxy_link_changed(link);
}

static void trouble_link_vanishes(struct world *world)
{
	struct proxy_link *link = any_link(world);

	if (!link->present)
		return;
	world_count(world, TALLY_LINK_REMOVALS);
	world_note(world, "proxy %u: link to segment %u is removed", link->proxy->number,
	           link->port.segment->number);
	link->present = false;
	proxy_link_changed(link);
	agenda_add(&world->agenda, within(world, DOWN_MAX), link_appears, link);
}

static void trouble_settings(struct world *world)
{
	struct proxy_link *link = any_served_segment(world)->server;

	world_count(world, TALLY_SETTINGS);
	link->settings = random_settings(world); /* filters are beside them */
	world_note(world, "proxy %u: other settings on segment %u", link->proxy->number,
	           link->port.segment->number);
	if (link->present)
		proxy_link_changed(link);
}

/* The address of a host on the link that a rule may name. */
static const struct addr *host_behind(struct world *world, const struct proxy_link *link)
{
	const struct member *host = any_host(world);

	for (unsigned tries = 0; tries < world->host_count && host->port.segment != link->port.segment;
	     tries++)
		host = any_host(world);
	return world->tells_hosts ? &host->addr : NULL;
}

static void change_filters(struct world *world, struct proxy_link *link)
{
	const struct proxy *proxy = link->proxy;
	struct rules **filter = random_percent(&world->random, 50) ? &link->in : &link->out;
	int entry = proxy->links[random_below(&world->random, proxy->link_count)].id;
	const struct addr *host = filter == &link->out ? host_behind(world, link) : NULL;
	struct rules *before = *filter;

	*filter = random_percent(&world->random, 30) ? NULL
	                                             : rules_random(&world->random, world->group_count,
	                                                            world->source_count, entry, host);
	world_count(world, TALLY_POLICIES);
	world_note(world, "proxy %u: filter_%s of %s: %s", proxy->number, filter == &link->in ? "in" : "out",
	           link->name, *filter != NULL ? rules_text(*filter) : "none");
	if (link->present)
		proxy_link_changed(link);
	rules_free(before);
}

static void change_order(struct world *world, struct proxy *proxy)
{
	struct proxy_link *link = proxy_upstream(proxy, random_below(&world->random, UPSTREAMS_MAX));

	link->settings.order = random_below(&world->random, 3);
	world_note(world, "proxy %u: %s has the order %u", proxy->number, link->name, link->settings.order);
	if (link->present)
		proxy_link_changed(link);
}

void trouble_policy(struct world *world)
{
	struct proxy *proxy = world->proxies[random_below(&world->random, world->proxy_count)];
	unsigned dice = random_below(&world->random, 100);

	if (dice < 60 || !proxy->has_second) {
		change_filters(world, any_link(world));
	} else if (dice < 80) {
		change_order(world, proxy);
	} else {
		proxy->settings.upstream_choice = random_below(&world->random, CHOICE_MUTEX + 1);
		world_count(world, TALLY_CHOICES);
		world_note(world, "proxy %u: choice %u", proxy->number, proxy->settings.upstream_choice);
		proxy_configure(proxy);
	}
}

void trouble_restart(struct world *world)
{
	struct proxy *proxy = world->proxies[random_below(&world->random, world->proxy_count)];

	world_count(world, TALLY_RESTARTS);
	world_note(world, "proxy %u: restart", proxy->number);
	oracle_note_restart(world, proxy);
	proxy_restart(proxy);
}

/* Stations. */

static void host_up_again(void *object, mtime at)
{
	struct member *host = object;

	(void)at;
	if (host->port.up[host->family])
		return;
	host->port.up[host->family] = true;
	member_link_up(host);
}

static void trouble_host_down(struct world *world)
{
	struct member *host = any_host(world);

	host->port.up[host->family] = false;
	member_link_down(host);
	agenda_add(&world->agenda, within(world, DOWN_MAX), host_up_again, host);
}

/* One that stays has the variables of the link's proxy, as the standards require of all queriers of a link. */
static void start_rival(struct world *world, struct segment *segment, enum family family, bool stays)
{
	struct other_querier *rival = segment->rivals[family];
	struct link_settings settings = stays ? segment->server->settings : random_settings(world);

	if (rival->active || !world->served[family])
		return;
	rival->version = settings.version[family];
	rival->sends_specific_queries = random_percent(&world->random, 70);
	rival->robustness = settings.robustness;
	rival->query_interval = settings.query_interval;
	rival->query_response_interval = settings.query_response_interval;
	rival->last_member_query_interval = segment->server->settings.last_member_query_interval;
	world_count(world, TALLY_RIVALS);
	world_note(world, "segment %u: another querier of family %u, version %d, %s", segment->number, family,
	           rival->version, rival->has_lower_address ? "elected" : "ignorant");
	other_querier_start(rival);
}

static void trouble_rival(struct world *world)
{
	struct segment *segment = any_served_segment(world);
	enum family family = random_below(&world->random, FAMILIES);

	if (segment->rivals[family]->active)
		other_querier_stop(segment->rivals[family]);
	else
		start_rival(world, segment, family, false);
}

static void trouble_faults(struct world *world)
{
	struct random *random = &world->random;

	world->faults = (struct faults){
		.loss = random_percent(random, 60) ? random_below(random, 40) : 0,
		.doubling = random_percent(random, 40) ? random_below(random, 20) : 0,
		.upcall_loss = random_percent(random, 40) ? random_below(random, 30) : 0,
		.full_ring = random_percent(random, 40) ? random_below(random, 50) : 0,
		.delay_max = random_percent(random, 50) ? random_below(random, 2000) : 5,
		.overtaking = true,
	};
}

void trouble_any(struct world *world)
{
	static const struct {
		unsigned weight;
		void (*act)(struct world *world);
	} acts[] = {
		{60, trouble_want},         {12, trouble_stream},   {5, trouble_link_down},
		{2, trouble_link_vanishes}, {3, trouble_host_down}, {4, trouble_rival},
		{2, trouble_settings},      {1, trouble_restart},   {3, trouble_faults},
		{6, trouble_policy},
	};
	unsigned dice = random_below(&world->random, world->has_policies ? 98 : 92);

	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
		if (dice < acts[i].weight) {
			acts[i].act(world);
			return;
		}
		dice -= acts[i].weight;
	}
	assert(!"the weights add up");
}

static void set_everything_up(struct world *world)
{
	for (unsigned i = 0; i < world->proxy_count; i++) {
		struct proxy *proxy = world->proxies[i];

		for (unsigned j = 0; j < proxy->link_count; j++) {
			struct proxy_link *link = &proxy->links[j];

			link->usable[FAMILY_IPV4] = link->usable[FAMILY_IPV6] = true;
			if (link->present)
				proxy_link_changed(link);
			else
				link_appears(link, world_now(world));
		}
	}
	for (unsigned i = 0; i < world->host_count; i++)
		host_up_again(world->hosts[i], world_now(world));
	for (unsigned i = 1; i < world->segment_count; i++)
		for (int family = 0; family < FAMILIES; family++)
			other_querier_stop(world->segments[i].rivals[family]);
}

void trouble_begin(struct world *world)
{
	set_everything_up(world);
	world->in_trouble = true;
	trouble_faults(world);
}

void trouble_end(struct world *world)
{
	struct random *random = &world->random;

	world->in_trouble = false;
	world->hot = any_host(world);
	world->hot_group = random_below(random, world->group_count);
	world->faults = (struct faults){.delay_max = 5};
	set_everything_up(world);
	world_run(world, world_now(world) + MTIME_SECOND);
	if (random_percent(random, 30))
		set_link_down(world, any_link(world));
	if (random_percent(random, 30))
		start_rival(world, any_served_segment(world), random_below(random, FAMILIES), true);
}
