/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket with an owner that has no workers: requests however they arrive, answers, events,
 * limits.
 */
#include "daemon/control/control.h"

#include "core/tables/links.h"
#include "daemon/control/client.h"
#include "daemon/log/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static const struct options options = {.config_path = "/etc/mcproxy.conf"};
static struct config_instance instance = {.name = "iptv"};
static struct config config = {.instances = &instance, .instance_count = 1};
static struct instance_slot slot = {.config = &instance};
static struct owner owner;
static mtime now;

static int open_owner(void **state)
{
	(void)state;
	owner = (struct owner){
		.options = &options, .config = &config, .instances = &slot, .instance_count = 1};
	assert_true(loop_open(&owner.loop));
	owner.links = links_new();
	owner.started_at = now = clock_now();
	snprintf(config.control.socket, sizeof config.control.socket, "/tmp/mcproxy-test-%d.sock", getpid());
	config.control.mode = 0600;
	control_handlers.open(&owner);
	return owner.control == NULL || owner.control->source.fd < 0;
}

static int close_owner(void **state)
{
	(void)state;
	control_handlers.close(&owner);
	assert_int_equal(access(config.control.socket, F_OK), -1);
	links_free(owner.links);
	loop_close(&owner.loop);
	return 0;
}

static void turn(void)
{
	loop_wait(&owner.loop, 0);
	loop_serve(&owner.loop, now);
	control_handlers.turn(&owner, now);
	loop_end_turn(&owner.loop);
}

static int connect_client(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, config.control.socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	turn();
	turn();
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	for (int i = 0; i < 8; i++)
		turn();
}

/* All that has come; "" when nothing has, NULL at the end of the connection. */
static const char *take_news(int fd)
{
	static char text[65536];
	ssize_t size = recv(fd, text, sizeof text - 1, 0);

	text[size > 0 ? size : 0] = '\0';
	return size == 0 ? NULL : text;
}

static void expect(int fd, const char *part)
{
	const char *text = take_news(fd);

	if (text == NULL || strstr(text, part) == NULL)
		fail_msg("%s instead of %s", text ? text : "the end", part);
}

static void requests_come_in_pieces_and_several_at_once(void **state)
{
	int fd = connect_client();
	const char *text;

	(void)state;
	say(fd, "{\"command\":\"show\",");
	assert_string_equal(take_news(fd), "");
	say(fd, "\"what\":\"status\"}\n{\"command\":\"show\",\"what\":\"links\"}\n{\"comm");
	text = take_news(fd);
	assert_non_null(strstr(
		text, "{\"version\":1,\"command\":\"show\",\"what\":\"status\",\"program\":\"mcproxy\""));
	assert_non_null(strstr(text, "}\n{\"version\":1,\"command\":\"show\",\"what\":\"links\""));
	assert_non_null(strstr(text, "\"links\":[]}\n"));
	say(fd, "and\":\"loglevel\"}\n");
	expect(fd, "\"command\":\"loglevel\",\"level\":");
	close(fd);
	turn();
	assert_int_equal(owner.control->client_count, 0);
}

static void answers_come_also_after_the_last_request(void **state)
{
	static const char request[] = "{\"command\":\"show\",\"what\":\"groups\"}\n";
	int fd = connect_client();

	(void)state;
	assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 8; i++)
		turn();
	expect(fd, "\"groups\":[]}\n");
	assert_null(take_news(fd));
	close(fd);
}

static void errors_are_answers(void **state)
{
	static const struct {
		const char *request, *error;
	} rows[] = {
		{"nonsense\n", "\"error\":\"not JSON"},
		{"\n", "\"error\":\"not a JSON object"},
		{"{\"command\":\"dance\"}\n", "\"error\":\"dance: no such command\""},
		{"{\"command\":\"show\"}\n", "\"error\":\"show: status, instances, links"},
		{"{\"command\":\"loglevel\",\"level\":\"loud\"}\n", "\"error\":\"loud: error, warning"},
	};
	int fd = connect_client();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		say(fd, rows[i].request);
		expect(fd, rows[i].error);
	}
	close(fd);
}

static void too_long_a_request_ends_the_connection(void **state)
{
	int fd = connect_client();
	char text[CONTROL_REQUEST_MAX + 500];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	say(fd, text);
	expect(fd, "longer than 4096 bytes");
	assert_null(take_news(fd));
	close(fd);
}

