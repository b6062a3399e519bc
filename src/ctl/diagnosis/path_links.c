/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Are the links fit for a stream?
 */
#include "ctl/client/answer.h"
#include "ctl/diagnosis/gather.h"
#include "ctl/diagnosis/path_packets.h"
#include "kernel/link_master.h"

#include <stdio.h>

static bool is_text(struct json_object *object, const char *key, const char *text)
{
	return strcmp(answer_text(object, key), text) == 0;
}

const char *path_unusable_text(struct json_object *link)
{
	return link == NULL || !answer_bool(link, "present") ? "does not exist"
	       : answer_bool(link, "up")                     ? "has no address"
	                                                     : "is down or has no carrier";
}

/* A link that does not exist has no family. */
struct json_object *path_find_unusable(const struct stream_facts *stream, const char *role)
{
	for (size_t i = 0; i < view_count(stream->links); i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i);

		if (is_text(link, "instance", stream->instance) && is_text(link, "role", role) &&
		    (!answer_has(link, "family") || path_is_ours(stream, link)) &&
		    !answer_bool(link, "usable"))
			return link;
	}
	return NULL;
}

static struct json_object *find_missing(const struct stream_facts *stream, const char *name)
{
	for (size_t i = 0; i < view_count(stream->links); i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i);

		if (is_text(link, "instance", stream->instance) && !answer_has(link, "family") &&
		    is_text(link, "link", name))
			return link;
	}
	return NULL;
}

/* The link of --link must be one that hosts may be on. */
static bool follow_named(const struct stream_facts *stream, struct steps *steps)
{
	const char *name = stream->wanted_link;
	struct json_object *link = name != NULL ? path_link(stream, name) : NULL;
	struct step *step;

	if (name == NULL)
		return true;
	if (link == NULL)
		link = find_missing(stream, name);
	if (link == NULL || !is_text(link, "role", "downstream")) {
		step = step_add(steps, "link", STEP_FAIL, "%s is not a downstream link of instance %s", name,
		                stream->instance);
		step_remedy(step,
		            "name a downstream link (mcproxyctl show links), or add it to the instance");
		return false;
	}
	if (!answer_bool(link, "usable")) {
		step = step_add(steps, "link", STEP_FAIL, "%s is not usable: it %s", name,
		                path_unusable_text(link));
		step_remedy(step, "mcproxyctl doctor shows the details");
		return false;
	}
	return true;
}

/* Does the port matter: is it asked about, upstream, has it a member, or is there no member at all? */
static bool matters(const struct stream_facts *stream, struct json_object *link)
{
	const char *name = answer_text(link, "link");
	bool any = false, here = false;
	struct json_object *member;
	size_t cursor = 0;

	if (stream->wanted_link != NULL)
		return strcmp(name, stream->wanted_link) == 0 || is_text(link, "role", "upstream");
	while ((member = path_next_member(stream, &cursor)) != NULL) {
		any = true;
		here |= is_text(member, "link", name);
	}
	return is_text(link, "role", "upstream") || here || !any;
}

/* A port of a bridge in place of the bridge. */
static bool follow_ports(const struct stream_facts *stream, struct steps *steps)
{
	for (size_t i = 0; i < view_count(stream->links); i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i);
		const char *name = answer_text(link, "link");
		const struct interface_state *interface = interfaces_by_name(stream->interfaces, name);
		struct link_master master;
		char text[128];

		if (interface == NULL || !path_is_ours(stream, link) ||
		    !interfaces_master(stream->interfaces, interface, &master) || !matters(stream, link))
			continue;
		link_master_text(name, &master, text, sizeof text);
		step_remedy(step_add(steps, "link", STEP_FAIL, "%s", text),
		            "name %s in place of %s in the configuration, then mcproxyctl reload",
		            strcmp(master.kind, "openvswitch") == 0 ? "the bridge" : master.name, name);
		return false;
	}
	return true;
}

bool path_follow_links(const struct stream_facts *stream, struct steps *steps)
{
	return follow_ports(stream, steps) && follow_named(stream, steps);
}
