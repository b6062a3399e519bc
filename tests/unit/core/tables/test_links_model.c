/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of links, compared with a naive model: random news of random machines, allocations that fail.
 */
#include "core/tables/links.h"
#include "core/tables/links_vif_ports.h"

#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/fail.h"

#include "support/random.h"

#include "unit/core/tables/links_world.h"

static const char *const machine_names[] = {"eth0", "eth1", "eth2",   "tun0",
                                            "tun1", "ppp0", "br-lan", "wlan0"};

static const struct name *best_name(const struct world *world, unsigned instance, const char *interface)
{
	const struct name *found = NULL;

	for (size_t i = world->name_count; i-- > 0;) {
		const struct name *name = &world->names[i];

		if (name->instance == instance && strpbrk(name->pattern, "*?[") &&
		    fnmatch(name->pattern, interface, 0) == 0)
			found = name;
	}
	for (size_t i = world->name_count; i-- > 0;)
		if (world->names[i].instance == instance && strcmp(world->names[i].pattern, interface) == 0)
			found = &world->names[i];
	return found;
}

static bool is_plain(const struct name *name)
{
	return strpbrk(name->pattern, "*?[") == NULL;
}

/* Who has an interface: in the configuration's order the first plain name, else the first. */
static const struct name *winner(const struct world *world, enum family family, const char *interface)
{
	const struct name *found = NULL;

	for (size_t i = world->name_count; i-- > 0;) {
		const struct name *name = &world->names[i];

		if (name == best_name(world, name->instance, interface) &&
		    name->settings.version[family] != VERSION_NONE &&
		    (found == NULL || is_plain(name) || !is_plain(found)))
			found = name;
	}
	return found;
}

static bool serves(const struct world *world, unsigned instance, enum family family, const char *interface)
{
	const struct name *name = best_name(world, instance, interface);
	const struct name *first = winner(world, family, interface);

	if (name == NULL || name->settings.version[family] == VERSION_NONE)
		return false;
	return name == first || (name->role == ROLE_UPSTREAM && first->role == ROLE_UPSTREAM &&
	                         world->tables[instance] == world->tables[first->instance]);
}

static bool has_link(const struct world *world, unsigned instance, const char *interface)
{
	return serves(world, instance, FAMILY_IPV4, interface) ||
	       serves(world, instance, FAMILY_IPV6, interface);
}

static struct addr best_address(const struct machine *machine, enum family family)
{
	struct addr best = addr_unspecified(family);

	for (size_t i = machine->address_count; i-- > 0;) {
		const struct addr *addr = &machine->addresses[i];

		if (addr_family(addr) != family || (family == FAMILY_IPV6 && !addr_is_link_local(addr)))
			continue;
		if (family == FAMILY_IPV4 || addr_is_unspecified(&best) || addr_compare(addr, &best) < 0)
			best = *addr;
	}
	return best;
}

static const struct machine *machine_of(const struct world *world, int ifindex)
{
	for (size_t i = 0; i < MACHINES; i++)
		if (world->machines[i].ifindex == ifindex)
			return &world->machines[i];
	return NULL;
}

static void check_view(const struct world *world, unsigned instance, const struct view *view)
{
	const struct machine *machine = machine_of(world, view->ifindex);
	struct link_settings settings;
	const struct name *name;

	check(world, machine != NULL, "an interface that is gone");
	name = best_name(world, instance, machine->name);
	check(world, strcmp(view->change.name, machine->name) == 0 && name != NULL, "a wrong name");
	check(world, view->change.role == name->role && view->change.mtu == machine->mtu,
	      "wrong role or MTU");
	settings = name->settings;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		if (!serves(world, instance, family, machine->name))
			settings.version[family] = VERSION_NONE;
	check(world, memcmp(&view->change.settings, &settings, sizeof settings) == 0, "wrong settings");
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		struct addr addr = best_address(machine, family);
		bool usable = machine->up && settings.version[family] != VERSION_NONE &&
		              (family == FAMILY_IPV4 || !addr_is_unspecified(&addr));

		check(world, view->change.family[family].usable == usable, "wrongly usable, or not");
		check(world, addr_equal(&view->change.family[family].address, &addr), "a wrong address");
	}
}