static void events_go_to_those_who_monitor_them(void **state)
{
	struct event join = {.kind = EVENT_JOIN,
	                     .after = FILTER_EXCLUDE,
	                     .group = addr_from_ipv4_number(0xef010101),
	                     .host = addr_from_ipv4_number(0x0a00010a)};
	struct event route = {.kind = EVENT_ROUTE,
	                      .group = addr_from_ipv4_number(0xef010102),
	                      .source = addr_from_ipv4_number(0x0a000001)};
	int all = connect_client(), one = connect_client(), none = connect_client();

	(void)state;
	assert_false(control_handlers.wants_events(&owner));
	control_handlers.event(&owner, &slot, "eth1", &join, "");
	say(all, "{\"command\":\"monitor\"}\n");
	say(one, "{\"command\":\"monitor\",\"group\":\"239.1.1.2\"}\n");
	expect(all, "{\"version\":1,\"command\":\"monitor\"}\n");
	expect(one, "{\"version\":1,\"command\":\"monitor\"}\n");
	assert_true(control_handlers.wants_events(&owner));
	control_handlers.event(&owner, &slot, "eth1", &join, "");
	turn();
	expect(all, "\"event\":\"join\",\"instance\":\"iptv\",\"link\":\"eth1\",\"family\":\"IPv4\","
	            "\"group\":\"239.1.1.1\",\"host\":\"10.0.1.10\",\"mode\":\"EXCLUDE\",\"sources\":0}\n");
	assert_string_equal(take_news(one), "");
	control_handlers.event(&owner, &slot, "eth0", &route, " eth1 eth2");
	turn();
	expect(one, "\"source\":\"10.0.0.1\",\"outputs\":[\"eth1\",\"eth2\"]}\n");
	control_handlers.event(&owner, &slot, "eth0", &route, " nowhere");
	turn();
	expect(one, "\"outputs\":[]}\n");
	assert_string_equal(take_news(none), "");
	close(all);
	close(one);
	close(none);
	turn();
	assert_false(control_handlers.wants_events(&owner));
}

static void who_does_not_read_is_dropped_in_time(void **state)
{
	struct event event = {.kind = EVENT_LEAVE, .group = addr_from_ipv4_number(0xef010101)};
	int fd = connect_client();
	mtime deadline;

	(void)state;
	say(fd, "{\"command\":\"monitor\"}\n");
	assert_true(control_handlers.deadline(&owner) == MTIME_NEVER);
	for (int i = 0; i < 20000; i++) {
		control_handlers.event(&owner, &slot, "eth1", &event, "");
		turn();
	}
	deadline = control_handlers.deadline(&owner);
	assert_true(deadline == now + CONTROL_PATIENCE);
	now = deadline - 1;
	turn();
	assert_int_equal(owner.control->client_count, 1);
	now = deadline;
	turn();
	assert_int_equal(owner.control->client_count, 0);
	close(fd);
}

static void clients_are_limited(void **state)
{
	int fds[CONTROL_CLIENTS_MAX], fd;

	(void)state;
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		fds[i] = connect_client();
	assert_int_equal(owner.control->client_count, CONTROL_CLIENTS_MAX);
	now += MTIME_SECOND;
	say(fds[0], "{\"command\":\"monitor\"}\n");
	fd = connect_client();
	assert_int_equal(owner.control->client_count, CONTROL_CLIENTS_MAX);
	expect(fds[1], "idle for longest");
	assert_null(take_news(fds[1]));
	assert_string_equal(take_news(fd), "");
	close(fd);
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		close(fds[i]);
	turn();
	assert_int_equal(owner.control->client_count, 0);
}

static void the_socket_moves_and_clients_stay(void **state)
{
	int fd = connect_client();
	char old[CONFIG_SOCKET_SIZE];

	(void)state;
	strcpy(old, config.control.socket);
	strcat(config.control.socket, "2");
	control_handlers.reopen(&owner);
	assert_int_equal(access(old, F_OK), -1);
	assert_int_equal(access(config.control.socket, F_OK), 0);
	say(fd, "{\"command\":\"show\",\"what\":\"uplinks\"}\n");
	expect(fd, "\"upstream\":[]}\n");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requests_come_in_pieces_and_several_at_once, open_owner,
	                                        close_owner),
		cmocka_unit_test_setup_teardown(answers_come_also_after_the_last_request, open_owner,
	                                        close_owner),
		cmocka_unit_test_setup_teardown(errors_are_answers, open_owner, close_owner),
		cmocka_unit_test_setup_teardown(too_long_a_request_ends_the_connection, open_owner,
	                                        close_owner),
		cmocka_unit_test_setup_teardown(events_go_to_those_who_monitor_them, open_owner, close_owner),
		cmocka_unit_test_setup_teardown(who_does_not_read_is_dropped_in_time, open_owner,
	                                        close_owner),
		cmocka_unit_test_setup_teardown(clients_are_limited, open_owner, close_owner),
		cmocka_unit_test_setup_teardown(the_socket_moves_and_clients_stay, open_owner, close_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
