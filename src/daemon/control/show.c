/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/show.h"

#include "core/tables/links.h"
#include "daemon/control/names.h"
#include "daemon/control/render.h"
#include "daemon/control/render_filters.h"
#include "daemon/log/clock.h"
#include "daemon/owner/uplink.h"

#include <stdlib.h>

/* What can be shown: one record for the whole daemon, or those of a walk over each instance. */
struct show {
	const char *what;
	void (*begin)(struct client *client); /* NULL: a list of records of the walk */
	enum snapshot_kind walk;              /* SNAPSHOT_KINDS: none */
	void (*more)(struct client *client);  /* NULL: there is no more, or the walk's */
};

static void put_whole_status(struct client *client)
{
	render_daemon(&client->out, client->owner, clock_now());
}

static bool is_empty_or(const char *filter, const char *text)
{
	return filter[0] == '\0' || strcmp(filter, text) == 0;
}

static bool wants_uplink(const struct client *client, const struct uplink *uplink)
{
	const struct owner *owner = client->owner;

	if (!is_empty_or(client->request.link, uplink->name))
		return false;
	for (size_t i = 0; i < owner->instance_count; i++)
		if ((uplink->instances >> i & 1) != 0 &&
		    is_empty_or(client->request.instance, owner->instances[i].config->name))
			return true;
	return false;
}

static void put_uplinks(struct client *client)
{
	json_open(&client->out, "upstream", '[');
	for (struct uplink *uplink = client->owner->uplinks; uplink; uplink = uplink->next) {
		if (!wants_uplink(client, uplink))
			continue;
		uplink_follow_version(uplink, clock_now());
		render_uplink(&client->out, client->owner, uplink, clock_now());
	}
	json_close(&client->out, ']');
}

static void put_upstream(struct client *client)
{
	put_uplinks(client);
	json_open(&client->out, "memberships", '[');
}

/* The next uplink whose memberships are shown; false when there is none. */
static bool start_next_uplink(struct client *client)
{
	struct control_show *show = &client->show;
	struct uplink *uplink = client->owner->uplinks;

	for (size_t i = 0; uplink != NULL && i < show->uplink_number; i++)
		uplink = uplink->next;
	for (; uplink != NULL; uplink = uplink->next) {
		show->uplink_number++;
		if (!wants_uplink(client, uplink))
			continue;
		show->uplink = uplink;
		host_walk_begin(uplink->host, &show->memberships);
		return true;
	}
	return false;
}

static void put_memberships(struct client *client)
{
	struct control_show *show = &client->show;
	struct host_group group;

	if (show->memberships.host == NULL && !start_next_uplink(client)) {
		json_close(&client->out, ']');
		client_end_answer(client);
		return;
	}
	while (client->owner->control->records_left-- > 0 && host_walk_next(&show->memberships, &group))
		if (control_request_wants_group(&client->request, &group.group))
			render_membership(&client->out, show->uplink, &group);
	client->owner->loop.again = true;
}

static void open_sets(struct client *client)
{
	json_open(&client->out, "sets", '[');
}

static void put_sets(struct client *client)
{
	if (render_sets(client)) {
		json_close(&client->out, ']');
		client_end_answer(client);
		return;
	}
	client->owner->loop.again = true;
}

static const struct show shows[] = {
	{"status", put_whole_status, SNAPSHOT_KINDS, NULL},
	{"instances", NULL, SNAPSHOT_INSTANCE, NULL},
	{"links", NULL, SNAPSHOT_LINKS, NULL},
	{"groups", NULL, SNAPSHOT_GROUPS, NULL},
	{"routes", NULL, SNAPSHOT_FLOWS, NULL},
	{"uplinks", put_uplinks, SNAPSHOT_KINDS, NULL},
	{"upstream", put_upstream, SNAPSHOT_KINDS, put_memberships},
	{"filters", NULL, SNAPSHOT_RULES, NULL},
	{"sets", open_sets, SNAPSHOT_KINDS, put_sets},
};

