/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Streams that another router forwards as well: the input chooses doubts, copies, packets and time. The caller
 * carries out each verdict as the owner does.
 */
#include "fuzz.h"

#include "core/tables/yield.h"

#define STREAMS 4
#define VIFS    3
#define CROWD   (YIELD_PLACES + 4)

struct world {
	struct yield *table;
	struct wire input;
	mtime now;
	uint64_t packets[STREAMS];
	bool yielded[STREAMS][VIFS];
	uint8_t without_entry; /* set of streams */
};

static struct yield_place place_of(uint32_t number, unsigned vif)
{
	return (struct yield_place){
		.key = {addr_from_ipv4_number(0x0a000001u + number), addr_from_ipv4_number(0xef010101u)},
		.vif = vif,
		.input = VIFS,
	};
}

static uint32_t number_of(const struct route_key *key)
{
	return (uint32_t)(key->source.bytes[14] << 8 | key->source.bytes[15]) - 1;
}

/* An output is stopped once, and resumed only when it was. */
static void obey(struct world *world, const struct yield_place *place, enum yield_verdict verdict)
{
	uint32_t number = number_of(&place->key);
	bool *yielded;

	if (number >= STREAMS)
		return;
	yielded = &world->yielded[number][place->vif];
	switch (verdict) {
	case YIELD_NOTHING:
	case YIELD_HOME:
		break;
	case YIELD_STOP:
		assert(!*yielded);
		*yielded = true;
		break;
	case YIELD_RESUME:
		assert(*yielded);
		*yielded = false;
		break;
	}
}

static void doubt(struct world *world)
{
	uint8_t which = fuzz_byte(&world->input);
	struct yield_place place = place_of(which % STREAMS, which / STREAMS % VIFS);

	yield_doubt(world->table, world->now, &place, world->packets[which % STREAMS], which & 0x80);
}

static void seek_home(struct world *world)
{
	uint8_t which = fuzz_byte(&world->input);
	struct yield_place place = place_of(which % STREAMS, which / STREAMS % VIFS);

	place.home = true;
	if (!world->yielded[which % STREAMS][place.vif])
		yield_seek_home(world->table, world->now, &place);
}

static void copy(struct world *world)
{
	uint8_t which = fuzz_byte(&world->input);
	struct yield_place place = place_of(which % STREAMS, which / STREAMS % VIFS);

	obey(world, &place, yield_copy(world->table, world->now, &place.key, place.vif));
}

static void packets(struct world *world)
{
	uint8_t which = fuzz_byte(&world->input);

	world->packets[which % STREAMS] += which / STREAMS;
}

/* All places of an output are taken. */
static void crowd(struct world *world)
{
	unsigned vif = fuzz_byte(&world->input) % VIFS;

	for (uint32_t i = 0; i < CROWD; i++) {
		struct yield_place place = place_of(STREAMS + i, vif);

		yield_doubt(world->table, world->now, &place, 0, true);
	}
}

static void seek(struct world *world)
{
	struct route_key keys[YIELD_SOUGHT_MAX];
	unsigned vif, count = 0;

	while (yield_pull_vif(world->table, world->now, &vif)) {
		assert(yield_seek(world->table, world->now, vif, keys) <= YIELD_SOUGHT_MAX);
		assert(count++ < VIFS);
	}
}

static void check_row(struct world *world, const struct yield_place *place)
{
	uint32_t number = number_of(&place->key);

	if (number >= STREAMS)
		obey(world, place, yield_check(world->table, world->now, place, 100));
	else if (world->without_entry >> number & 1)
		obey(world, place, yield_remove(world->table, place));
	else
		obey(world, place, yield_check(world->table, world->now, place, world->packets[number]));
}

static void turn(struct world *world)
{
	struct yield_place place;
	size_t count = 0;

	while (yield_pull(world->table, world->now, &place)) {
		check_row(world, &place);
		assert(count++ < VIFS * (size_t)(CROWD + STREAMS));
	}
	seek(world);
}

static void step(struct world *world)
{
	switch (fuzz_byte(&world->input) % 10) {
	case 0:
	case 1:
		doubt(world);
		break;
	case 2:
		copy(world);
		break;
	case 3:
		packets(world);
		break;
	case 4:
		world->now += fuzz_byte(&world->input);
		break;
	case 5:
		world->now += 20 * fuzz_byte(&world->input);
		break;
	case 6:
		if (yield_deadline(world->table) != MTIME_NEVER && yield_deadline(world->table) > world->now)
			world->now = yield_deadline(world->table);
		break;
	case 7:
		seek_home(world);
		break;
	case 8:
		world->without_entry = fuzz_byte(&world->input) & fuzz_byte(&world->input);
		break;
	default:
		if (fuzz_byte(&world->input) == 0xff)
			crowd(world);
		else
			yield_check_all(world->table);
	}
}

/* Every row can be removed, and then nothing is left to do. */
static void remove_all(struct world *world)
{
	struct yield_place place;
	size_t yielded = 0;

	for (unsigned number = 0; number < STREAMS; number++)
		for (unsigned vif = 0; vif < VIFS; vif++)
			yielded += world->yielded[number][vif];
	assert(yield_count(world->table) >= yielded && yield_total(world->table) >= yielded);
	yield_check_all(world->table);
	while (yield_pull(world->table, world->now, &place))
		yield_remove(world->table, &place);
	seek(world);
	assert(yield_count(world->table) == 0 && yield_deadline(world->table) == MTIME_NEVER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = {.table = yield_new(3), .input = {data, size}, .now = 100000};

	assert(world.table != NULL);
	while (world.input.left > 0) {
		step(&world);
		turn(&world);
	}
	remove_all(&world);
	yield_free(world.table);
	return 0;
}
