/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

/* A want as the proxy of the segment can know it: older queriers make hosts speak the older version, which
 * knows no sources. */
static struct want wish_known(const struct segment *segment, enum family family, struct want want)
{
	const struct other_querier *rival = segment->rivals[family];

	if (want_is_none(want))
		return want;
	if (segment->server->settings.version[family] < VERSION_3 ||
	    (rival->active && rival->version < VERSION_3))
		return WANT_ALL;
	return want;
}

/* What one host wants, as the proxy of its segment can know it. */
static struct want wanted_of(const struct member *host, unsigned group)
{
	bool is_ignored = host->version < host->port.segment->server->settings.oldest_version[host->family];

	return is_ignored ? WANT_NONE : host->interests[group].want;
}

/* What the stations of a segment want together, as its proxy can know it. */
static struct want want_on(const struct world *world, const struct segment *segment, enum family family,
                           unsigned group)
{
	struct want want = WANT_NONE;

	for (unsigned i = 0; i < world->host_count; i++) {
		const struct member *host = world->hosts[i];

		if (host->port.segment == segment && host->family == family && host->port.up[family])
			want = want_merge(want, wanted_of(host, group));
	}
	for (unsigned i = 0; i < world->proxy_count; i++) {
		const struct proxy_link *upstream = &world->proxies[i]->links[0];

		if (upstream->port.segment == segment && upstream->port.up[family])
			want = want_merge(want, oracle_upstream(world, world->proxies[i], family, group));
	}
	return wish_known(segment, family, want);
}

struct want oracle_upstream(const struct world *world, const struct proxy *proxy, enum family family,
                            unsigned group)
{
	struct want want = WANT_NONE;

	for (unsigned i = 1; i < proxy->link_count; i++)
		if (proxy->links[i].port.up[family])
			want = want_merge(want, want_on(world, proxy->links[i].port.segment, family, group));
	return want;
}

/* RFC 4605 section 4.2: only the querier forwards to a downstream link, unless its settings differ. The
 * simulated kernels report no copies, so that no router yields. */
static bool serves(const struct proxy_link *link, enum family family)
{
	const struct other_querier *rival = link->port.segment->rivals[family];

	if (!link->port.up[family])
		return false;
	return link->settings.forward_without_querier || !link->settings.querier_election || !rival->active ||
	       !rival->has_lower_address;
}

static void expect_on(const struct world *world, const struct segment *segment, const struct proxy_link *from,
                      const struct data_packet *packet, unsigned *expected);

static void expect_through(const struct world *world, const struct proxy *proxy,
                           const struct proxy_link *input, const struct data_packet *packet,
                           unsigned *expected)
{
	enum family family = packet->family;

	for (unsigned i = 1; i < proxy->link_count; i++) {
		const struct proxy_link *link = &proxy->links[i];

		if (link != input && serves(link, family) &&
		    want_passes(want_on(world, link->port.segment, family, packet->group), packet->source))
			expect_on(world, link->port.segment, link, packet, expected);
	}
	if (input != &proxy->links[0] && proxy->links[0].port.up[family])
		expect_on(world, proxy->links[0].port.segment, &proxy->links[0], packet, expected);
}

static void expect_on(const struct world *world, const struct segment *segment, const struct proxy_link *from,
                      const struct data_packet *packet, unsigned *expected)
{
	expected[segment->number]++;
	for (unsigned i = 0; i < world->proxy_count; i++) {
		const struct proxy *proxy = world->proxies[i];

		for (unsigned j = 0; j < proxy->link_count; j++) {
			const struct proxy_link *link = &proxy->links[j];

			if (link != from && link->port.segment == segment && link->port.up[packet->family])
				expect_through(world, proxy, link, packet, expected);
		}
	}
}

static bool excludes_some(const struct segment *segment, enum family family, struct want want)
{
	struct want known = wish_known(segment, family, want);

	return known.exclude && known.sources != 0;
}

/* Does a station of the segment, other than this one, exclude sources? */
static bool others_exclude(const struct world *world, const struct segment *segment, enum family family,
                           unsigned group, const void *station)
{
	for (unsigned i = 0; i < world->host_count; i++) {
		const struct member *host = world->hosts[i];

		if (host != station && host->port.segment == segment && host->family == family &&
		    excludes_some(segment, family, wanted_of(host, group)))
			return true;
	}
	for (unsigned i = 0; i < world->proxy_count; i++) {
		const struct proxy *proxy = world->proxies[i];

		if (proxy != station && proxy->links[0].port.segment == segment &&
		    excludes_some(segment, family, oracle_upstream(world, proxy, family, group)))
			return true;
	}
	return false;
}

