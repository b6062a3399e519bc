/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which requests the server answers: the method, the name of the host, the password, the path. Pure.
 */
#ifndef MCPROXY_WEB_REQUEST_H
#define MCPROXY_WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#define HOSTS_MAX    16
#define ACCOUNTS_MAX 64
#define ACCOUNT_SIZE 128 /* of name:password, with the end */
#define HOST_SIZE    256

/* Who is answered. */
struct request_rules {
	const char *hosts[HOSTS_MAX]; /* beside localhost and the addresses */
	size_t host_count;
	char accounts[ACCOUNTS_MAX][ACCOUNT_SIZE]; /* filled up with zeros */
	size_t account_count;                      /* 0: no password is needed */
};

enum request_kind {
	REQUEST_FILE, /* of the page */
	REQUEST_SHOW, /* an answer of the daemon */
	REQUEST_DOCTOR,
	REQUEST_EXPLAIN,
	REQUEST_NAMES,
	REQUEST_EVENTS,
	REQUEST_METRICS,
};

/* What a path means. */
struct request_path {
	const char *path;
	enum request_kind kind;
	const char *name; /* REQUEST_SHOW: what the daemon shows; REQUEST_FILE: the file */
};

/* What the checks read of a request; a missing header is NULL. */
struct request_head {
	const char *method;
	const char *path;
	const char *host;
	const char *authorization;
	bool may_not_try; /* its address has sent too many wrong passwords */
	const char *site; /* Sec-Fetch-Site: a browser reports which site's page makes the request */
	const char
		*address; /* of this machine, to which the client is connected: "192.0.2.1", "2001:db8::1" */
};

/* The HTTP status: 200 and the path; or 401, 403, 404, 405 or 429 and the problem. */
unsigned request_check(const struct request_rules *rules, const struct request_head *head,
                       const struct request_path **path, const char **problem);
/* Adds an account, name:password; false if it is not one, or there are too many. */
bool request_add_account(struct request_rules *rules, const char *line);
/* Is it a parameter of the path? */
bool request_has_parameter(const struct request_path *path, const char *name);

#endif
