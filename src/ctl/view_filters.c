/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `show filters` and `show sets`: the rules of the links with their hits, and what the names in them stand for.
 */
#include "ctl/show.h"

#include <string.h>

#define PLACE_SIZE   64
#define MEMBERS_SIZE 4096

/* Rules stay in their order, because the first one that matches decides. */
static const struct listing_column filter_columns[] = {
	{"INSTANCE", false, 0}, {"LINK", false, 0},   {"WAY", false, 0},
	{"REPORTS", true, 0},   {"STREAMS", true, 0}, {"LAST HIT", true, 0},
	{"PLACE", false, 0},    {"RULE", false, 0},   {0},
};
static const struct listing_column set_columns[] = {
	{"SET", false, 0}, {"PLACE", false, 0}, {"USED", false, 0}, {"MEMBERS", false, 0}, {0},
};

/* "mcproxy.conf:12" */
static const char *format_place(struct json_object *value, char place[PLACE_SIZE])
{
	const char *file = answer_text(value, "file"), *slash = strrchr(file, '/');

	if (!answer_has(value, "line"))
		return "built in";
	snprintf(place, PLACE_SIZE, "%.40s:%.0f", slash != NULL ? slash + 1 : file,
	         answer_number(value, "line"));
	return place;
}

static void take_rule(struct show *show, const char *key, struct json_object *rule)
{
	struct listing *listing = show->listing;
	bool can_match = answer_bool(rule, "can_match");
	char place[PLACE_SIZE];

	if (strcmp(key, "filters") != 0)
		return;
	show->totals.items++;
	show->totals.idle += !can_match;
	show_put_text(listing, rule, "instance");
	show_put_text(listing, rule, "link");
	show_put_text(listing, rule, "direction");
	show_put_amount(listing, rule, "reports");
	show_put_amount(listing, rule, "streams");
	show_put_age(listing, rule, "last_hit");
	listing_put(listing, COLOUR_NONE, format_place(rule, place));
	listing_put(listing, can_match ? COLOUR_NONE : COLOUR_BAD, answer_text(rule, "rule"));
	if (!can_match)
		listing_note(listing, "rules before it match all that it matches");
}

static const char *sum_rules(const struct show *show, char *text, size_t size)
{
	char rules[64];

	format_count(show->totals.items, "rule", rules);
	if (show->totals.idle > 0)
		snprintf(text, size, "%s, of which %.0f can never match", rules, show->totals.idle);
	else
		snprintf(text, size, "%s", rules);
	return text;
}

/* All members with --details, otherwise the first ones. */
static const char *join_members(struct json_object *members, bool all, char text[MEMBERS_SIZE])
{
	size_t count = answer_length(members), shown = all || count <= 4 ? count : 3, used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < shown && used < MEMBERS_SIZE; i++)
		used += (size_t)snprintf(text + used, MEMBERS_SIZE - used, "%s%s", i > 0 ? " " : "",
		                         json_object_get_string(json_object_array_get_idx(members, i)));
	if (shown < count && used < MEMBERS_SIZE)
		snprintf(text + used, MEMBERS_SIZE - used, " and %zu more", count - shown);
	return text;
}

static void take_set(struct show *show, const char *key, struct json_object *set)
{
	struct listing *listing = show->listing;
	bool used = answer_bool(set, "used");
	char place[PLACE_SIZE], members[MEMBERS_SIZE];

	if (strcmp(key, "sets") != 0)
		return;
	show->totals.items++;
	show->totals.idle += !used;
	show_put_text(listing, set, "name");
	listing_put(listing, COLOUR_NONE, format_place(set, place));
	listing_put(listing, used ? COLOUR_NONE : COLOUR_FAINT, used ? "yes" : "no");
	listing_put(listing, COLOUR_NONE,
	            join_members(answer_member(set, "members"), show->filters->details, members));
}

static const char *sum_sets(const struct show *show, char *text, size_t size)
{
	char sets[64];

	snprintf(text, size, "%s, of which %.0f are not used", format_count(show->totals.items, "set", sets),
	         show->totals.idle);
	return text;
}

const struct view view_filters = {
	"filters", "no filters: no link has a rule", filter_columns, NULL, take_rule, sum_rules};
const struct view view_sets = {"sets", NULL, set_columns, NULL, take_set, sum_sets};
