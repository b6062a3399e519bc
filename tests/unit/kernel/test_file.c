/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files in directories that other users may write to: what is opened, and what is not.
 */
#include "kernel/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTH(list) (sizeof(list) / sizeof(list)[0])

static char top[] = "/tmp/mcproxy-test-file-XXXXXX";

/* The file at the path "x": made by one of these. */

static void make_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void make_regular(void)
{
	make_text("x", "text");
}

static void make_nothing(void)
{
}

static void make_fifo(void)
{
	assert_int_equal(mkfifo("x", 0666), 0);
}

static void make_directory(void)
{
	assert_int_equal(mkdir("x", 0755), 0);
}

static void make_symbolic_link(void)
{
	make_text("victim", "victim");
	assert_int_equal(symlink("victim", "x"), 0);
}

static void make_dangling_link(void)
{
	assert_int_equal(symlink("victim", "x"), 0);
}

static void make_link_to_device(void)
{
	assert_int_equal(symlink("/dev/zero", "x"), 0);
}

static void make_hard_link(void)
{
	make_text("victim", "victim");
	assert_int_equal(link("victim", "x"), 0);
}

static void make_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "x"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
}

static void make_of_other_user(void)
{
	make_text("x", "text");
	assert_int_equal(chown("x", 65534, (gid_t)-1), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(top + strlen(top) - 6, "XXXXXX");
	return mkdtemp(top) == NULL ? -1 : chdir(top);
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", top);
	return chdir("/") == 0 ? system(command) : -1;
}

static void clear(void)
{
	unlink("victim");
	if (unlink("x") != 0)
		rmdir("x");
}

static void check_victim(void)
{
	char text[16] = "victim";
	FILE *file = fopen("victim", "r");

	if (file != NULL) {
		assert_non_null(fgets(text, sizeof text, file));
		fclose(file);
	}
	assert_string_equal(text, "victim");
}

static int open_x(enum file_use use)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "%s/x", top);
	fd = file_open(path, use, 0600);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void only_files_are_opened_that_nobody_else_can_have_put_there(void **state)
{
	static const struct {
		const char *what;
		void (*make)(void);
		int named_private, named_shared, state, output;
	} rows[] = {
		{"file", make_regular, 0, 0, 0, 0},
		{"nothing", make_nothing, -ENOENT, -ENOENT, -ENOENT, 0},
		{"FIFO", make_fifo, -ENXIO, -ENXIO, -ENXIO, -ENXIO},
		{"directory", make_directory, -EISDIR, -EISDIR, -EISDIR, -EISDIR},
		{"socket", make_socket, -ENXIO, -ENXIO, -ENXIO, -ENXIO},
		{"symbolic link", make_symbolic_link, 0, -ELOOP, -ELOOP, -ELOOP},
		{"dangling link", make_dangling_link, -ENOENT, -ELOOP, -ELOOP, -ELOOP},
		{"link to a device", make_link_to_device, -ENXIO, -ELOOP, -ELOOP, -ELOOP},
		{"hard link", make_hard_link, 0, -EMLINK, -EMLINK, -EMLINK},
		{"file of another user", make_of_other_user, 0, 0, -EACCES, -EACCES},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (rows[i].make == make_of_other_user && geteuid() != 0)
			continue;
		for (int shared = 0; shared <= 1; shared++) {
			int named = shared ? rows[i].named_shared : rows[i].named_private;
			const struct {
				enum file_use use;
				int expected;
			} uses[] = {{FILE_NAMED, named},
			            {FILE_STREAM, named},
			            {FILE_STATE, rows[i].state},
			            {FILE_OUTPUT, rows[i].output}};

			assert_int_equal(chmod(top, shared ? 01777 : 0755), 0);
			for (size_t j = 0; j < LENGTH(uses); j++) {
				int result;

				rows[i].make();
				result = open_x(uses[j].use);
				if (result != uses[j].expected)
					fail_msg("%s, shared %d, use %zu: %d", rows[i].what, shared, j,
					         result);
				check_victim();
				clear();
			}
		}
	}
}

static void a_directory_counts_as_shared_unless_only_its_owner_writes(void **state)
{
	static const struct {
		mode_t mode;
		uid_t owner;
		int expected;
	} rows[] = {{0755, 0, 0},       {0700, 0, 0},          {0775, 0, -ELOOP},    {0757, 0, -ELOOP},
	            {01777, 0, -ELOOP}, {0755, 65534, -ELOOP}, {0700, 65534, -ELOOP}};

	(void)state;
	if (geteuid() != 0)
		skip();
	make_symbolic_link();
	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(chmod(top, rows[i].mode), 0);
		assert_int_equal(chown(top, rows[i].owner, (gid_t)-1), 0);
		assert_int_equal(open_x(FILE_NAMED), rows[i].expected);
	}
	/* A file of the directory's owner is as good as the directory. */
	clear();
	make_of_other_user();
	assert_int_equal(open_x(FILE_STATE), 0);
	assert_int_equal(chown(top, 0, (gid_t)-1), 0);
}

