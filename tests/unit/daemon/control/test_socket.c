/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file of the control socket: its mode, leftovers, others that live; and who is at the other end.
 */
#include "daemon/control/socket.h"

#include "daemon/log/log.h"

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
	fd = control_socket_open(&config, &group);
	assert_true(fd >= 0);
	assert_true(group == CONTROL_NO_GROUP);
	assert_int_equal(stat(config.socket, &status), 0);
	assert_true(S_ISSOCK(status.st_mode));
	assert_int_equal(status.st_mode & 0777, 0604);
	/* A second one does not take it away. */
	assert_int_equal(control_socket_open(&config, &group), -1);
	close(fd);
	/* But what is left of a run that was killed. */
	fd = control_socket_open(&config, &group);
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
	assert_int_equal(control_socket_open(&config, &group), -1);
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
	listener = control_socket_open(&with_group, &group);
	assert_true(listener >= 0);
	assert_true(group == CONTROL_NO_GROUP);
	client = connect_to(config.socket);
	peer = accept(listener, NULL, NULL);
	assert_true(client >= 0 && peer >= 0);
	assert_true(control_socket_may_change(peer, group));
	assert_false(control_socket_may_change(listener + 1000, group));
	close(peer);
	close(client);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_socket_is_made_with_its_directory_and_mode),
		cmocka_unit_test(another_file_is_left_alone),
		cmocka_unit_test(the_daemons_own_user_may_change_it),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
