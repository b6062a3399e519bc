/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Why no packet of a stream arrives, although it is joined.
 */
#include "ctl/client/answer.h"
#include "ctl/diagnosis/gather.h"
#include "ctl/diagnosis/path_packets.h"

#include <stdio.h>

/* The sources that send in place of the one that was asked about: "10.0.0.11 on eth0"; false when there is none. */
static bool name_other_sources(const struct stream_facts *stream, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; stream->has_source && i < stream->capture->count && used < size; i++) {
		const struct sighting *sighting = &stream->capture->list[i];
		char source[ADDR_TEXT_SIZE];

		if (!sighting->outgoing)
			used += (size_t)snprintf(text + used, size - used, "%s%s on %s", used > 0 ? ", " : "",
			                         addr_format(&sighting->source, source),
			                         path_interface_name(stream, sighting->interface));
	}
	return used > 0;
}

/* Does an upstream link already report with the older version? */
static bool reports_older(const struct stream_facts *stream)
{
	const char *family = family_name(addr_family(&stream->group));
	const char *newest = addr_family(&stream->group) == FAMILY_IPV4 ? "IGMPv3" : "MLDv2", *name;
	size_t cursor = 0;

	while ((name = path_next_upstream(stream, &cursor)) != NULL) {
		struct json_object *uplink = view_find(stream->upstream, "link", name, "family", family);

		if (uplink != NULL && strcmp(answer_text(uplink, "version"), newest) != 0)
			return true;
	}
	return false;
}

static bool names_sources(const struct stream_facts *stream)
{
	struct json_object *member;
	size_t cursor = 0;

	while ((member = path_next_member(stream, &cursor)) != NULL)
		if (strcmp(answer_text(member, "mode"), "INCLUDE") == 0)
			return true;
	return false;
}

/* The hosts name their sources, but an older querier keeps the router from naming them upstream. */
static bool explain_older_querier(const struct stream_facts *stream, struct step *step)
{
	bool ipv4 = addr_family(&stream->group) == FAMILY_IPV4;
	const char *newest = ipv4 ? "IGMPv3" : "MLDv2", *name;
	size_t cursor = 0;

	while ((name = path_next_upstream(stream, &cursor)) != NULL && names_sources(stream)) {
		struct json_object *uplink = view_find(stream->upstream, "link", name, "family",
		                                       family_name(addr_family(&stream->group)));
		const char *querier = answer_text(uplink, "querier");

		if (uplink == NULL || !answer_has(uplink, "older_version_left"))
			continue;
		step_append(
			step,
			": %s speaks %s and cannot name sources, because %s sends %s queries; it returns to %s "
			"in %.0f s if no more follow",
			name, answer_text(uplink, "version"),
			*querier != '\0' ? querier : "a bridge or switch without an address",
			answer_text(uplink, "version"), newest, answer_number(uplink, "older_version_left"));
		step_remedy(
			step,
			"let it send %s queries, or none (Linux bridge: ip link set dev BRIDGE type bridge %s), or set "
			"upstream_version = \"%s\"",
			newest, ipv4 ? "mcast_igmp_version 3" : "mcast_mld_version 2", newest);
		return true;
	}
	return false;
}

void path_fail_arrival(const struct stream_facts *stream, struct steps *steps)
{
	bool ipv4 = addr_family(&stream->group) == FAMILY_IPV4;
	char upstreams[128], group[ADDR_TEXT_SIZE], source[ADDR_TEXT_SIZE], others[256];
	struct json_object *unusable;
	struct step *step;

	addr_format(&stream->group, group);
	path_name_upstreams(stream, upstreams, sizeof upstreams);
	if (stream->capture == NULL) {
		step_add(steps, "capture", STEP_SKIPPED, "no packets were captured: %s", stream->capture_why);
		step = step_add(steps, "arrival", STEP_FAIL, "the kernel counted no packet of %s in %.1f s",
		                group, stream->seconds);
		step_remedy(step, "run this command as root: it then captures the packets");
		return;
	}
	if (name_other_sources(stream, others, sizeof others)) {
		step = step_add(
			steps, "arrival", STEP_FAIL,
			"the group is joined, but no packet of %s from %s arrived on any link in %.1f s: "
			"packets come from %s",
			group, addr_format(&stream->source, source), stream->seconds, others);
		step_remedy(
			step,
			"mcproxyctl explain %s follows them; hosts that name %s as their source get nothing: "
			"correct the source in the player or channel list",
			group, source);
		return;
	}
	step = step_add(steps, "arrival", STEP_FAIL,
	                "the group is joined, but no packet of %s arrived on any link in %.1f s", group,
	                stream->seconds);
	if (explain_older_querier(stream, step))
		return;
	unusable = path_find_unusable(stream, "upstream");
	if (unusable != NULL) {
		const char *name = answer_text(unusable, "link");

		step_append(step, ", and %s %s", name, path_unusable_text(unusable));
		step_remedy(
			step,
			"if it should come by %s: mcproxyctl doctor shows what that link needs; if not: does "
			"the source send, with a TTL that reaches here?",
			name);
	} else if (reports_older(stream))
		step_remedy(
			step,
			"look beyond %s: does the source send, with a TTL that reaches here? is a querier "
			"present there (mcproxyctl doctor)?",
			upstreams);
	else
		step_remedy(step,
		            "look beyond %s: does the source send, with a TTL that reaches here? does the "
		            "provider accept %s reports (if not, set upstream_version = \"%s\")? is a "
		            "querier present there (mcproxyctl doctor)?",
		            upstreams, ipv4 ? "IGMPv3" : "MLDv2", ipv4 ? "IGMPv2" : "MLDv1");
}
