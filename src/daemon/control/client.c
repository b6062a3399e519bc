/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/client.h"

#include "daemon/control/socket.h"
#include "daemon/log/log.h"

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define WRITE_PER_TURN 65536
#define DISCARDS_MAX   64 /* reads of unwanted input */

size_t client_backlog(const struct client *client)
{
	return client->out.size - client->sent;
}

void client_open_answer(struct client *client)
{
	json_open(&client->out, NULL, '{');
	json_number(&client->out, "version", CONTROL_VERSION);
}

void client_end_answer(struct client *client)
{
	json_close(&client->out, '}');
	json_end_line(&client->out);
	if (client->command != NULL && client->command->end != NULL)
		client->command->end(client);
	client->command = NULL;
}

void client_fail(struct client *client, const char *format, ...)
{
	char text[CONTROL_ERROR_SIZE * 2];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	client_open_answer(client);
	json_string(&client->out, "error", text);
	client_end_answer(client);
}

struct client *client_new(struct owner *owner, int fd, mtime now)
{
	struct client *client = calloc(1, sizeof *client);

	if (client == NULL)
		return NULL;
	client->source = (struct loop_source){.fd = fd, .ready = client_ready, .context = owner};
	client->owner = owner;
	client->watched = EPOLLIN;
	client->may_change = control_socket_may_change(fd, owner->control_group);
	client->active_at = client->emptied_at = now;
	client->patience_until = now + CONTROL_PATIENCE;
	client->unread_at = MTIME_NEVER;
	return client;
}

