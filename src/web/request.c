/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/request.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static const struct request_path paths[] = {
	{"/", REQUEST_FILE, "index.html"},
	{"/page.css", REQUEST_FILE, "page.css"},
	{"/page.js", REQUEST_FILE, "page.js"},
	{"/api/status", REQUEST_SHOW, "status"},
	{"/api/instances", REQUEST_SHOW, "instances"},
	{"/api/links", REQUEST_SHOW, "links"},
	{"/api/groups", REQUEST_SHOW, "groups"},
	{"/api/routes", REQUEST_SHOW, "routes"},
	{"/api/upstream", REQUEST_SHOW, "upstream"},
	{"/api/filters", REQUEST_SHOW, "filters"},
	{"/api/doctor", REQUEST_DOCTOR, NULL},
	{"/api/explain", REQUEST_EXPLAIN, NULL},
	{"/api/names", REQUEST_NAMES, NULL},
	{"/events", REQUEST_EVENTS, NULL},
	{"/metrics", REQUEST_METRICS, NULL},
};

/* The name of a Host header without its port, without the brackets of an address; false if it is none. */
static bool read_host(const char *host, char name[HOST_SIZE])
{
	bool bracket = host[0] == '[';
	size_t size = strcspn(host += bracket, bracket ? "]" : ":");
	const char *rest = host + size;

	if (size == 0 || size >= HOST_SIZE || (bracket && *rest++ != ']'))
		return false;
	if (*rest != '\0' && (*rest != ':' || rest[1 + strspn(rest + 1, "0123456789")] != '\0'))
		return false;
	memcpy(name, host, size);
	name[size] = '\0';
	return true;
}

/* Another site's script can make a browser connect here by a name of its own, but the browser sends that name. */
static bool is_host_known(const struct request_rules *rules, const struct request_head *head)
{
	static const char *const always[] = {"localhost", "127.0.0.1", "::1"};
	char name[HOST_SIZE];

	if (head->host == NULL || !read_host(head->host, name))
		return false;
	for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
		if (strcasecmp(name, always[i]) == 0)
			return true;
	for (size_t i = 0; i < rules->host_count; i++)
		if (strcasecmp(name, rules->hosts[i]) == 0)
			return true;
	return head->address != NULL && strcasecmp(name, head->address) == 0;
}

static int base64_value(char letter)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = letter != '\0' ? strchr(letters, letter) : NULL;

	return found != NULL ? (int)(found - letters) : -1;
}

/* Decodes into out, which has zeros behind the text; false if it does not fit or is not base64. */
static bool decode(const char *text, char out[ACCOUNT_SIZE])
{
	uint32_t bits = 0;
	unsigned count = 0;
	size_t used = 0;

	memset(out, 0, ACCOUNT_SIZE);
	for (; *text != '\0' && *text != '='; text++) {
		int value = base64_value(*text);

		if (value < 0 || used + 1 >= ACCOUNT_SIZE)
			return false;
		bits = bits << 6 | (uint32_t)value;
		count += 6;
		if (count >= 8)
			out[used++] = (char)(bits >> (count -= 8) & 0xff);
	}
	return strspn(text, "=") == strlen(text) && strlen(out) == used;
}

/* Reads as much whatever the account is: the time shows nothing of the passwords. */
static bool is_account_known(const struct request_rules *rules, const char account[ACCOUNT_SIZE])
{
	unsigned known = 0;

	for (size_t i = 0; i < rules->account_count; i++) {
		volatile unsigned char difference = 0;

		for (size_t j = 0; j < ACCOUNT_SIZE; j++)
			difference |= (unsigned char)(account[j] ^ rules->accounts[i][j]);
		known |= difference == 0;
	}
	return known != 0;
}

static bool is_allowed(const struct request_rules *rules, const char *authorization)
{
	char account[ACCOUNT_SIZE];
	const char *text;

	if (rules->account_count == 0)
		return true;
	if (authorization == NULL || strncasecmp(authorization, "Basic ", 6) != 0)
		return false;
	text = authorization + 6 + strspn(authorization + 6, " ");
	return decode(text, account) && is_account_known(rules, account);
}

/* Pages of other sites may have a link to this one, and nothing else. Without the header, it is no browser or an old
 * one, and other headers keep it from showing the answer to them. */
static bool is_own_site(const struct request_head *head)
{
	return head->site == NULL || strcmp(head->site, "same-origin") == 0 ||
	       strcmp(head->site, "none") == 0 || strcmp(head->path, "/") == 0;
}

static const struct request_path *find_path(const char *path)
{
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		if (strcmp(paths[i].path, path) == 0)
			return &paths[i];
	return NULL;
}

unsigned request_check(const struct request_rules *rules, const struct request_head *head,
                       const struct request_path **path, const char **problem)
{
	*path = NULL;
	*problem = "only GET is possible: nothing can be changed here";
	if (strcmp(head->method, "GET") != 0 && strcmp(head->method, "HEAD") != 0)
		return 405;
	*problem = "the header Host names another machine; --host of mcproxy-web allows a name";
	if (!is_host_known(rules, head))
		return 403;
	*problem = "a page of another site may not ask for this";
	if (!is_own_site(head))
		return 403;
	*problem = "too many wrong passwords from this address; try again in a while";
	if (head->may_not_try)
		return 429;
	*problem = "a name and a password are needed";
	if (!is_allowed(rules, head->authorization))
		return 401;
	*path = find_path(head->path);
	*problem = *path == NULL ? "there is nothing here" : NULL;
	return *path != NULL ? 200 : 404;
}

bool request_add_account(struct request_rules *rules, const char *line)
{
	const char *colon = strchr(line, ':');
	char *account;

	if (colon == NULL || colon == line || colon[1] == '\0' || strlen(line) >= ACCOUNT_SIZE ||
	    rules->account_count == ACCOUNTS_MAX)
		return false;
	account = rules->accounts[rules->account_count++];
	memset(account, 0, ACCOUNT_SIZE);
	strcpy(account, line);
	return true;
}

bool request_has_parameter(const struct request_path *path, const char *name)
{
	if (path->kind == REQUEST_SHOW)
		return strcmp(name, "instance") == 0 || strcmp(name, "link") == 0 ||
		       strcmp(name, "group") == 0;
	return path->kind == REQUEST_EXPLAIN && (strcmp(name, "group") == 0 || strcmp(name, "source") == 0);
}
