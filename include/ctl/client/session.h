/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection to the daemon's control socket. Errors are printed on stderr with their remedies. An answer that
 * makes no progress for 5 s is an error.
 */
#ifndef MCPROXY_CTL_CLIENT_SESSION_H
#define MCPROXY_CTL_CLIENT_SESSION_H

#include "ctl/client/answer.h"
#include "ctl/client/options.h"
#include "ctl/client/session_problem.h"

#include <sys/types.h>

struct session;

/* NULL after a message. */
struct session *session_open(const struct ctl *ctl);
/* Does not print what keeps it from the daemon, now or later, but writes it into *problem. */
struct session *session_open_with(const struct ctl *ctl, struct session_problem *problem);
void session_print_problem(const struct ctl *ctl, const struct session_problem *problem);
/* From now on waits for the daemon without a limit. */
void session_wait(struct session *session);
void session_close(struct session *session);
/* The daemon's process id if the daemon visibly runs in another network namespace than this program;
 * otherwise 0. The links, rules and tables that this program reads are then not those of the daemon. */
pid_t session_pid_elsewhere(const struct session *session);

/* Sends a request, and takes ownership of it. False after a message. */
bool session_ask(struct session *session, struct json_object *request);
/* Reads the whole answer. False after a message, which may be the daemon's "error". */
bool session_read(struct session *session, answer_take *take, void *context);
/* Like session_read, but prints the answer as it arrives. */
bool session_copy(struct session *session);
/* The next line without its end, of any length, valid until the next call. NULL after a message, or without
 * one (quiet) at the end of the input. */
const char *session_read_line(struct session *session, bool quiet);

/* Sends a request and reads the answer or, with --json, prints it as it arrives. Returns the exit
 * status. */
int session_run(const struct ctl *ctl, struct json_object *request, answer_take *take, void *context);

/* {"command": command} */
struct json_object *session_request(const char *command);

#endif
