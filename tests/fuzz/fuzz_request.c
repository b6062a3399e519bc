/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests to mcproxy-web: the lines of the input are method, path, Host, Authorization, the address of this machine
 * Last-Event-ID and Sec-Fetch-Site. Only GET and HEAD of known paths pass, for a host and an account that are known,
 * and nothing is revealed to an address that may not try a password.
 */
#include "web/feed.h"
#include "web/request.h"

#include "fuzz.h"

#include <stdio.h>
#include <strings.h>

#define ACCOUNT       "anna:secret"
#define AUTHORIZATION "YW5uYTpzZWNyZX" /* the last letter has bits that do not count */

/* The next line, as a text of its own; NULL after the last. The caller frees it. */
static char *next_line(const uint8_t **at, size_t *left)
{
	const uint8_t *end = *left > 0 ? memchr(*at, '\n', *left) : NULL;
	size_t size = end != NULL ? (size_t)(end - *at) : *left;
	char *line;

	if (*left == 0)
		return NULL;
	line = malloc(size + 1);
	assert(line != NULL);
	memcpy(line, *at, size);
	line[size] = '\0';
	*at += size + (end != NULL);
	*left -= size + (end != NULL);
	return line;
}

static bool begins(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

static void check(const struct request_rules *rules, const struct request_head *head)
{
	const struct request_path *path;
	const char *problem;
	struct request_head late = *head;
	unsigned status;

	late.may_not_try = true; /* then nothing depends on the password or the path */
	status = request_check(rules, &late, &path, &problem);
	assert(path == NULL && (status == 403 || status == 405 || status == 429));
	if (status != 429)
		assert(request_check(rules, head, &path, &problem) == status);
	status = request_check(rules, head, &path, &problem);
	assert((status == 200) == (path != NULL) && (status == 200) == (problem == NULL));
	if (status != 200)
		return;
	assert(strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0);
	assert(strcmp(head->path, path->path) == 0);
	assert(head->site == NULL || strcmp(head->site, "same-origin") == 0 ||
	       strcmp(head->site, "none") == 0 || strcmp(head->path, "/") == 0);
	assert(begins(head->host, "localhost") || begins(head->host, "127.0.0.1") ||
	       begins(head->host, "[::1]") || begins(head->host, "::1") ||
	       begins(head->host, "[localhost]") || begins(head->host, "[127.0.0.1]") ||
	       begins(head->host, "tv.example") || begins(head->host, "[tv.example]") ||
	       (head->address != NULL && strcasestr(head->host, head->address) != NULL));
	assert(rules->account_count == 0 || strstr(head->authorization, AUTHORIZATION) != NULL);
	request_has_parameter(path, head->host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request_rules open = {.hosts = {"tv.example"}, .host_count = 1}, closed;
	static struct feed feed;
	char *lines[7];
	struct request_head head;

	if (closed.account_count == 0) {
		closed = open;
		assert(request_add_account(&closed, ACCOUNT));
		feed_init(&feed, 1);
		for (int i = 0; i < 3; i++)
			assert(feed_add(&feed, "change", strdup("{}"), 2));
	}
	for (size_t i = 0; i < 7; i++)
		lines[i] = next_line(&data, &size);
	head = (struct request_head){.method = lines[0] != NULL ? lines[0] : "",
	                             .path = lines[1] != NULL ? lines[1] : "",
	                             .host = lines[2],
	                             .authorization = lines[3],
	                             .address = lines[4],
	                             .site = lines[6]};
	check(&open, &head);
	check(&closed, &head);
	if (lines[0] != NULL)
		request_add_account(&(struct request_rules){0}, lines[0]);
	if (lines[5] != NULL) {
		uint64_t next = feed_resume(&feed, lines[5]);

		assert(next == 0 || (next >= feed.first && next <= feed.next));
	}
	for (size_t i = 0; i < 7; i++)
		free(lines[i]);
	return 0;
}
