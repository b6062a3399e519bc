/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where packets of a stream arrive, and whether they may be forwarded: interface, TTL, reverse path.
 */
#include "core/base/shell.h"
#include "ctl/client/answer.h"
#include "ctl/diagnosis/gather.h"
#include "ctl/diagnosis/path_packets.h"

#include <netinet/in.h>
#include <stdio.h>

const char *path_interface_name(const struct stream_facts *stream, int index)
{
	const struct interface_state *interface = interfaces_by_index(stream->interfaces, index);

	return interface != NULL ? interface->name : "?";
}

bool path_has_role(const struct stream_facts *stream, const char *name, const char *role)
{
	struct json_object *link = path_link(stream, name);

	return link != NULL && strcmp(answer_text(link, "role"), role) == 0;
}

/* Packets that the kernel's entry has counted during the capture. */
uint64_t path_counted(const struct stream_facts *stream)
{
	uint64_t before = stream->before != NULL ? stream->before->packets : 0;

	return stream->after != NULL && stream->after->packets > before ? stream->after->packets - before : 0;
}

/* The rank of packets that were seen: those that the kernel's entry accepts come first, then those of upstream links,
 * of downstream links, of VLANs of both, and all others. */
static unsigned rank(const struct stream_facts *stream, const struct sighting *sighting)
{
	const char *name = path_interface_name(stream, sighting->interface);
	bool upstream = path_has_role(stream, name, "upstream"),
	     downstream = path_has_role(stream, name, "downstream");

	if (sighting->vlan != 0)
		return upstream || downstream;
	if (stream->after != NULL && stream->after->resolved && stream->after->input == sighting->interface)
		return 4;
	return upstream ? 3 : downstream ? 2 : 0;
}

bool path_find_arrival(const struct stream_facts *stream, struct arrival *arrival)
{
	const struct addr *source = stream->has_source ? &stream->source : NULL;
	bool found = false;

	*arrival = (struct arrival){0};
	for (size_t i = 0; stream->capture != NULL && i < stream->capture->count; i++) {
		const struct sighting *sighting = &stream->capture->list[i];

		if (sighting->outgoing || (source != NULL && !addr_equal(&sighting->source, source)) ||
		    (found && rank(stream, sighting) <= rank(stream, &arrival->seen)))
			continue;
		found = true;
		*arrival = (struct arrival){.interface = sighting->interface,
		                            .name = path_interface_name(stream, sighting->interface),
		                            .seen = *sighting};
	}
	if (found || path_counted(stream) == 0)
		return found;
	arrival->interface = stream->after->input;
	arrival->name = path_interface_name(stream, arrival->interface);
	return true;
}

const char *path_next_upstream(const struct stream_facts *stream, size_t *cursor)
{
	while (*cursor < view_count(stream->links)) {
		struct json_object *link = json_object_array_get_idx(stream->links, (*cursor)++);

		if (path_is_ours(stream, link) && answer_bool(link, "usable") &&
		    strcmp(answer_text(link, "role"), "upstream") == 0)
			return answer_text(link, "link");
	}
	return NULL;
}

bool path_is_upward(const struct stream_facts *stream, const struct arrival *arrival)
{
	struct json_object *member;
	size_t cursor = 0;

	if (stream->wanted_link != NULL || arrival->seen.vlan != 0 ||
	    !path_has_role(stream, arrival->name, "downstream") ||
	    path_next_upstream(stream, &cursor) == NULL)
		return false;
	cursor = 0;
	while ((member = path_next_member(stream, &cursor)) != NULL)
		if (path_member_wants(stream, member))
			return false;
	return true;
}

void path_name_upstreams(const struct stream_facts *stream, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "none");
	for (size_t i = 0; i < json_object_array_length(stream->links) && used < size; i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i);

		if (strcmp(answer_text(link, "instance"), stream->instance) == 0 &&
		    path_has_role(stream, answer_text(link, "link"), "upstream") &&
		    path_link(stream, answer_text(link, "link")) == link)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? " or " : "",
			                         answer_text(link, "link"));
	}
}

