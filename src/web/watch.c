/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/watch.h"

#include "ctl/client/answer.h"
#include "daemon/log/clock.h"
#include "web/control.h"
#include "web/items.h"
#include "web/questions.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK            65536
#define CHANGE_INTERVAL  450  /* between two events */
#define RETRY_INTERVAL   500  /* while the daemon is away */
#define PATIENCE         5000 /* without a byte of an answer */
#define FINDINGS_SOON    1500 /* after an event, so that the state has settled */
#define FINDINGS_REGULAR 20000
#define REFUSALS_MAX     8     /* refused joins that clients learn of, in a second */
#define LINE_SIZE_MAX    65536 /* of an event of the daemon */

struct watch {
	const char *socket;
	struct model *model;
	struct feed feed;
	bool started;
	bool ready; /* every list has been read once */
	bool away;  /* an event has announced that */
	const char *why;
	int monitor, query; /* descriptors; -1: not connected */
	mtime retry_at;
	/* the question at hand */
	bool asking;
	struct question question;
	struct items items;
	char *status; /* the answer to `show status`, as an object */
	size_t status_size;
	FILE *status_out;
	mtime asked_at, heard_at;
	struct questions questions; /* that are asked next */
	mtime changed_at;           /* the last event with changes */
	mtime refusals_until;       /* the second to which refusal_count belongs */
	unsigned refusal_count;
	mtime findings_at;
	bool findings_asked;
	/* of the monitor */
	char line[LINE_SIZE_MAX];
	size_t line_size;
};

struct watch *watch_new(const char *socket)
{
	struct watch *watch = calloc(1, sizeof *watch);
	uint32_t epoch = 1;

	if (watch == NULL)
		return NULL;
	watch->socket = socket;
	watch->monitor = watch->query = -1;
	watch->model = model_new();
	if (getrandom(&epoch, sizeof epoch, 0) < 0)
		epoch = (uint32_t)clock_wall();
	feed_init(&watch->feed, epoch);
	if (watch->model != NULL)
		return watch;
	free(watch);
	return NULL;
}

static double wall_time(void)
{
	return (double)clock_wall() / 1000;
}

static void end_question(struct watch *watch)
{
	watch->asking = false;
	items_end(&watch->items);
	if (watch->status_out != NULL)
		fclose(watch->status_out);
	free(watch->status);
	watch->status_out = NULL;
	watch->status = NULL;
}

static void disconnect(struct watch *watch)
{
	end_question(watch);
	if (watch->monitor >= 0)
		close(watch->monitor);
	if (watch->query >= 0)
		close(watch->query);
	watch->monitor = watch->query = -1;
	watch->line_size = 0;
	watch->ready = false;
	model_clear(watch->model);
}

void watch_stop(struct watch *watch)
{
	disconnect(watch);
	feed_clear(&watch->feed);
	watch->started = watch->away = false;
}

void watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	watch_stop(watch);
	model_free(watch->model);
	free(watch);
}

bool watch_is_started(const struct watch *watch)
{
	return watch->started;
}

struct feed *watch_feed(struct watch *watch)
{
	return &watch->feed;
}

static char *away_data(const struct watch *watch)
{
	char *data;

	return asprintf(&data, "{\"connected\":false,\"why\":\"%s\"}", watch->why) >= 0 ? data : NULL;
}

/* Announces once that the daemon is away. */
static void lose_daemon(struct watch *watch, int error, mtime now)
{
	bool known = watch->away && watch->why == control_problem(error);
	char *data;

	disconnect(watch);
	watch->why = control_problem(error);
	watch->away = true;
	watch->retry_at = now + RETRY_INTERVAL;
	data = known ? NULL : away_data(watch);
	if (data != NULL)
		feed_add(&watch->feed, "daemon", data, strlen(data));
}

static void connect_daemon(struct watch *watch, mtime now)
{
	static const char *const monitor[] = {"command", "monitor", NULL};
	int result = control_connect(watch->socket);

	watch->monitor = result < 0 ? -1 : result;
	if (result >= 0)
		result = control_connect(watch->socket);
	watch->query = result < 0 ? -1 : result;
	if (result >= 0)
		result = control_ask(watch->monitor, monitor);
	if (result < 0) {
		lose_daemon(watch, -result, now);
		return;
	}
	watch->retry_at = MTIME_NEVER;
	questions_begin(&watch->questions, now);
	watch->findings_at = now;
}

