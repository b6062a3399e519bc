/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/yield.h"

#include "core/base/deadlines.h"
#include "core/base/index.h"
#include "core/base/pool.h"
#include "core/base/xorshift.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#define WAIT_MAX       200
#define WAIT_INTERVALS 8  /* of a slow stream: two routers rarely choose the same packet */
#define SLOW_INTERVAL  25 /* milliseconds between packets; shorter ones need no more than WAIT_MAX */
#define WAIT_LONGEST   (10 * MTIME_SECOND)
#define CHECK_INTERVAL 20
#define CHECK_PACKETS  3
#define CHECK_LONGEST  (5 * MTIME_SECOND)
#define SETTLED_COPIES 2 /* after as many, another router does forward the stream */
#define LOST_PACKETS   2
#define LOST_TIME      10
#define COPY_TIMEOUT   (1 * MTIME_SECOND)
#define YIELD_INTERVAL 250
#define SILENT_LONGEST (60 * MTIME_SECOND) /* without packets of the stream */
#define HOME_TIME      (4 * MTIME_SECOND)  /* longer than the kernel waits between two upcalls */
#define SEEK_INTERVAL  50
#define SEEK_LONGEST   500 /* then another stream takes the place in the socket's set */
#define MEMORY_MAX     ((size_t)16 << 20)

enum state { STATE_WAITS, STATE_CHECKS, STATE_YIELDED, STATE_HOME };

struct yield_row {
	struct index_node node; /* first */
	struct deadline deadline;
	struct route_key key;
	uint8_t vif;
	uint8_t input;
	uint8_t state;
	uint8_t copies; /* since the stream was yielded, up to SETTLED_COPIES */
	bool slow;      /* a slow stream: wait_max follows its packet interval */
	bool fresh;     /* the next reading is the first one since it is watched, or yielded */
	bool sought;    /* in the list */
	bool watched;   /* the socket receives its copies */
	mtime wait_max;
	mtime since;     /* when the state began */
	mtime active_at; /* when packets of the stream were counted last */
	mtime copy_at;
	mtime watched_at;
	mtime missed_at;               /* when the first packet without a copy was counted */
	uint64_t missed;               /* packets without a copy */
	uint64_t packets;              /* the last reading */
	struct yield_row *prev, *next; /* sought rows of the vif */
};

/* The rows of a vif, and its socket's set of streams. */
struct seeker {
	struct yield_row *sought;
	unsigned places;
	unsigned sought_count;
	unsigned watched_count; /* of these: in the set */
	unsigned set_count;     /* streams in the set; some of them are no longer sought */
	bool urgent;
	mtime set_at;
};

struct yield {
	struct pool *pool;
	struct index index;
	struct deadlines deadlines;
	uint64_t seed;
	uint64_t random;
	size_t count;
	uint64_t total;
	struct seeker seekers[ROUTES_VIFS];
	uint32_t unsettled; /* vifs whose set may have to change */
};

struct yield *yield_new(uint64_t seed)
{
	struct yield *yield = calloc(1, sizeof *yield);

	if (yield == NULL)
		return NULL;
	yield->seed = seed;
	yield->random = seed | 1;
	yield->pool = pool_new(MEMORY_MAX);
	if (yield->pool != NULL)
		return yield;
	free(yield);
	return NULL;
}

void yield_free(struct yield *yield)
{
	if (yield == NULL)
		return;
	index_fini(&yield->index);
	deadlines_fini(&yield->deadlines);
	pool_free(yield->pool);
	free(yield);
}

static mtime random_wait(struct yield *yield, mtime max)
{
	return (mtime)(xorshift_next(&yield->random) % ((uint64_t)max + 1));
}

static struct yield_row *row_of(const struct deadline *deadline)
{
	return (struct yield_row *)((char *)(uintptr_t)deadline - offsetof(struct yield_row, deadline));
}

static uint32_t key_hash(const struct yield *yield, const struct route_key *key)
{
	return addr_pair_hash(&key->source, &key->group, yield->seed);
}