/* Frames of a VLAN are for its own interface. */
static void fail_vlan(const struct stream_facts *stream, const struct arrival *arrival, struct steps *steps)
{
	const struct interface_state *vlan =
		interfaces_vlan(stream->interfaces, arrival->interface, arrival->seen.vlan);
	char name[INTERFACE_NAME_SIZE + 16];
	struct step *step =
		step_add(steps, "arrival", STEP_FAIL, "the packets that arrive on %s belong to VLAN %u",
	                 arrival->name, arrival->seen.vlan);

	if (vlan != NULL) {
		step_append(step, ", whose interface %s is down", vlan->name);
		step_remedy(step, "ip link set dev %s up", shell_word(vlan->name).text);
		return;
	}
	snprintf(name, sizeof name, "%s.%u", arrival->name, arrival->seen.vlan);
	if (strlen(name) >= INTERFACE_NAME_SIZE)
		snprintf(name, sizeof name, "vlan%u", arrival->seen.vlan);
	step_append(step, ", which has no interface: configure %s", name);
	step_remedy(
		step,
		"ip link add link %s name %s up type vlan id %u, then give %s its address, and name it in "
		"place of %s in the configuration",
		shell_word(arrival->name).text, shell_word(name).text, arrival->seen.vlan, name,
		arrival->name);
}

static bool follow_link(const struct stream_facts *stream, const struct arrival *arrival, struct steps *steps)
{
	char upstreams[128];
	struct step *step;

	if (arrival->seen.packets == 0) {
		step_add(steps, "capture", STEP_SKIPPED, "no packets were captured: %s",
		         stream->capture_why != NULL ? stream->capture_why : "the capture saw none");
		step_add(steps, "arrival", STEP_OK, "the kernel counted %llu packet%s from %s in %.1f s",
		         (unsigned long long)path_counted(stream), path_counted(stream) == 1 ? "" : "s",
		         arrival->name, stream->seconds);
		return true;
	}
	if (arrival->seen.vlan != 0) {
		fail_vlan(stream, arrival, steps);
		return false;
	}
	if (rank(stream, &arrival->seen) == 0) {
		path_name_upstreams(stream, upstreams, sizeof upstreams);
		step = step_add(steps, "arrival", STEP_FAIL,
		                "the stream arrives on %s, which is not a link of instance %s; expected: %s",
		                arrival->name, stream->instance, upstreams);
		step_remedy(step, "make %s an upstream link of the instance, or send the stream to %s",
		            arrival->name, upstreams);
		return false;
	}
	step_add(steps, "arrival", STEP_OK, "%llu packet%s arrived on %s in %.1f s",
	         (unsigned long long)arrival->seen.packets, arrival->seen.packets == 1 ? "" : "s",
	         arrival->name, stream->seconds);
	return true;
}

bool path_has_left(const struct stream_facts *stream, const char *name, struct sighting *sum)
{
	const struct interface_state *interface = interfaces_by_name(stream->interfaces, name);

	return stream->capture != NULL && interface != NULL &&
	       capture_sum(stream->capture, stream->has_source ? &stream->source : NULL, interface->index,
	                   true, sum);
}

/* Does another router forward the stream to a link? */
bool path_is_yielded(const struct stream_facts *stream, const char *name)
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

const char *path_next_target(const struct stream_facts *stream, const struct arrival *arrival, size_t *cursor)
{
	struct json_object *member;
	size_t members = view_count(stream->groups), place;
	const char *name;

	while ((member = path_next_member(stream, cursor)) != NULL)
		if (path_member_wants(stream, member) &&
		    strcmp(answer_text(member, "link"), arrival->name) != 0 &&
		    !path_is_yielded(stream, answer_text(member, "link")))
			return answer_text(member, "link");
	if (!path_is_upward(stream, arrival))
		return NULL;
	/* The upstream links come after the members. */
	place = *cursor - members;
	name = path_next_upstream(stream, &place);
	*cursor = members + place;
	return name;
}

static bool leaves_somewhere(const struct stream_facts *stream, const struct arrival *arrival)
{
	size_t cursor = 0;
	const char *link;
	struct sighting left;

	while ((link = path_next_target(stream, arrival, &cursor)) != NULL)
		if (path_has_left(stream, link, &left))
			return true;
	return false;
}

/* The interface in a rule of nft, where a name in quotes may neither have a quote nor end with an asterisk. */
static void name_input(const struct arrival *arrival, char *text, size_t size)
{
	if (strpbrk(arrival->name, "\"*\\") != NULL)
		snprintf(text, size, "%d", arrival->interface);
	else
		snprintf(text, size, "\"%s\"", arrival->name);
}

