/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `show links`: one row for each link, with a column for each family.
 */
#include "ctl/show.h"

#include <string.h>

static const struct listing_column columns[] = {
	{"INSTANCE", false, 1}, {"LINK", false, 3}, {"ROLE", false, 2},
	{"IPV4", false, 0},     {"IPV6", false, 0}, {0},
};

static bool is(struct json_object *object, const char *key, const char *text)
{
	return strcmp(answer_text(object, key), text) == 0;
}

/* The same link as that object, in a family; NULL: the link does not serve it. */
static struct json_object *find_family(struct json_object *list, struct json_object *link, const char *family)
{
	for (size_t i = 0; i < answer_length(list); i++) {
		struct json_object *object = json_object_array_get_idx(list, i);

		if (is(object, "link", answer_text(link, "link")) && is(object, "family", family) &&
		    (!answer_has(object, "instance") ||
		     is(object, "instance", answer_text(link, "instance"))))
			return object;
	}
	return NULL;
}

/* "2 joined, IGMPv2 (10.35.0.1)", "1 joined, MLDv2, no querier" */
static void describe_upstream(struct json_object *link, struct json_object *uplink, char text[VIEW_TEXT_SIZE])
{
	struct json_object *known = uplink != NULL ? uplink : link;
	const char *querier = answer_text(uplink, "querier"), *version = answer_text(known, "version");
	double groups = answer_number(uplink, "groups");

	if (*querier != '\0' && !answer_bool(uplink, "query_missing"))
		snprintf(text, VIEW_TEXT_SIZE, "%.0f joined, %s (%s)", groups, version, querier);
	else
		snprintf(text, VIEW_TEXT_SIZE, "%.0f joined, %s, no querier", groups, version);
}

/* "2 groups, IGMPv3, querier", "1 group, MLDv2, querier fe80::1" */
static void describe_downstream(struct json_object *link, char text[VIEW_TEXT_SIZE])
{
	char groups[64];
	double count = answer_number(link, "groups");
	bool own = answer_bool(link, "this_router_is_querier");

	snprintf(text, VIEW_TEXT_SIZE, "%s, %s, querier%s%s",
	         count == 0 ? "0 groups" : format_count(count, "group", groups), answer_text(link, "version"),
	         own ? "" : " ", own ? "" : answer_text(link, "querier"));
}

/* "missing", "down", "no address", "not served: smcrouted (pid 12)"; NULL: mcproxy uses the link. */
static const char *describe_fault(struct json_object *link, char text[VIEW_TEXT_SIZE])
{
	if (!answer_bool(link, "present"))
		return "missing";
	if (answer_has(link, "not_served")) {
		snprintf(text, VIEW_TEXT_SIZE, "not served: %s", answer_text(link, "not_served"));
		return text;
	}
	if (answer_bool(link, "usable"))
		return NULL;
	return answer_bool(link, "up") ? "no address" : "down";
}

/* False when the link is configured for the family, and not usable. */
static bool put_family(struct show *show, struct json_object *link, const char *family)
{
	struct json_object *found = find_family(show->links, link, family);
	char text[VIEW_TEXT_SIZE];
	const char *fault;

	if (found == NULL && answer_bool(link, "present")) {
		listing_put(show->listing, COLOUR_FAINT, "-");
		return true;
	}
	found = found != NULL ? found : link;
	fault = describe_fault(found, text);
	if (fault != NULL) {
		listing_put(show->listing, COLOUR_BAD, fault);
		return false;
	}
	if (is(found, "role", "upstream"))
		describe_upstream(found, find_family(show->uplinks, link, family), text);
	else
		describe_downstream(found, text);
	listing_put(show->listing, COLOUR_GOOD, text);
	return true;
}

static bool has_family(const struct show *show, const char *family)
{
	for (size_t i = 0; i < answer_length(show->links); i++)
		if (is(json_object_array_get_idx(show->links, i), "family", family))
			return true;
	return false;
}

/* A family that no link serves has no column, unless no family is known. */
static void hide_families(struct show *show)
{
	bool ipv4 = has_family(show, "IPv4"), ipv6 = has_family(show, "IPv6");

	if (!ipv4 && ipv6)
		listing_hide(show->listing, "IPV4");
	if (ipv4 && !ipv6)
		listing_hide(show->listing, "IPV6");
}

/* Called for each object of the list; the first one of a link puts its row. */
static void take(struct show *show, const char *key, struct json_object *value)
{
	struct json_object *other =
		is(value, "family", "IPv6") ? find_family(show->links, value, "IPv4") : NULL;
	bool good4, good6;

	(void)key;
	show->totals.drops += answer_drops(value);
	if (other != NULL) {
		if (show->filters->details)
			show_note_details(show->listing, value);
		return;
	}
	hide_families(show);
	show_put_text(show->listing, value, "instance");
	show_put_text(show->listing, value, "link");
	/* Upstream links come first. */
	listing_put_number(show->listing, COLOUR_NONE, is(value, "role", "downstream"),
	                   answer_text(value, "role"));
	good4 = put_family(show, value, "IPv4");
	good6 = put_family(show, value, "IPv6");
	show->totals.down += !good4 || !good6;
	if (show->filters->details)
		show_note_details(show->listing, value);
}

static const char *sum(const struct show *show, char *text, size_t size)
{
	const struct totals *totals = &show->totals;
	char links[64], drops[64];
	size_t used = (size_t)snprintf(text, size, "%s",
	                               format_count((double)listing_rows(show->listing), "link", links));

	if (totals->down > 0)
		used += (size_t)snprintf(text + used, size - used, ", %zu with a fault (mcproxyctl doctor)",
		                         totals->down);
	if (totals->drops > 0)
		snprintf(text + used, size - used, "; %s ignored (--details shows why)",
		         format_count(totals->drops, "report", drops));
	return text;
}

const struct view view_links = {"links", NULL, columns, NULL, take, sum};