static struct yield_row *find(const struct yield *yield, const struct route_key *key, unsigned vif)
{
	struct index_node *node = index_find(&yield->index, key_hash(yield, key));

	for (; node != NULL; node = index_find_next(&yield->index, node)) {
		struct yield_row *row = (struct yield_row *)node;

		if (row->vif == vif && memcmp(&row->key, key, sizeof *key) == 0)
			return row;
	}
	return NULL;
}

static void seek(struct yield *yield, struct yield_row *row)
{
	struct seeker *seeker = &yield->seekers[row->vif];

	if (row->sought)
		return;
	row->sought = true;
	row->missed = 0;
	/* A stream that is still forwarded comes before one that is yielded. */
	if (row->state == STATE_YIELDED)
		DL_APPEND(seeker->sought, row);
	else
		DL_PREPEND(seeker->sought, row);
	seeker->sought_count++;
	seeker->urgent |= row->state != STATE_YIELDED;
	yield->unsettled |= 1U << row->vif;
}

static void unseek(struct yield *yield, struct yield_row *row)
{
	struct seeker *seeker = &yield->seekers[row->vif];

	if (!row->sought)
		return;
	DL_DELETE(seeker->sought, row);
	seeker->sought_count--;
	seeker->watched_count -= row->watched;
	row->sought = row->watched = false;
	yield->unsettled |= 1U << row->vif;
}

static enum yield_verdict row_remove(struct yield *yield, struct yield_row *row)
{
	enum yield_verdict verdict = row->state == STATE_YIELDED ? YIELD_RESUME : YIELD_NOTHING;

	yield->count -= row->state == STATE_YIELDED;
	unseek(yield, row);
	yield->seekers[row->vif].places--;
	deadlines_remove(&yield->deadlines, &row->deadline);
	index_remove(&yield->index, &row->node);
	pool_give(yield->pool, row, sizeof *row);
	return verdict;
}

static void wait_long(struct yield *yield, struct yield_row *row, mtime now, mtime max)
{
	row->state = STATE_WAITS;
	row->wait_max = mtime_min(max, WAIT_LONGEST);
	row->since = now;
	unseek(yield, row);
	deadlines_set(&yield->deadlines, &row->deadline, now + random_wait(yield, row->wait_max));
}

/* NULL when there is no place, or memory is short. */
static struct yield_row *row_new(struct yield *yield, mtime now, const struct yield_place *place,
                                 unsigned places)
{
	struct seeker *seeker = &yield->seekers[place->vif];
	struct yield_row *row = NULL;

	if (seeker->places < places && deadlines_reserve(&yield->deadlines, yield->index.count + 1))
		row = pool_take(yield->pool, sizeof *row);
	if (row == NULL)
		return NULL;
	row->key = place->key;
	row->vif = (uint8_t)place->vif;
	row->input = (uint8_t)place->input;
	row->since = row->active_at = now;
	if (!index_add(&yield->index, &row->node, key_hash(yield, &row->key))) {
		pool_give(yield->pool, row, sizeof *row);
		return NULL;
	}
	seeker->places++;
	return row;
}

void yield_doubt(struct yield *yield, mtime now, const struct yield_place *place, uint64_t packets,
                 bool named)
{
	struct yield_row *row;

	if (find(yield, &place->key, place->vif) != NULL)
		return;
	row = row_new(yield, now, place, named ? YIELD_PLACES : YIELD_PLACES / 2);
	if (row == NULL)
		return;
	row->packets = packets;
	wait_long(yield, row, now, WAIT_MAX);
}

void yield_seek_home(struct yield *yield, mtime now, const struct yield_place *place)
{
	struct yield_row *row = find(yield, &place->key, place->vif);

	if (row != NULL && row->state != STATE_HOME)
		return;
	if (row == NULL)
		row = row_new(yield, now, place, YIELD_PLACES);
	if (row == NULL)
		return;
	row->state = STATE_HOME;
	row->input = (uint8_t)place->input;
	row->since = now;
	seek(yield, row);
	deadlines_set(&yield->deadlines, &row->deadline, now + HOME_TIME);
}

