/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/client.h"

#include "daemon/log/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
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

static const struct control_command *find_command(const char *name)
{
	for (const struct control_command *command = control_commands; command->name != NULL; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
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
		client_fail(client, "%s: only for root and the members of control_group", command->name);
	} else {
		client->command = command;
		command->begin(client);
	}
}

/* Takes the next request out of the input. */
static void take_request(struct client *client)
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
	begin_answer(client, client->input, size);
	client->input_size -= size + 1;
	memmove(client->input, end + 1, client->input_size);
}

static bool has_request(const struct client *client)
{
	return client->input_size > CONTROL_REQUEST_MAX ||
	       memchr(client->input, '\n', client->input_size) != NULL;
}

static void read_input(struct client *client)
{
	size_t room = sizeof client->input - client->input_size;
	ssize_t size;

	if (client->input_over || room == 0)
		return;
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
	(void)now;
	/* No reader is left for the answers. */
	if (poll(&fd, 1, 0) == 1 && (fd.revents & (POLLHUP | POLLERR)) != 0)
		client->doomed = true;
	else
		read_input(client);
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
	client->moved_at = now;
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
		take_request(client);
	if (client->command != NULL && client->command->go_on != NULL &&
	    client_backlog(client) < CONTROL_BACKLOG)
		client->command->go_on(client);
	if (was_empty)
		client->moved_at = now;
	flush_output(client, now);
	if (client->command == NULL && has_request(client) && client_backlog(client) < CONTROL_BACKLOG)
		client->owner->loop.again = true;
	else if (client->input_over && client->command == NULL && client_backlog(client) == 0)
		client->doomed = true;
	if (client_backlog(client) > 0 && now - client->moved_at >= CONTROL_PATIENCE) {
		info("control: a client that does not read is dropped");
		client->doomed = true;
	}
	client->doomed |= client->out.failed;
	if (!client->doomed)
		watch(client);
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
