/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `show status` and `show instances`: the daemon itself, and what its instances hold.
 */
#include "ctl/client/print.h"
#include "ctl/show.h"

#include <string.h>
#include <time.h>

static void put_table(struct json_object *table)
{
	char routes[64], upcalls[64], refused[64], name[32];
	double number = answer_number(table, "table");

	snprintf(name, sizeof name, "%.8s", answer_text(table, "family"));
	if (number != 0)
		snprintf(name, sizeof name, "%.8s %.0f", answer_text(table, "family"), number);
	if (answer_has(table, "held_by")) {
		print("%-14s not served: %s\n", name, answer_text(table, "held_by"));
		return;
	}
	print("%-14s %s, %s", name, format_count(answer_number(table, "routes"), "route", routes),
	      format_count(answer_number(table, "upcalls"), "upcall", upcalls));
	if (answer_number(table, "route_failures") > 0)
		print(", %s refused by the kernel",
		      format_count(answer_number(table, "route_failures"), "write", refused));
	putchar('\n');
}

static void put_confinement(struct json_object *confinement)
{
	print("%-14s user %s; system calls %s; files %s\n", "confinement", answer_text(confinement, "user"),
	      answer_bool(confinement, "system_calls") ? "limited" : "not limited",
	      answer_bool(confinement, "files") ? "limited" : "not limited");
}

static void put_date(const char *key, double time)
{
	time_t seconds = (time_t)time;
	char text[32];
	struct tm local;

	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &local));
	print("%-14s %s\n", key, text);
}

static void put_reload(struct json_object *successful)
{
	if (!json_object_get_boolean(successful))
		print("%-14s failed: the configuration before it is in force; mcproxyctl reload prints why\n",
		      "last reload");
}

static void take_status(struct show *show, const char *key, struct json_object *value)
{
	char text[32];

	(void)show;
	if (strcmp(key, "tables") == 0)
		put_table(value);
	else if (strcmp(key, "confinement") == 0)
		put_confinement(value);
	else if (strcmp(key, "configuration_loaded") == 0)
		put_date("loaded", json_object_get_double(value));
	else if (strcmp(key, "started") == 0)
		put_date(key, json_object_get_double(value));
	else if (strcmp(key, "last_reload_successful") == 0)
		put_reload(value);
	else if (strcmp(key, "uptime") == 0)
		print("%-14s %s\n", key, format_duration(json_object_get_double(value), text));
	else if (strcmp(key, "families") != 0 && strcmp(key, "version") != 0 && strcmp(key, "command") != 0 &&
	         strcmp(key, "what") != 0)
		print("%-14s %s\n", strcmp(key, "program_version") == 0 ? "version" : key,
		      json_object_get_string(value));
}

static const struct listing_column columns[] = {
	{"INSTANCE", false, 0}, {"GROUPS", true, 0}, {"STREAMS", true, 0}, {"UNWANTED", true, 0},
	{"MEMORY", true, 0},    {"LIMIT", true, 0},  {"REFUSED", true, 0}, {0},
};

static void take_instance(struct show *show, const char *key, struct json_object *value)
{
	double refused =
		answer_number(value, "refused_for_memory") + answer_number(value, "refused_for_routes_max");
	/* As in the other views: groups with members, and streams that a link receives. */
	double wanted = answer_number(value, "routes") - answer_number(value, "negative_routes");
	struct listing *listing = show->listing;
	char text[16];

	if (strcmp(key, "instances") != 0)
		return;
	show->totals.groups += answer_number(value, "groups_joined");
	show->totals.streams += wanted;
	show_put_text(listing, value, "instance");
	show_put_amount(listing, value, "groups_joined");
	listing_put_number(listing, COLOUR_NONE, wanted, format_amount(wanted, text));
	show_put_amount(listing, value, "negative_routes");
	show_put_bytes(listing, value, "memory");
	show_put_bytes(listing, value, "memory_max");
	listing_put_number(listing, refused > 0 ? COLOUR_BAD : COLOUR_NONE, refused,
	                   format_amount(refused, text));
}

static const char *sum(const struct show *show, char *text, size_t size)
{
	char instances[64], groups[64], streams[64];

	snprintf(text, size, "%s, %s, %s",
	         format_count((double)listing_rows(show->listing), "instance", instances),
	         format_count(show->totals.groups, "group", groups),
	         format_count(show->totals.streams, "stream", streams));
	return text;
}

const struct view view_status = {"status", NULL, NULL, NULL, take_status, NULL};
const struct view view_instances = {"instances", NULL, columns, NULL, take_instance, sum};
