/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests that take a while: doctor, explain and metrics wait for the daemon, and look at packets. Two threads
 * make them, one for explain and one for the others. A task belongs to one thread at a time: it goes down and comes
 * back through pipes.
 */
#ifndef MCPROXY_WEB_TASKS_H
#define MCPROXY_WEB_TASKS_H

#include "ctl/client/options.h"

#include <stdbool.h>
#include <stddef.h>

enum task_kind { TASK_DOCTOR, TASK_METRICS, TASK_EXPLAIN };

struct task {
	enum task_kind kind;
	char group[64], source[64]; /* TASK_EXPLAIN; source may be "" */
	void *owner;                /* the caller's, who waits; NULL: the caller has gone */
	/* the result */
	char *text; /* NULL: problem */
	size_t size;
	char problem[1024];
	bool is_invalid; /* the problem is what was asked */
};

struct tasks;
/* Starts the threads. NULL with errno. ctl must outlive the tasks. */
struct tasks *tasks_new(const struct ctl *ctl);
/* Has the thread of this kind no task? */
bool tasks_can_ask(struct tasks *tasks, enum task_kind kind);
/* A new task goes to its thread, which has none. NULL when memory is short. */
struct task *tasks_ask(struct tasks *tasks, enum task_kind kind, const char *group, const char *source,
                       void *owner);
/* A descriptor that can be read when a task is done. */
int tasks_fd(const struct tasks *tasks);
/* A task that is done; NULL: no more now. The caller frees it. */
struct task *tasks_take(struct tasks *tasks);
void task_free(struct task *task); /* accepts NULL */

#endif
