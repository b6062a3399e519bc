/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `show groups`: what the members on each downstream link want, and what the configuration keeps on links.
 */
#include "ctl/show.h"

#include <string.h>

#define NEVER 1e18 /* seconds: later than all that expires */

static const struct listing_column columns[] = {
	{"INSTANCE", false, 1},    {"LINK", false, 2},   {"GROUP", false, 3},
	{"WANTED FROM", false, 0}, {"HOSTS", true, 0},   {"VERSION", false, 0},
	{"AGE", true, 0},          {"EXPIRES", true, 0}, {0},
};

/* The sources that a group names in its mode: the blocked ones, or the wanted ones. */
static double count_sources(struct json_object *sources, bool blocked)
{
	size_t count = 0;

	for (size_t i = 0; i < answer_length(sources); i++)
		count += answer_bool(json_object_array_get_idx(sources, i), "blocked") == blocked;
	return (double)count;
}

static void put_wanted(struct listing *listing, struct json_object *group)
{
	struct json_object *sources = answer_member(group, "sources");
	const char *mode = answer_text(group, "mode");
	char text[VIEW_TEXT_SIZE];

	listing_put(listing, COLOUR_NONE,
	            show_wanted(mode, count_sources(sources, strcmp(mode, "EXCLUDE") == 0),
	                        answer_text(json_object_array_get_idx(sources, 0), "source"), text));
}

/* "EXCLUDE{10.0.0.1 10.0.0.2}" */
static void note_filter(struct listing *listing, struct json_object *group)
{
	struct json_object *sources = answer_member(group, "sources");
	bool exclude = strcmp(answer_text(group, "mode"), "EXCLUDE") == 0;
	double rounds = answer_number(group, "rounds_left");
	char text[1024] = "";
	size_t used = 0;

	for (size_t i = 0; i < answer_length(sources) && used < sizeof text; i++) {
		struct json_object *source = json_object_array_get_idx(sources, i);

		if (answer_bool(source, "blocked") == exclude)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? " " : "",
			                         answer_text(source, "source"));
	}
	listing_note(listing, "filter %s{%s}%s, survives %.0f unanswered %s", answer_text(group, "mode"),
	             text, answer_bool(group, "queried") ? ", queried" : "", rounds,
	             rounds == 1 ? "query" : "queries");
}

static void note_sources(struct listing *listing, struct json_object *sources)
{
	char left[32];

	for (size_t i = 0; i < answer_length(sources); i++) {
		struct json_object *source = json_object_array_get_idx(sources, i);

		if (answer_bool(source, "blocked"))
			listing_note(listing, "source %s, blocked", answer_text(source, "source"));
		else if (answer_bool(source, "static"))
			listing_note(listing, "source %s, static", answer_text(source, "source"));
		else
			listing_note(listing, "source %s, expires in %s", answer_text(source, "source"),
			             format_duration(answer_number(source, "left"), left));
	}
}

/* The hosts that are members, and what they ask for. */
static void note_members(struct listing *listing, struct json_object *members)
{
	char left[32], sources[64];

	for (size_t i = 0; i < answer_length(members); i++) {
		struct json_object *member = json_object_array_get_idx(members, i);
		double count = answer_number(member, "sources");

		if (count > 0)
			snprintf(sources, sizeof sources, " of %.0f source%s", count, count == 1 ? "" : "s");
		listing_note(listing, "member %s, %s%s, expires in %s", answer_text(member, "host"),
		             answer_text(member, "mode"), count > 0 ? sources : "{}",
		             format_duration(answer_number(member, "left"), left));
	}
}

static void take(struct show *show, const char *key, struct json_object *value)
{
	struct listing *listing = show->listing;

	if (strcmp(key, "groups") != 0)
		return;
	show->totals.groups++;
	show->totals.hosts += answer_number(value, "hosts");
	show_put_text(listing, value, "instance");
	show_put_text(listing, value, "link");
	show_put_text(listing, value, "group");
	put_wanted(listing, value);
	if (answer_number(value, "hosts") > 0)
		show_put_amount(listing, value, "hosts");
	else
		listing_put_number(listing, COLOUR_FAINT, 0, "-"); /* hosts are not tracked */
	show_put_text(listing, value, "version");
	show_put_age(listing, value, "age");
	if (answer_bool(value, "static"))
		listing_put_number(listing, COLOUR_NONE, NEVER, "static");
	else
		show_put_age(listing, value, "left");
	if (!show->filters->details)
		return;
	note_filter(listing, value);
	note_sources(listing, answer_member(value, "sources"));
	note_members(listing, answer_member(value, "members"));
}

static const char *sum(const struct show *show, char *text, size_t size)
{
	char groups[64], hosts[64];

	if (show->totals.hosts > 0)
		snprintf(text, size, "%s with %s", format_count(show->totals.groups, "group", groups),
		         format_count(show->totals.hosts, "member host", hosts));
	else
		snprintf(text, size, "%s", format_count(show->totals.groups, "group", groups));
	return text;
}

const struct view view_groups = {"groups", "no groups: no host has joined one", columns, NULL, take, sum};
