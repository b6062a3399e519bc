/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Is a stream wanted: members downstream, and the membership upstream.
 */
#include "ctl/client/answer.h"
#include "ctl/diagnosis/gather.h"
#include "ctl/diagnosis/old_queries.h"
#include "ctl/diagnosis/path_packets.h"

#include <stdio.h>

static bool is_text(struct json_object *object, const char *key, const char *text)
{
	return strcmp(answer_text(object, key), text) == 0;
}

/* A downstream link where a stream of the group arrives; NULL: none. */
static const char *find_source_downstream(const struct stream_facts *stream)
{
	char group[ADDR_TEXT_SIZE];

	addr_format(&stream->group, group);
	for (size_t i = 0; i < view_count(stream->routes); i++) {
		struct json_object *route = json_object_array_get_idx(stream->routes, i);
		struct json_object *link = path_link(stream, answer_text(route, "input"));

		if (link != NULL && path_is_ours(stream, route) && is_text(route, "group", group) &&
		    is_text(link, "role", "downstream"))
			return answer_text(route, "input");
	}
	return NULL;
}

/* A stream of a host downstream goes upstream without a member. The hint is for links that no report has reached. */
static void add_upward(const struct stream_facts *stream, const struct arrival *arrival, struct steps *steps)
{
	struct json_object *link = path_link(stream, arrival->name);
	struct step *step =
		step_add(steps, "member", STEP_OK,
	                 "no host downstream wants it, but it comes from %s, a downstream link, and "
	                 "goes upstream without a member",
	                 arrival->name);

	if (answer_number(answer_member(link, "counters"), "reports") == 0)
		step_append(step,
		            " (if its source should be upstream, swap the two sides in the configuration)");
}

/* Hosts that are asked in an older version cannot name the sources that a group of the SSM range needs. */
static bool explain_old_queries(const struct stream_facts *stream, struct json_object *link,
                                struct step *step)
{
	const char *name = answer_text(link, "link");
	struct old_queries old;
	char command[160];

	if (!old_queries_find(stream->interfaces, link, &old) || !old.is_older)
		return false;
	step_append(
		step,
		": hosts there speak %s and cannot name sources, because %s sends %s queries; they return to "
		"%s %.0f s after the last one",
		old.version, old.querier, old.version, old.own, old.age + old.left);
	old_queries_command(&old, name, command, sizeof command);
	if (old.is_bridge)
		step_remedy(step, "%s", command);
	else
		step_remedy(step, "let it send %s queries, or none (Linux bridge: %s)", old.own, command);
	return true;
}

/* The range of groups that need named sources, unless ssm_range is another. */
static bool is_source_specific(const struct addr *group)
{
	return addr_family(group) == FAMILY_IPV4
	               ? group->bytes[12] == 232
	               : (group->bytes[1] & 0xf0) == 0x30 && group->bytes[2] == 0 && group->bytes[3] == 0;
}

/* The remedy for a missing member, from the state and the counters of the downstream links. */
static void explain_no_member(const struct stream_facts *stream, struct step *step)
{
	struct json_object *unusable =
		stream->wanted_link == NULL ? path_find_unusable(stream, "downstream") : NULL;
	const char *source_link = find_source_downstream(stream);
	double reports = 0, refused = 0;

	for (size_t i = 0; i < view_count(stream->links); i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i);

		if (!path_is_ours(stream, link) || !is_text(link, "role", "downstream") ||
		    (stream->wanted_link != NULL && !is_text(link, "link", stream->wanted_link)))
			continue;
		reports += answer_number(answer_member(link, "counters"), "reports");
		if (is_source_specific(&stream->group))
			refused += answer_number(answer_member(link, "drops"), "not allowed in SSM range");
		if (refused > 0 && explain_old_queries(stream, link, step))
			return;
	}
	if (refused > 0)
		step_remedy(step,
		            "mcproxy refuses reports without sources in the SSM range: let the host use %s "
		            "and name a source, or set ssm_range = \"none\"",
		            addr_family(&stream->group) == FAMILY_IPV4 ? "IGMPv3" : "MLDv2");
	else if (unusable != NULL) {
		const char *name = answer_text(unusable, "link");

		step_append(step, ", and %s %s", name, path_unusable_text(unusable));
		step_remedy(step,
		            "if the host is on %s: mcproxyctl doctor shows what that link needs; if not: has "
		            "the host joined (ip maddr on the host)?",
		            name);
	} else if (reports == 0 && source_link != NULL)
		step_remedy(step,
		            "the stream arrives on %s, which is a downstream link: if its source is "
		            "upstream, swap the two sides in the configuration (upstream ==> downstream)",
		            source_link);
	else if (reports == 0)
		step_remedy(step,
		            "no report arrived there: has the host joined (ip maddr on the host)? does a "
		            "switch or access point in between drop IGMP or MLD?");
	else
		step_remedy(step,
		            "other reports arrive: has the host joined (ip maddr on the host)? if so, its "
		            "answers to queries are lost: check its firewall, and the switch or access "
		            "point in between");
}

/* "any source", "any source but 2", "1 source" */
static void name_wanted(struct json_object *member, char *text, size_t size)
{
	struct json_object *sources = answer_member(member, "sources");
	size_t count = view_count(sources), blocked = 0;

	for (size_t i = 0; i < count; i++)
		blocked += answer_bool(json_object_array_get_idx(sources, i), "blocked");
	if (is_text(member, "mode", "INCLUDE"))
		snprintf(text, size, "%zu source%s", count, count == 1 ? "" : "s");
	else if (blocked > 0)
		snprintf(text, size, "any source but %zu", blocked);
	else
		snprintf(text, size, "any source");
}

