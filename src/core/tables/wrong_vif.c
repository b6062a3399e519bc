/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/wrong_vif.h"

#include "core/base/deadlines.h"
#include "core/base/index.h"
#include "core/base/pool.h"

#include <assert.h>
#include <stdlib.h>

/* If a source with 10 packets/s moves, its stream follows within one second: after 4 silent intervals, and
 * one until the next packet. One foreign packet never moves a stream, and neither do a few at once. */
#define SILENT_INTERVALS 4
#define SILENT_MIN       300
#define SILENT_MAX       (60 * MTIME_SECOND)
#define MOVED_PACKETS    4
#define DECLINED_TIME                                                                                        \
	(1 * MTIME_SECOND) /* until the next one, where no instance wants the stream from there */
#define CHECK_MIN      25
#define CHECK_MAX      100
#define WATCH_TIME     (4 * MTIME_SECOND) /* longer than the kernel waits between two upcalls */
#define COPIES_TIME    (1 * MTIME_SECOND)
#define COPIES_PACKETS 4
#define PAUSE_MAX      (2 * MTIME_SECOND)
#define COPIES_DOUBT   (4 * MTIME_SECOND)  /* a window with few packets that are not looped may be longer */
#define LOOPS_TIME     (60 * MTIME_SECOND) /* after that, memberships of this machine may have changed */
#define MEMORY_MAX     ((size_t)8 << 20)

/* Packets since a time. */
struct count {
	mtime since;
	mtime pause; /* the longest one between packets by the input */
	uint64_t rightly, wrong;
};

struct wrong_stream {
	struct index_node node; /* first */
	struct deadline deadline;
	struct route_key key;
	uint8_t place;           /* the vif whose place it occupies */
	uint8_t vif;             /* of the last upcall */
	uint8_t input;           /* of the entry */
	uint8_t loops;           /* the argument of wrong_vif_confirm */
	uint8_t confirmed;       /* the vif of the last copy that wrong_vif_confirm reported */
	bool asked;              /* the next upcall names the vif */
	bool copied;             /* a copy arrives */
	uint64_t packets, wrong; /* the last reading */
	mtime interval;          /* between its packets */
	mtime pause;             /* the longest time without one of them that ended lately */
	mtime left_interval;     /* of the input before */
	mtime input_at;          /* when the entry got its input */
	bool decided;            /* at decided_at, that the stream has moved; the entry still has its input */
	mtime decided_at;
	bool returns; /* the stream goes back to an input where packets arrive again */
	mtime upcall_at, wrong_at;
	mtime loops_at;       /* when it was called */
	struct count silence; /* since the last packet that arrived by the input */
	struct count window;  /* since the last decision whether a copy arrives */
};

struct wrong_vif {
	struct pool *pool;
	struct index index;
	struct deadlines deadlines;
	uint64_t seed;
	uint16_t places[ROUTES_VIFS];
	size_t copies;
	uint64_t copies_found;
	uint64_t refused;
};

struct wrong_vif *wrong_vif_new(uint64_t seed)
{
	struct wrong_vif *wrong_vif = calloc(1, sizeof *wrong_vif);

	if (wrong_vif == NULL)
		return NULL;
	wrong_vif->seed = seed;
	wrong_vif->pool = pool_new(MEMORY_MAX);
	if (wrong_vif->pool != NULL)
		return wrong_vif;
	free(wrong_vif);
	return NULL;
}

void wrong_vif_free(struct wrong_vif *wrong_vif)
{
	if (wrong_vif == NULL)
		return;
	index_fini(&wrong_vif->index);
	deadlines_fini(&wrong_vif->deadlines);
	pool_free(wrong_vif->pool);
	free(wrong_vif);
}

static struct wrong_stream *stream_of(const struct deadline *deadline)
{
	return (struct wrong_stream *)((char *)(uintptr_t)deadline - offsetof(struct wrong_stream, deadline));
}

static struct wrong_stream *find(const struct wrong_vif *wrong_vif, const struct route_key *key)
{
	uint32_t hash = addr_pair_hash(&key->source, &key->group, wrong_vif->seed);
	struct index_node *node = index_find(&wrong_vif->index, hash);

