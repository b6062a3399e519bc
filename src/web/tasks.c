/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/tasks.h"

#include "ctl/client/print.h"
#include "ctl/client/session.h"
#include "ctl/diagnosis/doctor.h"
#include "ctl/diagnosis/explanation.h"
#include "ctl/diagnosis/steps_print.h"
#include "ctl/metrics_text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 2

/* What goes through the pipes: whoever reads it has the task. */
struct message {
	struct task *task;
};

struct worker {
	const struct ctl *ctl;
	int in, out; /* its ends of the pipes */
	int to;      /* the server's */
	bool busy;   /* of the server: it has not the task back */
};

struct tasks {
	struct worker workers[THREADS];
	int done, done_in;
};

static void run_doctor(const struct ctl *ctl, struct task *task)
{
	struct machine *machine = calloc(1, sizeof *machine);
	struct findings *findings = calloc(1, sizeof *findings);
	FILE *out = open_memstream(&task->text, &task->size);
	int result = -ENOMEM;

	if (machine != NULL && findings != NULL && out != NULL) {
		machine->firewall = gather_firewall(&machine->firewall_why);
		gather_daemon(ctl, NULL, &machine->daemon);
		result = doctor_gather(machine);
		if (result == 0) {
			doctor_check(machine, findings);
			findings_print_json(findings, out);
		}
		daemon_view_free(&machine->daemon);
		interfaces_free(&machine->interfaces);
		firewall_free(machine->firewall);
	}
	if (result != 0)
		snprintf(task->problem, sizeof task->problem, "the interfaces cannot be read: %s",
		         strerror(-result));
	if (out != NULL)
		fclose(out);
	free(machine);
	free(findings);
}

static void run_metrics(const struct ctl *ctl, struct task *task)
{
	static const char *const whats[] = {"status", "instances", "links", "uplinks", "filters"};
	struct metrics *metrics = metrics_new();
	struct session_problem problem;
	struct session *session = session_open_with(ctl, &problem);
	FILE *out = open_memstream(&task->text, &task->size);
	bool up = session != NULL && metrics != NULL;

	for (size_t i = 0; up && i < sizeof whats / sizeof whats[0]; i++) {
		struct json_object *request = session_request("show");

		json_object_object_add(request, "what", json_object_new_string(whats[i]));
		up = session_ask(session, request) && session_read(session, metrics_take, metrics);
	}
	if (out != NULL) {
		metrics_print(up ? metrics : NULL, METRICS_PROMETHEUS, out);
		fclose(out);
	}
	session_close(session);
	metrics_free(metrics);
}

static void take_stream(void *context, const struct stream_facts *stream, const struct steps *steps)
{
	json_object_array_add(context, steps_object(stream, steps));
}

static void print_answer(struct task *task, struct json_object *streams)
{
	struct json_object *answer = explanation_object(streams);
	FILE *out = open_memstream(&task->text, &task->size);

	if (out != NULL) {
		print_json(out, json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
		fclose(out);
	}
	json_object_put(answer);
}

static void run_explain(const struct ctl *ctl, struct task *task)
{
	struct question question = {.seconds = EXPLAIN_SECONDS};
	const char *problem =
		question_read(&question, task->group, task->source[0] != '\0' ? task->source : NULL);
	struct evidence *evidence = problem == NULL ? evidence_gather(ctl, &question) : NULL;

	task->is_invalid = problem != NULL;
	if (problem == NULL)
		problem = evidence != NULL ? evidence_problem(evidence) : "out of memory";
	if (problem != NULL) {
		snprintf(task->problem, sizeof task->problem, "%s", problem);
	} else {
		struct json_object *streams = json_object_new_array();

		explanation_make(evidence, take_stream, streams);
		print_answer(task, streams);
	}
	evidence_free(evidence);
}

static bool pass(int to, struct task *task)
{
	struct message message = {task};

	return write(to, &message, sizeof message) == sizeof message;
}

/* NULL: none comes. */
static struct task *take(int from)
{
	struct message message;

	return read(from, &message, sizeof message) == sizeof message ? message.task : NULL;
}

static void *run_worker(void *context)
{
	const struct worker *worker = context;
	struct task *task;

	while ((task = take(worker->in)) != NULL) {
		switch (task->kind) {
		case TASK_DOCTOR:
			run_doctor(worker->ctl, task);
			break;
		case TASK_METRICS:
			run_metrics(worker->ctl, task);
			break;
		case TASK_EXPLAIN:
			run_explain(worker->ctl, task);
			break;
		}
		if (!pass(worker->out, task))
			break;
	}
	return NULL;
}

/* 0 or an errno. */
static int start(struct tasks *tasks, struct worker *worker)
{
	pthread_t thread;
	int fds[2], result;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return errno;
	worker->in = fds[0];
	worker->to = fds[1];
	worker->out = tasks->done_in;
	result = pthread_create(&thread, NULL, run_worker, worker);
	return result == 0 ? pthread_detach(thread) : result;
}

struct tasks *tasks_new(const struct ctl *ctl)
{
	struct tasks *tasks = calloc(1, sizeof *tasks);
	int fds[2], result = 0;

	if (tasks == NULL || pipe2(fds, O_CLOEXEC) != 0)
		return NULL;
	tasks->done = fds[0];
	tasks->done_in = fds[1];
	fcntl(tasks->done, F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < THREADS && result == 0; i++) {
		tasks->workers[i].ctl = ctl;
		result = start(tasks, &tasks->workers[i]);
	}
	errno = result;
	return result == 0 ? tasks : NULL;
}

static struct worker *worker_of(struct tasks *tasks, enum task_kind kind)
{
	return &tasks->workers[kind == TASK_EXPLAIN];
}

bool tasks_can_ask(struct tasks *tasks, enum task_kind kind)
{
	return !worker_of(tasks, kind)->busy;
}

struct task *tasks_ask(struct tasks *tasks, enum task_kind kind, const char *group, const char *source,
                       void *owner)
{
	struct worker *worker = worker_of(tasks, kind);
	struct task *task = calloc(1, sizeof *task);

	if (task == NULL)
		return NULL;
	task->kind = kind;
	task->owner = owner;
	snprintf(task->group, sizeof task->group, "%s", group != NULL ? group : "");
	snprintf(task->source, sizeof task->source, "%s", source != NULL ? source : "");
	if (!pass(worker->to, task)) {
		free(task);
		return NULL;
	}
	worker->busy = true;
	return task;
}

int tasks_fd(const struct tasks *tasks)
{
	return tasks->done;
}

struct task *tasks_take(struct tasks *tasks)
{
	struct task *task = take(tasks->done);

	if (task != NULL)
		worker_of(tasks, task->kind)->busy = false;
	return task;
}

void task_free(struct task *task)
{
	if (task != NULL)
		free(task->text);
	free(task);
}