enum yield_verdict yield_copy(struct yield *yield, mtime now, const struct route_key *key, unsigned vif)
{
	struct yield_row *row = find(yield, key, vif);

	if (row == NULL || row->state == STATE_WAITS)
		return YIELD_NOTHING;
	/* Copies that were already in the socket when the router yielded do not show that the other router still
	 * forwards the stream. */
	if (row->state == STATE_YIELDED && row->since == now)
		return YIELD_NOTHING;
	if (row->state == STATE_HOME) {
		row_remove(yield, row);
		return YIELD_HOME;
	}
	row->copy_at = now;
	row->missed = 0;
	if (row->state == STATE_CHECKS) {
		row->state = STATE_YIELDED;
		row->since = now;
		row->copies = 0;
		row->fresh = true;
		yield->count++;
		yield->total++;
		deadlines_no_later_than(&yield->deadlines, &row->deadline, now + LOST_TIME / 2);
		return YIELD_STOP;
	}
	if (row->copies < SETTLED_COPIES)
		row->copies++;
	if (row->copies == SETTLED_COPIES)
		unseek(yield, row);
	return YIELD_NOTHING;
}

bool yield_pull(const struct yield *yield, mtime now, struct yield_place *place)
{
	const struct deadline *deadline = deadlines_first(&yield->deadlines);
	const struct yield_row *row;

	if (deadline == NULL || deadlines_first_at(&yield->deadlines) > now)
		return false;
	row = row_of(deadline);
	*place = (struct yield_place){
		.key = row->key, .vif = row->vif, .input = row->input, .home = row->state == STATE_HOME};
	return true;
}

/* Smaller counters are those of an entry that was made again. */
static uint64_t take_reading(struct yield_row *row, mtime now, uint64_t packets)
{
	uint64_t news = packets >= row->packets ? packets - row->packets : packets;

	row->packets = packets;
	if (row->fresh)
		news = 0;
	row->fresh = false;
	if (news == 0)
		return 0;
	row->active_at = now;
	if (row->watched && row->missed == 0)
		row->missed_at = now;
	if (row->watched)
		row->missed += news;
	return news;
}

static void check_wait(struct yield *yield, struct yield_row *row, mtime now, uint64_t news)
{
	mtime time = now - row->since;

	if (!row->slow && (mtime)news * SLOW_INTERVAL < time) {
		row->slow = true;
		wait_long(yield, row, now, time / (news > 0 ? (mtime)news : 1) * WAIT_INTERVALS);
		return;
	}
	row->state = STATE_CHECKS;
	row->since = now;
	seek(yield, row);
	deadlines_set(&yield->deadlines, &row->deadline, now + CHECK_INTERVAL);
}

static void check_copies(struct yield *yield, struct yield_row *row, mtime now)
{
	if ((row->watched && row->missed >= CHECK_PACKETS && now - row->missed_at >= CHECK_INTERVAL) ||
	    now - row->since >= CHECK_LONGEST)
		row_remove(yield, row);
	else
		deadlines_set(&yield->deadlines, &row->deadline, now + CHECK_INTERVAL);
}

static mtime yielded_interval(const struct yield_row *row, mtime now)
{
	mtime interval = row->wait_max * LOST_TIME / 2 / WAIT_MAX;

	if (row->copies == SETTLED_COPIES || now - row->active_at >= COPY_TIMEOUT)
		return YIELD_INTERVAL;
	return interval < LOST_TIME / 2 ? LOST_TIME / 2 : mtime_min(interval, YIELD_INTERVAL);
}

static enum yield_verdict check_yielded(struct yield *yield, struct yield_row *row, mtime now)
{
	bool settled = row->copies == SETTLED_COPIES;
	bool late = settled ? now - row->copy_at >= COPY_TIMEOUT : now - row->missed_at >= LOST_TIME;

