/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/subscriber.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define COMMENT_TIME  (15 * MTIME_SECOND)
#define GREETINGS_MAX ((size_t)64 << 20) /* bytes that clients have not read of their first events */

/* The text that the client is in the middle of; NULL: it has all. */
static const char *current(const struct exchange *exchange, size_t *size)
{
	const struct feed_event *event = feed_find(watch_feed(exchange->server->watch), exchange->number);

	*size = exchange->own != NULL ? exchange->own_size : event != NULL ? event->size : 0;
	return exchange->own != NULL ? exchange->own : event != NULL ? event->text : NULL;
}

static void finish_text(struct exchange *exchange)
{
	if (exchange->own == NULL)
		exchange->number++;
	free(exchange->own);
	exchange->own = NULL;
	exchange->at = 0;
}

/* The client has not kept up: its next event is no longer there. */
static bool is_behind(const struct exchange *exchange)
{
	const struct feed *feed = watch_feed(exchange->server->watch);

	return exchange->own == NULL && exchange->number < feed->first;
}

static ssize_t read_events(void *context, uint64_t position, char *buffer, size_t room)
{
	struct exchange *exchange = context;
	static const char comment[] = {':', '\n', '\n'};
	size_t used = 0, size;
	const char *text;

	(void)position;
	if (is_behind(exchange) || exchange->client->use != USE_EVENTS)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (exchange->comment && exchange->at == 0 && room >= sizeof comment) {
		memcpy(buffer, comment, sizeof comment);
		used = sizeof comment;
		exchange->comment = false;
	}
	while (used < room && (text = current(exchange, &size)) != NULL) {
		size_t part = size - exchange->at < room - used ? size - exchange->at : room - used;

		memcpy(buffer + used, text + exchange->at, part);
		used += part;
		exchange->at += part;
		if (exchange->at == size)
			finish_text(exchange);
	}
	exchange->client->expires_at = used > 0 ? exchange->server->now + READ_TIME : MTIME_NEVER;
	if (used == 0)
		exchange_suspend(exchange);
	else
		exchange->comment_at = exchange->server->now + COMMENT_TIME;
	return (ssize_t)used;
}

/* Is there memory for one more first event? A single one always fits. */
static bool has_room(const struct server *server, size_t size)
{
	const struct exchange *exchange;
	size_t others = 0;

	DL_FOREACH (server->exchanges, exchange)
		others += exchange->own != NULL ? exchange->own_size : 0;
	return others == size || others <= GREETINGS_MAX;
}

enum MHD_Result subscriber_begin(struct exchange *exchange)
{
	struct server *server = exchange->server;
	struct feed *feed = watch_feed(server->watch);
	const char *last =
		MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "Last-Event-ID");

	watch_start(server->watch, server->now);
	exchange->number = last != NULL ? feed_resume(feed, last) : 0;
	if (exchange->number == 0) {
		exchange->number = feed->next;
		exchange->own = watch_greet(server->watch, &exchange->own_size);
		if (exchange->own != NULL && !has_room(server, exchange->own_size))
			return exchange_fail(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "too many slow clients");
	}
	exchange->comment = true; /* the client sees at once that it is connected */
	return exchange_queue(
		exchange, MHD_HTTP_OK,
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PART_SIZE, read_events, exchange, NULL),
		"text/event-stream");
}

void subscribers_wake(struct server *server)
{
	struct exchange *exchange;
	size_t size;

	DL_FOREACH (server->exchanges, exchange) {
		if (!exchange->suspended || exchange->client->use != USE_EVENTS)
			continue;
		exchange->comment |= server->now >= exchange->comment_at;
		if (exchange->comment || current(exchange, &size) != NULL || is_behind(exchange)) {
			exchange->client->expires_at = server->now + READ_TIME;
			exchange_resume(exchange);
		}
	}
}
