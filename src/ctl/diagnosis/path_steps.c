/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/path_steps.h"

#include "ctl/client/answer.h"
#include "ctl/diagnosis/gather.h"
#include "ctl/diagnosis/path_packets.h"

#include <stdarg.h>
#include <stdio.h>

struct step *step_add(struct steps *steps, const char *name, enum step_result result, const char *format, ...)
{
	struct step *step = &steps->list[steps->count < STEPS_MAX ? steps->count++ : STEPS_MAX - 1];
	va_list arguments;

	*step = (struct step){.name = name, .result = result};
	va_start(arguments, format);
	vsnprintf(step->text, sizeof step->text, format, arguments);
	va_end(arguments);
	return step;
}

void step_append(struct step *step, const char *format, ...)
{
	size_t used = strlen(step->text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(step->text + used, sizeof step->text - used, format, arguments);
	va_end(arguments);
}

void step_remedy(struct step *step, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(step->remedy, sizeof step->remedy, format, arguments);
	va_end(arguments);
}

static const char *stream_family(const struct stream_facts *stream)
{
	return family_name(addr_family(&stream->group));
}

static bool is_text(struct json_object *object, const char *key, const char *text)
{
	return strcmp(answer_text(object, key), text) == 0;
}

/* Is this a link of the instance and the family, or an item on such a link? */
static bool is_ours(const struct stream_facts *stream, struct json_object *link)
{
	return is_text(link, "instance", stream->instance) && is_text(link, "family", stream_family(stream));
}

struct json_object *path_link(const struct stream_facts *stream, const char *name)
{
	for (size_t i = 0; i < view_count(stream->links); i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i);

		if (is_ours(stream, link) && is_text(link, "link", name))
			return link;
	}
	return NULL;
}

struct json_object *path_next_member(const struct stream_facts *stream, size_t *cursor)
{
	char group[ADDR_TEXT_SIZE];

	addr_format(&stream->group, group);
	while (*cursor < view_count(stream->groups)) {
		struct json_object *member = json_object_array_get_idx(stream->groups, (*cursor)++);

		if (is_ours(stream, member) && is_text(member, "group", group) &&
		    (stream->wanted_link == NULL || is_text(member, "link", stream->wanted_link)))
			return member;
	}
	return NULL;
}

bool path_member_wants(const struct stream_facts *stream, struct json_object *member)
{
	struct json_object *sources = answer_member(member, "sources"), *source;
	bool include = is_text(member, "mode", "INCLUDE");
	char text[ADDR_TEXT_SIZE];

	if (!stream->has_source)
		return true;
	source = view_find(sources, "source", addr_format(&stream->source, text), NULL, NULL);
	if (source == NULL)
		return !include;
	return !answer_bool(source, "blocked");
}

/* The program that routes multicast of this family in place of the instance; NULL: none. */
static const char *find_holder(const struct stream_facts *stream)
{
	for (size_t i = 0; i < view_count(stream->links); i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i);

		if (is_ours(stream, link) && answer_has(link, "not_served"))
			return answer_text(link, "not_served");
	}
	return NULL;
}

static bool follow_group(const struct stream_facts *stream, struct steps *steps)
{
	char group[ADDR_TEXT_SIZE];
	const char *holder;
	struct step *step;

	addr_format(&stream->group, group);
	if (!addr_is_proxied_group(&stream->group)) {
		step = step_add(steps, "group", STEP_FAIL, "%s has link-local scope: no router forwards it",
		                group);
		step_remedy(step, "such protocols (mDNS, LLMNR, routing protocols) stay on their link; "
		                  "avahi-daemon with enable-reflector=yes repeats mDNS on other links");
		return false;
	}
	if (stream->instance == NULL) {
		step = step_add(steps, "group", STEP_FAIL, "no instance of mcproxy serves %s",
		                stream_family(stream));
		step_remedy(step, "add %s to `protocol`, or look in the log for why it did not start",
		            addr_family(&stream->group) == FAMILY_IPV4 ? "IGMPv3" : "MLDv2");
		return false;
	}
	holder = find_holder(stream);
	if (holder != NULL) {
		step = step_add(steps, "group", STEP_FAIL,
		                "%s is not served: %s holds the kernel's multicast routing socket",
		                stream_family(stream), holder);
		step_remedy(step,
		            "stop %s, and keep it from starting at boot; mcproxy then serves the family "
		            "within a second",
		            holder);
		return false;
	}
	step_add(steps, "group", STEP_OK, "routers forward %s; instance %s serves it", group,
	         stream->instance);
	return true;
}