static void links_to_directories_are_followed(void **state)
{
	(void)state;
	assert_int_equal(mkdir("real", 0755), 0);
	assert_int_equal(symlink("real", "alias"), 0);
	make_text("real/x", "text");
	assert_true(file_open("alias/x", FILE_NAMED, 0) >= 0);
	assert_int_equal(file_open("", FILE_NAMED, 0), -ENOENT);
	assert_int_equal(file_open("real/", FILE_NAMED, 0), -EISDIR);
	assert_int_equal(file_open("none/x", FILE_NAMED, 0), -ENOENT);
	assert_int_equal(file_open("/dev/zero", FILE_STREAM, 0), -ENXIO);
}

static void an_output_is_emptied_and_private(void **state)
{
	struct stat status;
	int fd;

	(void)state;
	make_regular();
	fd = file_open("x", FILE_OUTPUT, 0600);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(status.st_size, 0);
	close(fd);
	unlink("x");
	close(file_open("x", FILE_OUTPUT, 0600));
	assert_int_equal(stat("x", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void a_pipe_is_read_where_its_descriptor_is_named(void **state)
{
	char path[32], text[16];
	int ends[2], fd;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
	assert_int_equal(file_open(path, FILE_NAMED, 0), -ENXIO);
	fd = file_open(path, FILE_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(write(ends[1], "text", 4), 4);
	/* The writer does not end. */
	assert_int_equal(file_read(fd, text, sizeof text, 30), -ETIMEDOUT);
	assert_int_equal(write(ends[1], "text", 4), 4);
	close(ends[1]);
	assert_int_equal(file_read(fd, text, sizeof text, 30), 4);
	close(fd);
	close(ends[0]);
}

static void no_more_is_read_than_fits(void **state)
{
	char text[4];
	int fd;

	(void)state;
	make_text("x", "0123456789");
	assert_int_equal(truncate("x", (off_t)1 << 30), 0);
	fd = file_open("x", FILE_NAMED, 0);
	assert_int_equal(file_read(fd, text, sizeof text, 0), 4);
	close(fd);
}

static void a_temporary_file_is_new_and_has_its_mode(void **state)
{
	char first[FILE_PATH_SIZE], second[FILE_PATH_SIZE];
	mode_t mask = umask(0077);
	struct stat status;
	int fd[2];

	(void)state;
	fd[0] = file_open_temporary("x", 0640, first);
	fd[1] = file_open_temporary("x", 0640, second);
	umask(mask);
	assert_true(fd[0] >= 0 && fd[1] >= 0);
	assert_string_not_equal(first, second);
	assert_int_equal(fstat(fd[0], &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(file_rename(first, "x", false), 0);
	assert_int_equal(file_rename(second, "x", false), -EEXIST);
	assert_int_equal(access(second, F_OK), -1);
	assert_int_equal(stat("x", &status), 0);
	assert_int_equal(status.st_nlink, 1);
	close(fd[1]);
	fd[1] = file_open_temporary("x", 0600, second);
	assert_int_equal(file_rename(second, "x", true), 0);
	assert_int_equal(stat("x", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	close(fd[0]);
	close(fd[1]);
	assert_int_equal(file_open_temporary("none/x", 0600, first), -ENOENT);
}

static void a_renamed_file_replaces_a_link_and_not_its_target(void **state)
{
	char name[FILE_PATH_SIZE];
	struct stat status;

	(void)state;
	make_symbolic_link();
	close(file_open_temporary("x", 0600, name));
	assert_int_equal(file_rename(name, "x", true), 0);
	assert_int_equal(lstat("x", &status), 0);
	assert_true(S_ISREG(status.st_mode));
	check_victim();
}

static void a_directory_is_made_for_all_to_enter(void **state)
{
	mode_t mask = umask(0077);
	struct stat status;

	(void)state;
	assert_int_equal(file_make_directory("d/x"), 0);
	assert_int_equal(file_make_directory("d/x"), 0);
	umask(mask);
	assert_int_equal(stat("d", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
	assert_int_equal(file_make_directory("x"), 0);
	assert_int_equal(file_make_directory("none/none/x"), -ENOENT);
}

static void problems_have_texts(void **state)
{
	(void)state;
	assert_non_null(strstr(file_problem(-ENXIO), "FIFO"));
	assert_non_null(strstr(file_problem(-ELOOP), "symbolic link"));
	assert_non_null(strstr(file_problem(-EMLINK), "hard links"));
	assert_non_null(strstr(file_problem(-ETIMEDOUT), "pipe"));
	assert_string_equal(file_problem(-EISDIR), "Is a directory");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_files_are_opened_that_nobody_else_can_have_put_there),
		TEST(a_directory_counts_as_shared_unless_only_its_owner_writes),
		TEST(links_to_directories_are_followed),
		TEST(an_output_is_emptied_and_private),
		TEST(a_pipe_is_read_where_its_descriptor_is_named),
		TEST(no_more_is_read_than_fits),
		TEST(a_temporary_file_is_new_and_has_its_mode),
		TEST(a_renamed_file_replaces_a_link_and_not_its_target),
		TEST(a_directory_is_made_for_all_to_enter),
		cmocka_unit_test(problems_have_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
