/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/relay.h"

#include "web/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEEK_SIZE 64

void relay_end(struct exchange *exchange)
{
	if (exchange->daemon < 0)
		return;
	close(exchange->daemon);
	exchange->daemon = -1;
}

static void wait_for_daemon(struct exchange *exchange)
{
	if (!exchange->waits)
		exchange->waits_since = exchange->server->now;
	exchange->waits = true;
	exchange_suspend(exchange);
}

bool relay_is_late(const struct exchange *exchange)
{
	return exchange->waits && exchange->server->now >= exchange->waits_since + READ_TIME;
}

static ssize_t read_relay(void *context, uint64_t position, char *buffer, size_t room)
{
	struct exchange *exchange = context;
	const char *end;
	ssize_t size;

	(void)position;
	if (exchange->whole)
		return MHD_CONTENT_READER_END_OF_STREAM;
	size = recv(exchange->daemon, buffer, room, 0);
	if (size < 0 && (errno == EAGAIN || errno == EINTR) && !relay_is_late(exchange)) {
		wait_for_daemon(exchange);
		return 0;
	}
	exchange->waits = false;
	if (size <= 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	end = memchr(buffer, '\n', (size_t)size);
	exchange->whole = end != NULL;
	return end != NULL ? end - buffer + 1 : size;
}

enum MHD_Result relay_begin(struct exchange *exchange)
{
	int result;

	exchange->daemon = control_connect(exchange->server->settings->socket);
	if (exchange->daemon < 0)
		return exchange_fail(exchange, MHD_HTTP_BAD_GATEWAY, control_problem(-exchange->daemon));
	result = control_ask(exchange->daemon,
	                     (const char *const[]){"command", "show", "what", exchange->path->name,
	                                           "instance", exchange_parameter(exchange, "instance"),
	                                           "link", exchange_parameter(exchange, "link"), "group",
	                                           exchange_parameter(exchange, "group"), NULL});
	if (result != 0)
		return exchange_fail(exchange,
		                     result == -EMSGSIZE ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_BAD_GATEWAY,
		                     control_problem(-result));
	wait_for_daemon(exchange);
	return MHD_YES;
}

/* The beginning of the answer has come, or the daemon has gone. */
enum MHD_Result relay_answer(struct exchange *exchange)
{
	static const char error[] = "{\"version\":1,\"error\"";
	char start[PEEK_SIZE];
	ssize_t size = recv(exchange->daemon, start, sizeof start, MSG_PEEK);
	bool bad = size >= (ssize_t)sizeof error - 1 && memcmp(start, error, sizeof error - 1) == 0;

	exchange->waits = false;
	if (size <= 0)
		return exchange_fail(exchange, MHD_HTTP_BAD_GATEWAY, control_problem(ETIMEDOUT));
	return exchange_queue(
		exchange, bad ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_OK,
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PART_SIZE, read_relay, exchange, NULL),
		"application/json");
}
