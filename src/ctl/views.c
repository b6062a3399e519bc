/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `show` prints for each kind of item.
 */
#include "ctl/client/print.h"
#include "ctl/show.h"

#include <string.h>
#include <time.h>

/* Prints the titles before the first row; false when the member is not an item of the list. */
static bool begin_row(struct view_output *output, const char *key, const char *list)
{
	if (strcmp(key, list) != 0)
		return false;
	if (!output->begun)
		columns_head(&output->columns);
	output->begun = true;
	return true;
}

static void put_text(struct view_output *output, struct json_object *value, const char *key)
{
	const char *text = answer_text(value, key);

	columns_put(&output->columns, COLOUR_NONE, *text != '\0' ? text : "-");
}

static void put_amount(struct view_output *output, struct json_object *value, const char *key)
{
	char text[16];

	columns_put(&output->columns, COLOUR_NONE, format_amount(answer_number(value, key), text));
}

static void put_age(struct view_output *output, struct json_object *value, const char *key)
{
	char text[16];

	columns_put(&output->columns, COLOUR_NONE,
	            answer_has(value, key) ? format_age(answer_number(value, key), text) : "-");
}

/* The texts of a list, separated by spaces. */
static const char *join(struct json_object *value, const char *key, char *text, size_t size)
{
	struct json_object *list = answer_member(value, key);
	size_t count = answer_length(list);
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? " " : "",
		                         json_object_get_string(json_object_array_get_idx(list, i)));
	return text;
}

/* Prints what has no column, one line for each: scalars after their key. */
static void put_detail(struct view_output *output, const char *key, struct json_object *value)
{
	char text[16];

	print("    %-31s ", key);
	if (json_object_is_type(value, json_type_double))
		print("%s\n", format_age(json_object_get_double(value), text));
	else
		print("%s\n", value != NULL ? json_object_get_string(value) : "-");
	(void)output;
}

static void put_details(struct view_output *output, struct json_object *object)
{
	json_object_object_foreach(object, key, value)
	{
		if (json_object_is_type(value, json_type_object))
			put_details(output, value);
		else if (!json_object_is_type(value, json_type_array))
			put_detail(output, key, value);
	}
}