struct tally {
	const struct world *world;
	enum family family;
	int ifindex;
	unsigned told[INSTANCES];
};

static void count_port(struct tally *tally, unsigned instance, uint8_t id)
{
	const struct view *view = &tally->world->views[instance][id];

	check(tally->world, view->known && view->ifindex == tally->ifindex, "a packet for the wrong link");
	check(tally->world, view->change.family[tally->family].usable, "a packet for an unusable link");
	tally->told[instance]++;
}

/* Each vif brings its packets to every link told usable on its interface, once. */
static void check_vif(const struct world *world, unsigned table, enum family family, unsigned vif)
{
	const struct vif *kernel = &world->vifs[table][family][vif];
	struct tally tally = {.world = world, .family = family, .ifindex = kernel->ifindex};
	struct links_vif_port port = {0};

	while (links_next_vif_port(world->links, table, family, vif, true, &port))
		count_port(&tally, port.instance, port.id);
	for (unsigned instance = 0; instance < INSTANCES; instance++) {
		unsigned expected = 0;

		for (unsigned id = 0; id < LINKS_MAX; id++)
			expected += world->views[instance][id].known &&
			            world->views[instance][id].ifindex == tally.ifindex &&
			            world->views[instance][id].change.family[family].usable;
		check(world, tally.told[instance] == (kernel->used ? expected : 0),
		      "packets lost or doubled");
	}
}

/* More links than a table has room for; each table counts its vifs from 0. */
static void tables_have_vifs_of_their_own(void **state)
{
	struct world world;
	char name[LINK_NAME_SIZE];

	(void)state;
	open_world(&world);
	world.tables[1] = 1;
	links_set_table(world.links, 1, 1);
	add_name(&world, 0, ROLE_DOWNSTREAM, "a*", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_DOWNSTREAM, "b*", settings_of(VERSION_3, VERSION_3));
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "%c%d", i % 2 == 0 ? 'a' : 'b', i);
		assert_true(links_interface(world.links, i + 1, name, true, true, 1500));
	}
	while (!turn(&world))
		;
	for (unsigned vif = 0; vif < LINKS_VIFS; vif++) {
		assert_int_equal(world.vifs[0][FAMILY_IPV4][vif].used, vif < 20);
		assert_int_equal(world.vifs[1][FAMILY_IPV4][vif].used, vif < 20);
		assert_int_equal(world.vifs[1][FAMILY_IPV6][vif].used, vif < 20);
		assert_false(world.vifs[0][FAMILY_IPV6][vif].used);
		check_vif(&world, 0, FAMILY_IPV4, vif);
		check_vif(&world, 1, FAMILY_IPV4, vif);
	}
	assert_string_equal(links_vif_name(world.links, 0, FAMILY_IPV4, 1), "a2");
	assert_string_equal(links_vif_name(world.links, 1, FAMILY_IPV4, 1), "b3");
	assert_int_equal(links_vif(world.links, 0, 1, FAMILY_IPV4), 1);
	assert_int_equal(links_vif(world.links, 1, 1, FAMILY_IPV4), 1);
	close_world(&world);
}

static void check_ports(const struct world *world, size_t expected)
{
	struct links_port port;
	size_t cursor = 0, count = 0;

	while (links_next_port(world->links, &cursor, &port)) {
		const struct view *view = &world->views[port.instance][port.id];

		count++;
		check(world, view->known && view->ifindex == port.ifindex,
		      "a port that its instance does not know");
		check(world, port.role == view->change.role && port.mtu == view->change.mtu, "a wrong port");
		check(world, strcmp(port.name, view->change.name) == 0, "a wrong port");
		for (int family = 0; family < FAMILIES; family++) {
			unsigned vif = links_vif(world->links, port.instance, port.id, family);

			check(world, port.usable[family] == view->change.family[family].usable,
			      "a wrong port");
			check(world, port.vif[family] == vif, "a wrong vif");
			check(world,
			      !port.usable[family] ||
			              world->vifs[world->tables[port.instance]][family][vif].ifindex ==
			                      port.ifindex,
			      "a wrong vif");
		}
	}
	check(world, count == expected, "too many or too few ports");
}

