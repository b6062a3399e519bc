/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of links: the input chooses the news of interfaces and addresses, reloads, dumps, what the kernel and the
 * instances refuse, and which allocations fail. The naive model is that of the unit test.
 */
#include "fuzz_random.h"

#define main unit_main
int unit_main(void);
#include "unit/core/tables/test_links_model.c"

#define STEPS_MAX 2000

struct attached {
	int ifindex;
	struct link_attachment attachment;
};

/* Only a difference to the last call for the interface is news. */
static void attach(struct world *world)
{
	static const struct link_attachment none;
	struct link_attachment attachment = {.carrier_ups = random_below(&world->random, 3),
	                                     .hardware = {(uint8_t)random_below(&world->random, 2)}};
	struct machine *machine = pick(world, true);

	if (machine == NULL || world->lost)
		return;
	links_attachment(world->links, machine->ifindex, &attachment);
	check(world, !links_attachment(world->links, machine->ifindex, &attachment), "no change is news");
	attachment.hardware[31] ^= 1;
	check(world, links_attachment(world->links, machine->ifindex, &attachment), "a change is no news");
	check(world, !links_attachment(world->links, 31, &none), "news of an unknown interface");
}

/* The look-ups agree with each other. */
static void look_up(const struct world *world)
{
	struct links_port port, found;
	size_t cursor = 0;

	while (links_next_port(world->links, &cursor, &port)) {
		uint32_t vifs = links_vifs(world->links, port.instance, (uint64_t)1 << port.id, FAMILY_IPV4);

		assert(links_find_port(world->links, port.instance, port.id, &found));
		assert(vifs == 0 || links_threshold(world->links, world->tables[port.instance], FAMILY_IPV4,
		                                    port.vif[FAMILY_IPV4]) >= 1);
		assert(found.ifindex == port.ifindex && found.role == port.role);
		assert(vifs == (port.vif[FAMILY_IPV4] == LINKS_NO_VIF ? 0 : 1u << port.vif[FAMILY_IPV4]));
		assert(vifs == 0 || strcmp(links_vif_name(world->links, world->tables[port.instance],
		                                          FAMILY_IPV4, port.vif[FAMILY_IPV4]),
		                           port.name) == 0);
	}
	assert(!links_find_port(world->links, LINKS_INSTANCES, 0, &found));
}

/* Another interface than the machines of the model: too many for the vifs of a table. */
static void crowd(struct world *world)
{
	char name[LINK_NAME_SIZE];

	world->by_hand = true;
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "eth%d", 10 + i);
		links_interface(world->links, 100 + i, name, i % 3 > 0, true, 1500);
	}
	turn(world);
	for (int i = 0; i < 40; i++)
		links_interface_gone(world->links, 100 + i);
}

/* Interfaces that are named by addresses and alternative names; the model knows neither. */
static void name_otherwise(struct world *world)
{
	static const char *const patterns[] = {"@10.9.0.0/16", "@10.8.0.4-10.8.0.6",     "@fd00:1::/32",
	                                       "@::/0",        "an-altname-of-22-chars", "enx*"};
	static const char *const texts[] = {"10.9.0.1",  "10.8.0.5", "10.8.0.7",
	                                    "fd00:1::1", "fe80::1",  "0.0.0.1"};
	static const char *const names[] = {"", "enp1s0\0an-altname-of-22-chars\0", "enx020000000001\0",
	                                    "an-altname-of-22-chars\0"};
	struct link_settings settings = settings_of(VERSION_3, VERSION_2);
	char name[LINK_NAME_SIZE];

	world->by_hand = true;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		links_name(world->links, (unsigned)i % INSTANCES, ROLE_DOWNSTREAM, patterns[i], &settings);
	for (int i = 0; i < STEPS_MAX && !fuzz_random_is_over(); i++) {
		int ifindex = 200 + (int)random_below(&world->random, 4);
		size_t which = random_below(&world->random, sizeof texts / sizeof *texts);

		snprintf(name, sizeof name, "br-%d", ifindex + (random_percent(&world->random, 5) ? 10 : 0));
		switch (random_below(&world->random, 6)) {
		case 0:
			links_interface(world->links, ifindex, name, random_percent(&world->random, 80), true,
			                1500);
			break;
		case 1:
			links_altnames(world->links, ifindex, names[which % (sizeof names / sizeof *names)]);
			break;
		case 2:
			links_match(world->links, patterns[which], name);
			break;
		case 3:
			turn(world);
			break;
		case 4:
			if (random_percent(&world->random, 20)) {
				links_interface_gone(world->links, ifindex);
				break;
			}
			/* fall through */
		default: {
			struct addr addr;

			if (addr_parse(texts[which], &addr)) {
				struct interface_address added = interface_address(&addr);

				links_address(world->links, ifindex, &added,
				              random_percent(&world->random, 70));
			}
		}
		}
	}
	for (int ifindex = 200; ifindex < 204; ifindex++)
		links_interface_gone(world->links, ifindex);
}

