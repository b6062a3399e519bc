/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void feed_init(struct feed *feed, uint32_t epoch)
{
	*feed = (struct feed){.epoch = epoch, .first = 1, .next = 1};
}

static struct feed_event *place(struct feed *feed, uint64_t number)
{
	return &feed->events[number % FEED_EVENTS];
}

static void drop_first(struct feed *feed)
{
	struct feed_event *event = place(feed, feed->first++);

	feed->size -= event->size;
	free(event->text);
	*event = (struct feed_event){0};
}

void feed_clear(struct feed *feed)
{
	while (feed->first < feed->next)
		drop_first(feed);
	feed->first = ++feed->next;
}

static char *make(uint32_t epoch, uint64_t number, const char *kind, const char *data, size_t size,
                  size_t *whole)
{
	char *text = malloc(size + 128);
	int head;

	if (text == NULL)
		return NULL;
	head = snprintf(text, 120, "id: %08" PRIx32 "-%" PRIu64 "\nevent: %s\ndata: ", epoch, number, kind);
	memcpy(text + head, data, size);
	*whole = (size_t)head + size + 2;
	text[*whole - 2] = text[*whole - 1] = '\n';
	return text;
}

char *feed_make(const struct feed *feed, const char *kind, const char *data, size_t size, size_t *whole)
{
	return make(feed->epoch, feed->next - 1, kind, data, size, whole);
}

bool feed_add(struct feed *feed, const char *kind, char *data, size_t size)
{
	struct feed_event event = {0};

	if (data == NULL)
		return false;
	event.text = make(feed->epoch, feed->next, kind, data, size, &event.size);
	free(data);
	if (event.text == NULL)
		return false;
	while (feed->first < feed->next &&
	       (feed->next - feed->first == FEED_EVENTS || feed->size + event.size > FEED_BYTES_MAX))
		drop_first(feed);
	feed->size += event.size;
	*place(feed, feed->next++) = event;
	return true;
}

const struct feed_event *feed_find(const struct feed *feed, uint64_t number)
{
	return number >= feed->first && number < feed->next ? &feed->events[number % FEED_EVENTS] : NULL;
}

uint64_t feed_resume(const struct feed *feed, const char *identifier)
{
	uint64_t number;
	uint32_t epoch;
	char more;

	if (strlen(identifier) > 32 ||
	    sscanf(identifier, "%8" SCNx32 "-%" SCNu64 "%c", &epoch, &number, &more) != 2)
		return 0;
	return epoch == feed->epoch && number + 1 >= feed->first && number < feed->next ? number + 1 : 0;
}
