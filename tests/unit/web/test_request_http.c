/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which requests are answered.
 */
#include "web/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static unsigned check(const struct request_rules *rules, struct request_head head)
{
	const struct request_path *path;
	const char *problem;
	unsigned status;

	head.method = head.method != NULL ? head.method : "GET";
	head.path = head.path != NULL ? head.path : "/";
	status = request_check(rules, &head, &path, &problem);
	assert_int_equal(status == 200, problem == NULL);
	assert_int_equal(status == 200, path != NULL);
	return status;
}

static void only_get_and_head_are_possible(void **state)
{
	static const char *const others[] = {"POST",   "PUT",     "get",     "GETS", "",
	                                     "DELETE", "OPTIONS", "CONNECT", "TRACE"};
	struct request_rules rules = {0};

	(void)state;
	assert_int_equal(check(&rules, (struct request_head){.host = "localhost"}), 200);
	assert_int_equal(check(&rules, (struct request_head){.host = "localhost", .method = "HEAD"}), 200);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(
			check(&rules, (struct request_head){.host = "localhost", .method = others[i]}), 405);
}

static void the_host_must_be_this_machine(void **state)
{
	static const struct {
		const char *host, *address;
		unsigned status;
	} rows[] = {
		{"localhost", NULL, 200},
		{"LOCALHOST:8080", NULL, 200},
		{"127.0.0.1", NULL, 200},
		{"[::1]", NULL, 200},
		{"[::1]:4605", NULL, 200},
		{"tv.example", NULL, 200},
		{"Tv.Example:1", NULL, 200},
		{"192.0.2.1:4605", "192.0.2.1", 200},
		{"[2001:db8::1]:4605", "2001:db8::1", 200},
		{"192.0.2.1", "192.0.2.2", 403},
		{"192.0.2.1", NULL, 403},
		{NULL, "127.0.0.1", 403},
		{"", "", 403},
		{":80", NULL, 403},
		{"[]", NULL, 403},
		{"[::1", NULL, 403},
		{"[::1]x", NULL, 403},
		{"localhost:x", NULL, 403},
		{"localhost:80:80", NULL, 403},
		{"localhost.", NULL, 403},
		{"localhost.example", NULL, 403},
		{"x.localhost", NULL, 403},
		{"localhost@example", NULL, 403},
		{" localhost", NULL, 403},
		{"127.0.0.2", NULL, 403},
		{"tv.example.org", NULL, 403},
	};
	struct request_rules rules = {.hosts = {"tv.example"}, .host_count = 1};
	char *text;
	char longer[HOST_SIZE + 8];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(check(&rules, (struct request_head){.host = rows[i].host,
		                                                     .address = rows[i].address}),
		                 rows[i].status);
	text = memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	assert_int_equal(check(&rules, (struct request_head){.host = text}), 403);
}

static void pages_of_other_sites_have_no_access(void **state)
{
	static const struct {
		const char *path, *site;
		unsigned status;
	} rows[] = {
		{"/", "cross-site", 200},        {"/page.js", "same-origin", 200},
		{"/api/status", "none", 200},    {"/api/status", NULL, 200},
		{"/page.js", "cross-site", 403}, {"/api/explain", "cross-site", 403},
		{"/events", "same-site", 403},   {"/api/status", "", 403},
		{"/nothing", "cross-site", 403},
	};
	struct request_rules rules = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(check(&rules, (struct request_head){.host = "localhost",
		                                                     .path = rows[i].path,
		                                                     .site = rows[i].site}),
		                 rows[i].status);
}