/* The link of --link must be one that hosts may be on. */
static bool follow_named_link(const struct stream_facts *stream, struct steps *steps)
{
	const char *name = stream->wanted_link;
	struct json_object *link = name != NULL ? path_link(stream, name) : NULL;
	struct step *step;

	if (name == NULL)
		return true;
	if (link == NULL || !is_text(link, "role", "downstream")) {
		step = step_add(steps, "link", STEP_FAIL, "%s is not a downstream link of instance %s", name,
		                stream->instance);
		step_remedy(step,
		            "name a downstream link (mcproxyctl show links), or add it to the instance");
		return false;
	}
	if (!answer_bool(link, "usable")) {
		step = step_add(steps, "link", STEP_FAIL, "%s is not usable: %s", name,
		                !answer_bool(link, "present") ? "it does not exist"
		                : answer_bool(link, "up")     ? "it has no address"
		                                              : "it is down or has no carrier");
		step_remedy(step, "mcproxyctl doctor shows the details");
		return false;
	}
	return true;
}

/* A downstream link where a stream of the group arrives; NULL: none. */
static const char *find_source_downstream(const struct stream_facts *stream)
{
	char group[ADDR_TEXT_SIZE];

	addr_format(&stream->group, group);
	for (size_t i = 0; i < view_count(stream->routes); i++) {
		struct json_object *route = json_object_array_get_idx(stream->routes, i);
		struct json_object *link = path_link(stream, answer_text(route, "input"));

		if (link != NULL && is_ours(stream, route) && is_text(route, "group", group) &&
		    is_text(link, "role", "downstream"))
			return answer_text(route, "input");
	}
	return NULL;
}

/* The remedy for a missing member, from the counters of the downstream links. */
static void explain_no_member(const struct stream_facts *stream, struct step *step)
{
	const char *source_link = find_source_downstream(stream);
	double reports = 0, refused = 0;

	for (size_t i = 0; i < view_count(stream->links); i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i);

		if (!is_ours(stream, link) || !is_text(link, "role", "downstream") ||
		    (stream->wanted_link != NULL && !is_text(link, "link", stream->wanted_link)))
			continue;
		reports += answer_number(answer_member(link, "counters"), "reports");
		refused += answer_number(answer_member(link, "drops"), "not allowed in SSM range");
	}
	if (refused > 0)
		step_remedy(step,
		            "mcproxy refuses reports without sources in the SSM range: let the host use %s "
		            "and name a source, or set ssm_range = \"none\"",
		            addr_family(&stream->group) == FAMILY_IPV4 ? "IGMPv3" : "MLDv2");
	else if (reports == 0 && source_link != NULL)
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
	if (used < size && hosts > 0)
		used += (size_t)snprintf(text + used, size - used, ", %.0f hosts", hosts);
	if (used < size)
		used += (size_t)snprintf(text + used, size - used, ")");
	return used;
}

static bool follow_member(const struct stream_facts *stream, struct steps *steps)
{
	char group[ADDR_TEXT_SIZE], text[STEP_TEXT_SIZE] = "";
	struct json_object *member;
	size_t cursor = 0, used = 0;

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

static bool follow_filter(const struct stream_facts *stream, struct steps *steps)
{
	char source[ADDR_TEXT_SIZE];
	struct json_object *member;
	size_t cursor = 0;
	struct step *step;

	if (!stream->has_source)
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
		view_find(stream->upstream, "link", name, "family", stream_family(stream));
	const char *error = answer_text(uplink, "last_error");
	struct step *step;

	if (link == NULL || !answer_bool(link, "usable")) {
		step = step_add(steps, "upstream", STEP_FAIL, "the group is not joined upstream: %s %s", name,
		                link == NULL || !answer_bool(link, "present") ? "does not exist"
		                : answer_bool(link, "up")                     ? "has no address"
		                                                              : "is down or has no carrier");
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
	struct json_object *membership =
		view_find(stream->memberships, "link", link, "family", stream_family(stream));

	if (membership == NULL || !is_text(membership, "state", "joined"))
		return false;
	return is_text(membership, "kept_by", "mcproxy") || stream->has_joined(link, &stream->group);
}

static bool follow_upstream(const struct stream_facts *stream, struct steps *steps)
{
	char group[ADDR_TEXT_SIZE];
	size_t uplinks = 0;
	const char *name = "";

	for (size_t i = 0; i < view_count(stream->links); i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i), *uplink;

		/* A link that does not exist has no family. */
		if (!is_text(link, "instance", stream->instance) || !is_text(link, "role", "upstream") ||
		    (answer_has(link, "family") && !is_ours(stream, link)))
			continue;
		uplinks++;
		name = answer_text(link, "link");
		uplink = view_find(stream->upstream, "link", name, "family", stream_family(stream));
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

enum step_result path_follow(const struct stream_facts *stream, struct steps *steps)
{
	static bool (*const order[])(const struct stream_facts *stream, struct steps *steps) = {
		follow_group,  follow_named_link, follow_member,
		follow_filter, follow_upstream,   path_follow_packets,
	};

	steps->count = 0;
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (!order[i](stream, steps))
			return STEP_FAIL;
	return STEP_OK;
}
