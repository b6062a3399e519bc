/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `show routes`: the streams, and where they go.
 */
#include "ctl/show.h"

#include <string.h>

static const struct listing_column columns[] = {
	{"INSTANCE", false, 1}, {"FROM", false, 2},
	{"GROUP", false, 3},    {"SOURCE", false, 4},
	{"BIT/S", true, 0},     {"PACKETS", true, 0},
	{"WRONG IF", true, 0},  {"AGE", true, 0},
	{"TO", false, 0},       {0},
};

static void put_outputs(struct listing *listing, struct json_object *route, bool unwanted)
{
	char text[1100];

	show_join(route, "outputs", text, sizeof text);
	if (*text != '\0')
		listing_put(listing, COLOUR_NONE, text);
	else
		listing_put(listing, COLOUR_FAINT, unwanted ? "- (unwanted)" : "-");
}

static void note_other_routers(struct listing *listing, struct json_object *route)
{
	char text[1100];

	if (*answer_text(route, "copy_input") != '\0')
		listing_note(listing, "a copy arrives on %s, and is not forwarded",
		             answer_text(route, "copy_input"));
	show_join(route, "yielded", text, sizeof text);
	if (*text != '\0')
		listing_note(listing, "another router forwards it to %s", text);
}

static void take(struct show *show, const char *key, struct json_object *value)
{
	double wrong = answer_number(value, "wrong_interface");
	bool unwanted = answer_length(answer_member(value, "outputs")) == 0 &&
	                answer_length(answer_member(value, "yielded")) == 0;
	struct listing *listing = show->listing;
	char text[16];

	if (strcmp(key, "routes") != 0)
		return;
	if (unwanted) {
		show->totals.unwanted++;
	} else {
		show->totals.streams++;
		show->totals.rate += answer_number(value, "bit_rate");
	}
	if (unwanted && !show->filters->all)
		return;
	show_put_text(listing, value, "instance");
	show_put_text(listing, value, "input");
	show_put_text(listing, value, "group");
	show_put_text(listing, value, "source");
	show_put_amount(listing, value, "bit_rate");
	show_put_amount(listing, value, "packets");
	listing_put_number(listing, wrong > 0 ? COLOUR_BAD : COLOUR_NONE, wrong, format_amount(wrong, text));
	show_put_age(listing, value, "age");
	put_outputs(listing, value, unwanted);
	note_other_routers(listing, value);
	if (show->filters->details)
		show_note_details(listing, value);
}

static const char *sum(const struct show *show, char *text, size_t size)
{
	const struct totals *totals = &show->totals;
	char streams[64], rate[24], unwanted[32];
	size_t used = (size_t)snprintf(text, size, "%s", format_count(totals->streams, "stream", streams));

	if (totals->streams > 0)
		used += (size_t)snprintf(text + used, size - used, ", %s", format_rate(totals->rate, rate));
	if (totals->unwanted > 0)
		snprintf(text + used, size - used, "; %s unwanted%s",
		         format_amount(totals->unwanted, unwanted),
		         show->filters->all ? "" : " (--all shows them)");
	return text;
}

const struct view view_routes = {"routes", "no routes: no stream has arrived", columns, NULL, take, sum};
