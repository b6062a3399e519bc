/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of links, with instances that are informed of them and a kernel that holds their vifs.
 */
#ifndef MCPROXY_TESTS_LINKS_WORLD_H
#define MCPROXY_TESTS_LINKS_WORLD_H

#include "core/tables/links.h"

#include "support/craft.h"

#include "support/random.h"

#define INSTANCES 3
#define TABLES    2
#define VIFS      ((size_t)TABLES * FAMILIES * LINKS_VIFS)
#define RETRY     2000
#define ADDRESSES 6
#define MANY      1000
#define MACHINES  10 /* interfaces at a time in the random test */

/* What an instance was told of a link. */
struct view {
	bool known;
	bool given_up; /* told as gone, the id not yet given back */
	struct link_change change;
	int ifindex;
	unsigned vif[FAMILIES]; /* when it was told usable */
};

struct vif {
	bool used;
	bool in_kernel; /* not so when its interface was deleted */
	int ifindex;
	unsigned uses; /* by routes */
};

/* An interface as the machine has it. */
struct machine {
	int ifindex; /* 0: none */
	char name[LINK_NAME_SIZE];
	bool up;
	uint32_t mtu;
	struct addr addresses[ADDRESSES];
	size_t address_count;
};

struct name {
	unsigned instance;
	enum link_role role;
	const char *pattern;
	struct link_settings settings;
};

struct world {
	struct links *links;
	mtime now;
	uint64_t seed;
	struct view views[INSTANCES][LINKS_MAX];
	unsigned tables[INSTANCES]; /* of the instances */
	struct vif vifs[TABLES][FAMILIES][LINKS_VIFS];
	struct machine machines[MACHINES];
	struct name names[16];
	size_t name_count;
	bool by_hand;      /* there are no machines: vifs can be made of any interface */
	int add_result;    /* of making a vif, for all */
	bool refuse_tells; /* the instances' channels are full */
	bool memory_fails; /* allocations fail */
	bool lost;         /* news could not be kept, for lack of memory */
	unsigned refused;
	unsigned failure_percent;
	struct random random;
	char text[2048]; /* operations so far */
};

void check(const struct world *world, bool condition, const char *what);
struct link_settings settings_of(enum version ipv4, enum version ipv6);
void add_name(struct world *world, unsigned instance, enum link_role role, const char *pattern,
              struct link_settings settings);
void open_world(struct world *world);
void close_world(struct world *world);
bool is_free(void *context, unsigned table, enum family family, unsigned vif, int ifindex);
int add_vif(struct world *world, const struct link_op *op);

/* As the owner does it; false when an instance's channel was full. */
bool turn(struct world *world);

/* The operations of one turn, as text. */
void expect(struct world *world, const char *operations);
void give_back(struct world *world, unsigned instance, uint8_t id);
/* The address in a subnet of 24 bits. */
struct interface_address interface_address(const struct addr *addr);
void address(struct world *world, int ifindex, const char *text, bool present);

/* Between the two the names are told anew. */
void begin(struct world *world);

#endif
