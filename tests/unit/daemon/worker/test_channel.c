/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lanes alone, and a channel between two threads. MCPROXY_LONG=1 sends many times more messages.
 */
#include "daemon/worker/channel.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/long.h"

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define SLOWED_DOWN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define SLOWED_DOWN 1
#endif

/* Payload bytes of a lane with few slots: four payloads of the largest size. */
#define SMALL_LANE_BYTES (4 * LANE_PAYLOAD_MAX)

struct note {
	uint64_t number;
	uint64_t payload_size;
	uint64_t more[5];
};

_Static_assert(sizeof(struct note) == LANE_BODY_SIZE, "a note fills a body");

static uint64_t mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static struct note note_for(uint64_t number, size_t payload_size)
{
	return (struct note){number, payload_size, {~number, number << 9, mix(number), number, 1}};
}

static unsigned char pattern(uint64_t number, size_t at)
{
	return (unsigned char)(number * 167 + at * 13 + (at >> 8));
}

static void fill(unsigned char *payload, size_t size, uint64_t number)
{
	for (size_t i = 0; i < size; i++)
		payload[i] = pattern(number, i);
}

static bool is_filled(const unsigned char *payload, size_t size, uint64_t number)
{
	for (size_t i = 0; i < size; i++)
		if (payload[i] != pattern(number, i))
			return false;
	return true;
}

/* Reserves more than it commits, as the reader of a packet does. */
static bool put(struct lane *lane, uint64_t number, size_t reserved, size_t committed)
{
	void *payload;
	struct note *body = lane_reserve(lane, reserved, &payload);

	if (body == NULL)
		return false;
	*body = note_for(number, committed);
	if (reserved > 0)
		fill(payload, committed, number);
	lane_commit(lane, committed);
	return true;
}

/* The next message, whole and unharmed; UINT64_MAX when there is none, UINT64_MAX - 1 when it is damaged. */
static uint64_t take(struct lane *lane)
{
	const void *payload;
	struct note note, expected;
	size_t size;

	if (!lane_next(lane, &note, &payload, &size))
		return UINT64_MAX;
	expected = note_for(note.number, size);
	if (memcmp(&note, &expected, sizeof note) != 0 || (payload == NULL) != (size == 0) ||
	    !is_filled(payload, size, note.number))
		return UINT64_MAX - 1;
	return note.number;
}

#define NONE UINT64_MAX

static uint64_t rings(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof count) == (ssize_t)sizeof count ? count : 0;
}

static int setup(void **state)
{
	static struct channel channel;

	*state = &channel;
	return channel_open(&channel, 8);
}

static int teardown(void **state)
{
	channel_close(*state);
	return 0;
}

static void open_refuses_bad_sizes(void **state)
{
	static const size_t bad[] = {0, 1, 3, 1000, 2 * LANE_SLOTS_MAX, SIZE_MAX, SIZE_MAX / 2 + 1};
	struct channel channel;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(channel_open(&channel, bad[i]), -EINVAL);
		assert_null(channel.down);
		assert_null(channel.up);
	}
	assert_int_equal(channel_open(&channel, LANE_SLOTS_MAX), 0);
	channel_close(&channel);
	channel_close(&channel);
}