static const struct control_command *find_command(const char *name)
{
	for (const struct control_command *command = control_commands; command->name != NULL; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

static void refuse_change(struct client *client, const char *command)
{
	const char *group = client->owner->config->control.group;

	if (group[0] != '\0')
		client_fail(client, "%s: only for root and the members of group %s (control_group)", command,
		            group);
	else
		client_fail(client,
		            "%s: only for root; to admit a group, set control_group in the configuration",
		            command);
}

static void begin_answer(struct client *client, const char *line, size_t size)
{
	char error[CONTROL_ERROR_SIZE];
	const struct control_command *command;

	if (!control_request_read(line, size, &client->request, error)) {
		client_fail(client, "%s", error);
		return;
	}
	command = find_command(client->request.command);
	if (command == NULL) {
		client_fail(client, "%s: no such command", client->request.command);
	} else if (command->changes && !client->may_change) {
		refuse_change(client, command->name);
	} else {
		client->command = command;
		command->begin(client);
	}
}

/* Takes the next request out of the input. */
static void take_request(struct client *client, mtime now)
{
	char *end = memchr(client->input, '\n', client->input_size);
	size_t size = end != NULL ? (size_t)(end - client->input) : client->input_size;

	if (end == NULL && client->input_size <= CONTROL_REQUEST_MAX)
		return;
	if (end == NULL) {
		client_fail(client, "the request is longer than %d bytes", CONTROL_REQUEST_MAX);
		client->input_over = true;
		client->input_size = 0;
		return;
	}
	client->active_at = client->input_at = now;
	begin_answer(client, client->input, size);
	client->input_size -= size + 1;
	memmove(client->input, end + 1, client->input_size);
}

static bool has_request(const struct client *client)
{
	return client->input_size > CONTROL_REQUEST_MAX ||
	       memchr(client->input, '\n', client->input_size) != NULL;
}

static bool has_unfinished_request(const struct client *client)
{
	return client->input_size > 0 && !client->input_over && !has_request(client);
}

static void read_input(struct client *client, mtime now)
{
	size_t room = sizeof client->input - client->input_size;
	ssize_t size;

	if (client->input_over || room == 0)
		return;
	if (client->input_size == 0)
		client->input_at = now;
	size = recv(client->source.fd, client->input + client->input_size, room, 0);
	if (size > 0)
		client->input_size += (size_t)size;
	else if (size == 0)
		client->input_over = true;
	else if (errno != EAGAIN && errno != EINTR)
		client->doomed = true;
}

void client_ready(void *context, struct loop_source *source, mtime now)
{
	struct client *client = (struct client *)source;
	struct pollfd fd = {.fd = source->fd};

	(void)context;
	/* No reader is left for the answers. */
	if (poll(&fd, 1, 0) == 1 && (fd.revents & (POLLHUP | POLLERR)) != 0)
		client->doomed = true;
	else
		read_input(client, now);
}

/* While a client has a backlog, its patience runs out, in at most CONTROL_PATIENCE. What the client takes restores
 * patience, and so does time without a backlog. So taking little at the right time gains nothing. */
static void begin_backlog(struct client *client, mtime now)
{
	client->patience_until =
		mtime_min(now + CONTROL_PATIENCE, client->patience_until + 2 * (now - client->emptied_at));
}

static void take_backlog(struct client *client, size_t size, mtime now)
{
	mtime earned = size < CONTROL_PROGRESS ? (mtime)size * CONTROL_PATIENCE / CONTROL_PROGRESS
	                                       : CONTROL_PATIENCE;

	client->active_at = now;
	client->patience_until = mtime_min(now + CONTROL_PATIENCE, client->patience_until + earned);
	if (client_backlog(client) > 0)
		return;
	client->emptied_at = now;
	client->unread_at = client->monitoring ? MTIME_NEVER : now + CONTROL_PATIENCE;
	client->unread = INT_MAX;
}

/* Has the client taken too little of an answer that is completely in the socket? It can still read the answer. A
 * monitor may pause, because its place goes to a client that needs one. */
static bool leaves_answer_unread(struct client *client, mtime now)
{
	int unread = 0, before = client->unread;

	if (now < client->unread_at)
		return false;
	client->unread_at = MTIME_NEVER;
	if (client->monitoring || client_backlog(client) > 0 ||
	    ioctl(client->source.fd, SIOCOUTQ, &unread) != 0 || unread == 0)
		return false;
	client->unread_at = now + CONTROL_PATIENCE;
	client->unread = unread;
	return before - unread < CONTROL_PROGRESS;
}

static void end_unfinished_request(struct client *client)
{
	if (client->command != NULL) {
		client->doomed = true;
		return;
	}
	client_fail(client, "the request is not complete after %d seconds",
	            (int)(CONTROL_PATIENCE / MTIME_SECOND));
	client->input_over = true;
	client->input_size = 0;
}

static void flush_output(struct client *client, mtime now)
{
	size_t left = client_backlog(client);
	ssize_t size;

	if (left == 0)
		return;
	size = send(client->source.fd, client->out.text + client->sent,
	            left < WRITE_PER_TURN ? left : WRITE_PER_TURN, MSG_NOSIGNAL);
	if (size < 0 && errno != EAGAIN && errno != EINTR)
		client->doomed = true;
	if (size <= 0)
		return;
	client->sent += (size_t)size;
	take_backlog(client, (size_t)size, now);
	if (client_backlog(client) > 0 && client_backlog(client) > client->sent)
		return;
	json_consume(&client->out, client->sent);
	client->sent = 0;
	if (client->out.size == 0 && client->command == NULL)
		json_fini(&client->out);
}

/* Watches for input and for room as they are needed. */
static void watch(struct client *client)
{
	uint32_t wanted = (client->input_over || client->input_size > CONTROL_REQUEST_MAX ? 0 : EPOLLIN) |
	                  (client_backlog(client) > 0 ? EPOLLOUT : 0);

	if (wanted == client->watched)
		return;
	client->watched = wanted;
	loop_set_events(&client->owner->loop, &client->source, wanted);
}

void client_turn(struct client *client, mtime now)
{
	bool was_empty = client_backlog(client) == 0;

	if (client->command == NULL && client_backlog(client) < CONTROL_BACKLOG)
		take_request(client, now);
	if (has_unfinished_request(client) && now - client->input_at >= CONTROL_PATIENCE)
		end_unfinished_request(client);
	if (client->command != NULL && client->command->go_on != NULL &&
	    client_backlog(client) < CONTROL_BACKLOG)
		client->command->go_on(client);
	if (was_empty && client_backlog(client) > 0)
		begin_backlog(client, now);
	flush_output(client, now);
	if (client->command == NULL && has_request(client) && client_backlog(client) < CONTROL_BACKLOG)
		client->owner->loop.again = true;
	else if (client->input_over && client->command == NULL && client_backlog(client) == 0)
		client->doomed = true;
	if (leaves_answer_unread(client, now) ||
	    (client_backlog(client) > 0 && now >= client->patience_until)) {
		info("control: a client that does not read is dropped");
		client->doomed = true;
	}
	client->doomed |= client->out.failed;
	if (!client->doomed)
		watch(client);
}

mtime client_deadline(const struct client *client)
{
	mtime deadline = client_backlog(client) > 0 ? client->patience_until : client->unread_at;

	return has_unfinished_request(client) ? mtime_min(deadline, client->input_at + CONTROL_PATIENCE)
	                                      : deadline;
}

bool client_is_idle(const struct client *client, mtime now)
{
	if (client_backlog(client) > 0)
		return now - client->active_at >= MTIME_SECOND;
	return client->command == NULL || client->monitoring;
}

/* Unread bytes would make the kernel reset the connection, which loses the last answer. */
static void discard_input(struct client *client)
{
	for (int i = 0; i < DISCARDS_MAX; i++)
		if (recv(client->source.fd, client->input, sizeof client->input, 0) <= 0)
			return;
}

void client_remove(struct client *client)
{
	struct owner *owner = client->owner;

	if (client->command != NULL && client->command->end != NULL)
		client->command->end(client);
	loop_remove(&owner->loop, &client->source);
	discard_input(client);
	close(client->source.fd);
	json_fini(&client->out);
	owner->control->client_count--;
}
