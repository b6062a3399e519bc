/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/snapshot.h"

#include "core/policy/group_map.h"
#include "core/policy/policy.h"
#include "core/router/group_hosts.h"
#include "core/router/membership.h"
#include "core/router/route_shares.h"

#include <assert.h>
#include <stdio.h>

/* Memberships that one page visits. It limits the time for a page of a link that has few of many groups. */
#define VISITS_PER_PAGE 1024

struct page {
	struct snapshot_item *items;
	size_t count;
};

static struct snapshot_item *add(struct page *page, enum snapshot_kind kind)
{
	struct snapshot_item *item = &page->items[page->count++];

	memset(item, 0, sizeof *item);
	item->kind = (uint8_t)kind;
	return item;
}

static bool is_full(const struct page *page)
{
	return page->count == SNAPSHOT_PAGE_ITEMS;
}

/* 0 for never and for what is past. */
static mtime time_left(mtime until, mtime now)
{
	return until == MTIME_NEVER || until <= now ? 0 : until - now;
}

/* A large robustness can give more than 49 days, the most that an item holds. */
static uint32_t milliseconds(mtime interval)
{
	return interval > UINT32_MAX ? UINT32_MAX : (uint32_t)interval;
}

static uint32_t left(mtime until, mtime now)
{
	return milliseconds(time_left(until, now));
}

void snapshot_input(struct instance *instance, const struct input *input)
{
	struct walk *walk;

	if (input->cursor >= SNAPSHOT_CURSORS || input->what >= SNAPSHOT_SOURCES)
		return;
	walk = &instance->walks[input->cursor];
	if (input->first)
		*walk = (struct walk){.open = true,
		                      .what = input->what,
		                      .link = input->link,
		                      .membership = membership_oldest(instance)};
	walk->page_wanted = true;
}

/* On all links, including those that are gone. */
static uint64_t drops_of(const struct instance *instance, enum drop drop)
{
	uint64_t count = instance->drops[drop];

	for (size_t id = 0; id < LINKS_MAX; id++)
		for (int family = 0; instance->links[id] != NULL && family < FAMILIES; family++)
			count += instance->links[id]->family[family].drops[drop];
	return count;
}

static void add_instance(const struct instance *instance, struct page *page)
{
	struct snapshot_instance *item = &add(page, SNAPSHOT_INSTANCE)->instance;

	item->memory = pool_bytes(instance->pool);
	item->groups = instance->memberships.count;
	item->joined = instance->joined_count;
	item->rate = instance->rate;
	item->flows = instance->flows.count;
	item->negative_flows = route_shares_negative(instance);
	item->events_dropped = instance->events.dropped;
	item->drops[0] = drops_of(instance, DROP_ROUTES_MAX);
	item->drops[1] = drops_of(instance, DROP_MEMORY);
}

static void add_link(const struct instance *instance, const struct link *link, enum family family, mtime now,
                     struct page *page)
{
	const struct link_family *state = &link->family[family];
	struct snapshot_link *item = &add(page, SNAPSHOT_LINKS)->link;

	*item = (struct snapshot_link){
		.id = link->id,
		.role = link->role,
		.family = (uint8_t)family,
		.version = link->settings.version[family],
		.usable = state->usable,
		.querier = state->usable && querier_is_elected(&state->querier, now),
		.address = state->address,
		.other_querier = state->querier.other,
		.foreign_querier = family == FAMILY_IPV4 && link->foreign_count > 0
	                                   ? link->foreign_queriers[0]
	                                   : addr_unspecified(family),
		.other_version_querier = state->other_version_querier,
		.other_version_age = milliseconds(now - state->other_version_at),
		.other_version = state->other_version_at != 0 ? state->other_version : 0,
		.other_query_age = milliseconds(now - state->querier.general_query_at),
		.memory = pool_used(link->pool),
		.memory_share = pool_share(link->pool),
		.groups = state->group_count,
		.routes = instance->routes[link->id].of_family[family],
		.other_querier_left = left(state->querier.other_until, now),
		.next_query_left = left(state->querier.query_at, now),
		.membership_interval = milliseconds(querier_membership_interval(
			&state->querier, &link->settings, link->settings.version[family])),
		.other_querier_present_interval =
			milliseconds(querier_other_present_interval(&state->querier, &link->settings)),
		.older_host_present_interval = milliseconds(state->timers.older_host_present_interval),
		.query_interval = (uint32_t)querier_query_interval(&state->querier, &link->settings),
		.query_response_interval = link->settings.query_response_interval,
		.startup_query_interval = (uint32_t)link_settings_startup_interval(&link->settings),
		.startup_query_count = link_settings_startup_count(&link->settings),
		.last_member_query_interval = (uint32_t)state->timers.last_member_query_interval,
		.last_member_query_count = state->timers.last_member_query_count,
		.queries_sent = (uint32_t)state->counters[COUNTER_QUERIES_SENT],
		.queries_received = (uint32_t)state->counters[COUNTER_QUERIES_RECEIVED],
		.older_queries = (uint32_t)state->counters[COUNTER_OLDER_QUERIES],
		.reports = (uint32_t)state->counters[COUNTER_REPORTS],
		.robustness = querier_robustness(&state->querier, &link->settings),
	};
	for (int drop = 0; drop < DROP_CAUSES; drop++)
		item->drops[drop] = (uint32_t)state->drops[drop];
	memcpy(item->name, link->name, sizeof item->name);
}

