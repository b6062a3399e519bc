/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/control.h"

#include "daemon/control/monitor.h"
#include "daemon/control/socket.h"
#include "daemon/log/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utlist.h>

#define ACCEPTS_PER_TURN 4
#define ACCEPT_RETRY     MTIME_SECOND

static void add_client(struct owner *owner, int fd, mtime now)
{
	struct control *control = owner->control;
	struct client *client = client_new(owner, fd, now);

	if (client == NULL || !loop_watch(&owner->loop, &client->source)) {
		free(client);
		close(fd);
		return;
	}
	client->next = control->clients;
	control->clients = client;
	control->client_count++;
}

/* The client whose place a new one takes; NULL when all of them wait for answers that they read. */
static struct client *longest_idle(const struct control *control, mtime now)
{
	struct client *found = NULL;

	for (struct client *client = control->clients; client != NULL; client = client->next)
		if (client_is_idle(client, now) && (found == NULL || client->active_at <= found->active_at))
			found = client;
	return found;
}

static void send_error(int fd, const char *text)
{
	char line[128];
	int length =
		snprintf(line, sizeof line, "{\"version\":%d,\"error\":\"%s\"}\n", CONTROL_VERSION, text);
	ssize_t size = send(fd, line, (size_t)length, MSG_NOSIGNAL);

	(void)size;
}

/* Makes room for a new client; false when there is none. */
static bool make_room(struct control *control, mtime now)
{
	struct client *client;

	if (control->client_count < CONTROL_CLIENTS_MAX)
		return true;
	client = longest_idle(control, now);
	if (client == NULL)
		return false;
	if (client_backlog(client) == 0)
		send_error(client->source.fd, "idle for longest; another client needs the place");
	LL_DELETE(control->clients, client);
	client_remove(client);
	return true;
}

static void accept_clients(void *context, struct loop_source *source, mtime now)
{
	struct owner *owner = context;
	struct control *control = owner->control;

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
			/* Out of descriptors or memory: the loop must not spin on it. */
			loop_set_events(&owner->loop, source, 0);
			control->accept_at = now + ACCEPT_RETRY;
		}
		if (fd < 0)
			return;
		if (make_room(control, now)) {
			add_client(owner, fd, now);
			continue;
		}
		send_error(fd, "too many clients; try again later");
		close(fd);
	}
}

/* A client whose page is on its way comes last in the next turn, so that the others get theirs. */
static void move_to_end(struct control *control, struct client *client)
{
	LL_DELETE(control->clients, client);
	LL_APPEND(control->clients, client);
}

static void serve_clients(struct owner *owner, mtime now)
{
	struct control *control = owner->control;
	struct client *client, *next, *asked = NULL;

	control->records_left = CONTROL_RECORDS;
	if (now >= control->accept_at) {
		control->accept_at = MTIME_NEVER;
		loop_set_events(&owner->loop, &control->source, EPOLLIN);
	}
	LL_FOREACH_SAFE (control->clients, client, next) {
		bool was_waiting = control->walk_waiting;

		if (!client->doomed)
			client_turn(client, now);
		if (client->doomed) {
			LL_DELETE(control->clients, client);
			client_remove(client);
		} else if (control->walk_waiting && !was_waiting) {
			asked = client;
		}
	}
	if (asked != NULL)
		move_to_end(control, asked);
}

static mtime next_deadline(const struct owner *owner)
{
	mtime deadline = owner->control->accept_at;

	for (const struct client *client = owner->control->clients; client; client = client->next)
		deadline = mtime_min(deadline, client_deadline(client));
	return deadline;
}

static void start_listening(struct owner *owner)
{
	const struct config_control *config = &owner->config->control;
	struct control *control = owner->control;
	int fd = config->socket[0] != '\0'
	                 ? control_socket_open(config, owner->adoption != NULL, &owner->control_group)
	                 : -1;

	control->source = (struct loop_source){.fd = fd, .ready = accept_clients, .context = owner};
	control->accept_at = MTIME_NEVER;
	if (fd < 0)
		return;
	strcpy(control->path, config->socket);
	loop_watch(&owner->loop, &control->source);
}

static void stop_listening(struct owner *owner)
{
	struct control *control = owner->control;

	if (control->source.fd < 0)
		return;
	loop_unwatch(&owner->loop, &control->source);
	/* In this order: the next run may bind its own at once. */
	unlink(control->path);
	close(control->source.fd);
}

static void open_control(struct owner *owner)
{
	owner->control = calloc(1, sizeof *owner->control);
	if (owner->control != NULL)
		start_listening(owner);
}

static void reopen_control(struct owner *owner)
{
	if (owner->control == NULL)
		return;
	stop_listening(owner);
	start_listening(owner);
}

static bool retry_listening(struct owner *owner)
{
	if (owner->control->source.fd < 0 && owner->config->control.socket[0] != '\0')
		start_listening(owner);
	return owner->control->source.fd >= 0 || owner->config->control.socket[0] == '\0';
}

static void close_control(struct owner *owner)
{
	struct control *control = owner->control;

	for (struct client *client = control->clients, *next; client != NULL; client = next) {
		next = client->next;
		client_remove(client);
	}
	stop_listening(owner);
	free(control);
	owner->control = NULL;
}

const struct control_handlers control_handlers = {
	.open = open_control,
	.reopen = reopen_control,
	.retry = retry_listening,
	.close = close_control,
	.turn = serve_clients,
	.deadline = next_deadline,
	.wants_events = monitor_wants_events,
	.event = monitor_event,
};
