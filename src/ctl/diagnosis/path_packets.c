/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/path_packets.h"

#include "ctl/client/answer.h"
#include "ctl/diagnosis/gather.h"

#include <netinet/in.h>
#include <stdio.h>

/* Where packets of the stream arrive, as far as that is known. */
struct arrival {
	int interface; /* index */
	const char *name;
	struct sighting seen; /* packets 0: known from the kernel's counters only */
};

static const char *interface_name(const struct stream_facts *stream, int index)
{
	const struct interface_state *interface = interfaces_by_index(stream->interfaces, index);

	return interface != NULL ? interface->name : "?";
}

static bool has_role(const struct stream_facts *stream, const char *name, const char *role)
{
	struct json_object *link = path_link(stream, name);

	return link != NULL && strcmp(answer_text(link, "role"), role) == 0;
}

/* Packets that the kernel's entry has counted during the capture. */
static uint64_t counted(const struct stream_facts *stream)
{
	uint64_t before = stream->before != NULL ? stream->before->packets : 0;

	return stream->after != NULL && stream->after->packets > before ? stream->after->packets - before : 0;
}

/* The rank of an interface: upstream links are preferred to downstream links, and these to other interfaces. */
static unsigned rank(const struct stream_facts *stream, const char *name)
{
	return has_role(stream, name, "upstream") ? 2 : has_role(stream, name, "downstream") ? 1 : 0;
}

static bool find_arrival(const struct stream_facts *stream, struct arrival *arrival)
{
	const struct addr *source = stream->has_source ? &stream->source : NULL;
	bool found = false;

	*arrival = (struct arrival){0};
	for (size_t i = 0; stream->capture != NULL && i < stream->capture->count; i++) {
		const struct sighting *sighting = &stream->capture->list[i];
		const char *name = interface_name(stream, sighting->interface);

		if (sighting->outgoing || (source != NULL && !addr_equal(&sighting->source, source)) ||
		    (found && rank(stream, name) <= rank(stream, arrival->name)))
			continue;
		found = true;
		*arrival =
			(struct arrival){.interface = sighting->interface, .name = name, .seen = *sighting};
	}
	if (found || counted(stream) == 0)
		return found;
	arrival->interface = stream->after->input;
	arrival->name = interface_name(stream, arrival->interface);
	return true;
}

static void name_upstreams(const struct stream_facts *stream, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "none");
	for (size_t i = 0; i < json_object_array_length(stream->links) && used < size; i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i);

		if (strcmp(answer_text(link, "instance"), stream->instance) == 0 &&
		    rank(stream, answer_text(link, "link")) == 2 &&
		    path_link(stream, answer_text(link, "link")) == link)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? " or " : "",
			                         answer_text(link, "link"));
	}
}

static void fail_arrival(const struct stream_facts *stream, struct steps *steps)
{
	bool ipv4 = addr_family(&stream->group) == FAMILY_IPV4;
	char upstreams[128], group[ADDR_TEXT_SIZE];
	struct step *step;

	addr_format(&stream->group, group);
	name_upstreams(stream, upstreams, sizeof upstreams);
	if (stream->capture == NULL) {
		step_add(steps, "capture", STEP_SKIPPED, "no packets were captured: %s", stream->capture_why);
		step = step_add(steps, "arrival", STEP_FAIL, "the kernel counted no packet of %s in %.1f s",
		                group, stream->seconds);
		step_remedy(step, "run this command as root: it then captures the packets");
		return;
	}
	step = step_add(steps, "arrival", STEP_FAIL,
	                "the group is joined, but no packet of %s arrived on any link in %.1f s", group,
	                stream->seconds);
	step_remedy(step,
	            "look beyond %s: does the source send, with a TTL that reaches here? does the "
	            "provider accept %s reports (if not, set upstream_version = \"%s\")? is a "
	            "querier present there (mcproxyctl doctor)?",
	            upstreams, ipv4 ? "IGMPv3" : "MLDv2", ipv4 ? "IGMPv2" : "MLDv1");
}

static bool follow_arrival(const struct stream_facts *stream, const struct arrival *arrival,
                           struct steps *steps)
{
	char upstreams[128];
	struct step *step;

