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

bool path_is_ours(const struct stream_facts *stream, struct json_object *link)
{
	return is_text(link, "instance", stream->instance) && is_text(link, "family", stream_family(stream));
}

struct json_object *path_link(const struct stream_facts *stream, const char *name)
{
	for (size_t i = 0; i < view_count(stream->links); i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i);

		if (path_is_ours(stream, link) && is_text(link, "link", name))
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
		struct json_object *link = path_link(stream, answer_text(member, "link"));

		/* What the configuration keeps on an upstream link is no member. */
		if (is_text(link, "role", "upstream"))
			continue;
		if (path_is_ours(stream, member) && is_text(member, "group", group) &&
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

		if (path_is_ours(stream, link) && answer_has(link, "not_served"))
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

/* RFC 3927 section 2.7, RFC 4291 section 2.5.6. */
static bool follow_source(const struct stream_facts *stream, struct steps *steps)
{
	char source[ADDR_TEXT_SIZE];

	if (!stream->has_source || !addr_is_link_local(&stream->source))
		return true;
	step_remedy(step_add(steps, "source", STEP_FAIL,
	                     "%s is a link-local address: no router forwards packets from it",
	                     addr_format(&stream->source, source)),
	            "give the source an address of its network, by DHCP or by hand, and let it send from "
	            "that");
	return false;
}

enum step_result path_follow(const struct stream_facts *stream, struct steps *steps)
{
	static bool (*const order[])(const struct stream_facts *stream, struct steps *steps) = {
		follow_group,       follow_source,      path_follow_links,    path_follow_rules,
		path_follow_member, path_follow_filter, path_follow_upstream, path_follow_packets,
	};

	steps->count = 0;
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (!order[i](stream, steps))
			return STEP_FAIL;
	return STEP_OK;
}
