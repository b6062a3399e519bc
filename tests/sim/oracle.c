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

bool oracle_passes(const struct proxy_link *input, const struct proxy_link *output, unsigned group,
                   unsigned source)
{
	return rules_allow(input->in, group, source, input->id, NULL) &&
	       rules_allow(output->out, group, source, input->id, NULL);
}

/* May the source come from any link of the proxy, for this host? */
static bool counts(const struct proxy_link *link, unsigned group, unsigned source, const struct addr *host)
{
	const struct proxy *proxy = link->proxy;

	if (!rules_use_entry(link->out))
		return rules_allow(link->out, group, source, -1, host);
	for (unsigned i = 0; i < proxy->link_count; i++)
		if (&proxy->links[i] != link && proxy->links[i].present &&
		    rules_allow(link->out, group, source, proxy->links[i].id, host))
			return true;
	return false;
}

/* What of a want a filter leaves. */
static struct want want_where(struct want want, const bool allowed[SOURCES_MAX + 1])
{
	struct want left = {.exclude = want.exclude && allowed[SOURCES_MAX]};

	for (unsigned source = 0; source < SOURCES_MAX; source++)
		if ((want_passes(want, source) && allowed[source]) != left.exclude)
			left.sources |= (uint64_t)1 << source;
	return left;
}

/* The part of a station's want that counts on the link. */
static struct want admitted(const struct proxy_link *link, unsigned group, struct want want,
                            const struct addr *station)
{
	bool allowed[SOURCES_MAX + 1];

	for (unsigned source = 0; source <= SOURCES_MAX; source++)
		allowed[source] = counts(link, group, source, station);
	return want_where(want, allowed);
}

static struct want want_through(const struct proxy_link *upstream, const struct proxy_link *downstream,
                                unsigned group, struct want want)
{
	bool allowed[SOURCES_MAX + 1];

	for (unsigned source = 0; source <= SOURCES_MAX; source++)
		allowed[source] = oracle_passes(upstream, downstream, group, source);
	return want_where(want, allowed);
}

/* What the stations of a segment want together, as its proxy can know it. */
static struct want want_on(const struct world *world, const struct segment *segment, enum family family,
                           unsigned group)
{
	struct want want = WANT_NONE;

	for (unsigned i = 0; i < world->host_count; i++) {
		const struct member *host = world->hosts[i];

		if (host->port.segment == segment && host->family == family && host->port.up[family])
			want = want_merge(want, admitted(segment->server, group,
			                                 wish_known(segment, family, wanted_of(host, group)),
			                                 &host->addr));
	}
	for (unsigned i = 0; i < world->proxy_count; i++) {
		const struct proxy_link *upstream = &world->proxies[i]->links[0];

		if (upstream->port.segment == segment && upstream->port.up[family])
			want = want_merge(
				want, admitted(segment->server, group,
			                       wish_known(segment, family,
			                                  oracle_upstream(world, upstream, family, group)),
			                       &upstream->addr[family]));
	}
	return want;
}

static bool is_before(const struct proxy_link *a, const struct proxy_link *b)
{
	return a->settings.order != b->settings.order ? a->settings.order < b->settings.order
	                                              : strcmp(a->name, b->name) < 0;
}

/* CHOICE_FIRST: the other upstream link, if it is in use and comes before this one; NULL: it does not. */
static const struct proxy_link *earlier_than(const struct proxy_link *upstream, enum family family)
{
	struct proxy *proxy = upstream->proxy;

	if (!proxy->has_second || proxy->settings.upstream_choice != CHOICE_FIRST)
		return NULL;
	for (unsigned number = 0; number < UPSTREAMS_MAX; number++) {
		const struct proxy_link *other = proxy_upstream(proxy, number);

		if (other != upstream && other->port.up[family] && is_before(other, upstream))
			return other;
	}
	return NULL;
}

/* What of a downstream link's want an upstream link has to bring. An EXCLUDE goes as a whole to the first link that
 * brings any of it. */
static struct want share_of(const struct proxy_link *upstream, const struct proxy_link *downstream,
                            enum family family, unsigned group, struct want want)
{
	const struct proxy_link *earlier = earlier_than(upstream, family);

