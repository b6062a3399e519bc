/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

#include "proxy.h"

/* What the stations of a segment want together, as its proxy can know it. */
static struct wish wish_on(const struct world *world, const struct segment *segment, enum family family,
                           unsigned group)
{
	const struct proxy_link *server = segment->server;
	struct wish wish = WISH_NONE;

	for (unsigned i = 0; i < world->host_count; i++) {
		const struct member *host = world->hosts[i];

		if (host->port.segment == segment && host->family == family && host->port.up[family])
			wish = wish_merge(wish, host->interests[group].wish);
	}
	for (unsigned i = 0; i < world->proxy_count; i++) {
		const struct proxy_link *upstream = &world->proxies[i]->links[0];

		if (upstream->port.segment == segment && upstream->port.up[family])
			wish = wish_merge(wish, oracle_upstream(world, world->proxies[i], family, group));
	}
	/* Older queriers make hosts speak the older version, which knows no sources. */
	if (!wish_is_none(wish) && server->settings.version[family] < VERSION_3)
		wish = WISH_ALL;
	if (!wish_is_none(wish) && segment->rivals[family]->active &&
	    segment->rivals[family]->version < VERSION_3)
		wish = WISH_ALL;
	return wish;
}

struct wish oracle_upstream(const struct world *world, const struct proxy *proxy, enum family family,
                            unsigned group)
{
	struct wish wish = WISH_NONE;

	for (unsigned i = 1; i < proxy->link_count; i++)
		if (proxy->links[i].port.up[family])
			wish = wish_merge(wish, wish_on(world, proxy->links[i].port.segment, family, group));
	return wish;
}

/* RFC 4605 section 4.2: only the querier forwards to a downstream link. */
static bool serves(const struct proxy_link *link, enum family family)
{
	const struct asker *rival = link->port.segment->rivals[family];

	if (!link->port.up[family])
		return false;
	return link->settings.forward_without_querier || !rival->active || !rival->has_lower_address;
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
		    wish_passes(wish_on(world, link->port.segment, family, packet->group), packet->source))
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

static bool may_be_slow(const struct world *world, struct wish wish, enum family family, unsigned group,
                        enum strictness strictness)
{
	return strictness == NOTHING_MISSING ||
	       (strictness == PROMPT && wish.exclude && world->slow_groups[family] >> group & 1);
}

static bool may_have_surplus(const struct world *world, const struct segment *segment,
                             const struct data_packet *packet, enum strictness strictness)
{
	struct wish wish =
		segment->server ? wish_on(world, segment, packet->family, packet->group) : WISH_NONE;

	return packet->copies[segment->number] == 1 &&
	       may_be_slow(world, wish, packet->family, packet->group, strictness);
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
	struct wish expected = oracle_upstream(world, proxy, family, group),
		    told = proxy->told[family][group];
	char expected_text[WISH_TEXT_SIZE], told_text[WISH_TEXT_SIZE];

	world_count(world, TALLY_FILTER_CHECKS);
	if (wish_equal(told, expected))
		return;
	if (wish_covers(told, expected) && may_be_slow(world, expected, family, group, strictness))
		return;
	world_fail(world, "proxy %u: family %u group %u: told upstream %s, but its hosts want %s",
	           proxy->number, family, group, wish_format(told, told_text),
	           wish_format(expected, expected_text));
}

void oracle_check_filters(struct world *world, enum family family, enum strictness strictness)
{
	for (unsigned i = 0; i < world->proxy_count; i++)
		for (unsigned group = 0; group < world->group_count; group++)
			check_filter(world, world->proxies[i], family, group, strictness);
}
