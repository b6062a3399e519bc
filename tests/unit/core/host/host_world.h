/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream of one link: a kernel in small that holds its memberships, and a router in small that reads its
 * packets.
 */
#ifndef MCPROXY_TESTS_HOST_WORLD_H
#define MCPROXY_TESTS_HOST_WORLD_H

#include "core/host/host.h"

#include "support/fake_joins.h"

#include "support/random.h"

#define INSTANCES 3
#define MEMORY    ((size_t)4 << 20)
#define RETRY     2000
#define OLDER     260000 /* the older version querier present timeout of the settings below */
#define IN        FILTER_INCLUDE
#define EX        FILTER_EXCLUDE

extern const struct link_settings settings;

struct world {
	enum family family;
	struct host *host;
	mtime now;
	uint64_t seed;
	struct host_link link;
	struct fake_joins fake;
	unsigned reported[FAKE_GROUPS]; /* sources that a router upstream believes to be wanted */
	unsigned wants[INSTANCES][FAKE_GROUPS];
	struct random random;
	unsigned packets;
	bool answers;    /* are to be expected */
	char text[2048]; /* records reported so far */
};

void check(const struct world *world, bool condition, const char *what);
void open_with(struct world *world, enum family family, const struct host_limits *limits,
               const struct link_settings *own);
void open_world(struct world *world, enum family family);
void close_world(struct world *world);
void read_packet(struct world *world, const uint8_t *bytes, size_t size, const struct addr *destination,
                 struct message *message);
void join_all(struct world *world);
void send_all(struct world *world);
void turn(struct world *world);
void expect(struct world *world, const char *records);

/* Where the members of a group are that want every source. */
uint64_t links_of(unsigned instance, unsigned group, enum filter_mode mode, unsigned mask);
void want(struct world *world, unsigned instance, unsigned group, enum filter_mode mode, unsigned mask);
struct host_status status_of(const struct world *world);
void check_settled(const struct world *world);
void hear_query(struct world *world, enum version version, bool general);
void set_usable(struct world *world, bool usable);

/* The interface goes: the owner closes the sockets. */
void forget(struct world *world);
unsigned times_in(const char *text, const char *word);
void open_auto(struct world *world, enum family family, const struct host_limits *limits,
               uint32_t kernel_groups_max);

enum { HOLD = 1500 };

void open_holding(struct world *world, uint8_t membership);
void pass(struct world *world, mtime interval);

#endif
