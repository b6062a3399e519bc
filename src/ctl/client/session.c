/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client/session.h"

#include "ctl/client/print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK    65536
#define PATIENCE 5 /* seconds without a byte of an answer */

struct session {
	const struct ctl *ctl;
	struct session_problem *problem; /* where problems go; NULL: to stderr */
	int fd;
	/* received, but not yet consumed */
	char buffer[CHUNK];
	size_t start, end;
	bool late; /* the last receive ran into the time limit */
	char *line;
	size_t line_size;
};

static void report(const struct ctl *ctl, const struct session_problem *problem, struct session_problem *to)
{
	if (to != NULL)
		*to = *problem;
	else
		session_print_problem(ctl, problem);
}

void session_print_problem(const struct ctl *ctl, const struct session_problem *problem)
{
	print_to(stderr, "mcproxyctl: %s: %s; %s\n", ctl->socket, problem->what, problem->remedy);
}

/* 0 restores the wait without limit. */
static void set_patience(const struct session *session, unsigned seconds)
{
	struct timeval patience = {.tv_sec = seconds};

	setsockopt(session->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(session->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

struct session *session_open_with(const struct ctl *ctl, struct session_problem *to)
{
	struct session *session = calloc(1, sizeof *session);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct session_problem problem;

	if (session == NULL || strlen(ctl->socket) >= sizeof address.sun_path) {
		session_problem_connect(&problem, ctl->socket, session == NULL ? ENOMEM : ENAMETOOLONG);
		report(ctl, &problem, to);
		free(session);
		return NULL;
	}
	strcpy(address.sun_path, ctl->socket);
	session->ctl = ctl;
	session->problem = to;
	session->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	set_patience(session, PATIENCE);
	if (session->fd >= 0 && connect(session->fd, (struct sockaddr *)&address, sizeof address) == 0)
		return session;
	session_problem_connect(&problem, ctl->socket, errno);
	report(ctl, &problem, to);
	session_close(session);
	return NULL;
}

struct session *session_open(const struct ctl *ctl)
{
	return session_open_with(ctl, NULL);
}

void session_wait(struct session *session)
{
	set_patience(session, 0);
}

void session_close(struct session *session)
{
	if (session == NULL)
		return;
	if (session->fd >= 0)
		close(session->fd);
	free(session->line);
	free(session);
}

/* The daemon's process id; 0 if it is not visible. */
static pid_t peer_pid(const struct session *session)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	return getsockopt(session->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

pid_t session_pid_elsewhere(const struct session *session)
{
	pid_t pid = peer_pid(session);
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
	if (stat("/proc/self/ns/net", &own) != 0 || stat(path, &other) != 0)
		return 0;
	return own.st_dev == other.st_dev && own.st_ino == other.st_ino ? 0 : pid;
}

/* The connection has ended, or the daemon did not answer in time. */
static void report_end(const struct session *session, bool late)
{
	struct session_problem problem;

	if (late)
		session_problem_silent(&problem, peer_pid(session), PATIENCE);
	else
		session_problem_closed(&problem);
	report(session->ctl, &problem, session->problem);
}

bool session_ask(struct session *session, struct json_object *request)
{
	const char *text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	size_t size = strlen(text), sent = 0;
	bool good = true, late = false;

	while (good && sent <= size) {
		const char *from = sent < size ? text + sent : "\n";
		ssize_t count = send(session->fd, from, sent < size ? size - sent : 1, MSG_NOSIGNAL);

		if (count > 0)
			sent += (size_t)count;
		else
			good = count < 0 && errno == EINTR;
		late = !good && count < 0 && errno == EAGAIN;
	}
	json_object_put(request);
	if (!good)
		report_end(session, late);
	return good;
}

/* Receives more when everything was consumed; false at the end. */
static bool fill(struct session *session)
{
	ssize_t size;

	if (session->start < session->end)
		return true;
	do
		size = recv(session->fd, session->buffer, sizeof session->buffer, 0);
	while (size < 0 && errno == EINTR);
	session->late = size < 0 && errno == EAGAIN;
	session->start = 0;
	session->end = size > 0 ? (size_t)size : 0;
	return size > 0;
}

/* The received part of the current line, including its end if that has arrived. */
static size_t line_part(const struct session *session, bool *whole)
{
	const char *start = session->buffer + session->start;
	const char *end = memchr(start, '\n', session->end - session->start);

	*whole = end != NULL;
	return end != NULL ? (size_t)(end - start) + 1 : session->end - session->start;
}

const char *session_read_line(struct session *session, bool quiet)
{
	size_t used = 0;
	bool whole = false;

	while (!whole) {
		size_t size;
		char *line;

		if (!fill(session)) {
			if (!quiet)
				report_end(session, session->late);
			return NULL;
		}
		size = line_part(session, &whole);
		line = used + size + 1 > session->line_size ? realloc(session->line, 2 * (used + size + 1))
		                                            : session->line;
		if (line == NULL) {
			fputs("mcproxyctl: out of memory\n", stderr);
			return NULL;
		}
		session->line_size = line == session->line ? session->line_size : 2 * (used + size + 1);
		session->line = line;
		memcpy(line + used, session->buffer + session->start, size);
		used += size;
		session->start += size;
	}
	session->line[used - 1] = '\0';
	return session->line;
}

struct answer_reader {
	answer_take *take;
	void *context;
	bool failed;
};

static void take_member(void *context, const char *key, struct json_object *value)
{
	struct answer_reader *reader = context;

	if (strcmp(key, "error") == 0 && json_object_is_type(value, json_type_string)) {
		print_to(stderr, "mcproxyctl: %s\n", json_object_get_string(value));
		reader->failed = true;
	} else if (reader->take != NULL) {
		reader->take(reader->context, key, value);
	}
}

/* Passes the answer to its reader, and prints it if wanted. */
static bool read_answer(struct session *session, struct answer *answer, bool print)
{
	bool whole = false;
	enum answer_state state = ANSWER_OPEN;

	while (!whole) {
		size_t size;

		if (!fill(session)) {
			report_end(session, session->late);
			return false;
		}
		size = line_part(session, &whole);
		if (print)
			print_bytes(stdout, session->buffer + session->start, size);
		state = answer_feed(answer, session->buffer + session->start, size);
		session->start += size;
	}
	if (state != ANSWER_WHOLE)
		print_to(stderr, "mcproxyctl: %s: the answer is not in mcproxy's format\n",
		         session->ctl->socket);
	return state == ANSWER_WHOLE;
}

static bool read_and_print(struct session *session, answer_take *take, void *context, bool print)
{
	struct answer_reader reader = {.take = take, .context = context};
	struct answer *answer = answer_new(take_member, &reader);
	bool good;

	if (answer == NULL) {
		fputs("mcproxyctl: out of memory\n", stderr);
		return false;
	}
	good = read_answer(session, answer, print) && !reader.failed;
	answer_free(answer);
	return good;
}

bool session_read(struct session *session, answer_take *take, void *context)
{
	return read_and_print(session, take, context, false);
}

bool session_copy(struct session *session)
{
	return read_and_print(session, NULL, NULL, true);
}

int session_run(const struct ctl *ctl, struct json_object *request, answer_take *take, void *context)
{
	struct session *session = session_open(ctl);
	bool good = false;

	if (session == NULL)
		json_object_put(request);
	else
		good = session_ask(session, request) &&
		       read_and_print(session, ctl->json ? NULL : take, context, ctl->json);
	session_close(session);
	return good ? CTL_DONE : CTL_FAILED;
}

struct json_object *session_request(const char *command)
{
	struct json_object *request = json_object_new_object();

	json_object_object_add(request, "command", json_object_new_string(command));
	return request;
}