	if (arrival->seen.packets == 0) {
		step_add(steps, "capture", STEP_SKIPPED, "no packets were captured: %s",
		         stream->capture_why != NULL ? stream->capture_why : "the capture saw none");
		step_add(steps, "arrival", STEP_OK, "the kernel counted %llu packets from %s in %.1f s",
		         (unsigned long long)counted(stream), arrival->name, stream->seconds);
		return true;
	}
	if (rank(stream, arrival->name) == 0) {
		name_upstreams(stream, upstreams, sizeof upstreams);
		step = step_add(steps, "arrival", STEP_FAIL,
		                "the stream arrives on %s, which is not a link of instance %s; expected: %s",
		                arrival->name, stream->instance, upstreams);
		step_remedy(step, "make %s an upstream link of the instance, or send the stream to %s",
		            arrival->name, upstreams);
		return false;
	}
	step_add(steps, "arrival", STEP_OK, "%llu packets arrived on %s in %.1f s",
	         (unsigned long long)arrival->seen.packets, arrival->name, stream->seconds);
	return true;
}

static bool has_left(const struct stream_facts *stream, const char *name, struct sighting *sum)
{
	const struct interface_state *interface = interfaces_by_name(stream->interfaces, name);

	return stream->capture != NULL && interface != NULL &&
	       capture_sum(stream->capture, stream->has_source ? &stream->source : NULL, interface->index,
	                   true, sum);
}

/* The next link with a member that the stream must be forwarded to. */
/* Does another router forward the stream to a link? */
static bool is_yielded(const struct stream_facts *stream, const char *name)
{
	char source[ADDR_TEXT_SIZE];

	addr_format(&stream->source, source);
	for (size_t i = 0; i < view_count(stream->routes); i++) {
		struct json_object *route = json_object_array_get_idx(stream->routes, i);
		struct json_object *links = answer_member(route, "yielded");

		if (stream->has_source && strcmp(answer_text(route, "source"), source) != 0)
			continue;
		for (size_t j = 0; j < view_count(links); j++)
			if (strcmp(json_object_get_string(json_object_array_get_idx(links, j)), name) == 0)
				return true;
	}
	return false;
}

static const char *next_target(const struct stream_facts *stream, const struct arrival *arrival,
                               size_t *cursor)
{
	struct json_object *member;

	while ((member = path_next_member(stream, cursor)) != NULL)
		if (path_member_wants(stream, member) &&
		    strcmp(answer_text(member, "link"), arrival->name) != 0 &&
		    !is_yielded(stream, answer_text(member, "link")))
			return answer_text(member, "link");
	return NULL;
}

static bool leaves_somewhere(const struct stream_facts *stream, const struct arrival *arrival)
{
	size_t cursor = 0;
	const char *link;
	struct sighting left;

	while ((link = next_target(stream, arrival, &cursor)) != NULL)
		if (has_left(stream, link, &left))
			return true;
	return false;
}

/* The kernel never forwards a packet whose TTL is not above the vif's threshold, 1. */
static bool follow_ttl(const struct stream_facts *stream, const struct arrival *arrival, struct steps *steps)
{
	bool ipv4 = addr_family(&stream->group) == FAMILY_IPV4;
	const char *name = ipv4 ? "TTL" : "hop limit";
	char group[ADDR_TEXT_SIZE];
	struct step *step;

	if (arrival->seen.packets == 0)
		return true;
	/* The packet filter may have raised it on the way. */
	if (arrival->seen.ttl_max > 1 || leaves_somewhere(stream, arrival)) {
		step_add(steps, "ttl", STEP_OK, "the packets arrive with %s %u%s", name,
		         arrival->seen.ttl_max,
		         arrival->seen.ttl_max > 1 ? "" : ", and the router raises it");
		return true;
	}
	step = step_add(steps, "ttl", STEP_FAIL, "the packets arrive with %s %u: no router may forward them",
	                name, arrival->seen.ttl_max);
	addr_format(&stream->group, group);
	step_remedy(step,
	            "raise the %s at the source (VLC: --ttl 8, ffmpeg: ?ttl=8, iperf: -T 8), or "
	            "here: nft 'table %s mcproxy_ttl { chain raise { type filter hook prerouting "
	            "priority mangle; iif \"%s\" %s daddr %s %s set 8; }; }'",
	            name, ipv4 ? "ip" : "ip6", arrival->name, ipv4 ? "ip" : "ip6", group,
	            ipv4 ? "ip ttl" : "ip6 hoplimit");
	return false;
}

static const struct addr *seen_source(const struct stream_facts *stream, const struct arrival *arrival)
{
	if (stream->has_source)
		return &stream->source;
	return arrival->seen.packets > 0 ? &arrival->seen.source : NULL;
}

/* The filter acts before the kernel looks for an entry. It drops a source that is routed elsewhere (1), or
 * not at all (2). */
static bool follow_rp_filter(const struct stream_facts *stream, const struct arrival *arrival,
                             struct steps *steps)
{
	const struct addr *source = seen_source(stream, arrival);
	long filter;
	int back;
	char text[ADDR_TEXT_SIZE];
	struct step *step;