void watch_start(struct watch *watch, mtime now)
{
	if (watch->started)
		return;
	watch->started = true;
	connect_daemon(watch, now);
}

char *watch_greet(const struct watch *watch, size_t *size)
{
	size_t data_size = 0;
	char *data = NULL, *text;

	if (watch->ready)
		data = model_snapshot(watch->model, wall_time(), &data_size);
	else if (watch->away)
		data = away_data(watch);
	if (data == NULL)
		return NULL;
	text = feed_make(&watch->feed, watch->ready ? "snapshot" : "daemon", data,
	                 watch->ready ? data_size : strlen(data), size);
	free(data);
	return text;
}

/* Joins that a filter denied or a limit refused are in no list: clients get the daemon's event. */
static void pass_refusal(struct watch *watch, struct json_object *event, const char *line, mtime now)
{
	bool limit = strstr(answer_text(event, "cause"), "reached") != NULL;

	if (!watch->ready || !(limit || strcmp(answer_text(event, "event"), "denied") == 0))
		return;
	if (now >= watch->refusals_until) {
		watch->refusals_until = now + MTIME_SECOND;
		watch->refusal_count = 0;
	}
	if (watch->refusal_count++ < REFUSALS_MAX)
		feed_add(&watch->feed, "refusal", strdup(line), strlen(line));
}

/* Takes the whole lines that have arrived; false if one is not the daemon's. */
static bool take_lines(struct watch *watch, mtime now)
{
	char *start = watch->line, *end;
	size_t left = watch->line_size;

	while ((end = memchr(start, '\n', left)) != NULL) {
		struct json_object *event;

		*end = '\0';
		event = json_tokener_parse(start);
		if (!json_object_is_type(event, json_type_object) || answer_has(event, "error")) {
			json_object_put(event);
			return false;
		}
		if (questions_note(&watch->questions, event, start))
			watch->findings_at = mtime_min(watch->findings_at, now + FINDINGS_SOON);
		pass_refusal(watch, event, start, now);
		json_object_put(event);
		left -= (size_t)(end + 1 - start);
		start = end + 1;
	}
	memmove(watch->line, start, left);
	watch->line_size = left;
	return left < sizeof watch->line;
}

static void receive_events(struct watch *watch, mtime now)
{
	ssize_t size = recv(watch->monitor, watch->line + watch->line_size,
	                    sizeof watch->line - watch->line_size, 0);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size > 0)
		watch->line_size += (size_t)size;
	if (size <= 0 || !take_lines(watch, now))
		lose_daemon(watch, ECONNRESET, now);
}

/* A member of the answer or an element of its list. */
static void take_item(void *context, const char *name, const char *text, size_t size)
{
	struct watch *watch = context;
	enum list list = question_list(&watch->question);

	if (list < LISTS && strcmp(name, list_name(list)) == 0)
		model_take(watch->model, list, text, size);
}

/* `show status` is kept as it is. */
static void keep_status(struct watch *watch, const char *bytes, size_t size)
{
	if (watch->status_out == NULL)
		watch->status_out = open_memstream(&watch->status, &watch->status_size);
	if (watch->status_out != NULL)
		fwrite(bytes, 1, size, watch->status_out);
}

static void take_status(struct watch *watch)
{
	if (watch->status_out == NULL || fflush(watch->status_out) != 0)
		return;
	model_set_status(watch->model, watch->status, strcspn(watch->status, "\n"));
}

static void check_ready(struct watch *watch, mtime now)
{
	size_t size;
	char *data;

	if (!questions_are_answered(&watch->questions))
		return;
	data = model_changes(watch->model, wall_time(), &size); /* what follows is the whole */
	free(data);
	data = model_snapshot(watch->model, wall_time(), &size);
	watch->ready = feed_add(&watch->feed, "snapshot", data, size);
	watch->away = false;
	if (!watch->ready)
		lose_daemon(watch, ENOMEM, now);
}

static void take_answer(struct watch *watch, mtime now)
{
	const struct question *question = &watch->question;
	enum list list = question_list(question);

	if (list == LISTS)
		take_status(watch);
	else if (question->key[0] != '\0')
		model_end_one(watch->model, list, question->key);
	else
		model_end(watch->model, list);
	questions_answer(&watch->questions, question, watch->asked_at, now);
	end_question(watch);
	if (!watch->ready)
		check_ready(watch, now);
}

