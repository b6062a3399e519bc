/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/render_filters.h"

#include "core/tables/links.h"

/* Line 0 is not in the file. */
static void put_place(struct json *json, const struct owner *owner, unsigned line)
{
	json_string(json, "file", line > 0 ? options_source(owner->options) : NULL);
	if (line > 0)
		json_number(json, "line", line);
	else
		json_string(json, "line", NULL);
}

void render_rule(struct json *json, struct owner *owner, const struct instance_slot *instance,
                 const struct snapshot_rule *record)
{
	struct links_port port;

	json_open(json, NULL, '{');
	json_string(json, "instance", instance->config->name);
	json_string(json, "link",
	            links_find_port(owner->links, instance->number, record->link, &port) ? port.name : NULL);
	json_string(json, "direction", record->direction == FILTER_IN ? "in" : "out");
	json_number(json, "number", record->number);
	json_string(json, "rule", record->text);
	put_place(json, owner, record->line);
	json_boolean(json, "can_match", record->can_match);
	json_number(json, "reports", record->reports);
	json_number(json, "streams", record->streams);
	if (record->reports > 0 || record->streams > 0)
		json_seconds(json, "last_hit", (uint64_t)record->age);
	else
		json_string(json, "last_hit", NULL);
	json_close(json, '}');
}

/* The n-th set: those that the configuration defines or uses, then the other built-in ones. Those are in spare. */
static const struct policy_set *find_set(const struct policy_sets *sets, size_t n, struct policy_sets *spare,
                                         const char **purpose)
{
	char error[POLICY_ERROR_SIZE];
	const char *name;

	for (const struct policy_set *set = sets->first; set != NULL; set = set->next)
		if (set->name[0] != '\0' && !set->builtin && n-- == 0)
			return set;
	if (!sets_builtin(n, &name, purpose))
		return NULL;
	for (const struct policy_set *set = sets->first; set != NULL; set = set->next)
		if (strcmp(set->name, name) == 0)
			return set;
	return sets_find(spare, name, error);
}

/* Writes all addresses of a range of MAC addresses: the configuration has listed them. */
static void put_range(struct json *json, struct range range)
{
	char text[RANGE_TEXT_SIZE];

	while (range_is_mac(&range) && !addr_equal(&range.first, &range.last)) {
		json_string(json, NULL, range_format(&range, text));
		addr_next(&range.first);
	}
	json_string(json, NULL, range_format(&range, text));
}

static void open_set(struct client *client, const struct policy_set *set, const char *purpose, bool used)
{
	struct json *json = &client->out;

	json_open(json, NULL, '{');
	json_string(json, "name", set->name);
	json_boolean(json, "built_in", purpose != NULL);
	json_string(json, "purpose", purpose);
	put_place(json, client->owner, set->line);
	json_boolean(json, "used", used);
	json_open(json, "members", '[');
}

/* False: the turn allows no more. */
static bool put_set(struct client *client, const struct policy_set *set, const char *purpose, bool used)
{
	struct control_show *show = &client->show;

	if (!show->in_set)
		open_set(client, set, purpose, used);
	show->in_set = true;
	for (; show->range_number < set->ranges.count; show->range_number++) {
		if (client->owner->control->records_left-- <= 0)
			return false;
		put_range(&client->out, set->ranges.list[show->range_number]);
	}
	json_close(&client->out, ']');
	json_close(&client->out, '}');
	show->range_number = 0;
	show->in_set = false;
	return true;
}

bool render_sets(struct client *client)
{
	struct policy_sets spare;
	bool more = true;

	sets_init(&spare);
	while (more) {
		const char *purpose = NULL;
		const struct policy_set *set =
			find_set(&client->owner->config->sets, client->show.set_number, &spare, &purpose);

		if (set == NULL)
			break;
		more = put_set(client, set, purpose, set->used && spare.first == NULL);
		client->show.set_number += more;
		sets_fini(&spare);
	}
	sets_fini(&spare);
	return more;
}