static void remedy_ttl(const struct stream_facts *stream, const struct arrival *arrival, const char *name,
                       struct step *step)
{
	bool ipv4 = addr_family(&stream->group) == FAMILY_IPV4;
	char group[ADDR_TEXT_SIZE], input[INTERFACE_NAME_SIZE + 3], rules[SHELL_WORD_SIZE];

	name_input(arrival, input, sizeof input);
	snprintf(
		rules, sizeof rules,
		"table %s mcproxy_ttl { chain raise { type filter hook prerouting priority mangle; iif %s %s "
		"daddr %s %s set 8; }; }",
		ipv4 ? "ip" : "ip6", input, ipv4 ? "ip" : "ip6", addr_format(&stream->group, group),
		ipv4 ? "ip ttl" : "ip6 hoplimit");
	step_remedy(step,
	            "raise the %s at the source (VLC: --ttl 8, ffmpeg: ?ttl=8, iperf: -T 8), or here: nft %s",
	            name, shell_word(rules).text);
}

/* The kernel never forwards a packet whose TTL is not above the vif's threshold, 1. */
static bool follow_ttl(const struct stream_facts *stream, const struct arrival *arrival, struct steps *steps)
{
	const char *name = addr_family(&stream->group) == FAMILY_IPV4 ? "TTL" : "hop limit";

	if (arrival->seen.packets == 0)
		return true;
	/* The packet filter may have raised it on the way. */
	if (arrival->seen.ttl_max > 1 || leaves_somewhere(stream, arrival)) {
		step_add(steps, "ttl", STEP_OK, "the packets arrive with %s %u%s", name,
		         arrival->seen.ttl_max,
		         arrival->seen.ttl_max > 1 ? "" : ", and the router raises it");
		return true;
	}
	remedy_ttl(stream, arrival, name,
	           step_add(steps, "ttl", STEP_FAIL,
	                    "the packets arrive with %s %u: no router may forward them", name,
	                    arrival->seen.ttl_max));
	return false;
}

const struct addr *path_seen_source(const struct stream_facts *stream, const struct arrival *arrival)
{
	if (stream->has_source)
		return &stream->source;
	return arrival->seen.packets > 0 ? &arrival->seen.source : NULL;
}

struct firewall_packet path_probe(const struct stream_facts *stream, const struct arrival *arrival,
                                  const char *output)
{
	const struct addr *source = path_seen_source(stream, arrival);
	struct firewall_packet packet = {.family = addr_family(&stream->group),
	                                 .protocol = IPPROTO_UDP,
	                                 .source_known = source != NULL,
	                                 .destination = stream->group,
	                                 .port = arrival->seen.port,
	                                 .input = arrival->name,
	                                 .output = output};

	if (source != NULL)
		packet.source = *source;
	return packet;
}

/* The filter acts before the kernel looks for an entry. It drops a source that is routed elsewhere (1), or
 * not at all (2). */
static bool follow_rp_filter(const struct stream_facts *stream, const struct arrival *arrival,
                             struct steps *steps)
{
	const struct addr *source = path_seen_source(stream, arrival);
	long filter;
	int back;
	char text[ADDR_TEXT_SIZE];
	struct step *step;

	if (addr_family(&stream->group) == FAMILY_IPV6 || source == NULL)
		return true;
	filter = stream->rp_filter(arrival->name);
	back = stream->route_back(source);
	if (filter == 0 || path_counted(stream) > 0 ||
	    (filter == 1 ? back == arrival->interface : back >= 0)) {
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
			filter, arrival->name, text, path_interface_name(stream, back));
	if (stream->rp_drops > 0)
		step_append(step, "; the kernel dropped %lld packets for that reason during the check",
		            stream->rp_drops);
	step_remedy(step, "sysctl -w net.ipv4.conf.all.rp_filter=0 %s, or %s, or add a route to %s by %s",
	            shell_sysctl("net.ipv4.conf", arrival->name, "rp_filter=0").text,
	            path_has_role(stream, arrival->name, "downstream")
	                    ? "set reset_rp_filter = true in that link of the configuration"
	                    : "set reset_rp_filter = true in the configuration (or start mcproxy with -r)",
	            text, arrival->name);
	return false;
}

bool path_follow_arrival(const struct stream_facts *stream, const struct arrival *arrival,
                         struct steps *steps)
{
	return follow_link(stream, arrival, steps) && follow_ttl(stream, arrival, steps) &&
	       follow_rp_filter(stream, arrival, steps);
}