static void a_password_is_compared_as_a_whole(void **state)
{
	static const struct {
		const char *authorization;
		unsigned status;
	} rows[] = {
		{NULL, 401},
		{"Basic YW5uYTpzZWNyZXQ=", 200}, /* anna:secret */
		{"basic  YW5uYTpzZWNyZXQ", 200},
		{"Basic YmVydGE6eDp5", 200},     /* berta:x:y */
		{"Basic YW5uYTpzZWNyZXQA", 401}, /* anna:secret and a zero */
		{"Basic YW5uYTpzZWNyZQ==", 401}, /* anna:secre */
		{"Basic YW5uYTpzZWNyZXQy", 401}, /* anna:secret2 */
		{"Basic YmVydGE6c2VjcmV0", 401}, /* berta:secret */
		{"Basic YW5uYTpzZWNyZXQ=x", 401},
		{"Basic !", 401},
		{"Basic ", 401},
		{"Basic", 401},
		{"Bearer YW5uYTpzZWNyZXQ=", 401},
	};
	struct request_rules rules = {0};
	char authorization[1024];

	(void)state;
	assert_true(request_add_account(&rules, "anna:secret"));
	assert_true(request_add_account(&rules, "berta:x:y"));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(check(&rules, (struct request_head){.host = "localhost",
		                                                     .authorization = rows[i].authorization}),
		                 rows[i].status);
	memset(authorization, 'A', sizeof authorization);
	memcpy(authorization, "Basic ", 6);
	authorization[sizeof authorization - 1] = '\0';
	assert_int_equal(
		check(&rules, (struct request_head){.host = "localhost", .authorization = authorization}),
		401);
	/* Whatever is wrong with the host, nothing of passwords is revealed. */
	assert_int_equal(check(&rules, (struct request_head){.host = "example"}), 403);
}

static void accounts_have_a_form_and_a_limit(void **state)
{
	static const char *const bad[] = {"", "anna", ":secret", "anna:"};
	struct request_rules rules = {0};
	char line[ACCOUNT_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(request_add_account(&rules, bad[i]));
	memset(line, 'x', sizeof line);
	line[1] = ':';
	line[ACCOUNT_SIZE] = '\0';
	assert_false(request_add_account(&rules, line));
	line[ACCOUNT_SIZE - 1] = '\0';
	for (size_t i = 0; i < ACCOUNTS_MAX; i++)
		assert_true(request_add_account(&rules, line));
	assert_false(request_add_account(&rules, "anna:secret"));
}

static void only_the_page_and_the_api_have_paths(void **state)
{
	static const char *const known[] = {"/",       "/page.css", "/page.js", "/api/status", "/api/explain",
	                                    "/events", "/metrics"};
	static const char *const others[] = {"",
	                                     "//",
	                                     "/index.html",
	                                     "/api",
	                                     "/api/",
	                                     "/api/sets",
	                                     "/api/reload",
	                                     "/Events",
	                                     "/api/status/",
	                                     "/page.js/../..",
	                                     "/../etc/passwd",
	                                     "http://localhost/"};
	struct request_rules rules = {0};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		assert_int_equal(check(&rules, (struct request_head){.host = "localhost", .path = known[i]}),
		                 200);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(check(&rules, (struct request_head){.host = "localhost", .path = others[i]}),
		                 404);
}

static void paths_have_their_parameters(void **state)
{
	static const struct {
		const char *path, *name;
		bool has;
	} rows[] = {
		{"/api/groups", "group", true},
		{"/api/groups", "instance", true},
		{"/api/filters", "link", true},
		{"/api/groups", "what", false},
		{"/api/groups", "command", false},
		{"/api/explain", "group", true},
		{"/api/explain", "source", true},
		{"/api/explain", "link", false},
		{"/api/doctor", "group", false},
		{"/events", "group", false},
		{"/", "group", false},
	};
	struct request_rules rules = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct request_head head = {.method = "GET", .host = "localhost", .path = rows[i].path};
		const struct request_path *path;
		const char *problem;

		assert_int_equal(request_check(&rules, &head, &path, &problem), 200);
		assert_int_equal(request_has_parameter(path, rows[i].name), rows[i].has);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_get_and_head_are_possible),
		cmocka_unit_test(the_host_must_be_this_machine),
		cmocka_unit_test(pages_of_other_sites_have_no_access),
		cmocka_unit_test(a_password_is_compared_as_a_whole),
		cmocka_unit_test(accounts_have_a_form_and_a_limit),
		cmocka_unit_test(only_the_page_and_the_api_have_paths),
		cmocka_unit_test(paths_have_their_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
