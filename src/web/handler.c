/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/handler.h"

#include "web/relay.h"
#include "web/subscriber.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

static enum MHD_Result begin_task(struct exchange *exchange)
{
	static const enum task_kind kinds[] = {[REQUEST_DOCTOR] = TASK_DOCTOR,
	                                       [REQUEST_EXPLAIN] = TASK_EXPLAIN,
	                                       [REQUEST_METRICS] = TASK_METRICS};
	const char *group = exchange_parameter(exchange, "group"),
		   *source = exchange_parameter(exchange, "source");

	if (exchange->path->kind == REQUEST_EXPLAIN && group == NULL)
		return exchange_fail(exchange, MHD_HTTP_BAD_REQUEST, "the parameter group is missing");
	exchange->task =
		tasks_ask(exchange->server->tasks, kinds[exchange->path->kind], group, source, exchange);
	if (exchange->task == NULL)
		return exchange_fail(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "too many requests; try again");
	exchange_suspend(exchange);
	return MHD_YES;
}

static enum MHD_Result answer_task(struct exchange *exchange)
{
	struct task *task = exchange->done;
	struct MHD_Response *response;

	if (task == NULL || task->text == NULL || task->problem[0] != '\0')
		return exchange_fail(
			exchange,
			task != NULL && task->is_invalid ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_BAD_GATEWAY,
			task != NULL && task->problem[0] != '\0' ? task->problem : "out of memory");
	response = MHD_create_response_from_buffer(task->size, task->text, MHD_RESPMEM_MUST_FREE);
	if (response != NULL)
		task->text = NULL;
	return exchange_queue(exchange, MHD_HTTP_OK, response,
	                      exchange->path->kind == REQUEST_METRICS
	                              ? "text/plain; version=0.0.4; charset=utf-8"
	                              : "application/json");
}

void handler_take_tasks(struct server *server)
{
	struct task *task;

	while ((task = tasks_take(server->tasks)) != NULL) {
		struct exchange *exchange = task->owner;

		if (task == server->findings) {
			server->findings = NULL;
			watch_take_findings(server->watch, task->text, task->size);
		} else if (exchange != NULL) {
			exchange->task = NULL;
			exchange->done = task;
			exchange_resume(exchange);
			continue;
		}
		task_free(task);
	}
}

struct unknown {
	const struct request_path *path;
	bool found;
};

static enum MHD_Result check_parameter(void *context, enum MHD_ValueKind kind, const char *name,
                                       const char *value)
{
	struct unknown *unknown = context;

	(void)kind;
	unknown->found |= value == NULL || !request_has_parameter(unknown->path, name);
	return MHD_YES;
}

/* The address of this machine to which the client is connected, without a port. */
static void name_address(const struct client *client, char text[INET6_ADDRSTRLEN])
{
	struct sockaddr_in6 address = {0};
	socklen_t size = sizeof address;
	const void *bytes = &address.sin6_addr;
	int family;

	text[0] = '\0';
	if (getsockname(client->fd, (struct sockaddr *)&address, &size) != 0)
		return;
	family = address.sin6_family;
	if (family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)&address)->sin_addr;
	else if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
		family = AF_INET;
		bytes = &address.sin6_addr.s6_addr[12];
	}
	inet_ntop(family, bytes, text, INET6_ADDRSTRLEN);
}

static enum MHD_Result begin(struct exchange *exchange, const char *url, const char *method)
{
	struct MHD_Connection *connection = exchange->connection;
	char address[INET6_ADDRSTRLEN];
	struct request_head head = {
		.method = method,
		.path = url,
		.host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host"),
		.authorization = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization"),
		.site = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-Fetch-Site"),
		.address = address,
	};
	struct unknown unknown = {0};
	const char *problem;
	unsigned status;

	name_address(exchange->client, address);
	exchange->client->expires_at = MTIME_NEVER;
	status = request_check(&exchange->server->settings->rules, &head, &exchange->path, &problem);
	if (status != MHD_HTTP_OK)
		return exchange_fail(exchange, status, problem);
	if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length") != NULL ||
	    MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding") != NULL)
		return exchange_fail(exchange, MHD_HTTP_BAD_REQUEST, "a request has no body here");
	unknown.path = exchange->path;
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, check_parameter, &unknown);
	if (unknown.found)
		return exchange_fail(exchange, MHD_HTTP_BAD_REQUEST, "there is no such parameter");
	switch (exchange->path->kind) {
	case REQUEST_FILE:
		return exchange_answer_file(exchange);
	case REQUEST_NAMES:
		return exchange_answer_names(exchange);
	case REQUEST_SHOW:
		return relay_begin(exchange);
	case REQUEST_DOCTOR:
	case REQUEST_EXPLAIN:
	case REQUEST_METRICS:
		return begin_task(exchange);
	case REQUEST_EVENTS:
		return subscriber_begin(exchange);
	}
	return MHD_NO;
}

enum MHD_Result handler_handle(void *context, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data, size_t *size,
                               void **request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct exchange *exchange = *request;

	(void)version;
	(void)data;
	(void)size;
	if (exchange != NULL && exchange->path == NULL)
		return MHD_NO;
	if (exchange != NULL)
		return exchange->path->kind == REQUEST_SHOW ? relay_answer(exchange) : answer_task(exchange);
	if (info == NULL || info->socket_context == NULL)
		return MHD_NO;
	exchange = calloc(1, sizeof *exchange);
	if (exchange == NULL)
		return MHD_NO;
	exchange->server = context;
	exchange->connection = connection;
	exchange->client = info->socket_context;
	exchange->client->exchange = exchange;
	exchange->daemon = -1;
	*request = exchange;
	DL_APPEND(exchange->server->exchanges, exchange);
	return begin(exchange, url, method);
}

void handler_complete(void *context, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code)
{
	struct server *server = context;
	struct exchange *exchange = *request;

	(void)connection;
	(void)code;
	if (exchange == NULL)
		return;
	if (exchange->task != NULL)
		exchange->task->owner = NULL;
	task_free(exchange->done);
	relay_end(exchange);
	free(exchange->own);
	clients_set_receives(&server->clients, exchange->client, false);
	exchange->client->expires_at = server->now + (exchange->client->has_ended ? END_TIME : HEAD_TIME);
	exchange->client->exchange = NULL;
	DL_DELETE(server->exchanges, exchange);
	free(exchange);
	*request = NULL;
}