static void receive_answer(struct watch *watch, mtime now)
{
	static char chunk[CHUNK];
	ssize_t size = recv(watch->query, chunk, sizeof chunk, 0);
	enum items_state state = ITEMS_BAD;

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size == 1 && chunk[0] == '\n')
		return; /* the end of an answer that was whole without it */
	if (size > 0 && watch->asking) {
		watch->heard_at = now;
		if (question_list(&watch->question) == LISTS)
			keep_status(watch, chunk, (size_t)size);
		state = items_feed(&watch->items, chunk, (size_t)size);
	}
	if (state == ITEMS_BAD)
		lose_daemon(watch, ECONNRESET, now);
	else if (state == ITEMS_WHOLE)
		take_answer(watch, now);
}

static void ask_next(struct watch *watch, mtime now)
{
	const struct question *question = &watch->question;
	int result;

	if (!questions_next(&watch->questions, now, &watch->question))
		return;
	result = control_ask(watch->query,
	                     (const char *const[]){"command", "show", "what", question_what(question),
	                                           "instance", question->instance, "link", question->link,
	                                           "group", question->group, NULL});
	if (result != 0) {
		lose_daemon(watch, ECONNRESET, now);
		return;
	}
	watch->asking = true;
	watch->asked_at = watch->heard_at = now;
	items_begin(&watch->items, take_item, watch);
	if (question_list(question) < LISTS)
		model_begin(watch->model, question_list(question));
}

static void announce(struct watch *watch, mtime now)
{
	size_t size;
	char *data = model_changes(watch->model, wall_time(), &size);

	watch->changed_at = now;
	if (!feed_add(&watch->feed, "change", data, size))
		lose_daemon(watch, ENOMEM, now);
}

void watch_prepare(const struct watch *watch, struct pollfd fds[WATCH_FDS])
{
	fds[0] = (struct pollfd){.fd = watch->monitor, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = watch->query, .events = POLLIN};
}

mtime watch_deadline(const struct watch *watch)
{
	mtime at = MTIME_NEVER;

	if (!watch->started)
		return at;
	if (watch->query < 0)
		return watch->retry_at;
	if (watch->asking)
		return watch->heard_at + PATIENCE;
	at = questions_deadline(&watch->questions);
	if (!watch->ready)
		return at;
	if (model_has_changed(watch->model))
		at = mtime_min(at, watch->changed_at + CHANGE_INTERVAL);
	return watch->findings_asked ? at : mtime_min(at, watch->findings_at);
}

void watch_receive(struct watch *watch, const struct pollfd fds[WATCH_FDS], mtime now)
{
	if (watch->monitor >= 0 && fds[0].fd == watch->monitor && fds[0].revents != 0)
		receive_events(watch, now);
	if (watch->query >= 0 && fds[1].fd == watch->query && fds[1].revents != 0)
		receive_answer(watch, now);
}

void watch_expire(struct watch *watch, mtime now)
{
	if (!watch->started)
		return;
	if (watch->query < 0 && now >= watch->retry_at)
		connect_daemon(watch, now);
	if (watch->query < 0)
		return;
	if (watch->asking && now >= watch->heard_at + PATIENCE) {
		lose_daemon(watch, ETIMEDOUT, now);
		return;
	}
	if (watch->asking)
		return;
	if (watch->ready && model_has_changed(watch->model) && now >= watch->changed_at + CHANGE_INTERVAL)
		announce(watch, now);
	if (watch->query >= 0)
		ask_next(watch, now);
}

bool watch_wants_findings(struct watch *watch, mtime now)
{
	if (!watch->ready || watch->findings_asked || now < watch->findings_at)
		return false;
	watch->findings_asked = true;
	watch->findings_at = now + FINDINGS_REGULAR;
	return true;
}

static void take_finding(void *context, const char *name, const char *text, size_t size)
{
	if (strcmp(name, list_name(LIST_FINDINGS)) == 0)
		model_take(context, LIST_FINDINGS, text, size);
}

void watch_take_findings(struct watch *watch, const char *text, size_t size)
{
	struct items items = {0};

	watch->findings_asked = false;
	if (!watch->ready || text == NULL)
		return;
	items_begin(&items, take_finding, watch->model);
	model_begin(watch->model, LIST_FINDINGS);
	if (items_feed(&items, text, size) == ITEMS_WHOLE)
		model_end(watch->model, LIST_FINDINGS);
	items_end(&items);
}
