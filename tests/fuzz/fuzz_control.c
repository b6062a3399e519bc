/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket: the input is what a client sends, in pieces. Every line that comes back must be a JSON
 * object with the protocol's version, whatever was sent, and the next client must be served.
 */
#include "core/tables/links.h"
#include "daemon/control/client.h"
#include "daemon/control/control.h"
#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/status.h"

#include "fuzz.h"

#include <json-c/json.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

static struct owner *owner;

static void close_control(void)
{
	control_handlers.close(owner);
}

/* A daemon without links, whose only instance has no worker. */
static struct owner *make_owner(void)
{
	static const struct options options = {.config_path = "/etc/mcproxy.conf"};
	static struct config_instance instance = {.name = "iptv"};
	static struct config config = {.instances = &instance, .instance_count = 1};
	static struct instance_slot slot = {.config = &instance};
	static struct owner made = {
		.options = &options, .config = &config, .instances = &slot, .instance_count = 1};

	assert(loop_open(&made.loop));
	made.links = links_new();
	assert(made.links != NULL);
	snprintf(config.control.socket, sizeof config.control.socket, "/tmp/mcproxy-fuzz-%d.sock", getpid());
	config.control.mode = 0600;
	/* The fuzzer needs no log lines. */
	log_set_level(LOG_ERR);
	control_handlers.open(&made);
	assert(made.control != NULL);
	atexit(close_control);
	return &made;
}

static void turn(void)
{
	mtime now = clock_now();

	loop_wait(&owner->loop, 0);
	loop_serve(&owner->loop, now);
	control_handlers.turn(owner, now);
	loop_end_turn(&owner->loop);
}

static int connect_client(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, owner->config->control.socket);
	assert(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
	return fd;
}

/* Takes the whole lines of what has come; the rest stays. */
static void check_lines(char *text, size_t *size)
{
	char *end;

	while ((end = memchr(text, '\n', *size)) != NULL) {
		size_t line = (size_t)(end - text);
		struct json_object *object, *version;

		text[line] = '\0';
		assert(strlen(text) == line);
		object = json_tokener_parse(text);
		assert(json_object_is_type(object, json_type_object));
		assert(json_object_object_get_ex(object, "version", &version) &&
		       json_object_get_int(version) == CONTROL_VERSION);
		json_object_put(object);
		*size -= line + 1;
		memmove(text, end + 1, *size);
	}
}

static void receive(int fd, char *text, size_t *size, size_t room)
{
	ssize_t count;

	while ((count = recv(fd, text + *size, room - *size, 0)) > 0) {
		*size += (size_t)count;
		check_lines(text, size);
		assert(*size < room);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[1 << 20];
	size_t received = 0;
	int fd;

	if (owner == NULL)
		owner = make_owner();
	fd = connect_client();
	for (size_t sent = 0, piece; sent < size; sent += piece) {
		piece = 1 + data[sent] % 64;
		piece = piece < size - sent ? piece : size - sent;
		if (send(fd, data + sent, piece, MSG_NOSIGNAL) != (ssize_t)piece)
			break; /* it was dropped: the request was too long */
		turn();
		receive(fd, text, &received, sizeof text);
	}
	for (int i = 0; i < 8; i++) {
		turn();
		receive(fd, text, &received, sizeof text);
	}
	close(fd);
	for (int i = 0; i < 100 && owner->control->clients != NULL; i++)
		turn();
	assert(owner->control->clients == NULL && owner->control->monitors == 0);
	return 0;
}