static bool is_missing(const struct world *world, const char *pattern)
{
	for (size_t i = 0; i < MACHINES; i++)
		if (world->machines[i].ifindex != 0 && fnmatch(pattern, world->machines[i].name, 0) == 0)
			return false;
	return true;
}

static void check_missing(const struct world *world)
{
	size_t cursor = 0;
	unsigned instance;
	const char *pattern;

	for (size_t i = 0; i < world->name_count; i++) {
		if (!is_missing(world, world->names[i].pattern))
			continue;
		check(world, links_next_missing(world->links, &cursor, &instance, &pattern),
		      "missing, and not told");
		check(world, strcmp(pattern, world->names[i].pattern) == 0, "told as missing");
		check(world, instance == world->names[i].instance, "missing elsewhere");
	}
	check(world, !links_next_missing(world->links, &cursor, &instance, &pattern), "told as missing");
}

/* Everybody knows everything. */
static void check_world(const struct world *world)
{
	size_t expected = 0, known = 0;

	for (size_t i = 0; i < MACHINES; i++)
		for (unsigned instance = 0; instance < INSTANCES; instance++)
			expected += world->machines[i].ifindex != 0 &&
			            has_link(world, instance, world->machines[i].name);
	for (unsigned instance = 0; instance < INSTANCES; instance++)
		for (unsigned id = 0; id < LINKS_MAX; id++)
			if (world->views[instance][id].known) {
				known++;
				check_view(world, instance, &world->views[instance][id]);
			}
	check(world, known == expected, "links unknown, or known twice");
	for (unsigned table = 0; table < TABLES; table++)
		for (int family = 0; family < FAMILIES; family++)
			for (unsigned vif = 0; vif < LINKS_VIFS; vif++)
				check_vif(world, table, family, vif);
	check_ports(world, expected);
	check_missing(world);
}

static struct vif *any_vif(struct world *world, size_t i)
{
	return &world->vifs[i / LINKS_VIFS / FAMILIES][i / LINKS_VIFS % FAMILIES][i % LINKS_VIFS];
}

static struct machine *pick(struct world *world, bool present)
{
	struct machine *machine = &world->machines[random_below(&world->random, MACHINES)];

	return (machine->ifindex != 0) == present ? machine : NULL;
}

/* A name that no interface has now; NULL if the dice showed another. */
static const char *unused_name(struct world *world)
{
	const char *name = machine_names[random_below(&world->random, LENGTH(machine_names))];

	for (size_t i = 0; i < MACHINES; i++)
		if (world->machines[i].ifindex != 0 && strcmp(world->machines[i].name, name) == 0)
			return NULL;
	return name;
}

static void tell_machine(struct world *world, const struct machine *machine)
{
	bool kept = links_interface(world->links, machine->ifindex, machine->name, machine->up, true,
	                            machine->mtu);

	check(world, kept || world->memory_fails, "news is not kept");
	world->lost |= !kept;
}

static void appear(struct world *world, bool told)
{
	struct machine *machine = pick(world, false);
	const char *name = unused_name(world);
	int ifindex = (int)random_between(&world->random, 1, 30);

	if (machine == NULL || name == NULL || machine_of(world, ifindex) != NULL)
		return;
	*machine =
		(struct machine){.ifindex = ifindex, .up = random_percent(&world->random, 60), .mtu = 1500};
	strcpy(machine->name, name);
	if (told)
		tell_machine(world, machine);
}