static const struct show *find_show(const char *what)
{
	for (size_t i = 0; i < sizeof shows / sizeof shows[0]; i++)
		if (strcmp(shows[i].what, what) == 0)
			return &shows[i];
	return NULL;
}

static bool wants_port(struct client *client, uint8_t id)
{
	struct links_port port;

	return client->request.link[0] == '\0' ||
	       (links_find_port(client->owner->links, client->show.walk->instance, id, &port) &&
	        strcmp(port.name, client->request.link) == 0);
}

static bool wants_route(struct client *client, const struct snapshot_flow *flow)
{
	bool wanted = wants_port(client, flow->input);

	for (uint64_t outputs = flow->outputs; outputs != 0 && !wanted; outputs &= outputs - 1)
		wanted = wants_port(client, (uint8_t)__builtin_ctzll(outputs));
	return wanted && control_request_wants_group(&client->request, &flow->group);
}

/* The members of the group at hand begin, unless they have. */
static void open_members(struct client *client)
{
	struct control_show *show = &client->show;

	if (show->in_group && !show->in_members)
		render_open_members(&client->out);
	show->in_members = true;
}

static void close_group(struct client *client)
{
	open_members(client);
	if (client->show.in_group)
		render_close_group(&client->out);
	client->show.in_group = client->show.in_members = false;
}

static void put_group(struct client *client, const struct instance_slot *instance,
                      const struct snapshot_group *group)
{
	close_group(client);
	client->show.in_group = control_request_wants_group(&client->request, &group->group);
	if (client->show.in_group)
		render_open_group(&client->out, client->owner, instance, group);
}

static void put_record(struct client *client, const struct snapshot_item *record)
{
	struct owner *owner = client->owner;
	const struct instance_slot *instance = &owner->instances[client->show.walk->instance];

	switch ((enum snapshot_kind)record->kind) {
	case SNAPSHOT_INSTANCE:
		render_instance(&client->out, instance, &record->instance);
		break;
	case SNAPSHOT_LINKS:
		if (is_empty_or(client->request.link, record->link.name))
			render_link(&client->out, owner, instance, &record->link);
		break;
	case SNAPSHOT_GROUPS:
		put_group(client, instance, &record->group);
		break;
	case SNAPSHOT_SOURCES:
		if (client->show.in_group)
			render_source(&client->out, &record->source);
		break;
	case SNAPSHOT_HOSTS:
		open_members(client);
		if (client->show.in_group)
			render_member(&client->out, &record->host);
		break;
	case SNAPSHOT_FLOWS:
		if (wants_route(client, &record->flow))
			render_route(&client->out, owner, instance, &record->flow);
		break;
	case SNAPSHOT_RULES:
		if (wants_port(client, record->rule.link))
			render_rule(&client->out, owner, instance, &record->rule);
		break;
	case SNAPSHOT_KINDS:
		break;
	}
}

static void put_missing_links(struct client *client, const struct instance_slot *instance)
{
	struct owner *owner = client->owner;
	size_t cursor = 0;
	unsigned number;
	const char *name;

	while (links_next_missing(owner->links, &cursor, &number, &name))
		if (number == instance->number && is_empty_or(client->request.link, name))
			render_missing_link(&client->out, instance, name);
}

static void read_page(void *reader, struct owner *owner, const struct snapshot_item *records, size_t count,
                      bool more)
{
	struct client *client = reader;
	struct control_show *show = &client->show;

	owner->control->walk_waiting = false;
	if (count > 0)
		memcpy(show->records, records, count * sizeof *records);
	show->record_count = count;
	show->record_next = 0;
	show->walking = more;
}

/* Writes what the turn allows of the page at hand; true when all of it is written. */
static bool put_records(struct client *client)
{
	struct control_show *show = &client->show;
	struct control *control = client->owner->control;

	if (show->walk->ended)
		show->record_next = show->record_count;
	while (show->record_next < show->record_count && control->records_left > 0) {
		put_record(client, &show->records[show->record_next++]);
		control->records_left--;
	}
	if (show->record_next == show->record_count)
		return true;
	client->owner->loop.again = true;
	return false;
}

