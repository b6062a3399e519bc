/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/control.h"

#include "daemon/control/monitor.h"
#include "daemon/control/socket.h"
#include "daemon/log/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utlist.h>

#define ACCEPTS_PER_TURN 4
#define ACCEPT_RETRY     MTIME_SECOND

static void client_add(struct owner *owner, int fd)
{
	struct control *control = owner->control;
	struct client *client = calloc(1, sizeof *client);

	if (client == NULL) {
		close(fd);
		return;
	}
	client->source = (struct loop_source){.fd = fd, .ready = client_ready, .context = owner};
	client->owner = owner;
	client->watched = EPOLLIN;
	client->may_change = control_socket_may_change(fd, owner->control_group);
	if (!loop_watch(&owner->loop, &client->source)) {
		close(fd);
		free(client);
		return;
	}
	client->next = control->clients;
	control->clients = client;
	control->client_count++;
}

static void refuse(int fd)
{
	static const char text[] = "{\"version\":1,\"error\":\"too many clients; try again later\"}\n";
	ssize_t size = send(fd, text, sizeof text - 1, MSG_NOSIGNAL);

	(void)size;
	close(fd);
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
		if (control->client_count == CONTROL_CLIENTS_MAX)
			refuse(fd);
		else
			client_add(owner, fd);
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
		if (client_backlog(client) > 0)
			deadline = mtime_min(deadline, client->moved_at + CONTROL_PATIENCE);
	return deadline;
}

static void start_listening(struct owner *owner)
{
	const struct config_control *config = &owner->config->control;
	struct control *control = owner->control;
	int fd = config->socket[0] != '\0' ? control_socket_open(config, &owner->control_group) : -1;

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
	close(control->source.fd);
	unlink(control->path);
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

static void retry_listening(struct owner *owner)
{
	if (owner->control->source.fd < 0)
		start_listening(owner);
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