static void vanish(struct world *world, bool told)
{
	struct machine *machine = pick(world, true);

	if (machine == NULL)
		return;
	for (size_t i = 0; i < VIFS; i++)
		if (any_vif(world, i)->ifindex == machine->ifindex)
			any_vif(world, i)->in_kernel = false;
	if (told)
		links_interface_gone(world->links, machine->ifindex);
	*machine = (struct machine){0};
}

static void change(struct world *world, bool told)
{
	struct machine *machine = pick(world, true);
	const char *name = unused_name(world);

	if (machine == NULL)
		return;
	switch (random_below(&world->random, 3)) {
	case 0:
		machine->up = !machine->up;
		break;
	case 1:
		machine->mtu = random_between(&world->random, 1280, 1290);
		break;
	default:
		if (name != NULL)
			strcpy(machine->name, name);
	}
	if (told)
		tell_machine(world, machine);
}

static void readdress(struct world *world, bool told)
{
	static uint32_t serial;
	struct machine *machine = pick(world, true);
	struct interface_address is;
	struct addr addr;
	size_t place;

	/* With news lost before, which of several addresses came first would not be known. */
	if (machine == NULL || world->lost)
		return;
	place = random_below(&world->random, ADDRESSES);
	if (place < machine->address_count) {
		addr = machine->addresses[place];
		machine->address_count--;
		memmove(&machine->addresses[place], &machine->addresses[place + 1],
		        (machine->address_count - place) * sizeof addr);
		is = interface_address(&addr);
		if (told)
			links_address(world->links, machine->ifindex, &is, false);
	} else if (machine->address_count < ADDRESSES) {
		static const char *const first[] = {"10.0.0.1", "fe80::1", "2001:db8::1"};

		addr = nth_addr(first[random_below(&world->random, 3)], serial++);
		machine->addresses[machine->address_count++] = addr;
		is = interface_address(&addr);
		if (told)
			world->lost |= !links_address(world->links, machine->ifindex, &is, true);
	}
}

static void something_happens(struct world *world, bool told)
{
	static void (*const events[])(struct world *, bool) = {appear, vanish,    change,
	                                                       change, readdress, readdress};

	events[random_below(&world->random, LENGTH(events))](world, told);
}

/* Links, then addresses. */
static void dump(struct world *world)
{
	links_dump_begin(world->links);
	for (size_t i = 0; i < MACHINES; i++)
		if (world->machines[i].ifindex != 0)
			tell_machine(world, &world->machines[i]);
	for (size_t i = 0; i < MACHINES; i++)
		for (size_t j = 0; j < world->machines[i].address_count; j++) {
			struct interface_address is = interface_address(&world->machines[i].addresses[j]);

			links_address(world->links, world->machines[i].ifindex, &is, true);
		}
	links_dump_end(world->links);
}

/* News was lost, a dump makes up for it. */
static void lose_news(struct world *world)
{
	for (uint32_t i = random_below(&world->random, 12); i > 0; i--) {
		something_happens(world, false);
		if (random_percent(&world->random, 20))
			turn(world);
	}
	dump(world);
}

static void instances_give_back(struct world *world, uint32_t percent)
{
	for (unsigned instance = 0; instance < INSTANCES; instance++)
		for (uint8_t id = 0; id < LINKS_MAX; id++)
			if (world->views[instance][id].given_up && random_percent(&world->random, percent))
				give_back(world, instance, id);
}

static void routes_go(struct world *world, uint32_t percent)
{
	for (size_t i = 0; i < VIFS; i++)
		if (random_percent(&world->random, percent))
			any_vif(world, i)->uses = 0;
}

static void come_to_rest(struct world *world)
{
	uint32_t failure_percent = world->failure_percent;

	world->failure_percent = 0;
	routes_go(world, 100);
	for (int i = 0; i < 3; i++) {
		world->now += RETRY;
		instances_give_back(world, 100);
		assert_true(turn(world));
	}
	world->failure_percent = failure_percent;
	check_world(world);
}