	for (; node != NULL; node = index_find_next(&wrong_vif->index, node))
		if (memcmp(&((struct wrong_stream *)node)->key, key, sizeof *key) == 0)
			break;
	return (struct wrong_stream *)node;
}

static void set_copied(struct wrong_vif *wrong_vif, struct wrong_stream *stream, bool copied)
{
	wrong_vif->copies += (size_t)copied - (size_t)stream->copied;
	wrong_vif->copies_found += copied && !stream->copied;
	stream->copied = copied;
}

static void stream_remove(struct wrong_vif *wrong_vif, struct wrong_stream *stream)
{
	set_copied(wrong_vif, stream, false);
	wrong_vif->places[stream->place]--;
	deadlines_remove(&wrong_vif->deadlines, &stream->deadline);
	index_remove(&wrong_vif->index, &stream->node);
	pool_give(wrong_vif->pool, stream, sizeof *stream);
}

/* How long the input must be silent. */
static mtime silence_needed(const struct wrong_stream *stream)
{
	mtime silence = stream->interval < SILENT_MAX ? stream->interval * SILENT_INTERVALS : SILENT_MAX;

	/* A stream that paused will pause again. */
	if (silence < stream->pause * 2)
		silence = stream->pause * 2;
	return silence < SILENT_MIN ? SILENT_MIN : mtime_min(silence, SILENT_MAX);
}

static void check_later(struct wrong_vif *wrong_vif, struct wrong_stream *stream, mtime now)
{
	mtime interval = silence_needed(stream) / 8;

	interval = interval < CHECK_MIN ? CHECK_MIN : mtime_min(interval, CHECK_MAX);
	deadlines_set(&wrong_vif->deadlines, &stream->deadline, now + interval);
}

/* A stream whose packets arrive by its input, or whose wrong packets are too few to move it soon. */
static bool may_give_way(const struct wrong_stream *stream, mtime now)
{
	return stream->silence.wrong == 0 || now - stream->wrong_at >= SILENT_MIN;
}

/* At the limit of a vif, removes the oldest stream that may give way: the kernel reports it again. */
static bool make_room(struct wrong_vif *wrong_vif, mtime now, unsigned vif)
{
	struct index_node *node;

	if (wrong_vif->places[vif] < WRONG_VIF_PLACES)
		return true;
	for (node = wrong_vif->index.oldest; node != NULL; node = node->newer) {
		struct wrong_stream *stream = (struct wrong_stream *)node;

		if (stream->place != vif || !may_give_way(stream, now))
			continue;
		stream_remove(wrong_vif, stream);
		return true;
	}
	wrong_vif->refused++;
	return false;
}

static struct wrong_stream *stream_new(struct wrong_vif *wrong_vif, mtime now, const struct route_key *key,
                                       unsigned vif)
{
	struct wrong_stream *stream = NULL;

	if (make_room(wrong_vif, now, vif) &&
	    deadlines_reserve(&wrong_vif->deadlines, wrong_vif->index.count + 1))
		stream = pool_take(wrong_vif->pool, sizeof *stream);
	if (stream == NULL)
		return NULL;
	stream->key = *key;
	if (!index_add(&wrong_vif->index, &stream->node,
	               addr_pair_hash(&key->source, &key->group, wrong_vif->seed))) {
		pool_give(wrong_vif->pool, stream, sizeof *stream);
		return NULL;
	}
	stream->place = (uint8_t)vif;
	wrong_vif->places[vif]++;
	return stream;
}

/* The entry has another input, or the stream is new here. If packets arrive again by the input that was left,
 * they are noticed before the kernel names that vif. */
static void begin(struct wrong_vif *wrong_vif, struct wrong_stream *stream, mtime now,
                  const struct wrong_vif_reading *reading)
{
	set_copied(wrong_vif, stream, false);
	if (stream->vif == reading->input)
		stream->vif = stream->input;
	stream->pause = 0;
	if (stream->returns) {
		stream->interval = stream->left_interval;
		stream->pause = mtime_min(now - stream->input_at, PAUSE_MAX);
	} else {
		stream->left_interval = stream->interval;
	}
	stream->returns = false;
	stream->input = (uint8_t)reading->input;
	stream->input_at = now;
	stream->loops = 0;
	stream->packets = reading->packets;
	stream->wrong = reading->wrong;
	stream->asked = stream->decided = false;
	stream->upcall_at = 0;
	stream->wrong_at = now;
	stream->silence = stream->window = (struct count){.since = now};
}

