/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/handler.h"

#include "daemon/log/log.h"
#include "web/relay.h"
#include "web/subscriber.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

/* What a request needs: a place, and the task that answers it. */
static const struct {
	enum use use;
	enum task_kind task;
} needs[] = {
	[REQUEST_FILE] = {0},
	[REQUEST_NAMES] = {0},
	[REQUEST_SHOW] = {.use = USE_SHOW},
	[REQUEST_EVENTS] = {.use = USE_EVENTS},
	[REQUEST_DOCTOR] = {USE_CHECK, TASK_DOCTOR},
	[REQUEST_METRICS] = {USE_CHECK, TASK_METRICS},
	[REQUEST_EXPLAIN] = {USE_EXPLAIN, TASK_EXPLAIN},
};

static bool waits_for_task(const struct exchange *exchange)
{
	return (exchange->client->use == USE_CHECK || exchange->client->use == USE_EXPLAIN) &&
	       exchange->suspended && exchange->task == NULL && exchange->done == NULL;
}

void handler_begin_tasks(struct server *server)
{
	struct exchange *exchange;

	DL_FOREACH (server->exchanges, exchange) {
		if (!waits_for_task(exchange) ||
		    !tasks_can_ask(server->tasks, needs[exchange->path->kind].task))
			continue;
		exchange->task = tasks_ask(server->tasks, needs[exchange->path->kind].task,
		                           exchange_parameter(exchange, "group"),
		                           exchange_parameter(exchange, "source"), exchange);
		if (exchange->task == NULL)
			exchange_resume(exchange);
	}
}

static enum MHD_Result begin_task(struct exchange *exchange)
{
	if (exchange->path->kind == REQUEST_EXPLAIN && exchange_parameter(exchange, "group") == NULL)
		return exchange_fail(exchange, MHD_HTTP_BAD_REQUEST, "the parameter group is missing");
	exchange_suspend(exchange);
	handler_begin_tasks(exchange->server);
	return MHD_YES;
}

/* Adds the metrics of mcproxy-web itself. */
static void add_metrics(struct task *task, const struct attempts *attempts)
{
	char *text;
	int size =
		asprintf(&text,
	                 "%s# HELP mcproxy_web_wrong_passwords_total Wrong passwords.\n"
	                 "# TYPE mcproxy_web_wrong_passwords_total counter\n"
	                 "mcproxy_web_wrong_passwords_total %" PRIu64 "\n"
	                 "# HELP mcproxy_web_refused_requests_total Requests refused after wrong passwords.\n"
	                 "# TYPE mcproxy_web_refused_requests_total counter\n"
	                 "mcproxy_web_refused_requests_total %" PRIu64 "\n",
	                 task->text, attempts->wrong, attempts->refused);

	if (size < 0)
		return;
	free(task->text);
	task->text = text;
	task->size = (size_t)size;
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
	if (exchange->path->kind == REQUEST_METRICS && exchange->server->settings->rules.account_count > 0)
		add_metrics(task, &exchange->server->attempts);
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
	unsigned char bytes[16];

	text[0] = '\0';
	if (getsockname(client->fd, (struct sockaddr *)&address, &size) != 0)
		return;
	address_read((struct sockaddr *)&address, bytes);
	address_print(bytes, text);
}

/* Counts refused requests, and logs some: attackers must not fill the log. */
static void refuse(struct server *server, const struct client *client)
{
	char text[INET6_ADDRSTRLEN];

	server->attempts.refused++;
	if (server->attempts.refused > 1 && server->now < server->warned_at + 60 * MTIME_SECOND)
		return;
	server->warned_at = server->now;
	address_print(client->address, text);
	warnx("%s: too many wrong passwords, so its requests are refused for a while: %" PRIu64
	      " wrong passwords, %" PRIu64 " refused requests of all addresses",
	      text, server->attempts.wrong, server->attempts.refused);
}

static enum MHD_Result begin(struct exchange *exchange, const char *url, const char *method)
{
	struct MHD_Connection *connection = exchange->connection;
	struct server *server = exchange->server;
	char address[INET6_ADDRSTRLEN];
	struct request_head head = {
		.method = method,
		.path = url,
		.host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host"),
		.authorization = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization"),
		.site = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-Fetch-Site"),
		.address = address,
		.may_not_try =
			attempts_are_used_up(&server->attempts, exchange->client->address, server->now),
	};
	struct unknown unknown = {0};
	struct client *victim = NULL;
	const char *problem;
	enum use use;
	unsigned status;

	name_address(exchange->client, address);
	exchange->client->expires_at = MTIME_NEVER;
	status = request_check(&server->settings->rules, &head, &exchange->path, &problem);
	if (status == MHD_HTTP_TOO_MANY_REQUESTS)
		refuse(server, exchange->client);
	else if (status == MHD_HTTP_UNAUTHORIZED && head.authorization != NULL)
		attempts_add_wrong(&server->attempts, exchange->client->address, server->now);
	if (status != MHD_HTTP_OK)
		return exchange_fail(exchange, status, problem);
	if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length") != NULL ||
	    MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding") != NULL)
		return exchange_fail(exchange, MHD_HTTP_BAD_REQUEST, "a request has no body here");
	unknown.path = exchange->path;
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, check_parameter, &unknown);
	if (unknown.found)
		return exchange_fail(exchange, MHD_HTTP_BAD_REQUEST, "there is no such parameter");
	use = needs[exchange->path->kind].use;
	if (use != USE_NONE && !clients_admit(&server->clients, exchange->client, use, &victim))
		return exchange_fail(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "too many requests; try again");
	if (victim != NULL)
		exchange_drop_client(victim);
	exchange->client->use = use;
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
	struct client *client = info != NULL ? info->socket_context : NULL;

	(void)version;
	(void)data;
	(void)size;
	if (client == NULL || client->use == USE_DROPPED || (exchange != NULL && exchange->path == NULL))
		return MHD_NO;
	if (exchange != NULL)
		return exchange->path->kind == REQUEST_SHOW ? relay_answer(exchange) : answer_task(exchange);
	exchange = calloc(1, sizeof *exchange);
	if (exchange == NULL)
		return MHD_NO;
	exchange->server = context;
	exchange->connection = connection;
	exchange->client = client;
	client->exchange = exchange;
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
	if (exchange->client->use != USE_DROPPED)
		exchange->client->use = USE_NONE;
	exchange->client->expires_at = server->now + (exchange->client->has_ended ? END_TIME : HEAD_TIME);
	exchange->client->exchange = NULL;
	DL_DELETE(server->exchanges, exchange);
	free(exchange);
	*request = NULL;
}
