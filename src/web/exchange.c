/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/exchange.h"

#include "web/page.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ANSWER_TIME (60 * MTIME_SECOND) /* for the client to take an answer */
#define NAMES_TIME  (2 * MTIME_SECOND)  /* the files of names may be large, and are not read more often */

static void add_headers(struct MHD_Response *response, unsigned status, const char *type)
{
	static const struct {
		unsigned status; /* 0: each one */
		const char *name, *value;
	} headers[] = {
		{0, "Content-Security-Policy",
	         "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
	         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
		{0, "X-Content-Type-Options", "nosniff"},
		{0, "X-Frame-Options", "DENY"},
		{0, "Referrer-Policy", "no-referrer"},
		{0, "Cross-Origin-Resource-Policy", "same-origin"},
		{0, "Cross-Origin-Opener-Policy", "same-origin"},
		{0, "Cache-Control", "no-store"},
		{MHD_HTTP_UNAUTHORIZED, "WWW-Authenticate", "Basic realm=\"mcproxy\", charset=\"UTF-8\""},
		{MHD_HTTP_METHOD_NOT_ALLOWED, "Allow", "GET, HEAD"},
		{MHD_HTTP_SERVICE_UNAVAILABLE, "Retry-After", "5"},
		{MHD_HTTP_TOO_MANY_REQUESTS, "Retry-After", "10"}, /* ATTEMPT_INTERVAL */
	};

	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		if (headers[i].status == 0 || headers[i].status == status)
			MHD_add_response_header(response, headers[i].name, headers[i].value);
	MHD_add_response_header(response, "Content-Type", type);
}

enum MHD_Result exchange_queue(struct exchange *exchange, unsigned status, struct MHD_Response *response,
                               const char *type)
{
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	add_headers(response, status, type);
	result = MHD_queue_response(exchange->connection, status, response);
	MHD_destroy_response(response);
	exchange->client->expires_at = exchange->server->now + ANSWER_TIME;
	return result;
}

enum MHD_Result exchange_fail(struct exchange *exchange, unsigned status, const char *problem)
{
	struct json_object *object = json_object_new_object();
	const char *text;
	enum MHD_Result result;

	exchange->client->use = USE_NONE;
	json_object_object_add(object, "error", json_object_new_string(problem));
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	result = exchange_queue(
		exchange, status,
		MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY),
		"application/json");
	json_object_put(object);
	return result;
}

void exchange_suspend(struct exchange *exchange)
{
	MHD_suspend_connection(exchange->connection);
	exchange->suspended = true;
}

void exchange_resume(struct exchange *exchange)
{
	if (!exchange->suspended)
		return;
	exchange->suspended = false;
	MHD_resume_connection(exchange->connection);
}

void exchange_drop_client(struct client *client)
{
	const struct linger now = {.l_onoff = 1};

	client->expires_at = MTIME_NEVER;
	client->use = USE_DROPPED;
	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	shutdown(client->fd, SHUT_RDWR);
	if (client->exchange != NULL)
		exchange_resume(client->exchange);
}

/* The page. */

enum MHD_Result exchange_answer_file(struct exchange *exchange)
{
	const struct page_file *file = page_files;

	while (strcmp(file->name, exchange->path->name) != 0)
		file++;
	return exchange_queue(exchange, MHD_HTTP_OK,
	                      MHD_create_response_from_buffer(file->size, (void *)(uintptr_t)file->bytes,
	                                                      MHD_RESPMEM_PERSISTENT),
	                      file->type);
}

enum MHD_Result exchange_answer_names(struct exchange *exchange)
{
	struct server *server = exchange->server;

	if (server->names == NULL || server->now >= server->names_until) {
		free(server->names);
		server->names = names_document(server->settings->names, server->settings->names_count);
		server->names_until = server->now + NAMES_TIME;
	}
	if (server->names == NULL)
		return exchange_fail(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
	return exchange_queue(
		exchange, MHD_HTTP_OK,
		MHD_create_response_from_buffer(strlen(server->names), server->names, MHD_RESPMEM_MUST_COPY),
		"application/json");
}

const char *exchange_parameter(struct exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}
