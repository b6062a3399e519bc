/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of routes against a kernel in small, which fails at times and loses entries.
 */
#ifndef MCPROXY_TESTS_ROUTES_WORLD_H
#define MCPROXY_TESTS_ROUTES_WORLD_H

#include "core/tables/routes.h"

#include "support/craft.h"

#include "support/random.h"

#define MEMORY    ((size_t)1 << 20)
#define READING   30000
#define RETRY     1000
#define STREAMS   12
#define INSTANCES 3

struct entry {
	bool held;
	bool changed; /* by somebody, likewise */
	bool lost;    /* somebody took it away, and the table has not written it since */
	unsigned input;
	uint32_t outputs;
	mtime read_at; /* when its counters are due */
};

struct claim {
	bool any;
	bool assumed;
	unsigned since; /* serial: the oldest decides the input */
	unsigned input;
	uint32_t outputs;
};

struct world {
	struct routes *routes;
	mtime now;
	uint64_t seed;
	struct entry kernel[STREAMS];
	struct claim claims[STREAMS][INSTANCES];
	unsigned arrival[STREAMS]; /* the vif by which it came last */
	bool moved[STREAMS];       /* from where the first claim had it */
	bool full[INSTANCES];      /* has refused what was assumed of it */
	unsigned serial;
	int set_result;
	unsigned failure_percent;
	uint64_t failures;
	struct random random;
	char text[1024];
};

void check(const struct world *world, bool condition, const char *what);
void open_world(struct world *world);
void close_world(struct world *world);
struct route_key key_of(unsigned stream);
unsigned stream_of(const struct route_key *key);
bool is_wanted(const struct world *world, unsigned stream);
void arrives(struct world *world, unsigned stream, unsigned input);
void want(struct world *world, unsigned stream, unsigned instance, unsigned input, uint32_t outputs);
void unwant(struct world *world, unsigned stream, unsigned instance);
void drop_assumed(struct world *world, unsigned stream);
void turn(struct world *world);
void expect(struct world *world, const char *operations);
void lose(struct world *world, unsigned stream);
enum route_verdict tell(struct world *world, unsigned stream, const struct route_observed *observed);
void ask_again(struct world *world, unsigned stream, unsigned input);
void expect_reading(struct world *world, unsigned stream, uint64_t instances);
void expect_pending(struct world *world, unsigned stream, unsigned input, uint64_t instances);
void expect_nothing_pending(struct world *world);
void assume(struct world *world, unsigned stream, unsigned instance, unsigned input, uint32_t outputs);

#endif