enum wrong_vif_verdict wrong_vif_upcall(struct wrong_vif *wrong_vif, mtime now, const struct route_key *key,
                                        unsigned vif, mtime interval, const struct wrong_vif_reading *reading)
{
	struct wrong_stream *stream = find(wrong_vif, key);
	bool is_new = stream == NULL || stream->input != reading->input, asked;

	assert(vif < ROUTES_VIFS && reading->input < ROUTES_VIFS);
	if (stream == NULL) {
		stream = stream_new(wrong_vif, now, key, vif);
		if (stream == NULL)
			return WRONG_VIF_STAYS;
		begin(wrong_vif, stream, now, reading);
		stream->interval = interval;
		stream->silence.wrong = stream->window.wrong = 1;
		check_later(wrong_vif, stream, now);
	} else if (is_new) {
		begin(wrong_vif, stream, now, reading);
	}
	asked = stream->asked;
	if (now - stream->loops_at >= LOOPS_TIME)
		stream->loops = 0;
	/* A new entry has no packets to measure by. */
	if (!asked && !is_new)
		stream->interval = interval;
	stream->asked = false;
	/* An upcall that waited while the entry moved. */
	if (!is_new && vif == reading->input)
		return WRONG_VIF_STAYS;
	stream->vif = (uint8_t)vif;
	stream->upcall_at = now;
	return asked ? WRONG_VIF_MOVED : WRONG_VIF_STAYS;
}

bool wrong_vif_pull(const struct wrong_vif *wrong_vif, mtime now, struct route_key *key)
{
	const struct deadline *deadline = deadlines_first(&wrong_vif->deadlines);

	if (deadline == NULL || deadlines_first_at(&wrong_vif->deadlines) > now)
		return false;
	*key = stream_of(deadline)->key;
	return true;
}

/* Counts what has arrived since the last reading. Smaller counters are those of an entry that was made again.
 * */
static struct count take_reading(struct wrong_stream *stream, mtime now,
                                 const struct wrong_vif_reading *reading)
{
	struct count news = {.since = now};
	uint64_t packets;

	if (reading->packets < stream->packets || reading->wrong < stream->wrong)
		stream->packets = stream->wrong = 0;
	packets = reading->packets - stream->packets;
	news.wrong = reading->wrong - stream->wrong;
	news.rightly = packets > news.wrong ? packets - news.wrong : 0;
	stream->packets = reading->packets;
	stream->wrong = reading->wrong;
	return news;
}

static void count_packets(struct wrong_stream *stream, mtime now, const struct count *news)
{
	if (news->wrong > 0)
		stream->wrong_at = now;
	stream->window.rightly += news->rightly;
	stream->window.wrong += news->wrong;
	stream->silence.wrong += news->wrong;
	if (news->rightly == 0)
		return;
	if (stream->window.pause < now - stream->silence.since)
		stream->window.pause = now - stream->silence.since;
	stream->silence = (struct count){.since = now};
	stream->asked = false;
}

static enum wrong_vif_verdict moved(struct wrong_stream *stream, mtime now, unsigned *vif)
{
	bool named = stream->upcall_at >= stream->silence.since && stream->vif != stream->input;

	/* The next decision takes as many packets again. */
	stream->silence.wrong = 0;
	stream->decided = true;
	stream->decided_at = now;
	stream->returns = false;
	*vif = stream->vif;
	stream->asked = !named;
	return named ? WRONG_VIF_MOVED : WRONG_VIF_ASK;
}

/* Wrong packets that the kernel has not looped back. */
static uint64_t not_looped(const struct wrong_stream *stream)
{
	uint64_t looped = stream->loops * stream->window.rightly;

	if (stream->vif == stream->input || stream->window.rightly == 0 || stream->window.wrong < looped)
		return 0;
	return stream->window.wrong - looped;
}

/* Packets that the kernel loops back are at most a few more than those that it sent: those that it was about
 * to loop back at the beginning. */
