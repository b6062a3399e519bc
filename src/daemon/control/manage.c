/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Commands of the control socket that change the daemon or make it work.
 */
#include "daemon/control/client.h"
#include "daemon/log/log.h"
#include "daemon/owner/status.h"

#include <syslog.h>

#define DUMP_PIECE 32768 /* bytes of the status that are written in a turn */

/* It is done when the sources of the turn are served. */
void reload_begin(struct client *client)
{
	client->owner->reload_wanted = client->owner->again = true;
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

void dump_begin(struct client *client)
{
	client->dump = status_new(client->owner);
	client->dumped = 0;
	if (client->dump == NULL) {
		client_fail(client, "dump: too many answers are being made; try again");
		return;
	}
	client_open_answer(client);
	json_string(&client->out, "command", "dump");
	json_open_string(&client->out, "text");
	status_begin(client->dump, client->owner, 2, STATUS_TEXT);
}

/* As many whole lines as fit a piece. */
static size_t piece_size(const char *text, size_t left)
{
	const char *end = left > DUMP_PIECE ? memrchr(text, '\n', DUMP_PIECE) : NULL;

	return end != NULL ? (size_t)(end - text) + 1 : left;
}

void dump_go_on(struct client *client)
{
	const char *text;
	size_t size, piece;

	status_continue(client->dump, client->owner);
	text = status_text(client->dump, &size);
	if (text == NULL)
		return;
	piece = piece_size(text + client->dumped, size - client->dumped);
	json_append(&client->out, text + client->dumped, piece);
	client->dumped += piece;
	/* A client that takes all at once gives no other cause to go on. */
	if (client->dumped < size) {
		client->owner->again = true;
		return;
	}
	json_close_string(&client->out);
	client_end_answer(client);
}

void dump_end(struct client *client)
{
	/* Others may have waited for its walk. */
	client->owner->again = true;
	status_free(client->dump);
	client->dump = NULL;
}