static void put_table(struct json_object *table)
{
	char routes[16], upcalls[16], name[32];
	double number = answer_number(table, "table");

	snprintf(name, sizeof name, "%.8s", answer_text(table, "family"));
	if (number != 0)
		snprintf(name, sizeof name, "%.8s %.0f", answer_text(table, "family"), number);
	if (answer_has(table, "held_by")) {
		print("%-14s not served: %s\n", name, answer_text(table, "held_by"));
		return;
	}
	print("%-14s %s routes, %s upcalls, %.0f writes refused by the kernel\n", name,
	      format_amount(answer_number(table, "routes"), routes),
	      format_amount(answer_number(table, "upcalls"), upcalls),
	      answer_number(table, "route_failures"));
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

static void put_status(struct view_output *output, const char *key, struct json_object *value)
{
	char text[16];

	(void)output;
	if (strcmp(key, "tables") == 0)
		put_table(value);
	else if (strcmp(key, "confinement") == 0)
		put_confinement(value);
	else if (strcmp(key, "configuration_loaded") == 0)
		put_date("loaded", json_object_get_double(value));
	else if (strcmp(key, "uptime") == 0)
		print("%-14s %s\n", key, format_age(json_object_get_double(value), text));
	else if (strcmp(key, "version") != 0 && strcmp(key, "command") != 0 && strcmp(key, "what") != 0)
		print("%-14s %s\n", strcmp(key, "program_version") == 0 ? "version" : key,
		      json_object_get_string(value));
}

static const struct column instance_columns[] = {
	{"INSTANCE", 24, false}, {"GROUPS", 8, true}, {"ROUTES", 8, true},  {"UNWANTED", 8, true},
	{"MEMORY", 8, true},     {"OF", 8, true},     {"REFUSED", 8, true}, {0},
};

static void put_instance(struct view_output *output, const char *key, struct json_object *value)
{
	double refused =
		answer_number(value, "refused_for_memory") + answer_number(value, "refused_for_routes_max");
	char text[16];

	if (!begin_row(output, key, "instances"))
		return;
	put_text(output, value, "instance");
	put_amount(output, value, "groups");
	put_amount(output, value, "routes");
	put_amount(output, value, "negative_routes");
	put_amount(output, value, "memory");
	put_amount(output, value, "memory_max");
	columns_put(&output->columns, refused > 0 ? COLOUR_BAD : COLOUR_NONE, format_amount(refused, text));
}

static const struct column link_columns[] = {
	{"LINK", 15, false}, {"ROLE", 10, false}, {"VERSION", 7, false},  {"STATE", 10, false},
	{"GROUPS", 6, true}, {"DROPS", 6, true},  {"QUERIER", 20, false}, {0},
};

static void put_link_state(struct view_output *output, struct json_object *value)
{
	char text[128];

	if (!answer_bool(value, "present")) {
		columns_put(&output->columns, COLOUR_BAD, "missing");
	} else if (answer_has(value, "not_served")) {
		snprintf(text, sizeof text, "not served: %s", answer_text(value, "not_served"));
		columns_put(&output->columns, COLOUR_BAD, text);
	} else if (answer_bool(value, "usable")) {
		columns_put(&output->columns, COLOUR_GOOD, "usable");
	} else {
		columns_put(&output->columns, COLOUR_BAD, answer_bool(value, "up") ? "no address" : "down");
	}
}

static void put_link(struct view_output *output, const char *key, struct json_object *value)
{
	char text[16];

	if (!begin_row(output, key, "links"))
		return;
	put_text(output, value, "link");
	put_text(output, value, "role");
	put_text(output, value, "version");
	put_link_state(output, value);
	put_amount(output, value, "groups");
	columns_put(&output->columns, COLOUR_NONE, format_amount(answer_drops(value), text));
	if (answer_bool(value, "this_router_is_querier"))
		columns_put(&output->columns, COLOUR_GOOD, "this router");
	else
		put_text(output, value, "querier");
	if (output->details)
		put_details(output, value);
}

/* Prints the hosts that are members, and what they ask for. */
static void put_members(struct json_object *members)
{
	size_t count = answer_length(members);
	char left[16];

	for (size_t i = 0; i < count; i++) {
		struct json_object *member = json_object_array_get_idx(members, i);

		print("    member %s, %s of %.0f sources, left %s\n", answer_text(member, "host"),
		      answer_text(member, "mode"), answer_number(member, "sources"),
		      format_age(answer_number(member, "left"), left));
	}
}

static const struct column group_columns[] = {
	{"GROUP", 15, false},  {"LINK", 15, false},  {"MODE", 7, false},
	{"VERSION", 7, false}, {"AGE", 8, true},     {"LEFT", 6, true},
	{"HOSTS", 5, true},    {"SOURCES", 7, true}, {0},
};

static void put_sources(struct json_object *sources, size_t count)
{
	char left[16];

	for (size_t i = 0; i < count; i++) {
		struct json_object *source = json_object_array_get_idx(sources, i);
		bool blocked = answer_bool(source, "blocked");

		print("    %s %s %s\n", answer_text(source, "source"), blocked ? "blocked" : "left",
		      blocked ? "" : format_age(answer_number(source, "left"), left));
	}
}

static void put_group(struct view_output *output, const char *key, struct json_object *value)
{
	struct json_object *sources = answer_member(value, "sources");
	size_t count = answer_length(sources);

	if (!begin_row(output, key, "groups"))
		return;
	put_text(output, value, "group");
	put_text(output, value, "link");
	put_text(output, value, "mode");
	put_text(output, value, "version");
	put_age(output, value, "age");
	put_age(output, value, "left");
	if (answer_number(value, "hosts") > 0)
		put_amount(output, value, "hosts");
	else
		columns_put(&output->columns, COLOUR_FAINT, "-");
	columns_print(&output->columns, "%zu", count);
	put_sources(sources, count);
	if (output->details)
		put_members(answer_member(value, "members"));
}

static const struct column route_columns[] = {
	{"GROUP", 15, false}, {"SOURCE", 15, false}, {"FROM", 7, false},
	{"BIT/S", 6, true},   {"PACKETS", 7, true},  {"WRONG", 5, true},
	{"AGE", 7, true},     {"TO", 11, false},     {0},
};

static void put_route(struct view_output *output, const char *key, struct json_object *value)
{
	char text[1100], wrong[16];

	if (!begin_row(output, key, "routes"))
		return;
	put_text(output, value, "group");
	put_text(output, value, "source");
	put_text(output, value, "input");
	put_amount(output, value, "bit_rate");
	put_amount(output, value, "packets");
	columns_put(&output->columns, answer_number(value, "wrong_interface") > 0 ? COLOUR_BAD : COLOUR_NONE,
	            format_amount(answer_number(value, "wrong_interface"), wrong));
	put_age(output, value, "age");
	join(value, "outputs", text, sizeof text);
	columns_put(&output->columns, *text != '\0' ? COLOUR_NONE : COLOUR_FAINT,
	            *text != '\0' ? text : "nowhere");
	if (*answer_text(value, "copy_input") != '\0')
		print("    a copy arrives on %s, and is not forwarded\n", answer_text(value, "copy_input"));
	join(value, "yielded", text, sizeof text);
	if (*text != '\0')
		print("    another router forwards it to %s\n", text);
}

static const struct column uplink_columns[] = {
	{"LINK", 15, false},  {"VERSION", 7, false},  {"BY", 6, false},   {"GROUPS", 7, true},
	{"REFUSED", 7, true}, {"QUERIER", 15, false}, {"HEARD", 8, true}, {0},
};

static const struct column membership_columns[] = {
	{"GROUP", 15, false},
	{"LINK", 15, false},
	{"MODE", 7, false},
	{"KEPT BY", 7, false},
	{"STATE", 8, false},
	{"SOURCES", 7, true},
	{0},
};

/* The second list of the answer is a table of its own, after the first. */
static void put_membership(struct view_output *output, struct json_object *value)
{
	struct json_object *sources = answer_member(value, "sources");
	size_t count = answer_length(sources);

	if (output->columns.columns != membership_columns) {
		putchar('\n');
		output->columns.columns = membership_columns;
		columns_head(&output->columns);
	}
	put_text(output, value, "group");
	put_text(output, value, "link");
	put_text(output, value, "mode");
	put_text(output, value, "kept_by");
	columns_put(&output->columns,
	            strcmp(answer_text(value, "state"), "refused") == 0 ? COLOUR_BAD : COLOUR_NONE,
	            answer_bool(value, "superset") ? "superset" : answer_text(value, "state"));
	columns_print(&output->columns, "%zu", count);
	for (size_t i = 0; i < count; i++)
		print("    %s\n", json_object_get_string(json_object_array_get_idx(sources, i)));
}

static void put_uplink(struct view_output *output, const char *key, struct json_object *value)
{
	double refused = answer_number(value, "refused_by_kernel");
	char text[16];

	if (strcmp(key, "memberships") == 0)
		put_membership(output, value);
	if (!begin_row(output, key, "upstream"))
		return;
	put_text(output, value, "link");
	put_text(output, value, "version");
	put_text(output, value, "membership");
	put_amount(output, value, "groups");
	columns_put(&output->columns, refused > 0 ? COLOUR_BAD : COLOUR_NONE, format_amount(refused, text));
	if (answer_bool(value, "query_missing"))
		columns_put(&output->columns, COLOUR_BAD, "missing");
	else
		put_text(output, value, "querier");
	put_age(output, value, "query_age");
	if (output->details)
		put_details(output, value);
}

const struct view views[] = {
	{"status", NULL, put_status},
	{"instances", instance_columns, put_instance},
	{"links", link_columns, put_link},
	{"groups", group_columns, put_group},
	{"routes", route_columns, put_route},
	{"upstream", uplink_columns, put_uplink},
	{"uplinks", uplink_columns, put_uplink}, /* the same without the list of groups */
	{0},
};