	if (earlier != NULL) {
		struct want taken = want_through(earlier, downstream, group, want);

		if (!want.exclude)
			want.sources &= ~taken.sources;
		else if (!want_is_none(taken))
			return WANT_NONE;
	}
	return want_through(upstream, downstream, group, want);
}

struct want oracle_upstream(const struct world *world, const struct proxy_link *upstream, enum family family,
                            unsigned group)
{
	const struct proxy *proxy = upstream->proxy;
	struct want want = WANT_NONE;

	for (unsigned i = 1; i < proxy->link_count; i++) {
		const struct proxy_link *link = &proxy->links[i];

		if (link->role == ROLE_DOWNSTREAM && link->port.up[family])
			want = want_merge(want, share_of(upstream, link, family, group,
			                                 want_on(world, link->port.segment, family, group)));
	}
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

/* How often segments should see a packet: at least, and at most. The two differ where a stream comes by both upstream
 * links of a proxy, and its past decides which one is taken. */
struct expectation {
	unsigned least[SEGMENTS_MAX + 1], most[SEGMENTS_MAX + 1];
	uint8_t arrived[PROXIES_MAX]; /* set of upstream links of a proxy with two */
};

static void expect_on(const struct world *world, const struct segment *segment, const struct proxy_link *from,
                      const struct data_packet *packet, bool maybe, struct expectation *expected);

/* The upstream link by which a downstream link takes a stream with CHOICE_FIRST; NULL: by none. */
static const struct proxy_link *first_of(struct proxy *proxy, const struct proxy_link *downstream,
                                         const struct data_packet *packet)
{
	const struct proxy_link *first = NULL;

	for (unsigned number = 0; number < proxy_upstreams(proxy); number++) {
		const struct proxy_link *link = proxy_upstream(proxy, number);

		if (link->port.up[packet->family] &&
		    oracle_passes(link, downstream, packet->group, packet->source) &&
		    (first == NULL || is_before(link, first)))
			first = link;
	}
	return first;
}

/* Does a packet that enters by one link leave by the downstream link? */
static bool leaves_by(const struct world *world, const struct proxy_link *link,
                      const struct proxy_link *input, const struct data_packet *packet)
{
	return link != input && link->role == ROLE_DOWNSTREAM && serves(link, packet->family) &&
	       want_passes(want_on(world, link->port.segment, packet->family, packet->group),
	                   packet->source) &&
	       oracle_passes(input, link, packet->group, packet->source) &&
	       (input->role == ROLE_DOWNSTREAM || link->proxy->settings.upstream_choice != CHOICE_FIRST ||
	        first_of(link->proxy, link, packet) == input);
}

static void expect_through(const struct world *world, struct proxy *proxy, const struct proxy_link *input,
                           const struct data_packet *packet, bool maybe, struct expectation *expected)
{
	for (unsigned i = 1; i < proxy->link_count; i++)
		if (leaves_by(world, &proxy->links[i], input, packet))
			expect_on(world, proxy->links[i].port.segment, &proxy->links[i], packet, maybe,
			          expected);
	for (unsigned number = 0; input->role == ROLE_DOWNSTREAM && number < proxy_upstreams(proxy);
	     number++) {
		const struct proxy_link *upstream = proxy_upstream(proxy, number);

		if (upstream->port.up[packet->family] &&
		    oracle_passes(input, upstream, packet->group, packet->source))
			expect_on(world, upstream->port.segment, upstream, packet, maybe, expected);
	}
}

/* The packet has come by one or both upstream links. With CHOICE_MUTEX other streams of the group decide, too. */
static void expect_from_two(const struct world *world, struct proxy *proxy, unsigned arrived,
                            const struct data_packet *packet, struct expectation *expected)
{
	for (unsigned i = 1; i < proxy->link_count; i++) {
		const struct proxy_link *link = &proxy->links[i];
		unsigned by = 0;

		for (unsigned number = 0; number < UPSTREAMS_MAX; number++)
			if (arrived >> number & 1 &&
			    leaves_by(world, link, proxy_upstream(proxy, number), packet))
				by |= 1u << number;
		if (by != 0)
			expect_on(world, link->port.segment, link, packet,
			          by != arrived || proxy->settings.upstream_choice == CHOICE_MUTEX, expected);
	}
}

static void expect_on(const struct world *world, const struct segment *segment, const struct proxy_link *from,
                      const struct data_packet *packet, bool maybe, struct expectation *expected)
{
	expected->least[segment->number] += !maybe;
	expected->most[segment->number]++;
	for (unsigned i = 0; i < world->proxy_count; i++) {
		struct proxy *proxy = world->proxies[i];

		for (unsigned j = 0; j < proxy->link_count; j++) {
			const struct proxy_link *link = &proxy->links[j];

			if (link == from || link->port.segment != segment || !link->port.up[packet->family])
				continue;
			if (link->role == ROLE_UPSTREAM && proxy->has_second)
				expected->arrived[i] |= (uint8_t)(j == 0 ? 1 : 2);
			else
				expect_through(world, proxy, link, packet, maybe, expected);
		}
	}
}

static void expect(const struct world *world, const struct data_packet *packet, struct expectation *expected)
{
	const struct stream_source *source = &world->sources[packet->family][packet->source];

	*expected = (struct expectation){0};
	expect_on(world, source->segment, NULL, packet, false, expected);
	if (source->on_both)
		expect_on(world, &world->second, NULL, packet, false, expected);
	for (unsigned i = 0; i < world->proxy_count; i++)
		if (expected->arrived[i] != 0)
			expect_from_two(world, world->proxies[i], expected->arrived[i], packet, expected);
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
		    excludes_some(segment, family, oracle_upstream(world, &proxy->links[0], family, group)))
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

		if (oracle_upstream(world, &proxy->links[0], family, group).exclude)
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
		if (proxy->links[i].role == ROLE_DOWNSTREAM &&
		    is_slow(world, proxy->links[i].port.segment, family, group))
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
	struct expectation expected;

	world_count(world, TALLY_PACKET_CHECKS);
	expect(world, packet, &expected);
	for (unsigned i = 0; i <= SEGMENTS_MAX; i++) {
		if (packet->copies[i] >= expected.least[i] && packet->copies[i] <= expected.most[i])
			continue;
		if (i < SEGMENTS_MAX && packet->copies[i] > expected.most[i] &&
		    may_have_surplus(world, &world->segments[i], packet, strictness))
			continue;
		world_fail(world,
		           "family %u: a packet from source %u on segment %u to group %u: segment %u saw it "
		           "%u times, not %u to %u",
		           packet->family, packet->source,
		           world->sources[packet->family][packet->source].segment->number, packet->group, i,
		           packet->copies[i], expected.least[i], expected.most[i]);
	}
}

