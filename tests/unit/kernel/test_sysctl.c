/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reverse path filter settings in a directory that stands for /proc/sys/net/ipv4/conf.
 */
#include "kernel/sysctl.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static char top[64];      /* the test's own directory */
static char settings[96]; /* in place of /proc/sys/net/ipv4/conf */
static char state_path[96];

__attribute__((format(printf, 1, 2))) static const char *path_of(const char *format, ...)
{
	static char path[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, sizeof path, format, arguments);
	va_end(arguments);
	return path;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static const char *read_file(const char *path)
{
	static char text[1024];
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void set(const char *name, const char *value)
{
	mkdir(path_of("%s/%s", settings, name), 0755);
	write_file(path_of("%s/%s/rp_filter", settings, name), value);
}

static int get(const char *name)
{
	return atoi(read_file(path_of("%s/%s/rp_filter", settings, name)));
}

static void remove_interface(const char *name)
{
	assert_int_equal(unlink(path_of("%s/%s/rp_filter", settings, name)), 0);
	assert_int_equal(rmdir(path_of("%s/%s", settings, name)), 0);
}

/* The one file in the state's directory, whose name may have a number at its end; NULL when there is none. */
static const char *state_file(void)
{
	static char path[400];
	const struct dirent *entry;
	const char *found = NULL;
	DIR *directory = opendir(path_of("%s/state", top));

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		assert_null(found);
		snprintf(path, sizeof path, "%s/state/%s", top, entry->d_name);
		found = path;
	}
	if (directory != NULL)
		closedir(directory);
	return found;
}

static struct sysctl *start(unsigned expected)
{
	unsigned restored = 99;
	struct sysctl *filter = sysctl_new(settings, SYSCTL_RP_FILTER, state_path, false, &restored);

	assert_non_null(filter);
	assert_int_equal(restored, expected);
	return filter;
}

/* A run that sets these to 0 and is killed. */
static void run_and_kill(const char *const *names, size_t count)
{
	struct sysctl *filter = start(0);
	char text[1024], path[400];

	for (size_t i = 0; i < count; i++)
		assert_int_equal(sysctl_set(filter, names[i], 0), 0);
	assert_int_equal(sysctl_state_result(filter), 0);
	snprintf(path, sizeof path, "%s", state_file());
	snprintf(text, sizeof text, "%s", read_file(path));
	/* Ended properly, and then made to look as if it had not been. */
	sysctl_free(filter);
	for (size_t i = 0; i < count; i++)
		set(names[i], "0\n");
	write_file(path, text);
}

struct seen {
	unsigned count;
	int result;
};

static void take(void *context, const char *name, int found, int wanted, int result)
{
	struct seen *seen = context;

	assert_true(name[0] != '\0' && found != wanted);
	seen->count++;
	seen->result = result;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(top, sizeof top, "/tmp/mcproxy-test-rpfilter-XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	snprintf(settings, sizeof settings, "%s/conf", top);
	snprintf(state_path, sizeof state_path, "%s/state/rp_filter", top);
	mkdir(settings, 0755);
	set("all", "0\n");
	set("eth0", "1\n");
	set("eth0.100", "2\n");
	set("eth1", "0\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return system(path_of("rm -r %s", top));
}

static void values_are_set_to_0_and_put_back(void **state)
{
	struct sysctl *filter = start(0);

	(void)state;
	assert_int_equal(sysctl_set(filter, "eth0", 0), 0);
	assert_int_equal(sysctl_set(filter, "eth0.100", 0), 0);
	assert_int_equal(get("eth0"), 0);
	assert_int_equal(get("eth0.100"), 0);
	assert_string_equal(read_file(state_file()), "eth0 1 0\neth0.100 2 0\n");
	sysctl_free(filter);
	assert_int_equal(get("eth0"), 1);
	assert_int_equal(get("eth0.100"), 2);
	assert_null(state_file());
}

static void value_0_is_left_alone(void **state)
{
	struct sysctl *filter = start(0);

	(void)state;
	assert_int_equal(sysctl_set(filter, "all", 0), 0);
	assert_int_equal(sysctl_set(filter, "eth1", 0), 0);
	assert_null(state_file());
	sysctl_free(filter);
	assert_int_equal(get("all"), 0);
	assert_int_equal(get("eth1"), 0);
}

static void repeating_it_changes_nothing(void **state)
{
	struct sysctl *filter = start(0);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(sysctl_set(filter, "eth0", 0), 0);
	assert_string_equal(read_file(state_file()), "eth0 1 0\n");
	sysctl_free(filter);
	assert_int_equal(get("eth0"), 1);
}

static void state_file_is_private_and_its_directory_is_made(void **state)
{
	struct sysctl *filter = start(0);
	struct stat status;

	(void)state;
	assert_int_equal(sysctl_set(filter, "eth0", 0), 0);
	assert_int_equal(stat(state_file(), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	sysctl_free(filter);
}

static void killed_run_is_made_up_for(void **state)
{
	(void)state;
	run_and_kill((const char *const[]){"eth0", "eth0.100"}, 2);
	assert_int_equal(get("eth0"), 0);
	sysctl_free(start(2));
	assert_int_equal(get("eth0"), 1);
	assert_int_equal(get("eth0.100"), 2);
	assert_null(state_file());
}

static void run_after_a_killed_one_remembers_the_true_values(void **state)
{
	struct sysctl *filter;

	(void)state;
	run_and_kill((const char *const[]){"eth0.100"}, 1);
	filter = start(1);
	assert_int_equal(sysctl_set(filter, "eth0.100", 0), 0);
	assert_int_equal(get("eth0.100"), 0);
	sysctl_free(filter);
	assert_int_equal(get("eth0.100"), 2);
}

static void what_somebody_else_has_set_stays(void **state)
{
	struct sysctl *filter = start(0);

	(void)state;
	assert_int_equal(sysctl_set(filter, "eth0", 0), 0);
	set("eth0", "2\n");
	sysctl_free(filter);
	assert_int_equal(get("eth0"), 2);

	run_and_kill((const char *const[]){"eth0.100"}, 1);
	set("eth0.100", "1\n");
	sysctl_free(start(0));
	assert_int_equal(get("eth0.100"), 1);
	assert_null(state_file());
}

static void one_value_is_put_back_alone(void **state)
{
	struct sysctl *kept = start(0);

	(void)state;
	set("eth0", "1");
	set("eth1", "2");
	assert_int_equal(sysctl_set(kept, "eth0", 3), 0);
	assert_int_equal(sysctl_set(kept, "eth0", 2), 0);
	assert_int_equal(sysctl_set(kept, "eth1", 3), 0);
	sysctl_put_back(kept, "eth9");
	sysctl_put_back(kept, "eth0");
	assert_int_equal(get("eth0"), 1);
	assert_int_equal(get("eth1"), 3);
	/* No more of our business. */
	set("eth0", "2");
	sysctl_free(kept);
	assert_int_equal(get("eth0"), 2);
	assert_int_equal(get("eth1"), 2);
	assert_null(state_file());
}

static void interface_that_is_gone_is_skipped(void **state)
{
	struct sysctl *filter = start(0);

	(void)state;
	assert_int_equal(sysctl_set(filter, "ppp0", 0), -ENOENT);
	assert_int_equal(sysctl_set(filter, "eth0.100", 0), 0);
	assert_int_equal(sysctl_set(filter, "eth0", 0), 0);
	remove_interface("eth0.100");
	sysctl_free(filter);
	assert_int_equal(get("eth0"), 1);
	assert_null(state_file());
}

static void interface_that_came_back_is_disabled_again(void **state)
{
	struct sysctl *filter = start(0);

	(void)state;
	assert_int_equal(sysctl_set(filter, "eth0", 0), 0);
	remove_interface("eth0");
	set("eth0", "2\n");
	assert_int_equal(sysctl_set(filter, "eth0", 0), 0);
	assert_int_equal(get("eth0"), 0);
	assert_string_equal(read_file(state_file()), "eth0 2 0\n");
	sysctl_free(filter);
	assert_int_equal(get("eth0"), 2);
}

static void file_with_nonsense_does_no_harm(void **state)
{
	char path[400];

	(void)state;
	run_and_kill((const char *const[]){"eth0"}, 1);
	set("eth0.100", "0\n");
	snprintf(path, sizeof path, "%s", state_file());
	write_file(path,
	           "\n"
	           "eth0\n"
	           "../eth0 1 0\n"
	           ".. 1 0\n"
	           "/etc/passwd 1 0\n"
	           "eth1 77 0\n"
	           "eth1 -1 0\n"
	           "eth1 1\n"
	           "eth1 1 0 1\n"
	           "eth1 99999999999999999999999\n"
	           "averyveryverylongname 1 0\n"
	           "a line that is longer than any that this program has ever written into such a file 1 0\n"
	           "eth0.100 1 0\n"
	           "eth0 2 0");
	sysctl_free(start(2));
	assert_int_equal(get("eth0"), 2);
	assert_int_equal(get("eth0.100"), 1);
	assert_int_equal(get("eth1"), 0);
	assert_null(state_file());
}

static void names_cannot_leave_the_directory(void **state)
{
	static const char *const names[] = {"", ".", "..", "../conf/eth0", "/eth0", "a-name-of-16-chr"};
	struct sysctl *filter = start(0);

	(void)state;
	for (size_t i = 0; i < LENGTH(names); i++) {
		assert_int_equal(sysctl_set(filter, names[i], 0), -EINVAL);
		assert_int_equal(sysctl_rp_filter(settings, names[i]), -EINVAL);
	}
	sysctl_free(filter);
}

static void file_that_cannot_be_written_is_told_and_survived(void **state)
{
	unsigned restored;
	struct sysctl *filter;

	(void)state;
	/* A file stands where the directory should be. */
	write_file(path_of("%s/state", top), "");
	filter = sysctl_new(settings, SYSCTL_RP_FILTER, state_path, false, &restored);
	assert_non_null(filter);
	assert_int_equal(sysctl_set(filter, "eth0", 0), 0);
	assert_int_equal(sysctl_state_result(filter), -ENOTDIR);
	assert_int_equal(get("eth0"), 0);
	sysctl_free(filter);
	assert_int_equal(get("eth0"), 1);
	unlink(path_of("%s/state", top));
}

static void works_without_a_file(void **state)
{
	unsigned restored;
	struct sysctl *filter = sysctl_new(settings, SYSCTL_RP_FILTER, NULL, false, &restored);

	(void)state;
	assert_int_equal(restored, 0);
	assert_int_equal(sysctl_set(filter, "eth0", 0), 0);
	assert_int_equal(sysctl_state_result(filter), 0);
	assert_null(state_file());
	sysctl_free(filter);
	assert_int_equal(get("eth0"), 1);
}

/* A process that holds what these run names hold, until it is killed. */
static pid_t fork_run(const char *const *names, size_t count)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		unsigned restored;
		struct sysctl *kept = sysctl_new(settings, SYSCTL_RP_FILTER, state_path, false, &restored);

		for (size_t i = 0; i < count; i++)
			if (kept == NULL || sysctl_set(kept, names[i], 0) != 0)
				_exit(1);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_true(pid > 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void kill_run(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Whoever comes first and whoever goes first: the last one puts the true value back. */
static void the_last_run_puts_the_values_back(void **state)
{
	(void)state;
	for (int first_goes_first = 0; first_goes_first <= 1; first_goes_first++) {
		struct sysctl *first = start(0), *second = start(0);

		assert_int_equal(sysctl_set(first, "eth0", 0), 0);
		assert_int_equal(sysctl_set(second, "eth0", 0), 0);
		assert_int_equal(sysctl_set(second, "eth0.100", 0), 0);
		assert_int_equal(sysctl_set(first, "eth1", 0), 0);
		assert_int_equal(sysctl_state_result(second), 0);
		sysctl_free(first_goes_first ? first : second);
		assert_int_equal(get("eth0"), 0);
		assert_int_equal(get("eth0.100"), first_goes_first ? 0 : 2);
		sysctl_free(start(0));
		assert_int_equal(get("eth0"), 0);
		sysctl_free(first_goes_first ? second : first);
		assert_int_equal(get("eth0"), 1);
		assert_int_equal(get("eth0.100"), 2);
		assert_null(state_file());
	}
}

static void what_a_killed_run_shared_stays_as_long_as_another_lives(void **state)
{
	struct sysctl *other;
	pid_t pid = fork_run((const char *const[]){"eth0", "eth0.100"}, 2);

	(void)state;
	other = start(0);
	assert_int_equal(sysctl_set(other, "eth0", 0), 0);
	kill_run(pid);
	/* A third one finds what was left behind. */
	sysctl_free(start(1));
	assert_int_equal(get("eth0"), 0);
	assert_int_equal(get("eth0.100"), 2);
	/* And the last one does. */
	pid = fork_run((const char *const[]){"eth0", "eth0.100"}, 2);
	kill_run(pid);
	assert_int_equal(get("eth0.100"), 0);
	sysctl_free(other);
	assert_int_equal(get("eth0"), 1);
	assert_int_equal(get("eth0.100"), 2);
	assert_null(state_file());
}

static void one_value_is_put_back_by_the_last_that_needs_it(void **state)
{
	struct sysctl *first = start(0), *second = start(0);

	(void)state;
	assert_int_equal(sysctl_set(first, "eth0", 0), 0);
	assert_int_equal(sysctl_set(second, "eth0", 0), 0);
	sysctl_put_back(first, "eth0");
	assert_int_equal(get("eth0"), 0);
	sysctl_put_back(second, "eth0");
	assert_int_equal(get("eth0"), 1);
	sysctl_free(first);
	sysctl_free(second);
	assert_int_equal(get("eth0"), 1);
}

static void runs_that_disagree_do_not_fight(void **state)
{
	struct sysctl *first = start(0), *second = start(0);
	struct seen seen = {.count = 0};

	(void)state;
	assert_int_equal(sysctl_set(first, "eth0", 2), 0);
	assert_int_equal(sysctl_set(second, "eth0", 3), 0);
	for (int i = 0; i < 3; i++)
		sysctl_check(first, take, &seen);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.result, -EBUSY);
	assert_int_equal(get("eth0"), 3);
	/* Whoever is left has what it needs, and the value of before is known. */
	sysctl_free(second);
	assert_int_equal(get("eth0"), 2);
	sysctl_free(first);
	assert_int_equal(get("eth0"), 1);
	assert_null(state_file());
}

static void changes_by_others_are_noticed(void **state)
{
	struct sysctl *kept = start(0);
	struct seen seen = {.count = 0};

	(void)state;
	assert_true(sysctl_is_empty(kept));
	assert_int_equal(sysctl_set(kept, "eth0", 0), 0);
	assert_int_equal(sysctl_set(kept, "eth1", 0), 0);
	assert_false(sysctl_is_empty(kept));
	sysctl_check(kept, take, &seen);
	assert_int_equal(seen.count, 0);
	set("eth0", "2\n");
	set("eth1", "1\n");
	sysctl_check(kept, take, &seen);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.result, 0);
	assert_int_equal(get("eth0"), 0);
	assert_int_equal(get("eth1"), 0);
	remove_interface("eth1");
	sysctl_check(kept, take, &seen);
	assert_int_equal(seen.count, 2);
	sysctl_free(kept);
	assert_int_equal(get("eth0"), 2);
}

static void no_more_than_16_runs_have_files(void **state)
{
	struct sysctl *runs[17];

	(void)state;
	for (size_t i = 0; i < LENGTH(runs); i++) {
		runs[i] = start(0);
		assert_int_equal(sysctl_set(runs[i], "eth0", 0), 0);
		assert_int_equal(sysctl_state_result(runs[i]), i < 16 ? 0 : -EBUSY);
	}
	/* The others do not see the one without a file. */
	for (size_t i = LENGTH(runs); i-- > 0;) {
		assert_int_equal(get("eth0"), 0);
		sysctl_free(runs[i]);
	}
	assert_int_equal(get("eth0"), 1);
	assert_null(state_file());
}

/* max(all, interface) stays what it was, for each pair of values, and all of them come back. */
static void lowering_all_changes_no_interface(void **state)
{
	(void)state;
	for (int all = 0; all <= 2; all++) {
		for (int own = 0; own <= 2; own++) {
			char text[] = {(char)('0' + all), '\n', 0}, other[] = {(char)('0' + own), '\n', 0};
			int larger = own > all ? own : all;
			struct sysctl *filter;

			set("all", text);
			set("default", other);
			set("eth0", other);
			set("eth1", other);
			filter = start(0);
			assert_int_equal(sysctl_lower_all(filter, 0), 0);
			assert_int_equal(sysctl_set(filter, "eth0", 0), 0);
			assert_int_equal(get("all"), 0);
			assert_int_equal(get("eth0"), 0);
			assert_int_equal(get("eth1"), larger);
			assert_int_equal(get("default"), larger);
			/* An interface that appears later has a copy of default. */
			set("late0", larger == 0 ? "0\n" : larger == 1 ? "1\n" : "2\n");
			sysctl_hold_rest(filter);
			assert_int_equal(get("late0"), larger);
			sysctl_hold(filter, "eth0");
			assert_int_equal(get("eth0"), larger);
			sysctl_free(filter);
			assert_int_equal(get("all"), all);
			assert_int_equal(get("eth0"), own);
			assert_int_equal(get("eth1"), own);
			assert_int_equal(get("default"), own);
			assert_int_equal(get("late0"), own);
			assert_null(state_file());
			remove_interface("late0");
		}
	}
	remove_interface("default");
}

/* What is held follows a new value of all; a value that another program sets there is a new old value. */
static void held_values_follow_changes_by_others(void **state)
{
	struct seen seen = {0};
	struct sysctl *filter;

	(void)state;
	set("all", "1\n");
	set("eth0", "0\n");
	set("eth1", "0\n");
	filter = start(0);
	assert_int_equal(sysctl_lower_all(filter, 0), 0);
	assert_int_equal(get("eth0"), 1);
	set("all", "2\n");
	sysctl_check(filter, take, &seen);
	assert_int_equal(seen.count, 1); /* of all */
	assert_int_equal(get("eth0"), 2);
	set("eth0", "1\n");
	sysctl_check(filter, take, &seen);
	assert_int_equal(seen.count, 2);
	assert_int_equal(get("eth0"), 2);
	sysctl_forget(filter, "eth1"); /* and another one of that name */
	set("eth1", "1\n");
	sysctl_hold_rest(filter);
	assert_int_equal(get("eth1"), 2);
	sysctl_free(filter);
	assert_int_equal(get("all"), 2);
	assert_int_equal(get("eth0"), 1);
	assert_int_equal(get("eth1"), 1);
}

/* Whoever comes first: a run that sets an interface wins over one that holds it, until it ends. */
static void a_run_that_holds_gives_way(void **state)
{
	(void)state;
	for (int holder_first = 0; holder_first <= 1; holder_first++) {
		struct seen seen = {0};
		struct sysctl *one, *other;

		set("all", "1\n");
		set("eth0", "0\n");
		set("eth1", "0\n");
		one = start(0);
		assert_int_equal(sysctl_lower_all(one, 0), 0);
		if (!holder_first)
			assert_int_equal(sysctl_set(one, "eth0", 0), 0);
		other = start(0);
		assert_int_equal(sysctl_lower_all(other, 0), 0);
		assert_int_equal(sysctl_set(other, holder_first ? "eth0" : "eth1", 0), 0);
		for (int i = 0; i < 3; i++) {
			sysctl_check(one, take, &seen);
			sysctl_check(other, take, &seen);
		}
		assert_int_equal(seen.count, 0);
		assert_int_equal(get("eth0"), 0);
		assert_int_equal(get("eth1"), holder_first ? 1 : 0);
		sysctl_free(other);
		assert_int_equal(get("all"), 0);
		assert_int_equal(get("eth0"), holder_first ? 1 : 0);
		assert_int_equal(get("eth1"), 1);
		sysctl_free(one);
		assert_int_equal(get("all"), 1);
		assert_int_equal(get("eth0"), 0);
		assert_int_equal(get("eth1"), 0);
	}
}

static void symbolic_link_is_not_followed(void **state)
{
	char target[128], path[400];
	unsigned restored;
	struct sysctl *filter;

	(void)state;
	run_and_kill((const char *const[]){"eth0"}, 1);
	snprintf(path, sizeof path, "%s", state_file());
	snprintf(target, sizeof target, "%s/target", top);
	write_file(target, "eth0 1 0\n");
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
	filter = sysctl_new(settings, SYSCTL_RP_FILTER, state_path, false, &restored);
	assert_int_equal(restored, 0);
	assert_int_equal(sysctl_state_result(filter), -ELOOP);
	sysctl_free(filter);
	assert_string_equal(read_file(target), "eth0 1 0\n");
}

/* A file that another user has put where the next state file is written, and another one where it is read. */
static void files_of_others_are_neither_changed_nor_believed(void **state)
{
	char target[128];
	struct sysctl *filter;
	unsigned restored;

	(void)state;
	snprintf(target, sizeof target, "%s/target", top);
	write_file(target, "eth1 2 0\n");
	mkdir(path_of("%s/state", top), 0755);
	assert_int_equal(link(target, path_of("%s/state/rp_filter.new", top)), 0);
	filter = start(0);
	assert_int_equal(sysctl_set(filter, "eth0", 0), 0);
	assert_int_equal(sysctl_state_result(filter), 0);
	assert_string_equal(read_file(target), "eth1 2 0\n");
	sysctl_free(filter);
	assert_int_equal(unlink(path_of("%s/state/rp_filter.new", top)), 0);

	assert_int_equal(link(target, path_of("%s/state/rp_filter", top)), 0);
	filter = sysctl_new(settings, SYSCTL_RP_FILTER, state_path, false, &restored);
	assert_int_equal(restored, 0);
	assert_int_equal(sysctl_state_result(filter), -EMLINK);
	sysctl_free(filter);
	assert_int_equal(unlink(path_of("%s/state/rp_filter", top)), 0);
	assert_int_equal(get("eth1"), 0);
	if (geteuid() != 0)
		skip();

	write_file(path_of("%s/state/rp_filter", top), "eth1 2 0\n");
	assert_int_equal(chown(path_of("%s/state/rp_filter", top), 65534, (gid_t)-1), 0);
	filter = start(0);
	assert_int_equal(get("eth1"), 0);
	assert_int_equal(sysctl_set(filter, "eth0", 0), 0);
	assert_int_equal(sysctl_state_result(filter), 0);
	sysctl_free(filter);
	assert_int_equal(get("eth0"), 1);
}

static void effective_value_is_the_larger_one(void **state)
{
	(void)state;
	assert_int_equal(sysctl_rp_filter(settings, "eth0"), 1);
	assert_int_equal(sysctl_rp_filter(settings, "eth1"), 0);
	set("all", "2\n");
	assert_int_equal(sysctl_rp_filter(settings, "eth0"), 2);
	assert_int_equal(sysctl_rp_filter(settings, "eth1"), 2);
	assert_int_equal(sysctl_rp_filter(settings, "ppp0"), -ENOENT);
	set("all", "x\n");
	assert_int_equal(sysctl_rp_filter(settings, "eth0"), -EIO);
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	sysctl_free(NULL);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(values_are_set_to_0_and_put_back),
		ROW(value_0_is_left_alone),
		ROW(repeating_it_changes_nothing),
		ROW(state_file_is_private_and_its_directory_is_made),
		ROW(killed_run_is_made_up_for),
		ROW(run_after_a_killed_one_remembers_the_true_values),
		ROW(what_somebody_else_has_set_stays),
		ROW(one_value_is_put_back_alone),
		ROW(interface_that_is_gone_is_skipped),
		ROW(interface_that_came_back_is_disabled_again),
		ROW(file_with_nonsense_does_no_harm),
		ROW(names_cannot_leave_the_directory),
		ROW(file_that_cannot_be_written_is_told_and_survived),
		ROW(works_without_a_file),
		ROW(the_last_run_puts_the_values_back),
		ROW(what_a_killed_run_shared_stays_as_long_as_another_lives),
		ROW(one_value_is_put_back_by_the_last_that_needs_it),
		ROW(runs_that_disagree_do_not_fight),
		ROW(changes_by_others_are_noticed),
		ROW(no_more_than_16_runs_have_files),
		ROW(lowering_all_changes_no_interface),
		ROW(held_values_follow_changes_by_others),
		ROW(a_run_that_holds_gives_way),
		ROW(symbolic_link_is_not_followed),
		ROW(files_of_others_are_neither_changed_nor_believed),
		ROW(effective_value_is_the_larger_one),
		ROW(freeing_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