	if (row->watched && row->missed >= LOST_PACKETS && late) {
		yield->count--;
		row->slow = row->slow && !settled;
		wait_long(yield, row, now, settled ? WAIT_MAX : row->wait_max * 2);
		return YIELD_RESUME;
	}
	seek(yield, row);
	deadlines_set(&yield->deadlines, &row->deadline, now + yielded_interval(row, now));
	return YIELD_NOTHING;
}

enum yield_verdict yield_check(struct yield *yield, mtime now, const struct yield_place *place,
                               uint64_t packets)
{
	struct yield_row *row = find(yield, &place->key, place->vif);
	uint64_t news = take_reading(row, now, packets);

	if (now - row->active_at >= SILENT_LONGEST)
		return row_remove(yield, row);
	switch ((enum state)row->state) {
	case STATE_WAITS:
		check_wait(yield, row, now, news);
		break;
	case STATE_CHECKS:
		check_copies(yield, row, now);
		break;
	case STATE_YIELDED:
		return check_yielded(yield, row, now);
	case STATE_HOME:
		return row_remove(yield, row);
	}
	return YIELD_NOTHING;
}

enum yield_verdict yield_remove(struct yield *yield, const struct yield_place *place)
{
	return row_remove(yield, find(yield, &place->key, place->vif));
}

void yield_check_all(struct yield *yield)
{
	for (struct index_node *node = yield->index.oldest; node != NULL; node = node->newer)
		deadlines_no_later_than(&yield->deadlines, &((struct yield_row *)node)->deadline, 0);
}

static mtime seek_at(const struct seeker *seeker)
{
	if (seeker->urgent || (seeker->watched_count == 0 && seeker->set_count > 0))
		return 0;
	return seeker->watched_count == seeker->sought_count && seeker->watched_count == seeker->set_count
	               ? MTIME_NEVER
	               : seeker->set_at + SEEK_INTERVAL;
}

bool yield_pull_vif(const struct yield *yield, mtime now, unsigned *vif)
{
	for (uint32_t vifs = yield->unsettled; vifs != 0; vifs &= vifs - 1) {
		*vif = (unsigned)__builtin_ctz(vifs);
		if (seek_at(&yield->seekers[*vif]) <= now)
			return true;
	}
	return false;
}

/* Streams that were in the set for SEEK_LONGEST go behind the others. */
static void rotate(struct seeker *seeker, mtime now)
{
	struct yield_row *row;
	unsigned count = seeker->sought_count;

	while (count-- > 0) {
		row = seeker->sought;
		if (!row->watched || now - row->watched_at < SEEK_LONGEST)
			break;
		DL_DELETE(seeker->sought, row);
		DL_APPEND(seeker->sought, row);
	}
}

size_t yield_seek(struct yield *yield, mtime now, unsigned vif, struct route_key keys[YIELD_SOUGHT_MAX])
{
	struct seeker *seeker = &yield->seekers[vif];
	struct yield_row *row;
	unsigned count = 0;

	if (seeker->sought_count > YIELD_SOUGHT_MAX)
		rotate(seeker, now);
	DL_FOREACH (seeker->sought, row) {
		bool watched = count < YIELD_SOUGHT_MAX;

		if (watched)
			keys[count++] = row->key;
		if (watched && !row->watched) {
			row->watched_at = now;
			row->missed = 0;
			row->fresh = true;
		}
		row->watched = watched;
	}
	seeker->watched_count = seeker->set_count = count;
	seeker->set_at = now;
	seeker->urgent = false;
	if (seek_at(seeker) == MTIME_NEVER)
		yield->unsettled &= ~(1U << vif);
	return count;
}

mtime yield_deadline(const struct yield *yield)
{
	mtime at = deadlines_first_at(&yield->deadlines);

	for (uint32_t vifs = yield->unsettled; vifs != 0; vifs &= vifs - 1)
		at = mtime_min(at, seek_at(&yield->seekers[__builtin_ctz(vifs)]));
	return at;
}

size_t yield_count(const struct yield *yield)
{
	return yield->count;
}

uint64_t yield_total(const struct yield *yield)
{
	return yield->total;
}