static void add_links(const struct instance *instance, mtime now, struct page *page)
{
	_Static_assert(LINKS_MAX * FAMILIES <= SNAPSHOT_PAGE_ITEMS, "all links fit one page");
	for (size_t id = 0; id < LINKS_MAX; id++) {
		const struct link *link = instance->links[id];

		for (int family = 0; link != NULL && family < FAMILIES; family++)
			if (link->settings.version[family] != VERSION_NONE)
				add_link(instance, link, family, now, page);
	}
}

static uint8_t rounds_left(mtime until, mtime now, mtime interval)
{
	mtime rounds = time_left(until, now) / interval;

	return rounds > UINT8_MAX ? UINT8_MAX : (uint8_t)rounds;
}

/* What a link wants of a group: by its hosts and, where it is static, by the configuration. */
struct group_sources {
	const struct group *group;
	const struct group_map *map;
	const struct addr *address;
};

static struct group_sources sources_of(const struct link_group *link_group)
{
	return (struct group_sources){.group = &link_group->group,
	                              .map = link_group->link->settings.static_groups,
	                              .address = &link_group->membership->group};
}

static const struct source *next_of_hosts(const struct group *group, const struct addr *after)
{
	uint16_t low = 0, high = group->source_count;

	while (low < high) {
		uint16_t middle = (uint16_t)(low + (high - low) / 2);

		if (addr_compare(&group->sources[middle].addr, after) <= 0)
			low = (uint16_t)(middle + 1);
		else
			high = middle;
	}
	return low < group->source_count ? &group->sources[low] : NULL;
}

/* The next source behind this one; false: no more. host NULL: only the configuration lists it. */
static bool next_source(const struct group_sources *sources, struct addr *after, const struct source **host)
{
	struct addr listed;

	*host = next_of_hosts(sources->group, after);
	if (group_map_next_source(sources->map, sources->address, after, &listed) &&
	    (*host == NULL || addr_compare(&listed, &(*host)->addr) < 0)) {
		*host = NULL;
		*after = listed;
	} else if (*host != NULL) {
		*after = (*host)->addr;
	} else {
		return false;
	}
	return true;
}

static uint16_t count_sources(const struct link_group *link_group)
{
	struct group_sources sources = sources_of(link_group);
	const struct source *host;
	struct addr at = {{0}};
	uint16_t count = 0;

	if (sources.map == NULL)
		return link_group->group.source_count;
	while (next_source(&sources, &at, &host))
		count++;
	return count;
}

static void add_group(const struct link_group *link_group, mtime now, struct page *page)
{
	const struct group_map *map = link_group->link->settings.static_groups;
	const struct addr *address = &link_group->membership->group;
	enum family family = addr_family(&link_group->membership->group);
	const struct link_family *state = &link_group->link->family[family];
	const struct group *group = &link_group->group;
	mtime until = group->mode == FILTER_EXCLUDE ? group->exclude_until : 0;
	mtime interval = querier_query_interval(&state->querier, &link_group->link->settings);
	struct snapshot_group *item = &add(page, SNAPSHOT_GROUPS)->group;

	for (uint16_t i = 0; group->mode == FILTER_INCLUDE && i < group->source_count; i++)
		until = group->sources[i].until > until ? group->sources[i].until : until;
	*item = (struct snapshot_group){
		.group = link_group->membership->group,
		.link = link_group->link->id,
		.mode = group_map_wants_all(map, address) ? FILTER_EXCLUDE : group->mode,
		.is_static = group_map_has(map, address),
		.version = (uint8_t)group_version(group, &state->timers, now),
		.queried = group_is_queried(group),
		.sources = count_sources(link_group),
		.hosts = (uint16_t)group_hosts(group, now),
		.rounds = rounds_left(until, now, interval),
		.age = now - link_group->joined_at,
		.left = left(until, now),
	};
}

