/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Why this program gets no answer from the daemon, and the remedy.
 */
#ifndef MCPROXY_CTL_CLIENT_SESSION_PROBLEM_H
#define MCPROXY_CTL_CLIENT_SESSION_PROBLEM_H

#include <sys/types.h>

enum session_problem_kind {
	SESSION_GOOD,
	SESSION_ABSENT, /* no daemon listens there */
	SESSION_DENIED, /* this user may not connect */
	SESSION_SILENT, /* the daemon listens, but does not answer */
};

struct session_problem {
	enum session_problem_kind kind;
	char what[256];
	char remedy[384];
};

/* A connection to the socket failed with an errno. */
void session_problem_connect(struct session_problem *problem, const char *socket, int error);
/* The daemon did not answer in so many seconds. pid: 0 if it is not known. */
void session_problem_silent(struct session_problem *problem, pid_t pid, unsigned seconds);
/* The daemon closed the connection. */
void session_problem_closed(struct session_problem *problem);

#endif