/* "eth1 (IGMPv3, any source, 2 hosts)"; the length. */
static size_t name_member(struct json_object *member, char *text, size_t size)
{
	double hosts = answer_number(member, "hosts"); /* 0: they are not tracked */
	char wanted[48];
	size_t used;

	name_wanted(member, wanted, sizeof wanted);
	used = (size_t)snprintf(text, size, "%s (%s, %s", answer_text(member, "link"),
	                        answer_text(member, "version"), wanted);
	if (used < size && answer_bool(member, "static"))
		used += (size_t)snprintf(text + used, size - used, ", static");
	if (used < size && hosts > 0)
		used += (size_t)snprintf(text + used, size - used, ", %.0f host%s", hosts,
		                         hosts == 1 ? "" : "s");
	if (used < size)
		used += (size_t)snprintf(text + used, size - used, ")");
	return used;
}

bool path_follow_member(const struct stream_facts *stream, struct steps *steps)
{
	char group[ADDR_TEXT_SIZE], text[STEP_TEXT_SIZE] = "";
	struct arrival arrival;
	struct json_object *member;
	size_t cursor = 0, used = 0;

	if (path_find_arrival(stream, &arrival) && path_is_upward(stream, &arrival)) {
		add_upward(stream, &arrival, steps);
		return true;
	}
	while ((member = path_next_member(stream, &cursor)) != NULL && used < sizeof text) {
		if (used > 0)
			used += (size_t)snprintf(text + used, sizeof text - used, ", ");
		if (used < sizeof text)
			used += name_member(member, text + used, sizeof text - used);
	}
	if (used > 0) {
		step_add(steps, "member", STEP_OK, "there is a member on %s", text);
		return true;
	}
	explain_no_member(
		stream, step_add(steps, "member", STEP_FAIL, "no member of %s on %s",
	                         addr_format(&stream->group, group),
	                         stream->wanted_link != NULL ? stream->wanted_link : "any downstream link"));
	return false;
}

bool path_follow_filter(const struct stream_facts *stream, struct steps *steps)
{
	char source[ADDR_TEXT_SIZE];
	struct arrival arrival;
	struct json_object *member;
	size_t cursor = 0;
	struct step *step;

	if (!stream->has_source || (path_find_arrival(stream, &arrival) && path_is_upward(stream, &arrival)))
		return true;
	addr_format(&stream->source, source);
	while ((member = path_next_member(stream, &cursor)) != NULL)
		if (path_member_wants(stream, member)) {
			step_add(steps, "filter", STEP_OK, "a member wants source %s", source);
			return true;
		}
	step = step_add(steps, "filter", STEP_FAIL, "the members do not want source %s", source);
	step_remedy(step, "their programs ask for other sources or exclude this one (mcproxyctl show "
	                  "groups): correct the source in the player or channel list");
	return false;
}

static void fail_upstream(const struct stream_facts *stream, const char *name, struct steps *steps)
{
	struct json_object *link = path_link(stream, name);
	struct json_object *uplink =
		view_find(stream->upstream, "link", name, "family", family_name(addr_family(&stream->group)));
	const char *error = answer_text(uplink, "last_error");
	struct step *step;

	if (link == NULL || !answer_bool(link, "usable")) {
		step = step_add(steps, "upstream", STEP_FAIL, "the group is not joined upstream: %s %s", name,
		                path_unusable_text(link));
		step_remedy(step, "bring %s up; mcproxyctl doctor shows the details", name);
		return;
	}
	step = step_add(steps, "upstream", STEP_FAIL, "the group is not joined upstream on %s%s%s", name,
	                *error != '\0' ? ": the kernel refuses: " : "", error);
	step_remedy(
		step,
		"set upstream_membership = \"user\" to avoid the kernel's limits; the log shows the reason");
}

/* Joined in the daemon's view and, where the kernel keeps the membership, in the kernel's view. */
static bool is_joined(const struct stream_facts *stream, const char *link)
{
	struct json_object *membership = view_find(stream->memberships, "link", link, "family",
	                                           family_name(addr_family(&stream->group)));

	if (membership == NULL || !is_text(membership, "state", "joined"))
		return false;
	return is_text(membership, "kept_by", "mcproxy") || stream->has_joined(link, &stream->group);
}

bool path_follow_upstream(const struct stream_facts *stream, struct steps *steps)
{
	char group[ADDR_TEXT_SIZE];
	size_t uplinks = 0;
	const char *name = "";
	struct arrival arrival;

	if (path_find_arrival(stream, &arrival) && path_is_upward(stream, &arrival))
		return true;
	for (size_t i = 0; i < view_count(stream->links); i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i), *uplink;

		/* A link that does not exist has no family. */
		if (!is_text(link, "instance", stream->instance) || !is_text(link, "role", "upstream") ||
		    (answer_has(link, "family") && !path_is_ours(stream, link)))
			continue;
		uplinks++;
		name = answer_text(link, "link");
		uplink = view_find(stream->upstream, "link", name, "family",
		                   family_name(addr_family(&stream->group)));
		if (uplink != NULL && answer_bool(link, "usable") && is_joined(stream, name)) {
			step_add(steps, "upstream", STEP_OK, "%s has joined %s with %s", name,
			         addr_format(&stream->group, group), answer_text(uplink, "version"));
			return true;
		}
	}
	if (uplinks == 0) {
		step_add(steps, "upstream", STEP_OK,
		         "the instance has no upstream link: it is only a querier");
		return true;
	}
	fail_upstream(stream, name, steps);
	return false;
}
