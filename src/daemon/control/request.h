/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A request of the control socket: a line of JSON from an untrusted client, one object of strings. A member
 * that is unknown, of the wrong type or too long is an error. Pure.
 */
#ifndef MCPROXY_DAEMON_CONTROL_REQUEST_H
#define MCPROXY_DAEMON_CONTROL_REQUEST_H

#include "core/contract/link_change.h"
#include "daemon/config/config.h"

#define CONTROL_VERSION     1
#define CONTROL_REQUEST_MAX 4096 /* bytes of a line */
#define CONTROL_WORD_SIZE   16
#define CONTROL_ERROR_SIZE  256

struct control_request {
	char command[CONTROL_WORD_SIZE];
	char what[CONTROL_WORD_SIZE]; /* show: "groups", ... */
	/* Filters; empty, or length 0: none. */
	char instance[CONFIG_NAME_SIZE];
	char link[LINK_NAME_SIZE];
	struct addr prefix;            /* of groups */
	unsigned prefix_length;        /* of the v4-mapped form */
	char level[CONTROL_WORD_SIZE]; /* of loglevel */
};

/* Reads a line without its end. False and a text in error when it is no request. */
bool control_request_read(const char *line, size_t size, struct control_request *request,
                          char error[CONTROL_ERROR_SIZE]);
/* Is a group within the prefix that was asked for? */
bool control_request_wants_group(const struct control_request *request, const struct addr *group);

#endif