/* Renders the sources behind the last rendered one; false when the page is full before. */
static bool add_sources(struct walk *walk, const struct link_group *link_group, mtime now, struct page *page)
{
	struct group_sources sources = sources_of(link_group);
	struct addr at = walk->last;
	const struct source *host;

	while (next_source(&sources, &at, &host)) {
		struct snapshot_source *item;

		if (is_full(page))
			return false;
		item = &add(page, SNAPSHOT_SOURCES)->source;
		item->source = walk->last = at;
		item->is_static = group_map_wants(sources.map, sources.address, &at);
		item->blocked = host != NULL && host->until == SOURCE_BLOCKED && !item->is_static;
		item->left = host != NULL ? left(host->until, now) : 0;
	}
	return true;
}

/* The same for hosts. */
static bool add_hosts(struct walk *walk, const struct members *members, mtime now, struct page *page)
{
	for (uint16_t i = 0; members != NULL && i < members->count; i++) {
		const struct member_host *host = &members->list[i];
		struct filter filter;
		struct snapshot_host *item;

		if (host->until <= now || addr_compare(&host->host, &walk->last) <= 0)
			continue;
		if (is_full(page))
			return false;
		filter = stored_filter_view(&host->filter);
		item = &add(page, SNAPSHOT_HOSTS)->host;
		item->host = walk->last = host->host;
		item->mode = (uint8_t)filter.mode;
		item->sources = (uint16_t)filter.sources.count;
		item->left = left(host->until, now);
	}
	return true;
}

/* Renders a group, its sources and its hosts from where the walk is; false when the page is full before. */
static bool add_link_group(struct walk *walk, const struct link_group *link_group, mtime now,
                           struct page *page)
{
	if (!walk->in_group) {
		if (is_full(page))
			return false;
		add_group(link_group, now, page);
		walk->last = (struct addr){{0}};
		walk->in_group = true;
		walk->in_hosts = false;
	}
	if (!walk->in_hosts) {
		if (!add_sources(walk, link_group, now, page))
			return false;
		walk->last = (struct addr){{0}};
		walk->in_hosts = true;
	}
	if (!add_hosts(walk, link_group->group.members, now, page))
		return false;
	walk->in_group = false;
	return true;
}

static bool add_link_groups_of_link(struct walk *walk, mtime now, struct page *page)
{
	for (const struct link_group *link_group = link_group_first(walk->membership); link_group;
	     link_group = link_group_next(link_group))
		if (link_group->link->id == walk->link)
			return add_link_group(walk, link_group, now, page);
	walk->in_group = false;
	return true;
}

static uint32_t hosts_of(struct membership *membership, mtime now)
{
	uint32_t hosts = 0;

	for (const struct link_group *link_group = link_group_first(membership); link_group;
	     link_group = link_group_next(link_group))
		hosts += (uint32_t)group_hosts(&link_group->group, now);
	return hosts;
}

static void add_flow(const struct instance *instance, const struct flow *flow, mtime now, struct page *page)
{
	mtime idle = now - flow->active_at, timeout = instance->settings.route_timeout;
	struct snapshot_flow *item = &add(page, SNAPSHOT_FLOWS)->flow;

	*item = (struct snapshot_flow){
		.group = flow->key.group,
		.source = flow->key.source,
		.input = flow->input,
		.rounds = (uint8_t)(idle >= timeout ? 0 : 1 + (timeout - idle) * 2 / (timeout + 1)),
		.hosts = hosts_of(flow->membership, now),
		.outputs = flow->outputs,
		.packets = flow->packets,
		.bytes = flow->bytes,
		.wrong_link = flow->wrong_link,
		.rate = flow->rate,
		.read_age = now - flow->read_at,
		.age = now - flow->made_at,
	};
}

