/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/manage.h"

#include "core/tables/links.h"
#include "daemon/config/notes.h"
#include "daemon/control/names.h"
#include "daemon/log/log.h"
#include "kernel/link_master_find.h"

#include <string.h>
#include <syslog.h>

/* The owner reloads when the sources of this turn are served. */
void reload_begin(struct client *client)
{
	client->owner->reload_wanted = client->owner->loop.again = true;
	client->reload = client->owner->reloads + 1;
}

static bool examine_interface(void *context, const char *name, char note[CONFIG_NOTE_SIZE])
{
	const struct client *client = context;
	struct link_master master;
	size_t cursor = 0;
	unsigned instance;
	const char *pattern;

	while (links_next_missing(client->owner->links, &cursor, &instance, &pattern))
		if (strcmp(pattern, name) == 0) {
			config_note_missing(name, note);
			return true;
		}
	if (!link_master_find(name, &master))
		return false;
	link_master_text(name, &master, note, CONFIG_NOTE_SIZE);
	return true;
}

static void put_note(void *context, const char *note)
{
	struct client *client = context;

	json_string(&client->out, NULL, note);
}

void reload_go_on(struct client *client)
{
	const struct owner *owner = client->owner;

	if (owner->reloads < client->reload)
		return;
	if (owner->reload_problem[0] != '\0') {
		client_fail(client, "%s", owner->reload_problem);
		return;
	}
	client_open_answer(client);
	json_string(&client->out, "command", "reload");
	json_string(&client->out, "configuration", options_source(owner->options));
	json_open(&client->out, "notes", '[');
	config_notes_make(owner->config, &(struct config_notes){.path = options_source(owner->options),
	                                                        .examine = examine_interface,
	                                                        .take = put_note,
	                                                        .context = client});
	json_close(&client->out, ']');
	client_end_answer(client);
}

/* A downstream link that the request concerns. */
static bool is_meant(const struct client *client, const struct links_port *port)
{
	const struct control_request *request = &client->request;
	const struct instance_slot *slot = &client->owner->instances[port->instance];

	return port->role == ROLE_DOWNSTREAM && slot->config != NULL &&
	       (request->link[0] == '\0' || strcmp(request->link, port->name) == 0) &&
	       (request->instance[0] == '\0' || strcmp(request->instance, slot->config->name) == 0);
}

void clear_begin(struct client *client)
{
	client->cleared = client->cleared_links = 0;
	if (strcmp(client->request.what, "groups") != 0)
		client_fail(client, "\"what\": \"groups\" is expected");
	else
		names_check(client);
}

/* A link whose worker has no room for the message gets it in a later turn. */
void clear_go_on(struct client *client)
{
	const struct control_request *request = &client->request;
	struct input input = {
		.kind = INPUT_REVIEW, .group = request->prefix, .prefix_length = request->prefix_length};
	struct links_port port;

	for (size_t cursor = client->cleared; links_next_port(client->owner->links, &cursor, &port);
	     client->cleared = cursor) {
		struct channel *channel = client->owner->instances[port.instance].channel;

		if (!is_meant(client, &port) || channel == NULL)
			continue;
		input.link = port.id;
		if (!worker_tell(channel, &input, NULL, 0))
			return;
		lane_wake(channel->down);
		client->cleared_links++;
	}
	if (client->cleared_links == 0) {
		client_fail(client, "no downstream link matches; mcproxyctl show links lists the links");
		return;
	}
	client_open_answer(client);
	json_string(&client->out, "command", "clear");
	json_number(&client->out, "links", client->cleared_links);
	client_end_answer(client);
}

static const struct level {
	const char *name;
	int priority;
} levels[] = {{"error", LOG_ERR}, {"warning", LOG_WARNING}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}, {0}};

static const struct level *find_level(const char *name)
{
	const struct level *level = levels;

	while (level->name != NULL && strcmp(level->name, name) != 0)
		level++;
	return level;
}

static const char *level_name(int priority)
{
	const struct level *level = levels;

	while (level->priority != priority)
		level++;
	return level->name;
}

void loglevel_begin(struct client *client)
{
	const char *name = client->request.level;
	const struct level *level = find_level(name);

	if (name[0] != '\0' && level->name == NULL) {
		client_fail(client, "%s: error, warning, info or debug is expected", name);
		return;
	}
	if (level->name != NULL)
		log_set_level(level->priority);
	client_open_answer(client);
	json_string(&client->out, "command", "loglevel");
	json_string(&client->out, "level", level_name(log_level()));
	client_end_answer(client);
}
