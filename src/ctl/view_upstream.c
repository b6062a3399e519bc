/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `show upstream`: what is joined on each upstream link. `show uplinks` omits the groups.
 */
#include "ctl/show.h"

#include <string.h>

static const struct listing_column columns[] = {
	{"LINK", false, 1},    {"VERSION", false, 2}, {"GROUPS", true, 0},     {"REFUSED", true, 0},
	{"KEPT BY", false, 0}, {"QUERIER", false, 0}, {"LAST QUERY", true, 0}, {0},
};

static const struct listing_column membership_columns[] = {
	{"LINK", false, 1},    {"GROUP", false, 2}, {"WANTED FROM", false, 0},
	{"KEPT BY", false, 0}, {"STATE", false, 0}, {0},
};

static void note_sources(struct listing *listing, struct json_object *membership)
{
	char text[1100];

	listing_note(listing, "filter %s{%s}", answer_text(membership, "mode"),
	             show_join(membership, "sources", text, sizeof text));
}

static void take_membership(struct show *show, struct json_object *value)
{
	struct json_object *sources = answer_member(value, "sources");
	size_t count = answer_length(sources);
	bool refused = strcmp(answer_text(value, "state"), "refused") == 0;
	char text[VIEW_TEXT_SIZE];

	show_put_text(show->second, value, "link");
	show_put_text(show->second, value, "group");
	listing_put(
		show->second, COLOUR_NONE,
		show_wanted(answer_text(value, "mode"), (double)count,
	                    count > 0 ? json_object_get_string(json_object_array_get_idx(sources, 0)) : "",
	                    text));
	show_put_text(show->second, value, "kept_by");
	listing_put(show->second, refused ? COLOUR_BAD : COLOUR_NONE,
	            answer_bool(value, "superset") ? "joined without its sources"
	                                           : answer_text(value, "state"));
	if (show->filters->details)
		note_sources(show->second, value);
}

static void take_uplink(struct show *show, struct json_object *value)
{
	double refused = answer_number(value, "refused_by_kernel");
	struct listing *listing = show->listing;
	char text[16];

	show->totals.groups += answer_number(value, "groups");
	show->totals.refused += refused;
	show_put_text(listing, value, "link");
	show_put_text(listing, value, "version");
	show_put_amount(listing, value, "groups");
	listing_put_number(listing, refused > 0 ? COLOUR_BAD : COLOUR_NONE, refused,
	                   format_amount(refused, text));
	show_put_text(listing, value, "membership");
	if (answer_bool(value, "query_missing"))
		listing_put(listing, COLOUR_BAD, "none");
	else
		show_put_text(listing, value, "querier");
	show_put_age(listing, value, "query_age");
	if (show->filters->details)
		show_note_details(listing, value);
}

static void take(struct show *show, const char *key, struct json_object *value)
{
	if (strcmp(key, "upstream") == 0)
		take_uplink(show, value);
	else if (strcmp(key, "memberships") == 0)
		take_membership(show, value);
}

static const char *sum(const struct show *show, char *text, size_t size)
{
	char groups[64], refused[32];

	if (show->totals.refused > 0)
		snprintf(text, size, "%s, %s refused by the kernel",
		         format_count(show->totals.groups, "group", groups),
		         format_amount(show->totals.refused, refused));
	else
		snprintf(text, size, "%s", format_count(show->totals.groups, "group", groups));
	return text;
}

#define NO_LINKS "no upstream links: all instances are queriers only"

const struct view view_upstream = {"upstream", NO_LINKS, columns, membership_columns, take, sum};
const struct view view_uplinks = {"uplinks", NO_LINKS, columns, NULL, take, sum};
