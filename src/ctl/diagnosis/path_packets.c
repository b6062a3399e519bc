/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What happens to the packets of a stream that may be forwarded: firewall, entry, and the links they leave by.
 */
#include "ctl/diagnosis/path_packets.h"

#include "core/base/shell.h"
#include "ctl/client/answer.h"
#include "ctl/diagnosis/gather.h"
#include "ctl/diagnosis/verdict.h"

#include <netinet/in.h>
#include <stdio.h>

static enum firewall_answer try_link(const struct stream_facts *stream, const struct arrival *arrival,
                                     const char *output, struct firewall_drop *drop)
{
	struct firewall_packet packet = path_probe(stream, arrival, output);

	return verdict_find(stream, &packet, drop);
}

static void add_rule_remedy(struct step *step, const struct stream_facts *stream,
                            const struct arrival *arrival, const char *link, const struct firewall_drop *drop)
{
	struct firewall_packet packet = path_probe(stream, arrival, link);
	char remedy[FIREWALL_TEXT_SIZE];

	firewall_remedy(drop, &packet, remedy, sizeof remedy);
	step_remedy(step, "%s", remedy);
}

static bool follow_firewall(const struct stream_facts *stream, const struct arrival *arrival,
                            struct steps *steps)
{
	struct firewall_packet packet = path_probe(stream, arrival, NULL);
	struct firewall_drop drop;
	struct sighting left;
	const char *link;
	char name[FIREWALL_TEXT_SIZE];
	size_t cursor = 0;

	if (stream->firewall == NULL && stream->trace == NULL) {
		step_add(steps, "firewall", STEP_SKIPPED, "the firewall was not examined: %s",
		         stream->trace_why != NULL ? stream->trace_why : "its rules cannot be read");
		return true;
	}
	while ((link = path_next_target(stream, arrival, &cursor)) != NULL) {
		if ((path_has_left(stream, link, &left) && !verdict_is_stuck(stream, link)) ||
		    try_link(stream, arrival, link, &drop) != FIREWALL_DROPS)
			continue;
		firewall_drop_name(&drop, name, sizeof name);
		add_rule_remedy(step_add(steps, "firewall", STEP_FAIL,
		                         "the firewall drops them on the way to %s: %s", link, name),
		                stream, arrival, link, &drop);
		return false;
	}
	if (verdict_is_traced(stream, &packet))
		step_add(steps, "firewall", STEP_OK,
		         "no firewall rule drops them, as the kernel's trace shows");
	else
		step_add(steps, "firewall", STEP_OK, "no firewall rule is certain to drop them%s%s%s",
		         stream->trace_why != NULL ? " (no trace: " : "",
		         stream->trace_why != NULL ? stream->trace_why : "",
		         stream->trace_why != NULL ? ")" : "");
	return true;
}

/* False when a rule drops the packets on a port of a bridge, where no link sees them. */
static bool follow_bridge(const struct stream_facts *stream, struct steps *steps)
{
	struct arrival nowhere = {0};
	struct firewall_drop drop;
	const struct trace_stop *stop = verdict_before_arrival(stream);
	char name[FIREWALL_TEXT_SIZE];

	if (stop == NULL)
		return true;
	firewall_identify(stream->firewall, stop, &drop);
	firewall_drop_name(&drop, name, sizeof name);
	add_rule_remedy(
		step_add(steps, "firewall", STEP_FAIL,
	                 "packets arrive on %s, but the firewall drops them before they reach its bridge: %s",
	                 path_interface_name(stream, stop->input), name),
		stream, &nowhere, NULL, &drop);
	return false;
}

static void fail_output(const struct stream_facts *stream, const char *name, struct steps *steps)
{
	struct json_object *link = path_link(stream, name);
	bool upstream = path_has_role(stream, name, "upstream");
	struct step *step = step_add(steps, "route", STEP_FAIL, "the forwarding entry lacks %s, %s", name,
	                             upstream ? "an upstream link" : "which has a member");

	if (link != NULL && !upstream && !answer_bool(link, "this_router_is_querier"))
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

		if (!path_member_wants(stream, member) || !path_is_yielded(stream, name))
			continue;
		step_add(steps, "route", STEP_OK,
		         "another router forwards the stream to %s: left to that one", name);
		any = true;
	}
	return any;
}