/* Instances that are about to end: the table of kernel tables is closed when its vifs are gone. */
static void close_tables(struct world *world)
{
	for (unsigned instance = 0; instance < INSTANCES; instance++)
		links_forget_instance(world->links, instance);
	memset(world->views, 0, sizeof world->views);
	for (size_t i = 0; i < MACHINES; i++)
		if (world->machines[i].ifindex != 0)
			links_interface_gone(world->links, world->machines[i].ifindex);
	memset(world->machines, 0, sizeof world->machines);
	for (size_t i = 0; i < VIFS; i++)
		any_vif(world, i)->in_kernel = false;
	come_to_rest(world);
	for (unsigned table = 0; table < TABLES; table++)
		for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
			links_disable_table(world->links, table, family);
			links_enable_table(world->links, table, family);
		}
}

static void step(struct world *world)
{
	switch (random_below(&world->random, 16)) {
	case 0:
		if (!world->memory_fails)
			lose_news(world);
		break;
	case 1:
		if (!world->memory_fails)
			reconfigure_at_random(world);
		break;
	case 2:
		attach(world);
		break;
	case 3:
		look_up(world);
		break;
	case 4:
		instances_give_back(world, 50);
		routes_go(world, 50);
		break;
	case 5:
		world->failure_percent = random_below(&world->random, 60);
		break;
	case 6:
		world->now += random_below(&world->random, 900);
		break;
	case 7:
	case 8:
		turn(world);
		break;
	case 9:
		if (!world->memory_fails)
			come_to_rest(world);
		break;
	default:
		something_happens(world, true);
	}
}

/* Allocations fail from a number to another; then a dump makes up for what was lost. */
static void end_failures(struct world *world)
{
	fail_end();
	world->memory_fails = false;
	if (world->lost)
		dump(world);
	world->lost = false;
	for (int i = 0; i < 3; i++) {
		world->now += RETRY;
		turn(world);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	unsigned course;
	bool crowded;

	fuzz_random_open(data, size);
	fail_end();
	open_world(&world);
	world.by_hand = false;
	tables_at_random(&world);
	name_at_random(&world);
	course = random_below(&world.random, 16);
	if (course == 14) {
		name_otherwise(&world);
		close_world(&world);
		return 0;
	}
	crowded = course == 15;
	world.memory_fails = random_percent(&world.random, 30);
	if (world.memory_fails) {
		unsigned from = random_below(&world.random, 200);

		fail_between(from, from + random_below(&world.random, 50));
	}
	for (int steps = 0; steps < STEPS_MAX && !fuzz_random_is_over(); steps++)
		step(&world);
	world.failure_percent = 0;
	end_failures(&world);
	come_to_rest(&world);
	look_up(&world);
	close_tables(&world);
	if (crowded)
		crowd(&world);
	close_world(&world);
	return 0;
}
