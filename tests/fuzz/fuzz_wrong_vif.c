/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Streams whose packets arrive by two vifs: the input chooses packets, upcalls, readings and time. The caller carries out each
 * verdict as the owner does.
 */
#include "fuzz.h"

#include "core/tables/wrong_vif.h"

#define STREAMS 4
#define CROWD   (WRONG_VIF_PLACES + 4)

struct stream {
	struct wrong_vif_reading reading;
	mtime arrived_at; /* the last packet by the input */
	bool asked;
};

struct world {
	struct wrong_vif *table;
	struct wire input;
	mtime now;
	struct stream streams[STREAMS];
};

static struct route_key key_of(uint32_t number)
{
	return (struct route_key){addr_from_ipv4_number(0x0a000001u + number),
	                          addr_from_ipv4_number(0xef010101u)};
}

static uint32_t number_of(const struct route_key *key)
{
	struct route_key first = key_of(0);

	return (uint32_t)(key->source.bytes[14] << 8 | key->source.bytes[15]) -
	       (uint32_t)(first.source.bytes[14] << 8 | first.source.bytes[15]);
}

/* The entry is written with another input, or made again: then its counters begin at 0. */
static void rewrite(struct stream *stream, unsigned vif, bool again)
{
	assert(vif < ROUTES_VIFS);
	stream->reading.input = vif;
	if (again)
		stream->reading.packets = stream->reading.wrong = 0;
}

/* As the table has decided, so that it waits again. */
static void move(struct world *world, struct stream *stream, unsigned vif, bool again)
{
	rewrite(stream, vif, again);
	stream->arrived_at = world->now;
}

static void upcall(struct world *world)
{
	uint8_t which = fuzz_byte(&world->input), interval = fuzz_byte(&world->input);
	struct stream *stream = &world->streams[which % STREAMS];
	struct route_key key = key_of(which % STREAMS);
	unsigned vif = which / STREAMS % 4;
	enum wrong_vif_verdict verdict =
		wrong_vif_upcall(world->table, world->now, &key, vif, interval * 8, &stream->reading);

	assert(verdict == WRONG_VIF_STAYS || verdict == WRONG_VIF_MOVED);
	assert(verdict == WRONG_VIF_STAYS || stream->asked);
	stream->asked = false;
	if (verdict == WRONG_VIF_MOVED && vif != stream->reading.input)
		move(world, stream, vif, false);
}

static void packets(struct world *world)
{
	uint8_t which = fuzz_byte(&world->input), count = fuzz_byte(&world->input);
	struct stream *stream = &world->streams[which % STREAMS];

	stream->reading.packets += count;
	if (which & 0x80)
		stream->reading.wrong += count;
	else if (count > 0)
		stream->arrived_at = world->now;
}

static void check_stream(struct world *world, uint32_t number)
{
	struct stream *stream = &world->streams[number];
	struct route_key key = key_of(number);
	unsigned vif = ROUTES_VIFS;

	switch (wrong_vif_check(world->table, world->now, &key, &stream->reading, &vif)) {
	case WRONG_VIF_STAYS:
		break;
	case WRONG_VIF_MOVED:
		assert(vif != stream->reading.input);
		assert(world->now - stream->arrived_at >= 300);
		move(world, stream, vif, false);
		break;
	case WRONG_VIF_ASK:
		stream->asked = true;
		move(world, stream, stream->reading.input, true);
		break;
	case WRONG_VIF_COPIES:
		assert(vif < ROUTES_VIFS);
		if (fuzz_byte(&world->input) & 1)
			wrong_vif_confirm(world->table, world->now, &key, fuzz_byte(&world->input) % 4);
		break;
	}
}

/* Each check sets a later deadline, or ends the watch. */
static void turn(struct world *world)
{
	struct wrong_vif_reading still = {.input = 1, .packets = 1, .wrong = 1};
	struct route_key key;
	unsigned vif, count = 0;

	while (wrong_vif_pull(world->table, world->now, &key)) {
		if (number_of(&key) >= STREAMS)
			wrong_vif_check(world->table, world->now, &key, &still, &vif);
		else
			check_stream(world, number_of(&key));
		assert(count++ < CROWD + STREAMS);
	}
	assert(wrong_vif_deadline(world->table) > world->now);
}

/* All places of a vif are taken. */
static void crowd(struct world *world)
{
	struct wrong_vif_reading reading = {.input = 1};
	unsigned vif = fuzz_byte(&world->input) % 4;

	for (uint32_t i = 0; i < CROWD; i++) {
		struct route_key key = key_of(STREAMS + i);

		wrong_vif_upcall(world->table, world->now, &key, vif, 20, &reading);
	}
}

static void check_copies(const struct world *world)
{
	size_t copies = 0;

	for (uint32_t number = 0; number < STREAMS + CROWD; number++) {
		struct route_key key = key_of(number);
		struct wrong_vif_copy copy;

		if (!wrong_vif_find_copy(world->table, &key, &copy))
			continue;
		copies++;
		assert(copy.vif != copy.input && number_of(&copy.key) == number);
	}
	assert(wrong_vif_copies(world->table) == copies);
	assert(wrong_vif_copies_found(world->table) >= copies);
	assert(wrong_vif_refused(world->table) < UINT32_MAX);
}

static void remove_or_move(struct world *world)
{
	uint8_t which = fuzz_byte(&world->input);
	struct route_key key = key_of(which % STREAMS);

	if (which & 0x80)
		wrong_vif_remove(world->table, &key);
	else
		/* By others, who may move it back before the table learns of that. */
		rewrite(&world->streams[which % STREAMS], which / STREAMS % 4, which & 0x40);
}

static void step(struct world *world)
{
	switch (fuzz_byte(&world->input) % 8) {
	case 0:
		upcall(world);
		break;
	case 1:
	case 2:
		packets(world);
		break;
	case 3:
		world->now += fuzz_byte(&world->input);
		break;
	case 4:
		world->now += 20 * fuzz_byte(&world->input);
		break;
	case 5:
		if (wrong_vif_deadline(world->table) != MTIME_NEVER)
			world->now = wrong_vif_deadline(world->table);
		break;
	case 6:
		remove_or_move(world);
		break;
	default:
		if (fuzz_byte(&world->input) == 0xff)
			crowd(world);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = {.table = wrong_vif_new(3), .input = {data, size}, .now = 100000};

	assert(world.table != NULL);
	for (size_t i = 0; i < STREAMS; i++)
		world.streams[i] = (struct stream){.reading.input = 1, .arrived_at = world.now};
	while (world.input.left > 0) {
		step(&world);
		turn(&world);
	}
	check_copies(&world);
	for (uint32_t number = STREAMS; number < STREAMS + CROWD; number++) {
		struct route_key key = key_of(number);

		wrong_vif_remove(world.table, &key);
	}
	/* Without packets nothing is watched for long. */
	for (int turns = 0; turns < 10000 && wrong_vif_deadline(world.table) != MTIME_NEVER; turns++) {
		world.now = wrong_vif_deadline(world.table);
		turn(&world);
	}
	assert(wrong_vif_deadline(world.table) == MTIME_NEVER && wrong_vif_copies(world.table) == 0);
	check_copies(&world);
	wrong_vif_free(world.table);
	return 0;
}
