/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/loop.h"

#include "daemon/config/config.h"
#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

bool loop_open(struct loop *loop)
{
	*loop = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	return loop->epoll >= 0;
}

void loop_close(struct loop *loop)
{
	loop_end_turn(loop);
	if (loop->epoll >= 0)
		close(loop->epoll);
}

bool loop_watch(struct loop *loop, struct loop_source *source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &event) == 0;
}

void loop_set_events(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	epoll_ctl(loop->epoll, EPOLL_CTL_MOD, source->fd, &event);
}

void loop_unwatch(struct loop *loop, struct loop_source *source)
{
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	source->ready = NULL; /* an event of this turn may still point here */
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
	loop_unwatch(loop, source);
	source->next_removed = loop->removed;
	loop->removed = source;
}

static int timeout_until(mtime deadline)
{
	mtime left = deadline - clock_now();

	if (deadline == MTIME_NEVER)
		return -1;
	return left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

void loop_wait(struct loop *loop, mtime deadline)
{
	loop->ready_count = epoll_wait(loop->epoll, loop->ready, LOOP_EVENTS_PER_TURN,
	                               timeout_until(loop->again ? 0 : deadline));
	loop->again = false;
}

void loop_serve(struct loop *loop, mtime now)
{
	for (int urgent = 1; urgent >= 0; urgent--) {
		for (int i = 0; i < loop->ready_count; i++) {
			struct loop_source *source = loop->ready[i].data.ptr;

			if (source->ready != NULL && source->urgent == urgent)
				source->ready(source->context, source, now);
		}
	}
}

void loop_end_turn(struct loop *loop)
{
	loop->ready_count = 0;
	while (loop->removed != NULL) {
		struct loop_source *source = loop->removed;

		loop->removed = source->next_removed;
		free(source);
	}
}

void loop_set_priority(const struct config *config)
{
	int result = priority_raise(config->owner_priority);

	if (result == 0 || !config->owner_priority_named)
		return;
	errno = -result;
	warn("owner_priority: the main thread cannot be given the nice value -%u", config->owner_priority);
}

uint64_t random_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
		fatal("random numbers");
	return seed;
}