static bool add_flows(const struct instance *instance, struct walk *walk, mtime now, struct page *page)
{
	const struct flow *flow;

	DL_FOREACH (walk->membership->flows, flow) {
		if (flow->serial <= walk->serial || flow->gone)
			continue;
		if (is_full(page))
			return false;
		add_flow(instance, flow, now, page);
		walk->serial = flow->serial;
	}
	walk->serial = 0;
	return true;
}

static void add_memberships(const struct instance *instance, struct walk *walk, mtime now, struct page *page)
{
	for (int visits = 0; walk->membership != NULL && visits < VISITS_PER_PAGE; visits++) {
		bool done = walk->what == SNAPSHOT_GROUPS ? add_link_groups_of_link(walk, now, page)
		                                          : add_flows(instance, walk, now, page);

		if (!done)
			return;
		walk->membership = membership_newer(walk->membership);
	}
}

static void add_rule(const struct link *link, enum filter_direction direction, uint32_t number, mtime now,
                     struct page *page)
{
	const struct policy *policy = link_settings_filter(&link->settings, direction);
	const struct policy_rule *rule = policy_rule(policy, number);
	struct snapshot_rule *item = &add(page, SNAPSHOT_RULES)->rule;

	item->link = link->id;
	item->direction = (uint8_t)direction;
	item->can_match = policy_rule_can_match(policy, number);
	item->number = number + 1;
	item->line = rule->line;
	if (link->hits[direction] != NULL) {
		const struct filter_hit *hit = &link->hits[direction][number];

		item->reports = hit->reports;
		item->streams = hit->streams;
		item->age = now - hit->at;
	}
	snprintf(item->text, sizeof item->text, "%s", rule->text);
}

/* The walk's serial is the place of the next rule: link, direction and number. False when the page is full before. */
static bool add_rules(const struct instance *instance, struct walk *walk, mtime now, struct page *page)
{
	for (; walk->serial >> 32 < LINKS_MAX * FILTER_DIRECTIONS;
	     walk->serial = ((walk->serial >> 32) + 1) << 32) {
		const struct link *link = instance->links[(walk->serial >> 32) / FILTER_DIRECTIONS];
		enum filter_direction direction = (walk->serial >> 32) % FILTER_DIRECTIONS;
		const struct policy *policy =
			link != NULL ? link_settings_filter(&link->settings, direction) : NULL;

		for (; policy != NULL && (uint32_t)walk->serial < policy_rule_count(policy); walk->serial++) {
			if (is_full(page))
				return false;
			add_rule(link, direction, (uint32_t)walk->serial, now, page);
		}
	}
	return true;
}

/* True: the walk has more pages. */
static bool add_page(const struct instance *instance, struct walk *walk, mtime now, struct page *page)
{
	switch ((enum snapshot_kind)walk->what) {
	case SNAPSHOT_INSTANCE:
		add_instance(instance, page);
		return false;
	case SNAPSHOT_LINKS:
		add_links(instance, now, page);
		return false;
	case SNAPSHOT_GROUPS:
	case SNAPSHOT_FLOWS:
		add_memberships(instance, walk, now, page);
		return walk->membership != NULL;
	case SNAPSHOT_RULES:
		return !add_rules(instance, walk, now, page);
	case SNAPSHOT_SOURCES:
	case SNAPSHOT_HOSTS:
	case SNAPSHOT_KINDS:
		break;
	}
	return false;
}

bool snapshot_pull(struct instance *instance, mtime now, struct request *request, void *payload,
                   size_t *payload_size)
{
	_Static_assert(SNAPSHOT_PAGE_ITEMS * sizeof(struct snapshot_item) <= REQUEST_PAYLOAD_MAX,
	               "a page fits");
	for (size_t cursor = 0; cursor < SNAPSHOT_CURSORS; cursor++) {
		struct walk *walk = &instance->walks[cursor];
		struct page page = {.items = payload};

		if (!walk->page_wanted)
			continue;
		walk->page_wanted = false;
		walk->open = walk->open && add_page(instance, walk, now, &page);
		*payload_size = page.count * sizeof *page.items;
		*request = (struct request){
			.kind = REQUEST_SNAPSHOT,
			.cursor = (uint8_t)cursor,
			.more = walk->open,
			.count = (uint16_t)page.count,
		};
		return true;
	}
	return false;
}