static void end_walk(struct client *client)
{
	struct control_show *show = &client->show;

	close_group(client);
	if (show->begun && !show->walk->ended && show->show->walk == SNAPSHOT_LINKS)
		put_missing_links(client, &client->owner->instances[show->walk->instance]);
}

/* Starts the walk over the next link of the instance that may have groups; false when there is none. */
static bool start_next_port(struct client *client)
{
	struct control_show *show = &client->show;
	struct links_port port;

	while (links_next_port(client->owner->links, &show->port_cursor, &port) &&
	       port.instance == show->instance) {
		bool has_groups = port.role == ROLE_DOWNSTREAM || port.settings.static_groups != NULL;

		if (!has_groups || !is_empty_or(client->request.link, port.name))
			continue;
		snapshot_reader_start(show->walk, port.instance, SNAPSHOT_GROUPS, port.id);
		return true;
	}
	return false;
}

/* Starts the next walk; false when the answer is complete. */
static bool start_next(struct client *client)
{
	struct control_show *show = &client->show;
	struct owner *owner = client->owner;

	for (; show->instance < owner->instance_count; show->instance++, show->begun = false) {
		const struct instance_slot *instance = &owner->instances[show->instance];

		if (instance->channel == NULL ||
		    !is_empty_or(client->request.instance, instance->config->name))
			continue;
		if (!show->begun)
			show->port_cursor = show->instance * LINKS_MAX;
		if (show->show->walk == SNAPSHOT_GROUPS ? !start_next_port(client) : show->begun)
			continue;
		if (show->show->walk != SNAPSHOT_GROUPS)
			snapshot_reader_start(show->walk, (unsigned)show->instance, show->show->walk, 0);
		show->begun = true;
		return true;
	}
	return false;
}

void show_begin(struct client *client)
{
	const struct show *found = find_show(client->request.what);

	if (found == NULL) {
		client_fail(
			client,
			"show: status, instances, links, groups, routes, upstream, filters or sets is expected");
		return;
	}
	if (!names_check(client))
		return;
	client->show = (struct control_show){.show = found};
	client_open_answer(client);
	json_string(&client->out, "command", "show");
	json_string(&client->out, "what", found->what);
	if (found->begin != NULL) {
		found->begin(client);
		if (found->more == NULL)
			client_end_answer(client);
		return;
	}
	json_seconds(&client->out, "uptime", (uint64_t)(clock_now() - client->owner->started_at));
	json_open(&client->out, found->what, '[');
}

static bool take_walk(struct client *client)
{
	struct control_show *show = &client->show;

	show->walk = snapshot_reader_take(client->owner, read_page, client);
	if (show->walk == NULL)
		return false;
	show->records = malloc(SNAPSHOT_PAGE_ITEMS * sizeof *show->records);
	client->out.failed |= show->records == NULL; /* which drops the client */
	return show->records != NULL;
}

void show_go_on(struct client *client)
{
	struct control_show *show = &client->show;
	struct owner *owner = client->owner;

	if (show->show->more != NULL) {
		show->show->more(client);
		return;
	}
	if (show->walk == NULL && !take_walk(client))
		return;
	if (show->walk->waiting || owner->control->walk_waiting || !put_records(client))
		return;
	if (!show->walking) {
		end_walk(client);
		if (!start_next(client)) {
			json_close(&client->out, ']');
			client_end_answer(client);
			return;
		}
	}
	show->walking = true;
	owner->control->walk_waiting = snapshot_reader_request(owner, show->walk);
}

void show_end(struct client *client)
{
	struct control_show *show = &client->show;

	if (show->memberships.host != NULL)
		host_walk_end(&show->memberships);
	if (show->walk == NULL)
		return;
	/* Others may have waited for it. */
	client->owner->loop.again = true;
	if (show->walk->waiting)
		client->owner->control->walk_waiting = false;
	snapshot_reader_give(show->walk);
	free(show->records);
	*show = (struct control_show){0};
}