static void name_at_random(struct world *world)
{
	static const char *const patterns[] = {"eth0",     "eth1",   "eth*", "tun?", "tun0",
	                                       "ppp[0-9]", "br-lan", "*",    "wlan9"};

	for (unsigned i = random_between(&world->random, 1, 12); i > 0; i--) {
		const char *pattern = patterns[random_below(&world->random, LENGTH(patterns))];
		enum version ipv4 = random_percent(&world->random, 70) ? VERSION_3 : VERSION_NONE;
		enum version ipv6 = random_percent(&world->random, 70) ? VERSION_3 : VERSION_NONE;
		struct link_settings settings = settings_of(ipv4, ipv6);

		settings.query_interval = i;
		add_name(world, random_below(&world->random, INSTANCES),
		         random_percent(&world->random, 50) ? ROLE_UPSTREAM : ROLE_DOWNSTREAM, pattern,
		         settings);
	}
}

static void tables_at_random(struct world *world)
{
	for (unsigned instance = 0; instance < INSTANCES; instance++) {
		world->tables[instance] = random_below(&world->random, TABLES);
		links_set_table(world->links, instance, world->tables[instance]);
	}
}

/* A reload; an instance that moves to another table begins anew, and so may others. Not all reloads are
 * good. */
static void reconfigure_at_random(struct world *world)
{
	struct world before = *world;
	bool good = random_percent(&world->random, 80);

	world->name_count = 0;
	links_reconfigure_begin(world->links);
	if (good && random_percent(&world->random, 30)) {
		unsigned instance = random_below(&world->random, INSTANCES);

		links_forget_instance(world->links, instance);
		memset(world->views[instance], 0, sizeof world->views[instance]);
		world->tables[instance] = random_below(&world->random, TABLES);
	}
	for (unsigned instance = 0; instance < INSTANCES; instance++)
		links_set_table(world->links, instance, world->tables[instance]);
	name_at_random(world);
	links_reconfigure_end(world->links, good);
	if (good)
		return;
	memcpy(world->names, before.names, sizeof before.names);
	world->name_count = before.name_count;
}

static void random_news(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		static struct world world;

		open_world(&world);
		world.by_hand = false;
		world.seed = seed;
		world.random.state = seed;
		world.failure_percent = seed % 3 ? 15 : 0;
		tables_at_random(&world);
		name_at_random(&world);
		for (int step = 0; step < 200; step++) {
			if (random_percent(&world.random, 4))
				lose_news(&world);
			else if (seed % 2 == 0 && random_percent(&world.random, 3))
				reconfigure_at_random(&world);
			else
				something_happens(&world, true);
			world.now += random_below(&world.random, 900);
			instances_give_back(&world, 30);
			routes_go(&world, 30);
			if (random_percent(&world.random, 60))
				turn(&world);
			if (random_percent(&world.random, 10))
				come_to_rest(&world);
		}
		come_to_rest(&world);
		close_world(&world);
	}
}

/* The owner asks for a dump when news could not be kept. */
static unsigned with_failures(const void *context, unsigned from, unsigned to)
{
	static struct world world;
	unsigned count;

	open_world(&world);
	world.by_hand = false;
	world.seed = world.random.state = *(const uint64_t *)context;
	tables_at_random(&world);
	name_at_random(&world);
	world.memory_fails = true;
	fail_between(from, to);
	for (int step = 0; step < 100; step++) {
		something_happens(&world, true);
		world.now += random_below(&world.random, 900);
		instances_give_back(&world, 30);
		routes_go(&world, 30);
		if (random_percent(&world.random, 60))
			turn(&world);
	}
	count = fail_end();
	world.memory_fails = false;
	if (world.lost)
		dump(&world);
	/* Links that could not be made follow by themselves. */
	for (int i = 0; i < 3 && links_deadline(world.links) != MTIME_NEVER; i++) {
		world.now = links_deadline(world.links);
		turn(&world);
	}
	come_to_rest(&world);
	close_world(&world);
	return count;
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++)
		fail_everywhere(with_failures, &seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(tables_have_vifs_of_their_own),
		cmocka_unit_test(random_news),
	};

	links_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
