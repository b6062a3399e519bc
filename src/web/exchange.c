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

static void add_headers(struct MHD_Response *response, const char *type)
{
	static const char *const headers[][2] = {
		{"Content-Security-Policy",
	         "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
	         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cache-Control", "no-store"},
	};

	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
	MHD_add_response_header(response, "Content-Type", type);
}

enum MHD_Result exchange_queue(struct exchange *exchange, unsigned status, struct MHD_Response *response,
                               const char *type)
{
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	add_headers(response, type);
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, "WWW-Authenticate",
		                        "Basic realm=\"mcproxy\", charset=\"UTF-8\"");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(response, "Retry-After", "5");
	if (status == MHD_HTTP_TOO_MANY_REQUESTS)
		MHD_add_response_header(response, "Retry-After", "10"); /* ATTEMPT_INTERVAL */
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