static void note_leave(const struct world *world, struct segment *segment, enum family family, unsigned group,
                       const void *station)
{
	if (segment->server != NULL && others_exclude(world, segment, family, group, station))
		segment->slow_groups[family] |= 1u << group;
}

/* From the proxy of a segment up to the router. */
static void note_leaves_above(const struct world *world, const struct segment *segment, enum family family,
                              unsigned group)
{
	for (; segment->server != NULL; segment = segment->server->proxy->links[0].port.segment) {
		const struct proxy *proxy = segment->server->proxy;

		if (oracle_upstream(world, proxy, family, group).exclude)
			note_leave(world, proxy->links[0].port.segment, family, group, proxy);
	}
}

void oracle_note_change(struct world *world, const struct member *host, unsigned group, struct want want)
{
	struct segment *segment = host->port.segment;
	struct want before = wish_known(segment, host->family, host->interests[group].want);
	struct want after = wish_known(segment, host->family, want);

	if (!before.exclude || after.exclude)
		return;
	note_leave(world, segment, host->family, group, host);
	note_leaves_above(world, segment, host->family, group);
}

void oracle_note_restart(struct world *world, const struct proxy *proxy)
{
	for (int family = 0; family < FAMILIES; family++)
		for (unsigned group = 0; group < world->group_count; group++)
			note_leaves_above(world, proxy->links[1].port.segment, family, group);
}

void oracle_forget_changes(struct world *world)
{
	for (unsigned i = 0; i < world->segment_count; i++)
		memset(world->segments[i].slow_groups, 0, sizeof world->segments[i].slow_groups);
}

static bool is_slow_below(const struct world *world, const struct proxy *proxy, enum family family,
                          unsigned group);

static bool is_slow(const struct world *world, const struct segment *segment, enum family family,
                    unsigned group)
{
	if (segment->slow_groups[family] >> group & 1)
		return true;
	for (unsigned i = 0; i < world->proxy_count; i++)
		if (world->proxies[i]->links[0].port.segment == segment &&
		    is_slow_below(world, world->proxies[i], family, group))
			return true;
	return false;
}

static bool is_slow_below(const struct world *world, const struct proxy *proxy, enum family family,
                          unsigned group)
{
	for (unsigned i = 1; i < proxy->link_count; i++)
		if (is_slow(world, proxy->links[i].port.segment, family, group))
			return true;
	return false;
}

static bool may_have_surplus(const struct world *world, const struct segment *segment,
                             const struct data_packet *packet, enum strictness strictness)
{
	enum family family = packet->family;

	if (packet->copies[segment->number] != 1 || strictness == EXACT)
		return false;
	return strictness == NOTHING_MISSING ||
	       (segment->server != NULL && want_on(world, segment, family, packet->group).exclude &&
	        is_slow(world, segment, family, packet->group));
}

void oracle_check_packet(struct world *world, const struct data_packet *packet, enum strictness strictness)
{
	unsigned expected[SEGMENTS_MAX] = {0};

	world_count(world, TALLY_PACKET_CHECKS);
	expect_on(world, world->sources[packet->family][packet->source].segment, NULL, packet, expected);
	for (unsigned i = 0; i < world->segment_count; i++) {
		if (packet->copies[i] == expected[i])
			continue;
		if (packet->copies[i] > expected[i] &&
		    may_have_surplus(world, &world->segments[i], packet, strictness))
			continue;
		world_fail(world,
		           "family %u: a packet from source %u on segment %u to group %u: segment %u saw it "
		           "%u times, not %u",
		           packet->family, packet->source,
		           world->sources[packet->family][packet->source].segment->number, packet->group, i,
		           packet->copies[i], expected[i]);
	}
}

static void check_filter(struct world *world, const struct proxy *proxy, enum family family, unsigned group,
                         enum strictness strictness)
{
	struct want expected = oracle_upstream(world, proxy, family, group),
		    wanted = proxy->wanted[family][group];
	char expected_text[WANT_TEXT_SIZE], wanted_text[WANT_TEXT_SIZE];

	world_count(world, TALLY_FILTER_CHECKS);
	if (want_equal(wanted, expected))
		return;
	if (want_covers(wanted, expected) && strictness == NOTHING_MISSING)
		return;
	if (want_covers(wanted, expected) && strictness == PROMPT && expected.exclude &&
	    is_slow_below(world, proxy, family, group))
		return;
	world_fail(world, "proxy %u: family %u group %u: wanted %s upstream, but its hosts want %s",
	           proxy->number, family, group, want_format(wanted, wanted_text),
	           want_format(expected, expected_text));
}

void oracle_check_filters(struct world *world, enum family family, enum strictness strictness)
{
	for (unsigned i = 0; i < world->proxy_count; i++)
		for (unsigned group = 0; group < world->group_count; group++)
			check_filter(world, world->proxies[i], family, group, strictness);
}
