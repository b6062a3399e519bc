/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/manage.h"

#include "daemon/log/log.h"

#include <syslog.h>

/* The owner reloads when the sources of this turn are served. */
void reload_begin(struct client *client)
{
	client->owner->reload_wanted = client->owner->loop.again = true;
	client->reload = client->owner->reloads + 1;
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
	json_string(&client->out, "configuration", owner->options->config_path);
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
