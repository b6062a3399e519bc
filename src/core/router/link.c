/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/link.h"

#include "core/policy/group_map.h"
#include "core/policy/policy.h"

#include <stddef.h>
#include <stdlib.h>

struct link *link_new(uint8_t id, uint64_t seed)
{
	struct link *link = calloc(1, sizeof *link);

	if (link == NULL)
		return NULL;
	link->id = id;
	for (int family = 0; family < FAMILIES; family++) {
		link->family[family].address = addr_unspecified(family);
		link->family[family].deadline.number = (uint16_t)family;
		querier_init(&link->family[family].querier);
		discovery_init(&link->family[family].discovery,
		               seed + ((uint64_t)id * FAMILIES + (unsigned)family + 1) * 0x9e3779b97f4a7c15u);
	}
	return link;
}

void link_free(struct link *link)
{
	if (link == NULL)
		return;
	for (int family = 0; family < FAMILIES; family++)
		host_groups_clear(&link->family[family].host_groups, link->pool);
	for (enum filter_direction direction = FILTER_IN; direction < FILTER_DIRECTIONS; direction++)
		hits_free(link->hits[direction]);
	settings_release(&link->settings);
	free(link);
}

struct link *link_of_deadline(struct deadline *deadline, enum family *family)
{
	struct link_family *state =
		(struct link_family *)(void *)((char *)deadline - offsetof(struct link_family, deadline));

	*family = deadline->number;
	return (struct link *)(void *)((char *)(state - *family) - offsetof(struct link, family));
}

mtime link_deadline(const struct link *link, enum family family)
{
	return mtime_min(querier_deadline(&link->family[family].querier),
	                 discovery_deadline(&link->family[family].discovery));
}

/* What the router has to know of single hosts for other settings than track_hosts. */
static bool must_track_hosts(const struct link_settings *settings)
{
	return settings->track_hosts || settings->fast_leave || settings->host_groups_max > 0 ||
	       (settings->filter_out != NULL && policy_uses_hosts(settings->filter_out));
}

void link_refresh_timers(struct link *link, enum family family, mtime now)
{
	const struct link_settings *settings = &link->settings;
	const struct querier *querier = &link->family[family].querier;

	link->family[family].timers = (struct group_timers){
		.version = settings->version[family],
		.last_member_query_count = querier_last_member_query_count(querier, settings),
		.fast_leave = settings->fast_leave,
		.track_hosts = must_track_hosts(settings),
		.querier = querier_is_elected(querier, now),
		.sources_max =
			settings->sources_max < UINT16_MAX ? (uint16_t)settings->sources_max : UINT16_MAX,
		.hosts_max = settings->hosts_max < UINT16_MAX ? (uint16_t)settings->hosts_max : UINT16_MAX,
		.query_response_interval = settings->query_response_interval,
		.membership_interval =
			querier_membership_interval(querier, settings, settings->version[family]),
		.last_member_query_interval = querier_last_member_query_interval(querier, settings),
		.older_host_present_interval = querier_older_host_present_interval(querier, settings),
	};
}

bool link_host_passes(struct link *link, enum family family, uint64_t seed, const struct addr *source,
                      mtime now)
{
	uint32_t rate = link->settings.host_report_rate_max;

	if (rate == HOST_REPORT_RATE_HALF)
		rate = (link->settings.report_rate_max + 1) / 2;
	return host_rates_pass(&link->family[family].hosts, seed, source, now, rate);
}

/* 200 at once of the usual 500 a second. */
static uint32_t query_burst(uint32_t rate)
{
	return rate > 2 ? (uint32_t)((uint64_t)rate * 2 / 5) : 1;
}

bool link_has_query_room(struct link *link, mtime now)
{
	uint32_t rate = link->settings.query_rate_max;

	return rate == 0 || bucket_room(&link->queries, now, rate, query_burst(rate)) > 0;
}

void link_take_query(struct link *link, mtime now)
{
	uint32_t rate = link->settings.query_rate_max;

	bucket_take_burst(&link->queries, now, rate, query_burst(rate), 1);
}

bool link_forwards(const struct link *link, enum family family, mtime now)
{
	const struct link_family *state = &link->family[family];

	if (!state->usable)
		return false;
	return link->role == ROLE_UPSTREAM || link->settings.forward_without_querier != FORWARD_NEVER ||
	       querier_is_elected(&state->querier, now);
}

bool link_has_address(const struct link *link, const struct addr *addr)
{
	enum family family = addr_family(addr);

	for (unsigned i = 0; i < link->addresses.address_count[family]; i++)
		if (addr_equal(&link->addresses.addresses[family][i], addr))
			return true;
	return false;
}

static uint32_t number_of(const uint8_t bytes[4])
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The bits of the address behind the prefix; false outside the subnet. */
static bool host_part(const struct link_subnet *subnet, const struct addr *addr, uint32_t *host,
                      uint32_t *mask)
{
	uint32_t number = number_of(addr_ipv4_bytes(addr));

	*mask = UINT32_MAX >> subnet->length;
	*host = number & *mask;
	return (number & ~*mask) == number_of(subnet->prefix);
}

bool link_has_subnet_of(const struct link *link, const struct addr *addr)
{
	uint32_t host, mask;

	if (addr_family(addr) == FAMILY_IPV6 || link->addresses.subnet_count == 0)
		return true;
	for (unsigned i = 0; i < link->addresses.subnet_count; i++)
		if (host_part(&link->addresses.subnets[i], addr, &host, &mask))
			return true;
	return false;
}

bool link_is_broadcast(const struct link *link, const struct addr *addr)
{
	uint32_t host, mask;

	if (addr_family(addr) == FAMILY_IPV6)
		return false;
	if (number_of(addr_ipv4_bytes(addr)) == UINT32_MAX)
		return true;
	for (unsigned i = 0; i < link->addresses.subnet_count; i++)
		if (link->addresses.subnets[i].length <= 30 &&
		    host_part(&link->addresses.subnets[i], addr, &host, &mask) && host == mask)
			return true;
	return false;
}

bool link_may_yield(const struct link *link, enum family family, mtime now)
{
	const struct link_family *state = &link->family[family];

	return state->usable && link->role == ROLE_DOWNSTREAM &&
	       link->settings.forward_without_querier == FORWARD_AUTO &&
	       !querier_is_elected(&state->querier, now);
}