static void check_filter(struct world *world, struct proxy *proxy, unsigned number, enum family family,
                         unsigned group, enum strictness strictness)
{
	const struct proxy_link *upstream = proxy_upstream(proxy, number);
	struct want expected = oracle_upstream(world, upstream, family, group),
		    wanted = proxy->wanted[number][family][group];
	char expected_text[WANT_TEXT_SIZE], wanted_text[WANT_TEXT_SIZE];

	world_count(world, TALLY_FILTER_CHECKS);
	if (want_equal(wanted, expected))
		return;
	/* With CHOICE_FIRST more is not always at least as good: until a host that wants all sources has left, the group is
	 * joined as a whole on the earlier link. */
	if (proxy->has_second && proxy->settings.upstream_choice == CHOICE_FIRST && strictness != EXACT)
		return;
	if (want_covers(wanted, expected) && strictness == NOTHING_MISSING)
		return;
	if (want_covers(wanted, expected) && strictness == PROMPT && expected.exclude &&
	    is_slow_below(world, proxy, family, group))
		return;
	world_fail(world, "proxy %u: family %u group %u: wanted %s on %s, but its hosts want %s",
	           proxy->number, family, group, want_format(wanted, wanted_text), upstream->name,
	           want_format(expected, expected_text));
}

void oracle_check_filters(struct world *world, enum family family, enum strictness strictness)
{
	for (unsigned i = 0; i < world->proxy_count; i++)
		for (unsigned group = 0; group < world->group_count; group++)
			for (unsigned number = 0; number < proxy_upstreams(world->proxies[i]); number++)
				check_filter(world, world->proxies[i], number, family, group, strictness);
}
