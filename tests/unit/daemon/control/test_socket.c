/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file of the control socket: its mode, leftovers, others that live; and who is at the other end.
 */
#include "daemon/control/socket.h"

#include "daemon/log/log.h"

#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct config_control config;
static char directory[] = "/tmp/mcproxy-test-XXXXXX";

static int make_directory(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(config.socket, sizeof config.socket, "%s/sub/control.sock", directory);
	config.mode = 0604;
	return 0;
}

static int remove_directory(void **state)
{
	char path[128];

	(void)state;
	unlink(config.socket);
	snprintf(path, sizeof path, "%s/sub", directory);
	rmdir(path);
	return rmdir(directory);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static void the_socket_is_made_with_its_directory_and_mode(void **state)
{
	struct stat status;
	gid_t group;
	int fd;

	(void)state;
	fd = control_socket_open(&config, false, &group);
	assert_true(fd >= 0);
	assert_true(group == OWNER_NO_GROUP);
	assert_int_equal(stat(config.socket, &status), 0);
	assert_true(S_ISSOCK(status.st_mode));
	assert_int_equal(status.st_mode & 0777, 0604);
	/* A second one does not take it away. */
	assert_int_equal(control_socket_open(&config, false, &group), -1);
	close(fd);
	/* But what is left of a run that was killed. */
	fd = control_socket_open(&config, false, &group);
	assert_true(fd >= 0);
	close(fd);
	unlink(config.socket);
}

static void another_file_is_left_alone(void **state)
{
	FILE *file = fopen(config.socket, "w");
	struct stat status;
	gid_t group;

	(void)state;
	assert_non_null(file);
	fclose(file);
	assert_int_equal(control_socket_open(&config, false, &group), -1);
	assert_int_equal(stat(config.socket, &status), 0);
	assert_true(S_ISREG(status.st_mode));
	unlink(config.socket);
}

static void the_daemons_own_user_may_change_it(void **state)
{
	struct config_control with_group = config;
	int listener, client, peer;
	gid_t group;

	(void)state;
	strcpy(with_group.group, "no-such-group");
	listener = control_socket_open(&with_group, false, &group);
	assert_true(listener >= 0);
	assert_true(group == OWNER_NO_GROUP);
	client = connect_to(config.socket);
	peer = accept(listener, NULL, NULL);
	assert_true(client >= 0 && peer >= 0);
	assert_true(control_socket_may_change(peer, group));
	assert_false(control_socket_may_change(listener + 1000, group));
	close(peer);
	close(client);
	close(listener);
}

/* However many groups a user is in. */
static void a_member_of_the_group_may_change_it(void **state)
{
	static const size_t counts[] = {0, 1, 2, 255, 256, 257, 3000};
	gid_t groups[3000];

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		int ends[2];

		for (size_t j = 0; j < counts[i]; j++)
			groups[j] = (gid_t)(70000 + j);
		assert_int_equal(setgroups(counts[i], groups), 0);
		assert_int_equal(setegid(65534), 0);
		assert_int_equal(seteuid(65534), 0);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(setegid(0), 0);
		assert_int_equal(setgroups(0, NULL), 0);
		assert_true(control_socket_may_change(ends[0], 65534));
		assert_int_equal(control_socket_may_change(ends[0], (gid_t)(70000 + counts[i] - 1)),
		                 counts[i] > 0);
		assert_false(control_socket_may_change(ends[0], (gid_t)(70000 + counts[i])));
		assert_false(control_socket_may_change(ends[0], OWNER_NO_GROUP));
		close(ends[0]);
		close(ends[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_socket_is_made_with_its_directory_and_mode),
		cmocka_unit_test(another_file_is_left_alone),
		cmocka_unit_test(the_daemons_own_user_may_change_it),
		cmocka_unit_test(a_member_of_the_group_may_change_it),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