	if (addr_family(&stream->group) == FAMILY_IPV6 || source == NULL)
		return true;
	filter = stream->rp_filter(arrival->name);
	back = stream->route_back(source);
	if (filter == 0 || counted(stream) > 0 || (filter == 1 ? back == arrival->interface : back >= 0)) {
		step_add(steps, "rp_filter", STEP_OK, "rp_filter is %ld on %s, and accepts them", filter,
		         arrival->name);
		return true;
	}
	addr_format(source, text);
	if (back < 0)
		step = step_add(steps, "rp_filter", STEP_FAIL,
		                "rp_filter (%ld) drops them: there is no route back to %s", filter, text);
	else
		step = step_add(
			steps, "rp_filter", STEP_FAIL,
			"rp_filter (%ld) drops them: they arrive on %s, but the route back to %s leaves "
			"by %s",
			filter, arrival->name, text, interface_name(stream, back));
	if (stream->rp_drops > 0)
		step_append(step, "; the kernel dropped %lld packets for that reason during the check",
		            stream->rp_drops);
	step_remedy(step,
	            "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.%s.rp_filter=0, or %s, or add a "
	            "route to %s by %s",
	            arrival->name,
	            has_role(stream, arrival->name, "downstream")
	                    ? "set reset_rp_filter = true in that link of the configuration"
	                    : "start mcproxy with -r",
	            text, arrival->name);
	return false;
}

static struct firewall_packet probe(const struct stream_facts *stream, const struct arrival *arrival,
                                    const char *output)
{
	const struct addr *source = seen_source(stream, arrival);
	struct firewall_packet packet = {.family = addr_family(&stream->group),
	                                 .protocol = IPPROTO_UDP,
	                                 .source_known = source != NULL,
	                                 .destination = stream->group,
	                                 .port = arrival->seen.port,
	                                 .ttl = arrival->seen.ttl_max,
	                                 .input = arrival->name,
	                                 .output = output};

	if (source != NULL)
		packet.source = *source;
	return packet;
}

static enum firewall_answer try_link(const struct stream_facts *stream, const struct arrival *arrival,
                                     const char *output, struct firewall_drop *drop)
{
	static const enum hook hooks[] = {HOOK_PREROUTING, HOOK_FORWARD, HOOK_POSTROUTING};
	enum firewall_answer worst = FIREWALL_PASSES;

	for (size_t i = 0; i < 3 && worst != FIREWALL_DROPS; i++) {
		struct firewall_packet packet =
			probe(stream, arrival, hooks[i] == HOOK_PREROUTING ? NULL : output);
		struct firewall_drop here;
		enum firewall_answer answer = firewall_try(stream->firewall, hooks[i], &packet, &here);

		if (answer > worst) {
			worst = answer;
			*drop = here;
		}
	}
	return worst;
}

static void add_rule_remedy(struct step *step, const struct stream_facts *stream,
                            const struct arrival *arrival, const char *link, const struct firewall_drop *drop)
{
	struct firewall_packet packet = probe(stream, arrival, link);
	char remedy[320];

	firewall_remedy(drop, &packet, remedy, sizeof remedy);
	step_remedy(step, "%s", remedy);
}

static bool follow_firewall(const struct stream_facts *stream, const struct arrival *arrival,
                            struct steps *steps)
{
	struct firewall_drop drop;
	struct sighting left;
	const char *link;
	char name[256];
	size_t cursor = 0;

	if (stream->firewall == NULL) {
		step_add(steps, "firewall", STEP_SKIPPED, "the firewall rules cannot be read");
		return true;
	}
	while ((link = next_target(stream, arrival, &cursor)) != NULL) {
		if (has_left(stream, link, &left) || try_link(stream, arrival, link, &drop) != FIREWALL_DROPS)
			continue;
		firewall_drop_name(&drop, name, sizeof name);
		add_rule_remedy(step_add(steps, "firewall", STEP_FAIL,
		                         "the firewall drops them on the way to %s: %s", link, name),
		                stream, arrival, link, &drop);
		return false;
	}
	step_add(steps, "firewall", STEP_OK, "no firewall rule is certain to drop them");
	return true;
}

static void fail_output(const struct stream_facts *stream, const char *name, struct steps *steps)
{
	struct json_object *link = path_link(stream, name);
	struct step *step = step_add(steps, "route", STEP_FAIL,
	                             "the forwarding entry lacks %s, which has a member", name);

	if (link != NULL && !answer_bool(link, "this_router_is_querier"))
		step_remedy(step,
		            "another router (%s) is the querier on %s, and must forward there: disable its "
		            "querier, or set forward_without_querier = \"auto\"",
		            answer_text(link, "querier"), name);
	else
		step_remedy(step,
		            "another program may have changed the kernel's entry (ip mroute show); mcproxy "
		            "-d logs why a link is left out");
}

