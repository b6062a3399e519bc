/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection to the daemon's control socket. What goes wrong is said on stderr with its remedy.
 */
#ifndef MCPROXY_CTL_CLIENT_SESSION_H
#define MCPROXY_CTL_CLIENT_SESSION_H

#include "ctl/client/answer.h"
#include "ctl/client/options.h"

#include <sys/types.h>

struct session;

/* NULL after a message. */
struct session *session_open(const struct ctl *ctl);
void session_close(struct session *session);
/* The daemon's process id if it runs in another network namespace than this program, and that may be seen;
 * else 0. Links, rules and tables that this program reads are then not those of the daemon. */
pid_t session_pid_elsewhere(const struct session *session);

/* Sends a request, which is given away. False after a message. */
bool session_ask(struct session *session, struct json_object *request);
/* Reads the whole answer. False after a message, which may be the daemon's "error". */
bool session_read(struct session *session, answer_take *take, void *context);
/* The same, and prints it as it comes instead. */
bool session_copy(struct session *session);
/* The next line without its end, of any length; NULL after a message or (quiet) at the end of the input. It
 * lasts until the next call. */
const char *session_read_line(struct session *session, bool quiet);

/* All of it: asks, and reads the answer or, with --json, prints it as it comes. The exit status. */
int session_run(const struct ctl *ctl, struct json_object *request, answer_take *take, void *context);

/* {"command": command} */
struct json_object *session_request(const char *command);

#endif