/* Neither, then only the first of the two eventfds can be had; nothing is left open. */
static void open_without_descriptors(void **state)
{
	struct rlimit before, limit;
	struct channel channel;
	int lowest = eventfd(0, 0);

	(void)state;
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (int more = 0; more < 2; more++) {
		limit = (struct rlimit){(rlim_t)(lowest + more), before.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_int_equal(channel_open(&channel, 4), -EMFILE);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_null(channel.down);
		assert_int_equal(eventfd(0, 0), lowest);
		close(lowest);
	}
}

static void messages_arrive_with_their_payload(void **state)
{
	static const struct {
		size_t reserved, committed;
	} rows[] = {{0, 0}, {1, 1}, {64, 64}, {65, 65}, {1500, 28}, {1500, 0}, {65536, 65536}, {65536, 1}};
	struct channel *channel = *state;
	struct lane *lanes[] = {channel->down, channel->up};

	for (size_t lane = 0; lane < 2; lane++) {
		assert_int_equal(take(lanes[lane]), NONE);
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
			assert_true(put(lanes[lane], i, rows[i].reserved, rows[i].committed));
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
			assert_int_equal(take(lanes[lane]), i);
		assert_int_equal(take(lanes[lane]), NONE);
	}
}

static void payloads_are_aligned(void **state)
{
	struct lane *lane = ((struct channel *)*state)->down;

	for (size_t i = 1; i < 8; i++) {
		void *payload;

		assert_non_null(lane_reserve(lane, i * 7, &payload));
		assert_int_equal((uintptr_t)payload % 64, 0);
		lane_commit(lane, i * 7);
	}
	void *payload = lane;

	assert_non_null(lane_reserve(lane, 0, &payload));
	assert_null(payload);
	assert_non_null(lane_reserve(lane, 0, NULL));
}

static void full_of_messages(void **state)
{
	struct lane *lane = ((struct channel *)*state)->down;

	for (uint64_t n = 0; n < 8; n++) {
		assert_true(lane_has_room(lane));
		assert_true(put(lane, n, 10, 10));
	}
	assert_false(lane_has_room(lane));
	assert_false(put(lane, 8, 0, 0));
	assert_int_equal(take(lane), 0);
	/* Lent, so not free yet. */
	assert_false(put(lane, 8, 0, 0));
	assert_int_equal(take(lane), 1);
	assert_true(put(lane, 8, 0, 0));
	assert_false(put(lane, 9, 0, 0));
	lane_drained(lane);
	assert_true(put(lane, 9, 10, 10));
	for (uint64_t n = 2; n < 10; n++)
		assert_int_equal(take(lane), n);
	assert_int_equal(take(lane), NONE);
}

static void full_of_payload(void **state)
{
	struct lane *lane = ((struct channel *)*state)->down;

	for (uint64_t n = 0; n < 3; n++)
		assert_true(put(lane, n, LANE_PAYLOAD_MAX, LANE_PAYLOAD_MAX));
	assert_true(put(lane, 3, LANE_PAYLOAD_MAX, LANE_PAYLOAD_MAX - 100));
	assert_false(lane_has_room(lane));
	assert_false(put(lane, 4, 65, 65));
	/* The rest of the last reservation, and messages without payload, still fit. */
	assert_true(put(lane, 4, 64, 64));
	assert_false(put(lane, 5, 1, 1));
	assert_true(put(lane, 5, 0, 0));
	assert_int_equal(take(lane), 0);
	assert_false(put(lane, 6, 1, 1));
	assert_int_equal(take(lane), 1);
	assert_true(lane_has_room(lane));
	assert_true(put(lane, 6, LANE_PAYLOAD_MAX, LANE_PAYLOAD_MAX));
	for (uint64_t n = 2; n < 7; n++)
		assert_int_equal(take(lane), n);
	assert_int_equal(take(lane), NONE);
}

/* What does not fit behind the last payload goes to the start, whole, once that is free. */
static void payload_wraps_whole(void **state)
{
	struct lane *lane = ((struct channel *)*state)->down;
	void *first, *next;

	assert_non_null(lane_reserve(lane, 60000, &first));
	for (uint64_t n = 0; n < 4; n++)
		assert_true(put(lane, n, 60000, 60000));
	assert_false(put(lane, 4, 60000, 60000));
	assert_true(put(lane, 4, 20000, 20000));
	assert_int_equal(take(lane), 0);
	assert_int_equal(take(lane), 1);
	assert_non_null(lane_reserve(lane, 60000, &next));
	assert_ptr_equal(next, first);
	/* Committed empty, it does not move the next payload there. */
	assert_true(put(lane, 5, 60000, 0));
	assert_non_null(lane_reserve(lane, 64, &next));
	assert_true((unsigned char *)next > (unsigned char *)first + 4 * 60000);
	assert_true(put(lane, 6, 60000, 60000));
	for (uint64_t n = 2; n < 7; n++)
		assert_int_equal(take(lane), n);
	assert_int_equal(take(lane), NONE);
}

/* The largest payload always fits into an empty lane, wherever its last batch ended. */
static void empty_lane_has_room(void **state)
{
	struct lane *lane = ((struct channel *)*state)->down;

	for (size_t size = 0; size <= LANE_PAYLOAD_MAX; size += 997) {
		assert_true(put(lane, 1, size, size));
		assert_true(put(lane, 2, LANE_PAYLOAD_MAX, LANE_PAYLOAD_MAX));
		assert_int_equal(take(lane), 1);
		assert_int_equal(take(lane), 2);
		lane_drained(lane);
		assert_true(lane_has_room(lane));
	}
}

static void lent_payload_stays(void **state)
{
	struct lane *lane = ((struct channel *)*state)->down;
	const void *payload;
	struct note note;
	size_t size;

	assert_true(put(lane, 7, 50000, 50000));
	assert_true(lane_next(lane, &note, &payload, &size));
	for (uint64_t n = 8; put(lane, n, 3000, 3000); n++)
		;
	assert_int_equal(size, 50000);
	assert_true(is_filled(payload, size, 7));
}

static void looks_ahead_of_the_lent_message(void **state)
{
	struct lane *lane = ((struct channel *)*state)->down;
	const struct note *ahead;
	const void *payload;
	struct note note;
	size_t size;

	for (uint64_t n = 1; n <= 3; n++)
		assert_true(put(lane, n, 100, n == 2 ? 0 : 100));
	assert_null(lane_look_ahead(lane, 1, &payload, &size));
	assert_true(lane_next(lane, &note, &payload, &size));
	ahead = lane_look_ahead(lane, 1, &payload, &size);
	assert_int_equal(ahead->number, 2);
	assert_int_equal(size, 0);
	assert_null(payload);
	ahead = lane_look_ahead(lane, 2, &payload, &size);
	assert_int_equal(ahead->number, 3);
	assert_true(is_filled(payload, size, 3));
	assert_null(lane_look_ahead(lane, 3, &payload, &size));
	assert_int_equal(take(lane), 2);
	assert_int_equal(take(lane), 3);
	assert_null(lane_look_ahead(lane, 1, &payload, &size));
	lane_drained(lane);
	assert_null(lane_look_ahead(lane, 0, &payload, &size));
}

static void quiet_lane_starts_at_the_same_place(void **state)
{
	struct lane *lane = ((struct channel *)*state)->down;
	void *first = NULL;

	for (uint64_t batch = 0; batch < 1000; batch++) {
		void *payload;

		assert_non_null(lane_reserve(lane, 100, &payload));
		if (batch == 0)
			first = payload;
		assert_ptr_equal(payload, first);
		assert_true(put(lane, 0, 100, 100));
		assert_true(put(lane, 1, 2000, 100));
		lane_wake(lane);
		assert_int_equal(take(lane), 0);
		assert_int_equal(take(lane), 1);
		lane_drained(lane);
	}
}

/* A look for room between reserving and committing must not pull the reservation away. */
static void reservation_outlives_a_look(void **state)
{
	struct lane *lane = ((struct channel *)*state)->down;
	void *payload;

	for (uint64_t n = 0; n < 3; n++)
		assert_true(put(lane, n, 60000, 60000));
	struct note *body = lane_reserve(lane, 60000, &payload);

	for (uint64_t n = 0; n < 3; n++)
		assert_int_equal(take(lane), n);
	lane_drained(lane);
	assert_true(lane_has_room(lane));
	*body = note_for(3, 60000);
	fill(payload, 60000, 3);
	lane_commit(lane, 60000);
	for (uint64_t n = 4; n < 7; n++)
		assert_true(put(lane, n, 60000, 60000));
	assert_false(put(lane, 7, 60000, 60000));
	for (uint64_t n = 3; n < 7; n++)
		assert_int_equal(take(lane), n);
}

/* More than 4 GiB of payload through a lane that is never empty, so that the positions wrap. */
static void positions_wrap(void **state)
{
	struct lane *lane = ((struct channel *)*state)->down;
	struct note note;

	for (uint64_t n = 0; n < 70000; n++) {
		const void *payload;
		void *room;
		size_t size;
		struct note *body = lane_reserve(lane, LANE_PAYLOAD_MAX, &room);

		assert_non_null(body);
		*body = note_for(n, LANE_PAYLOAD_MAX);
		memcpy(room, &n, sizeof n);
		lane_commit(lane, LANE_PAYLOAD_MAX);
		if (n < 2)
			continue;
		assert_true(lane_next(lane, &note, &payload, &size));
		assert_int_equal(note.number, n - 2);
		assert_memory_equal(payload, &note.number, sizeof note.number);
	}
}

/* Against a model: a lane is a queue, and it never refuses what its bytes must have room for. */
static void random_walk(void **state)
{
	struct lane *lane = ((struct channel *)*state)->down;
	size_t used[8] = {0}, total = 0;
	uint64_t sent = 0, received = 0, seed = 1;

	for (int step = 0; step < 100000; step++) {
		uint64_t dice = seed = mix(seed + 1);
		size_t size = dice & 0x700 ? (dice >> 32) % 1500 : (dice >> 32) % (LANE_PAYLOAD_MAX + 1);
		size_t kept = dice & 0x1000 ? size : size / 2;

		if (dice & 1) {
			uint64_t expected = received < sent ? received : NONE;

			assert_int_equal(take(lane), expected);
			lane_drained(lane);
			if (expected != NONE)
				total -= used[received++ % 8];
			continue;
		}
		bool promised = (dice & 0x2000) && lane_has_room(lane);

		if (!put(lane, sent, size, kept)) {
			assert_false(promised);
			/* At worst one jump over the end and one payload of any size are in the way. */
			assert_true(sent - received == 8 || total + 2 * LANE_PAYLOAD_MAX > SMALL_LANE_BYTES);
			continue;
		}
		assert_true(sent - received < 8);
		used[sent++ % 8] = (kept + 63) / 64 * 64;
		total += (kept + 63) / 64 * 64;
		assert_true(total <= SMALL_LANE_BYTES);
		if (dice & 0x4000)
			lane_wake(lane);
	}
	assert_true(received > 20000);
}

static void one_ring_a_batch(void **state)
{
	struct lane *lane = ((struct channel *)*state)->down;

	lane_wake(lane);
	assert_int_equal(rings(lane_fd(lane)), 0);
	for (int batch = 0; batch < 3; batch++) {
		for (uint64_t n = 0; n < 5; n++)
			assert_true(put(lane, n, 10, 10));
		lane_wake(lane);
		lane_wake(lane);
		assert_int_equal(rings(lane_fd(lane)), 1);
		while (take(lane) != NONE)
			;
		lane_drained(lane);
		assert_true(lane_rest(lane));
	}
	assert_true(put(lane, 0, 0, 0));
	lane_wake(lane);
	lane_acknowledge(lane);
	lane_acknowledge(lane);
	assert_int_equal(rings(lane_fd(lane)), 0);
}

/* A worker that is at work is not rung; the owner, who never rests on a lane, always is. */
static void only_a_resting_worker_is_rung(void **state)
{
	struct channel *channel = *state;
	struct lane *lane = channel->down;

	for (uint64_t n = 0; n < 3; n++) {
		assert_true(put(lane, n, 10, 10));
		lane_wake(lane);
		assert_int_equal(rings(lane_fd(lane)), n == 0);
	}
	assert_false(lane_rest(lane));
	while (take(lane) != NONE)
		;
	lane_drained(lane);
	assert_true(lane_rest(lane));
	assert_true(put(lane, 3, 10, 10));
	lane_wake(lane);
	assert_int_equal(rings(lane_fd(lane)), 1);
	for (uint64_t n = 0; n < 3; n++) {
		assert_true(put(channel->up, n, 10, 10));
		lane_wake(channel->up);
		assert_int_equal(rings(lane_fd(channel->up)), 1);
	}
}

static void starved_producer_is_rung_once(void **state)
{
	struct channel *channel = *state;
	struct lane *lanes[] = {channel->down, channel->up};

	for (int i = 0; i < 2; i++) {
		struct lane *lane = lanes[i];
		int own_fd = lane_fd(lanes[1 - i]);

		for (uint64_t n = 0; n < 8; n++)
			assert_true(put(lane, n, 10, 10));
		assert_false(lane_starve(lane));
		/* It has told the consumer, who has something to give back only after a message. */
		assert_int_equal(rings(lane_fd(lane)), 1);
		lane_drained(lane);
		assert_int_equal(rings(own_fd), 0);
		assert_int_equal(take(lane), 0);
		assert_int_equal(rings(own_fd), 0);
		lane_drained(lane);
		assert_int_equal(rings(own_fd), 1);
		assert_true(lane_has_room(lane));
		while (take(lane) != NONE)
			;
		lane_drained(lane);
		assert_int_equal(rings(own_fd), 0);
		assert_int_equal(rings(lane_fd(lane)), 0);
	}
}

static void starving_with_room_goes_on(void **state)
{
	struct lane *lane = ((struct channel *)*state)->up;

	assert_true(lane_starve(lane));
	for (uint64_t n = 0; n < 8; n++)
		assert_true(put(lane, n, 0, 0));
	assert_int_equal(take(lane), 0);
	lane_drained(lane);
	assert_true(lane_starve(lane));
}

static uint64_t scaled(uint64_t messages)
{
	if (tests_are_long())
		messages *= 100;
#ifdef SLOWED_DOWN
	messages /= 5;
#endif
	return messages;
}

/*
 * Two threads, each with a lane to read and a lane to write, in the loop that owner and workers have. A
 * thread that is never woken again shows as a poll that times out.
 */
struct station {
	struct lane *in, *out;
	uint64_t to_send, to_receive;
	bool drops;       /* does not wait for room, the last message excepted */
	bool stops_early; /* leaves messages in the lane at some turns */
	bool large;       /* some payloads are of any size up to the largest */

	uint64_t sent, received;
	uint64_t dropped, missed;
	const char *failure;
};

#define PATIENCE 60000 /* ms, for machines with many other things to do */

static bool station_fail(struct station *station, const char *failure)
{
	station->failure = failure;
	return false;
}

static bool station_receive(struct station *station, bool *left_over)
{
	*left_over = false;
	lane_acknowledge(station->in);
	for (uint64_t number; (number = take(station->in)) != NONE;) {
		if (number == UINT64_MAX - 1)
			return station_fail(station, "a damaged message");
		if (number < station->received)
			return station_fail(station, "a message out of order");
		station->missed += number - station->received;
		station->received = number + 1;
		if (station->stops_early && mix(number) % 16 == 0) {
			*left_over = true;
			break;
		}
	}
	lane_drained(station->in);
	return true;
}

static size_t some_size(const struct station *station, uint64_t dice)
{
	if (dice % 4 == 0)
		return 0;
	if (station->large && dice % 64 == 1)
		return (dice >> 20) % (LANE_PAYLOAD_MAX + 1);
	return (dice >> 20) % 200;
}

static bool station_send(struct station *station)
{
	while (station->sent < station->to_send) {
		uint64_t number = station->sent, dice = mix(number);
		size_t size = some_size(station, dice), reserved = dice & 0x1000 ? LANE_PAYLOAD_MAX : size;
		bool must = !station->drops || number + 1 == station->to_send;

		if (must && !lane_has_room(station->out))
			break;
		if (!put(station->out, number, reserved, size)) {
			if (must)
				return station_fail(station, "no room although there was");
			station->dropped++;
		}
		station->sent++;
	}
	lane_wake(station->out);
	return true;
}

static void *station_run(void *arg)
{
	struct station *station = arg;
	bool awake = true, left_over = false;

	while (station->sent < station->to_send || station->received < station->to_receive) {
		struct pollfd news = {.fd = lane_fd(station->in), .events = POLLIN};

		if (!awake && poll(&news, 1, PATIENCE) == 0) {
			station_fail(station, "slept for ever");
			break;
		}
		if (!station_receive(station, &left_over) || !station_send(station))
			break;
		awake = left_over || !lane_rest(station->in) ||
		        (station->sent < station->to_send && lane_starve(station->out));
	}
	return NULL;
}

static void converse(size_t slots, struct station *owner, struct station *worker)
{
	struct channel channel;
	pthread_t threads[2];

	assert_int_equal(channel_open(&channel, slots), 0);
	owner->out = worker->in = channel.down;
	owner->in = worker->out = channel.up;
	owner->to_receive = worker->to_send;
	worker->to_receive = owner->to_send;
	assert_int_equal(pthread_create(&threads[0], NULL, station_run, owner), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, station_run, worker), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	channel_close(&channel);
	if (owner->failure != NULL || worker->failure != NULL)
		fail_msg("%zu slots: owner: %s; worker: %s", slots, owner->failure, worker->failure);
	assert_int_equal(worker->missed, owner->dropped);
	assert_int_equal(owner->missed, worker->dropped);
}

/*
 * The narrowest spot by itself, a hundred thousand times: a producer says that it starves in the same
 * moment in which the consumer drains. The producer must see the room or take_news the bell.
 */
struct duel {
	struct lane *lane;
	uint64_t rounds;
	atomic_uint_fast64_t ready; /* counts the arrivals of both at the line, four a round */
};

static void step_up(struct duel *duel, uint64_t line)
{
	atomic_fetch_add(&duel->ready, 1);
	for (int spins = 0; atomic_load(&duel->ready) < line; spins++)
		if (spins > 3000)
			sched_yield();
}

static void hesitate(uint64_t turns)
{
	for (volatile uint64_t n = turns; n > 0; n--)
		;
}

static void *drain_in_time(void *arg)
{
	struct duel *duel = arg;

	for (uint64_t round = 0; round < duel->rounds; round++) {
		step_up(duel, 4 * round + 2);
		hesitate(mix(round) % 32);
		while (take(duel->lane) != NONE)
			;
		lane_drained(duel->lane);
		step_up(duel, 4 * round + 4);
	}
	return NULL;
}

static void starving_meets_draining(void **state)
{
	struct channel channel;
	struct duel duel = {.rounds = scaled(100000)};
	pthread_t consumer;
	uint64_t wait = 100, lost = 0;

	(void)state;
	assert_int_equal(channel_open(&channel, 2), 0);
	duel.lane = channel.up;
	assert_int_equal(pthread_create(&consumer, NULL, drain_in_time, &duel), 0);
	for (uint64_t round = 0; round < duel.rounds; round++) {
		while (put(duel.lane, 0, 0, 0))
			;
		lane_wake(duel.lane);
		step_up(&duel, 4 * round + 2);
		hesitate(wait + mix(~round) % 32);
		bool room = lane_starve(duel.lane);

		step_up(&duel, 4 * round + 4);
		bool rang = rings(lane_fd(channel.down)) > 0;

		/* Too late: hurry; too early: tarry. Thus most rounds are close. */
		wait = room ? wait - (wait > 0) : wait + (wait < 10000);
		lost += !room && !rang;
	}
	pthread_join(consumer, NULL);
	channel_close(&channel);
	assert_int_equal(lost, 0);
}

/* One input, then 10,000 requests through 4 slots with nothing else that would wake the worker. */
static void dirty_worker_is_never_forgotten(void **state)
{
	(void)state;
	for (uint64_t run = 0; run < 1 + scaled(7); run++) {
		struct station owner = {.to_send = 1, .stops_early = run % 2 == 1};
		struct station worker = {.to_send = 10000, .large = run % 4 == 3};

		converse(run % 3 == 2 ? 2 : 4, &owner, &worker);
	}
}

static void both_directions(void **state)
{
	static const struct {
		size_t slots;
		uint64_t messages;
		bool stops_early, large;
	} rows[] = {
		{2, 8000, false, false},      {4, 10000, true, true},    {64, 100000, true, false},
		{1024, 800000, false, false}, {1024, 10000, true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct station owner = {.to_send = scaled(rows[i].messages),
		                        .stops_early = rows[i].stops_early,
		                        .large = rows[i].large};
		struct station worker = owner;

		worker.stops_early = false;
		converse(rows[i].slots, &owner, &worker);
	}
}

/* Packets are dropped, and counted, when there is no room; requests come up meanwhile. */
static void dropping_owner(void **state)
{
	static const size_t slots[] = {2, 4, 256};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct station owner = {.to_send = scaled(20000), .drops = true, .large = true};
		struct station worker = {.to_send = scaled(4000)};

		converse(slots[i], &owner, &worker);
	}
}

#define with_channel(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_refuses_bad_sizes),
		cmocka_unit_test(open_without_descriptors),
		with_channel(messages_arrive_with_their_payload),
		with_channel(payloads_are_aligned),
		with_channel(full_of_messages),
		with_channel(full_of_payload),
		with_channel(payload_wraps_whole),
		with_channel(empty_lane_has_room),
		with_channel(lent_payload_stays),
		with_channel(looks_ahead_of_the_lent_message),
		with_channel(quiet_lane_starts_at_the_same_place),
		with_channel(reservation_outlives_a_look),
		with_channel(positions_wrap),
		with_channel(random_walk),
		with_channel(one_ring_a_batch),
		with_channel(only_a_resting_worker_is_rung),
		with_channel(starved_producer_is_rung_once),
		with_channel(starving_with_room_goes_on),
		cmocka_unit_test(starving_meets_draining),
		cmocka_unit_test(dirty_worker_is_never_forgotten),
		cmocka_unit_test(both_directions),
		cmocka_unit_test(dropping_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