/* Links where the stream is left to another router. */
static bool add_yielded(const struct stream_facts *stream, struct steps *steps)
{
	struct json_object *member;
	size_t cursor = 0;
	bool any = false;

	while ((member = path_next_member(stream, &cursor)) != NULL) {
		const char *name = answer_text(member, "link");

		if (!path_member_wants(stream, member) || !is_yielded(stream, name))
			continue;
		step_add(steps, "route", STEP_OK,
		         "another router forwards the stream to %s: left to that one", name);
		any = true;
	}
	return any;
}

static bool follow_route(const struct stream_facts *stream, const struct arrival *arrival,
                         struct steps *steps)
{
	const struct mroute *route = stream->after;
	size_t cursor = 0;
	const char *name;
	struct step *step;

	if (route == NULL || !route->resolved) {
		step = step_add(steps, "route", STEP_FAIL,
		                "there is no forwarding entry, although packets arrive on %s", arrival->name);
		step_remedy(step, "does something drop them before routing (tc, XDP, a bridge's filter)? is "
		                  "routes_max reached (mcproxyctl doctor)?");
		return false;
	}
	while ((name = next_target(stream, arrival, &cursor)) != NULL) {
		const struct interface_state *interface = interfaces_by_name(stream->interfaces, name);

		if (interface != NULL && mroute_has_output(route, interface->index))
			continue;
		fail_output(stream, name, steps);
		return false;
	}
	step_add(steps, "route", STEP_OK,
	         "the kernel's entry forwards them from %s to every %slink with a member",
	         interface_name(stream, route->input), add_yielded(stream, steps) ? "other " : "");
	return true;
}

/* The kernel forwards larger packets in fragments, unless the packet forbids that, as most do. */
static bool is_too_large(const struct stream_facts *stream, const struct arrival *arrival, const char *link)
{
	const struct interface_state *interface = interfaces_by_name(stream->interfaces, link);

	return interface != NULL && interface->mtu != 0 && arrival->seen.size_max > interface->mtu;
}

static bool fail_forwarded(const struct stream_facts *stream, const struct arrival *arrival, const char *link,
                           struct steps *steps)
{
	struct firewall_drop drop;
	struct step *step = step_add(steps, "forwarded", STEP_FAIL,
	                             "the entry is right, but no packet leaves by %s", link);
	char name[256];

	if (is_too_large(stream, arrival, link)) {
		step_append(step, ": they have %u bytes, which is more than its MTU", arrival->seen.size_max);
		step_remedy(step,
		            "send smaller packets, or raise the MTU of the link (ip link set %s mtu %u)",
		            link, arrival->seen.size_max);
		return false;
	}
	if (stream->firewall == NULL || try_link(stream, arrival, link, &drop) == FIREWALL_PASSES) {
		step_remedy(step,
		            "check the link (ip -s link show %s) and its queueing discipline (tc -s qdisc "
		            "show dev %s)",
		            link, link);
		return false;
	}
	firewall_drop_name(&drop, name, sizeof name);
	step_remedy(step, "check %s, which may drop them", name);
	return false;
}

static bool follow_forwarded(const struct stream_facts *stream, const struct arrival *arrival,
                             struct steps *steps)
{
	static const char look[] =
		"if the picture is still missing, check the host (its firewall, the program's "
		"port and interface) and the switch in between";
	size_t cursor = 0, targets = 0;
	const char *name;
	struct sighting left;

	while ((name = next_target(stream, arrival, &cursor)) != NULL) {
		targets++;
		if (stream->capture == NULL)
			step_add(steps, "forwarded", STEP_OK, "the kernel forwards to %s: %s", name, look);
		else if (!has_left(stream, name, &left))
			return fail_forwarded(stream, arrival, name, steps);
		else
			step_add(steps, "forwarded", STEP_OK, "%llu packets have left by %s: %s",
			         (unsigned long long)left.packets, name, look);
	}
	if (targets == 0)
		step_add(steps, "forwarded", STEP_OK,
		         "the members are on %s, where the stream arrives: no router is needed; %s",
		         arrival->name, look);
	return true;
}

bool path_follow_packets(const struct stream_facts *stream, struct steps *steps)
{
	struct arrival arrival;

	if (!find_arrival(stream, &arrival)) {
		fail_arrival(stream, steps);
		return false;
	}
	return follow_arrival(stream, &arrival, steps) && follow_ttl(stream, &arrival, steps) &&
	       follow_rp_filter(stream, &arrival, steps) && follow_firewall(stream, &arrival, steps) &&
	       follow_route(stream, &arrival, steps) && follow_forwarded(stream, &arrival, steps);
}
