/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The owner's loop: which sources a turn serves, in which order, and sources that go during a turn.
 */
#include "daemon/owner/loop.h"

#include "daemon/log/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop loop;
static struct loop_source *served[8];
static size_t served_count;

static void note(void *context, struct loop_source *source, mtime now)
{
	(void)now;
	assert_ptr_equal(context, &loop);
	served[served_count++] = source;
}

/* The first source that is served removes the other. */
static struct loop_source *pair[2];

static void remove_other(void *context, struct loop_source *source, mtime now)
{
	note(context, source, now);
	loop_remove(&loop, pair[source == pair[0]]);
}

static struct loop_source *make_source(loop_handler *handler)
{
	struct loop_source *source = calloc(1, sizeof *source);

	assert_non_null(source);
	*source = (struct loop_source){
		.fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), .ready = handler, .context = &loop};
	assert_true(source->fd >= 0 && loop_watch(&loop, source));
	return source;
}

static void drop(struct loop_source *source)
{
	int fd = source->fd;

	loop_remove(&loop, source);
	close(fd);
}

static void turn(mtime deadline)
{
	served_count = 0;
	loop_wait(&loop, deadline);
	loop_serve(&loop, clock_now());
}

static int open_loop(void **state)
{
	(void)state;
	return !loop_open(&loop);
}

static int close_loop(void **state)
{
	(void)state;
	loop_close(&loop);
	return 0;
}

static void urgent_sources_come_first(void **state)
{
	struct loop_source *usual = make_source(note), *urgent = make_source(note);

	(void)state;
	urgent->urgent = true;
	turn(MTIME_NEVER);
	assert_int_equal(served_count, 2);
	assert_ptr_equal(served[0], urgent);
	assert_ptr_equal(served[1], usual);
	drop(usual);
	drop(urgent);
	loop_end_turn(&loop);
}

static void a_source_removed_in_the_turn_is_not_served(void **state)
{
	int fds[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		pair[i] = make_source(remove_other);
		fds[i] = pair[i]->fd;
	}
	turn(MTIME_NEVER);
	assert_int_equal(served_count, 1);
	loop_end_turn(&loop);
	loop_remove(&loop, served[0]);
	loop_end_turn(&loop);
	close(fds[0]);
	close(fds[1]);
}

static void events_can_be_paused(void **state)
{
	struct loop_source *source = make_source(note);

	(void)state;
	loop_set_events(&loop, source, 0);
	turn(0);
	assert_int_equal(served_count, 0);
	loop_set_events(&loop, source, EPOLLIN);
	turn(0);
	assert_int_equal(served_count, 1);
	drop(source);
	loop_end_turn(&loop);
}

/* Without the flag the wait would have no end. */
static void work_that_remains_ends_the_wait_once(void **state)
{
	(void)state;
	loop.again = true;
	turn(MTIME_NEVER);
	assert_int_equal(served_count, 0);
	assert_false(loop.again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urgent_sources_come_first),
		cmocka_unit_test(a_source_removed_in_the_turn_is_not_served),
		cmocka_unit_test(events_can_be_paused),
		cmocka_unit_test(work_that_remains_ends_the_wait_once),
	};

	return cmocka_run_group_tests(tests, open_loop, close_loop);
}