/* With several upstream links, the one from which mcproxy takes the stream may not be that of its packets. */
static bool fail_input(const struct stream_facts *stream, const struct arrival *arrival, struct steps *steps)
{
	const char *input = path_interface_name(stream, stream->after->input);
	struct step *step;

	if (arrival->seen.packets == 0 || arrival->interface == stream->after->input ||
	    !path_has_role(stream, arrival->name, "upstream") || !path_has_role(stream, input, "upstream"))
		return false;
	step = step_add(steps, "route", STEP_FAIL,
	                "mcproxy takes the stream from %s, but its packets arrive on %s", input,
	                arrival->name);
	step_remedy(
		step,
		"let filter_in of %s allow it, and either let that of %s deny it or set upstream_choice = "
		"\"all\" (mcproxyctl show upstream lists where groups are joined)",
		arrival->name, input);
	return true;
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
	if (fail_input(stream, arrival, steps))
		return false;
	while ((name = path_next_target(stream, arrival, &cursor)) != NULL) {
		const struct interface_state *interface = interfaces_by_name(stream->interfaces, name);

		if (interface != NULL && mroute_has_output(route, interface->index))
			continue;
		fail_output(stream, name, steps);
		return false;
	}
	step_add(steps, "route", STEP_OK, "the kernel's entry forwards them from %s to every %slink%s",
	         path_interface_name(stream, route->input), add_yielded(stream, steps) ? "other " : "",
	         path_is_upward(stream, arrival) ? " upstream" : " with a member");
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
	char name[FIREWALL_TEXT_SIZE];

	if (is_too_large(stream, arrival, link)) {
		step_append(step, ": they have %u bytes, which is more than its MTU", arrival->seen.size_max);
		step_remedy(step,
		            "send smaller packets, or raise the MTU of the link (ip link set dev %s mtu %u)",
		            shell_word(link).text, arrival->seen.size_max);
		return false;
	}
	if (try_link(stream, arrival, link, &drop) == FIREWALL_PASSES) {
		step_remedy(
			step,
			"check the link (ip -s link show dev %s) and its queueing discipline (tc -s qdisc "
			"show dev %s)",
			shell_word(link).text, shell_word(link).text);
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

	while ((name = path_next_target(stream, arrival, &cursor)) != NULL) {
		targets++;
		if (stream->capture == NULL)
			step_add(steps, "forwarded", STEP_OK, "the kernel forwards to %s: %s", name, look);
		else if (!path_has_left(stream, name, &left)) {
			if (!path_find_snat(stream, arrival, name, steps))
				return fail_forwarded(stream, arrival, name, steps);
			if (steps->list[steps->count - 1].result == STEP_FAIL)
				return false;
		} else
			step_add(steps, "forwarded", STEP_OK, "%llu packet%s left by %s: %s",
			         (unsigned long long)left.packets, left.packets == 1 ? " has" : "s have",
			         name, look);
	}
	if (targets == 0)
		step_add(steps, "forwarded", STEP_OK,
		         "the members are on %s, where the stream arrives: no router is needed; %s",
		         arrival->name, look);
	return true;
}

/* A copy of the stream that arrives where it leaves. The address identifies the sender. */
static bool follow_copies(const struct stream_facts *stream, const struct arrival *arrival,
                          struct steps *steps)
{
	const struct addr *source = path_seen_source(stream, arrival);
	size_t cursor = 0;
	const char *name;

	while (stream->capture != NULL && source != NULL &&
	       (name = path_next_target(stream, arrival, &cursor)) != NULL) {
		const struct interface_state *interface = interfaces_by_name(stream->interfaces, name);
		struct sighting left, copy;
		struct step *step;

		if (interface == NULL || !path_has_left(stream, name, &left) ||
		    !capture_sum(stream->capture, source, interface->index, false, &copy))
			continue;
		step = step_add(
			steps, "copies", STEP_FAIL,
			"a second router (%02x:%02x:%02x:%02x:%02x:%02x) forwards them to %s too: hosts "
			"there receive every packet twice",
			copy.sender[0], copy.sender[1], copy.sender[2], copy.sender[3], copy.sender[4],
			copy.sender[5], name);
		step_remedy(
			step,
			"let only one of the two forward to %s: remove the link from the other's "
			"configuration, or let the other be the querier there (mcproxy then leaves the stream "
			"to it)",
			name);
		return false;
	}
	return true;
}

bool path_follow_packets(const struct stream_facts *stream, struct steps *steps)
{
	struct arrival arrival;

	if (!path_find_arrival(stream, &arrival)) {
		if (follow_bridge(stream, steps))
			path_fail_arrival(stream, steps);
		return false;
	}
	return path_follow_arrival(stream, &arrival, steps) && path_follow_dnat(stream, &arrival, steps) &&
	       follow_firewall(stream, &arrival, steps) && follow_route(stream, &arrival, steps) &&
	       follow_forwarded(stream, &arrival, steps) && follow_copies(stream, &arrival, steps);
}