static bool has_copies(const struct wrong_stream *stream)
{
	uint64_t wrong = stream->window.wrong, few = 4 + wrong / 256;

	return not_looped(stream) > 1 + (wrong / 8 < few ? wrong / 8 : few);
}

/* A window with a few more packets than were looped back becomes longer: those of a slow stream add up. */
static void end_window(struct wrong_stream *stream, mtime now)
{
	if (!has_copies(stream) && not_looped(stream) > 1 && now - stream->window.since < COPIES_DOUBT)
		return;
	if (stream->window.rightly > 1)
		stream->pause = stream->window.pause;
	stream->window = (struct count){.since = now};
}

/* The window is long enough to decide. */
static enum wrong_vif_verdict look_for_copies(struct wrong_vif *wrong_vif, struct wrong_stream *stream,
                                              mtime now, unsigned *vif)
{
	*vif = stream->vif;
	if (stream->window.rightly > 1)
		stream->interval =
			(stream->silence.since - stream->window.since) / (mtime)(stream->window.rightly - 1);
	if (has_copies(stream))
		return WRONG_VIF_COPIES;
	set_copied(wrong_vif, stream, false);
	end_window(stream, now);
	return WRONG_VIF_STAYS;
}

enum wrong_vif_verdict wrong_vif_check(struct wrong_vif *wrong_vif, mtime now, const struct route_key *key,
                                       const struct wrong_vif_reading *reading, unsigned *vif)
{
	struct wrong_stream *stream = find(wrong_vif, key);
	mtime silence = silence_needed(stream), watch = silence < WATCH_TIME ? WATCH_TIME : silence;
	struct count news;

	if (stream->input != reading->input)
		begin(wrong_vif, stream, now, reading);
	news = take_reading(stream, now, reading);
	count_packets(stream, now, &news);
	if (now - stream->wrong_at >= watch) {
		stream_remove(wrong_vif, stream);
		return WRONG_VIF_STAYS;
	}
	check_later(wrong_vif, stream, now);
	if (news.wrong > 0 && stream->silence.wrong >= MOVED_PACKETS &&
	    now - stream->silence.since >= silence && !stream->asked &&
	    (!stream->decided || now - stream->decided_at >= DECLINED_TIME))
		return moved(stream, now, vif);
	if (now - stream->window.since >= COPIES_TIME && stream->window.wrong >= COPIES_PACKETS)
		return look_for_copies(wrong_vif, stream, now, vif);
	return WRONG_VIF_STAYS;
}

void wrong_vif_remove(struct wrong_vif *wrong_vif, const struct route_key *key)
{
	struct wrong_stream *stream = find(wrong_vif, key);

	if (stream != NULL)
		stream_remove(wrong_vif, stream);
}

bool wrong_vif_confirm(struct wrong_vif *wrong_vif, mtime now, const struct route_key *key, unsigned loops)
{
	struct wrong_stream *stream = find(wrong_vif, key);
	bool was_copied = stream->copied && stream->confirmed == stream->vif;

	stream->loops = (uint8_t)loops;
	stream->loops_at = now;
	set_copied(wrong_vif, stream, has_copies(stream));
	stream->confirmed = stream->vif;
	stream->returns = stream->copied;
	end_window(stream, now);
	return stream->copied && !was_copied;
}

mtime wrong_vif_deadline(const struct wrong_vif *wrong_vif)
{
	return deadlines_first_at(&wrong_vif->deadlines);
}

bool wrong_vif_find_copy(const struct wrong_vif *wrong_vif, const struct route_key *key,
                         struct wrong_vif_copy *copy)
{
	const struct wrong_stream *stream = find(wrong_vif, key);

	if (stream == NULL || !stream->copied)
		return false;
	*copy = (struct wrong_vif_copy){.key = *key, .input = stream->input, .vif = stream->vif};
	return true;
}

size_t wrong_vif_copies(const struct wrong_vif *wrong_vif)
{
	return wrong_vif->copies;
}

uint64_t wrong_vif_copies_found(const struct wrong_vif *wrong_vif)
{
	return wrong_vif->copies_found;
}

uint64_t wrong_vif_refused(const struct wrong_vif *wrong_vif)
{
	return wrong_vif->refused;
}
