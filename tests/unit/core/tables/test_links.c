/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of links: short stories one by one, then random news of interfaces, with losses and failures,
 * against a plain model of what each instance must know in the end.
 */
#include "core/tables/links_vif_ports.h"

#include <errno.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/fail.h"

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

static void check(const struct world *world, bool condition, const char *what)
{
	if (!condition)
		fail_msg("seed %llu: %s", (unsigned long long)world->seed, what);
}

static struct link_settings settings_of(enum version ipv4, enum version ipv6)
{
	return (struct link_settings){.version = {(uint8_t)ipv4, (uint8_t)ipv6}, .robustness = 2};
}

static void add_name(struct world *world, unsigned instance, enum link_role role, const char *pattern,
                     struct link_settings settings)
{
	world->names[world->name_count++] = (struct name){instance, role, pattern, settings};
	assert_true(links_name(world->links, instance, role, pattern, &settings));
}

static void open_world(struct world *world)
{
	*world = (struct world){.links = links_new(), .now = 1000, .by_hand = true};
	assert_non_null(world->links);
	for (unsigned table = 0; table < TABLES; table++)
		for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
			links_enable_table(world->links, table, family);
}

static void close_world(struct world *world)
{
	links_free(world->links);
}

__attribute__((format(printf, 2, 3))) static void note(struct world *world, const char *format, ...)
{
	size_t length = strlen(world->text);
	va_list arguments;

	if (length > sizeof world->text - 128)
		length = 0;
	va_start(arguments, format);
	vsnprintf(world->text + length, sizeof world->text - length, format, arguments);
	va_end(arguments);
}

static bool is_free(void *context, unsigned table, enum family family, unsigned vif)
{
	struct world *world = context;

	check(world, !world->vifs[table][family][vif].used, "asked about a vif that is in use");
	return world->vifs[table][family][vif].uses == 0;
}

static bool exists(const struct world *world, int ifindex)
{
	for (size_t i = 0; i < MACHINES; i++)
		if (world->machines[i].ifindex == ifindex)
			return true;
	return world->by_hand;
}

static int add_vif(struct world *world, const struct link_op *op)
{
	struct vif *vif = &world->vifs[op->table][op->family][op->vif];

	note(world, " add%d:%u(%s)", op->family, op->vif, op->name);
	check(world, !vif->used && vif->uses == 0, "a vif number is taken that is not free");
	for (unsigned i = 0; i < LINKS_VIFS; i++)
		check(world,
		      !world->vifs[op->table][op->family][i].in_kernel ||
		              world->vifs[op->table][op->family][i].ifindex != op->ifindex,
		      "two vifs on one interface");
	for (unsigned i = 0; i < INSTANCES; i++)
		for (unsigned id = 0; id < LINKS_MAX; id++)
			check(world,
			      world->tables[i] != op->table ||
			              !world->views[i][id].change.family[op->family].usable ||
			              world->views[i][id].vif[op->family] != op->vif,
			      "an instance still uses the vif number");
	if (!exists(world, op->ifindex))
		return -ENODEV;
	if (world->add_result != 0 || random_percent(&world->random, world->failure_percent))
		return world->add_result ? world->add_result : -ENOBUFS;
	*vif = (struct vif){.used = true, .in_kernel = true, .ifindex = op->ifindex};
	return 0;
}

static void del_vif(struct world *world, const struct link_op *op)
{
	struct vif *vif = &world->vifs[op->table][op->family][op->vif];

	note(world, " del%d:%u(%s)", op->family, op->vif, op->name);
	check(world, vif->used && vif->ifindex == op->ifindex, "a vif is deleted that is not there");
	*vif = (struct vif){.uses = random_percent(&world->random, world->failure_percent) ? 1 : 0};
}

static void check_usable(const struct world *world, const struct link_op *op, const struct view *view,
                         enum family family)
{
	unsigned vif = links_vif(world->links, op->instance, op->id, family);
	unsigned table = world->tables[op->instance];

	check(world, vif < LINKS_VIFS && world->vifs[table][family][vif].used, "usable without a vif");
	check(world, world->vifs[table][family][vif].ifindex == op->ifindex, "usable with another's vif");
	check(world, !view->change.family[family].usable || view->vif[family] == vif,
	      "another vif, and not told that the old one went");
}

static int tell(struct world *world, const struct link_op *op)
{
	struct view *view = &world->views[op->instance][op->id];
	const struct link_change *change = &op->change;

	if (world->refuse_tells || random_percent(&world->random, world->failure_percent)) {
		world->refused++;
		return -EAGAIN;
	}
	note(world, " tell%u:%u(%s%s%s%s)", op->instance, op->id, op->name, change->present ? "" : " gone",
	     change->family[FAMILY_IPV4].usable ? " 4" : "", change->family[FAMILY_IPV6].usable ? " 6" : "");
	check(world, !view->given_up, "an id is used again that was not given back");
	check(world, change->present || view->known, "an unknown link is told to be gone");
	check(world, strcmp(change->name, op->name) == 0, "two names");
	check(world, !view->known || strcmp(change->name, view->change.name) == 0, "a link changed its name");
	for (int family = 0; family < FAMILIES; family++) {
		if (change->family[family].usable)
			check_usable(world, op, view, family);
		view->vif[family] = links_vif(world->links, op->instance, op->id, family);
	}
	check(world, change->present || (!change->family[0].usable && !change->family[1].usable),
	      "gone and usable");
	view->known = change->present;
	view->given_up = !change->present;
	view->change = *change;
	view->ifindex = op->ifindex;
	return 0;
}

/* As the owner does it; false when an instance's channel was full. */
static bool turn(struct world *world)
{
	struct link_op op;
	bool refused = false;

	for (int count = 0; links_pull(world->links, world->now, is_free, world, &op); count++) {
		int result = 0;

		if (op.kind == LINK_ADD_VIF)
			result = add_vif(world, &op);
		else if (op.kind == LINK_DEL_VIF)
			del_vif(world, &op);
		else if (op.kind == LINK_FULL)
			note(world, " full%d(%s)", op.family, op.name);
		else if (op.kind == LINK_CONFLICT)
			note(world, " conflict%u>%u(%s)", op.instance, op.loser, op.name);
		else
			result = tell(world, &op);
		links_done(world->links, world->now, &op, result);
		check(world, count < 10000, "an endless loop");
		refused |= result == -EAGAIN;
	}
	if (refused)
		return false;
	check(world, links_deadline(world->links) > world->now, "a deadline that is over, and nothing to do");
	return true;
}

/* The operations of one turn, as text. */
static void expect(struct world *world, const char *operations)
{
	world->text[0] = 0;
	turn(world);
	assert_string_equal(world->text, operations);
}

static void give_back(struct world *world, unsigned instance, uint8_t id)
{
	assert_true(world->views[instance][id].given_up);
	world->views[instance][id].given_up = false;
	links_id_free(world->links, instance, id);
}

static void address(struct world *world, int ifindex, const char *text, bool present)
{
	struct addr addr = addr_of(text);

	links_address(world->links, ifindex, &addr, present);
}

static void life_of_a_link(void **state)
{
	struct world world;
	struct link_change *change = &world.views[0][0].change;
	struct addr addr = addr_of("10.0.0.1"), local = addr_of("fe80::1");

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth0", settings_of(VERSION_3, VERSION_3));
	expect(&world, "");
	assert_true(links_interface(world.links, 7, "eth0", false, true, 1500));
	assert_true(links_interface(world.links, 8, "eth1", true, true, 1500));
	/* It is told of while down, with its vifs. */
	expect(&world, " add0:0(eth0) add1:0(eth0) tell0:0(eth0)");
	assert_int_equal(change->role, ROLE_DOWNSTREAM);
	assert_int_equal(change->mtu, 1500);
	assert_int_equal(change->settings.robustness, 2);
	/* IPv6 needs a link-local address, IPv4 none. */
	links_interface(world.links, 7, "eth0", true, true, 1500);
	expect(&world, " tell0:0(eth0 4)");
	assert_true(addr_is_unspecified(&change->family[FAMILY_IPV4].address));
	address(&world, 7, "2001:db8::1", true);
	expect(&world, "");
	address(&world, 7, "fe80::2", true);
	address(&world, 7, "fe80::1", true);
	address(&world, 7, "10.0.0.1", true);
	address(&world, 7, "10.0.0.2", true);
	expect(&world, " tell0:0(eth0 4 6)");
	assert_true(addr_equal(&change->family[FAMILY_IPV4].address, &addr));
	assert_true(addr_equal(&change->family[FAMILY_IPV6].address, &local));
	/* The same again is no news. */
	links_interface(world.links, 7, "eth0", true, true, 1500);
	address(&world, 7, "10.0.0.2", true);
	expect(&world, "");
	links_interface(world.links, 7, "eth0", true, true, 9000);
	expect(&world, " tell0:0(eth0 4 6)");
	assert_int_equal(change->mtu, 9000);
	address(&world, 7, "10.0.0.1", false);
	expect(&world, " tell0:0(eth0 4 6)");
	links_interface(world.links, 7, "eth0", false, true, 9000);
	expect(&world, " tell0:0(eth0)");
	links_interface_gone(world.links, 7);
	expect(&world, " del0:0(eth0) del1:0(eth0) tell0:0(eth0 gone)");
	/* The id is used again only after it was given back. */
	assert_true(links_interface(world.links, 9, "eth0", true, true, 1500));
	expect(&world, " add0:0(eth0) add1:0(eth0) tell0:1(eth0 4)");
	links_interface_gone(world.links, 9);
	expect(&world, " del0:0(eth0) del1:0(eth0) tell0:1(eth0 gone)");
	give_back(&world, 0, 0);
	assert_true(links_interface(world.links, 9, "eth0", true, true, 1500));
	expect(&world, " add0:0(eth0) add1:0(eth0) tell0:0(eth0 4)");
	links_interface_gone(world.links, 123);
	address(&world, 123, "10.0.0.9", true);
	expect(&world, "");
	close_world(&world);
}

/* One vif for all instances, in the families that one of them serves. */
static void instances_share_an_interface(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_UPSTREAM, "eth*", settings_of(VERSION_NONE, VERSION_3));
	add_name(&world, 2, ROLE_UPSTREAM, "tun0", settings_of(VERSION_2, VERSION_NONE));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	address(&world, 7, "fe80::1", true);
	expect(&world, " add0:0(eth0) add1:0(eth0) tell1:0(eth0 6) tell0:0(eth0 4)");
	assert_true(links_interface(world.links, 8, "tun0", true, true, 1500));
	expect(&world, " add0:1(tun0) tell2:0(tun0 4)");
	assert_int_equal(links_vif(world.links, 2, 0, FAMILY_IPV4), 1);
	assert_int_equal(links_vif(world.links, 2, 0, FAMILY_IPV6), LINKS_NO_VIF);
	assert_int_equal(links_vif(world.links, 2, 1, FAMILY_IPV4), LINKS_NO_VIF);
	assert_int_equal(links_vifs(world.links, 2, UINT64_MAX, FAMILY_IPV4), 1u << 1);
	assert_int_equal(links_vifs(world.links, 0, 1, FAMILY_IPV4), 1u << 0);
	assert_int_equal(links_vifs(world.links, 2, UINT64_MAX, FAMILY_IPV6), 0);
	assert_int_equal(links_vifs(world.links, 2, 0, FAMILY_IPV4), 0);
	assert_string_equal(links_vif_name(world.links, 0, FAMILY_IPV4, 1), "tun0");
	assert_string_equal(links_vif_name(world.links, 0, FAMILY_IPV4, 5), "?");
	assert_string_equal(links_vif_name(world.links, 0, FAMILY_IPV4, 99), "?");
	close_world(&world);
}

/* A name wins over a pattern, whichever instance comes first; of two patterns the first instance's counts,
 * which is said once. In the family that they do not share, there is no conflict. */
static void instances_compete(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "e*", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_DOWNSTREAM, "et*", settings_of(VERSION_3, VERSION_3));
	add_name(&world, 2, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 1, "eth0", true, true, 1500));
	address(&world, 1, "fe80::1", true);
	expect(&world, " add0:0(eth0) add1:0(eth0) tell2:0(eth0 4) tell1:0(eth0 6)");
	assert_true(links_interface(world.links, 2, "eth1", true, true, 1500));
	address(&world, 2, "fe80::2", true);
	expect(&world, " conflict0>1(eth1) add0:1(eth1) add1:1(eth1) tell1:1(eth1 6) tell0:0(eth1 4)");
	assert_int_equal(links_vif(world.links, 1, 1, FAMILY_IPV4), LINKS_NO_VIF);
	assert_int_equal(links_vif(world.links, 1, 1, FAMILY_IPV6), 1);
	assert_int_equal(world.views[1][1].change.settings.version[FAMILY_IPV4], VERSION_NONE);
	assert_true(links_interface(world.links, 3, "eth2", true, true, 1500));
	expect(&world, " add0:2(eth2) add1:2(eth2) tell1:2(eth2) tell0:1(eth2 4)");
	close_world(&world);
}

/* A link too many waits, which is said once, until another goes. */
static void table_is_full(void **state)
{
	struct world world;
	char name[LINK_NAME_SIZE];

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "e*", settings_of(VERSION_3, VERSION_NONE));
	for (int i = 1; i <= LINKS_VIFS; i++) {
		snprintf(name, sizeof name, "e%d", i);
		assert_true(links_interface(world.links, i, name, true, true, 1500));
		turn(&world);
	}
	assert_true(links_interface(world.links, 99, "extra", true, true, 1500));
	expect(&world, " full0(extra) tell0:32(extra)");
	world.now += RETRY;
	expect(&world, "");
	links_interface_gone(world.links, 7);
	expect(&world, " del0:6(e7) tell0:6(e7 gone)");
	world.now += RETRY;
	expect(&world, " add0:6(extra) tell0:32(extra 4)");
	close_world(&world);
}

/* What goes out on a shared upstream link is the union; from different tables it cannot be shared. */
static void upstream_links_are_shared_in_one_table(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	world.tables[2] = 1;
	links_set_table(world.links, 2, 1);
	add_name(&world, 0, ROLE_UPSTREAM, "ppp*", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_UPSTREAM, "ppp0", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 2, ROLE_UPSTREAM, "ppp?", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 1, "ppp0", true, true, 1500));
	expect(&world, " add0:0(ppp0) tell1:0(ppp0 4) tell0:0(ppp0 4)");
	assert_true(links_interface(world.links, 2, "ppp1", true, true, 1500));
	expect(&world, " conflict0>2(ppp1) add0:1(ppp1) tell0:1(ppp1 4)");
	close_world(&world);
}

static void families_without_a_table_have_no_vifs(void **state)
{
	struct world world = {.links = links_new(), .by_hand = true};

	(void)state;
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_3));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	address(&world, 7, "fe80::1", true);
	expect(&world, " tell0:0(eth0)");
	links_enable_table(world.links, 0, FAMILY_IPV6);
	expect(&world, " add1:0(eth0) tell0:0(eth0 6)");
	close_world(&world);
}

/* A name without wildcards wins over patterns, the first pattern over later ones. */
static void names_and_patterns(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth*", settings_of(VERSION_2, VERSION_NONE));
	add_name(&world, 0, ROLE_UPSTREAM, "eth[12]", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 0, ROLE_UPSTREAM, "eth3", settings_of(VERSION_1, VERSION_NONE));
	for (int i = 1; i <= 4; i++) {
		char name[LINK_NAME_SIZE];

		snprintf(name, sizeof name, i == 4 ? "xeth%d" : "eth%d", i);
		assert_true(links_interface(world.links, i, name, true, true, 1500));
	}
	expect(&world,
	       " add0:0(eth1) tell0:0(eth1 4) add0:1(eth2) tell0:1(eth2 4) add0:2(eth3) tell0:2(eth3 4)");
	assert_int_equal(world.views[0][0].change.role, ROLE_DOWNSTREAM);
	assert_int_equal(world.views[0][0].change.settings.version[FAMILY_IPV4], VERSION_2);
	assert_int_equal(world.views[0][2].change.role, ROLE_UPSTREAM);
	assert_int_equal(world.views[0][2].change.settings.version[FAMILY_IPV4], VERSION_1);
	close_world(&world);
}

static void missing_names(void **state)
{
	struct world world;
	size_t cursor = 0;
	unsigned instance;
	const char *pattern;

	(void)state;
	open_world(&world);
	assert_false(links_next_missing(world.links, &cursor, &instance, &pattern));
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_DOWNSTREAM, "tun*", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 2, ROLE_UPSTREAM, "ppp0", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 1, "eth1", true, true, 1500));
	cursor = 0;
	assert_true(links_next_missing(world.links, &cursor, &instance, &pattern));
	assert_int_equal(instance, 0);
	assert_string_equal(pattern, "eth0");
	assert_true(links_next_missing(world.links, &cursor, &instance, &pattern));
	assert_int_equal(instance, 1);
	assert_string_equal(pattern, "tun*");
	assert_true(links_next_missing(world.links, &cursor, &instance, &pattern));
	assert_string_equal(pattern, "ppp0");
	assert_false(links_next_missing(world.links, &cursor, &instance, &pattern));
	assert_false(links_next_missing(world.links, &cursor, &instance, &pattern));
	links_interface_gone(world.links, 1);
	assert_true(links_interface(world.links, 2, "tun7", true, true, 1500));
	cursor = 0;
	for (int i = 0; i < 3; i++) {
		static const char *const patterns[] = {"eth0", "eth1", "ppp0"};

		assert_true(links_next_missing(world.links, &cursor, &instance, &pattern));
		assert_string_equal(pattern, patterns[i]);
	}
	assert_false(links_next_missing(world.links, &cursor, &instance, &pattern));
	close_world(&world);
}

static void failed_vif_is_tried_again(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	assert_int_equal(links_deadline(world.links), MTIME_NEVER);
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	world.add_result = -ENOBUFS;
	expect(&world, " add0:0(eth0) tell0:0(eth0)");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(links_deadline(world.links), world.now + RETRY);
		world.now += RETRY - 1;
		expect(&world, "");
		links_interface(world.links, 7, "eth0", true, true, 1500);
		expect(&world, "");
		world.now++;
		expect(&world, " add0:0(eth0)");
	}
	/* Not only then: also when the interface comes up. */
	links_interface(world.links, 7, "eth0", false, true, 1500);
	expect(&world, "");
	world.add_result = 0;
	links_interface(world.links, 7, "eth0", true, true, 1500);
	expect(&world, " add0:0(eth0) tell0:0(eth0 4)");
	assert_int_equal(links_deadline(world.links), MTIME_NEVER);
	close_world(&world);
}

/* Nothing is left of a failure when the interface has gone, also while its instance cannot be told. */
static void failed_vif_of_an_interface_that_goes(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	world.add_result = -ENOBUFS;
	expect(&world, " add0:0(eth0) tell0:0(eth0)");
	links_interface_gone(world.links, 7);
	world.refuse_tells = true;
	expect(&world, "");
	assert_int_equal(links_deadline(world.links), MTIME_NEVER);
	world.refuse_tells = false;
	expect(&world, " tell0:0(eth0 gone)");
	close_world(&world);
}

static void refused_news_is_told_again(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	world.refuse_tells = true;
	expect(&world, " add0:0(eth0)");
	expect(&world, "");
	links_interface(world.links, 7, "eth0", true, true, 1400);
	expect(&world, "");
	assert_int_equal(world.refused, 3);
	world.refuse_tells = false;
	/* The newest state, once. */
	expect(&world, " tell0:0(eth0 4)");
	assert_int_equal(world.views[0][0].change.mtu, 1400);
	world.refuse_tells = true;
	links_interface_gone(world.links, 7);
	expect(&world, " del0:0(eth0)");
	assert_true(links_interface(world.links, 8, "eth0", true, true, 1500));
	/* The old number is not free before the instance knows. */
	expect(&world, " add0:1(eth0)");
	world.refuse_tells = false;
	expect(&world, " tell0:0(eth0 gone) tell0:1(eth0 4)");
	close_world(&world);
}

/* An instance hears nothing of what came and went before it could be told. */
static void short_lives_are_not_told(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	for (int i = 0; i < 100; i++) {
		assert_true(links_interface(world.links, 7 + i, "eth0", true, true, 1500));
		if (i % 2)
			links_interface_gone(world.links, 7 + i);
	}
	links_interface_gone(world.links, 105);
	expect(&world, "");
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	world.refuse_tells = true;
	expect(&world, " add0:0(eth0)");
	links_interface_gone(world.links, 7);
	world.refuse_tells = false;
	expect(&world, " del0:0(eth0)");
	assert_true(links_interface(world.links, 8, "eth0", true, true, 1500));
	expect(&world, " add0:0(eth0) tell0:0(eth0 4)");
	close_world(&world);
}

/* Routes name a vif for a while after it went: another number is taken. */
static void number_with_routes_is_not_used(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth*", settings_of(VERSION_3, VERSION_NONE));
	for (int i = 0; i < 3; i++)
		world.vifs[0][FAMILY_IPV4][i].uses = 1;
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	expect(&world, " add0:3(eth0) tell0:0(eth0 4)");
	world.vifs[0][FAMILY_IPV4][1].uses = 0;
	assert_true(links_interface(world.links, 8, "eth1", true, true, 1500));
	expect(&world, " add0:1(eth1) tell0:1(eth1 4)");
	/* All of them: it waits. */
	for (int i = 0; i < LINKS_VIFS; i++)
		world.vifs[0][FAMILY_IPV4][i].uses = 1;
	assert_true(links_interface(world.links, 9, "eth2", true, true, 1500));
	expect(&world, " tell0:2(eth2)");
	world.vifs[0][FAMILY_IPV4][8].uses = 0;
	assert_int_equal(links_deadline(world.links), world.now + RETRY);
	world.now += RETRY;
	expect(&world, " add0:8(eth2) tell0:2(eth2 4)");
	close_world(&world);
}

static void more_interfaces_than_vifs(void **state)
{
	struct world world;
	unsigned usable = 0;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "tun*", settings_of(VERSION_3, VERSION_NONE));
	for (int i = 0; i < LINKS_VIFS + 8; i++) {
		char name[LINK_NAME_SIZE];

		snprintf(name, sizeof name, "tun%d", i);
		assert_true(links_interface(world.links, 100 + i, name, true, true, 1500));
	}
	turn(&world);
	for (unsigned id = 0; id < LINKS_MAX; id++)
		usable += world.views[0][id].change.family[FAMILY_IPV4].usable;
	assert_int_equal(usable, LINKS_VIFS);
	world.now += RETRY;
	expect(&world, "");
	/* One goes: its number is given to another, but not before the instance knows. */
	links_interface_gone(world.links, 110);
	world.refuse_tells = true;
	expect(&world, " del0:10(tun10)");
	for (int i = 0; i < 3; i++) {
		struct link_op op;

		world.now += RETRY;
		assert_true(links_pull(world.links, world.now, is_free, &world, &op));
		assert_int_equal(op.kind, LINK_ANNOUNCE);
		links_done(world.links, world.now, &op, -EAGAIN);
		/* The end of the pass: whoever refused is left alone until the next one. */
		assert_false(links_pull(world.links, world.now, is_free, &world, &op));
	}
	world.refuse_tells = false;
	world.now += RETRY;
	expect(&world, " tell0:10(tun10 gone) add0:10(tun32) tell0:32(tun32 4)");
	close_world(&world);
}

/* In the order of the table the one that waits comes first. */
static void waiting_interface_takes_no_number_too_early(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth*", settings_of(VERSION_3, VERSION_NONE));
	for (int i = 0; i < LINKS_VIFS; i++)
		world.vifs[0][FAMILY_IPV4][i].uses = 1;
	assert_true(links_interface(world.links, 1, "eth1", true, true, 1500));
	expect(&world, " tell0:0(eth1)");
	world.vifs[0][FAMILY_IPV4][4].uses = 0;
	assert_true(links_interface(world.links, 2, "eth2", true, true, 1500));
	expect(&world, " add0:4(eth2) tell0:1(eth2 4)");
	links_interface_gone(world.links, 2);
	world.refuse_tells = true;
	expect(&world, " del0:4(eth2)");
	world.now += RETRY;
	expect(&world, "");
	world.refuse_tells = false;
	expect(&world, " tell0:1(eth2 gone)");
	world.now += RETRY;
	expect(&world, " add0:4(eth1) tell0:0(eth1 4)");
	close_world(&world);
}

static void more_links_than_ids(void **state)
{
	struct world world;
	char name[LINK_NAME_SIZE];

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "ppp*", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_UPSTREAM, "ppp6?", settings_of(VERSION_3, VERSION_NONE));
	for (int i = 0; i < LINKS_MAX + 2; i++) {
		snprintf(name, sizeof name, "ppp%d", i);
		assert_int_equal(links_interface(world.links, 100 + i, name, true, true, 1500),
		                 i < LINKS_MAX);
	}
	turn(&world);
	assert_true(world.views[0][LINKS_MAX - 1].known);
	assert_string_equal(world.views[1][5].change.name, "ppp65");
	/* As soon as an id is given back, one of them gets it. */
	links_interface_gone(world.links, 103);
	turn(&world);
	assert_true(world.views[0][3].given_up);
	give_back(&world, 0, 3);
	turn(&world);
	assert_string_equal(world.views[0][3].change.name, "ppp64");
	links_interface_gone(world.links, 165);
	turn(&world);
	links_interface_gone(world.links, 110);
	turn(&world);
	give_back(&world, 0, 10);
	expect(&world, "");
	close_world(&world);
}

/* Another name is another link; its addresses stay, and come with no further news. */
static void renamed(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth*", settings_of(VERSION_3, VERSION_3));
	add_name(&world, 1, ROLE_DOWNSTREAM, "lan", settings_of(VERSION_3, VERSION_3));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	address(&world, 7, "fe80::1", true);
	address(&world, 7, "10.0.0.1", true);
	expect(&world, " add0:0(eth0) add1:0(eth0) tell0:0(eth0 4 6)");
	assert_true(links_interface(world.links, 7, "lan", true, true, 1500));
	expect(&world, " del0:0(eth0) del1:0(eth0) tell0:0(eth0 gone)"
	               " add0:0(lan) add1:0(lan) tell1:0(lan 4 6)");
	assert_true(addr_equal(&world.views[1][0].change.family[FAMILY_IPV4].address,
	                       &(struct addr){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1}}));
	address(&world, 7, "fe80::1", false);
	expect(&world, " tell1:0(lan 4)");
	/* Within the same pattern, too. */
	assert_true(links_interface(world.links, 7, "eth5", true, true, 1500));
	assert_true(links_interface(world.links, 7, "eth6", true, true, 1500));
	expect(&world,
	       " del0:0(lan) del1:0(lan) tell1:0(lan gone) add0:0(eth6) add1:0(eth6) tell0:1(eth6 4)");
	close_world(&world);
}

/* The name is there anew, the old interface's end was not heard of. */
static void replaced_under_the_same_name(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "ppp0", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 7, "ppp0", true, true, 1500));
	expect(&world, " add0:0(ppp0) tell0:0(ppp0 4)");
	assert_true(links_interface(world.links, 9, "ppp0", true, true, 1500));
	expect(&world, " del0:0(ppp0) tell0:0(ppp0 gone) add0:0(ppp0) tell0:1(ppp0 4)");
	links_interface_gone(world.links, 7);
	expect(&world, "");
	close_world(&world);
}

static void dump_removes_what_it_does_not_tell(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth*", settings_of(VERSION_3, VERSION_3));
	assert_true(links_interface(world.links, 1, "eth1", true, true, 1500));
	assert_true(links_interface(world.links, 2, "eth2", true, true, 1500));
	address(&world, 1, "fe80::1", true);
	address(&world, 1, "10.0.0.1", true);
	turn(&world);
	links_dump_begin(world.links);
	links_interface(world.links, 1, "eth1", true, true, 1500);
	links_interface(world.links, 3, "eth3", true, true, 1500);
	address(&world, 1, "10.0.0.1", true);
	expect(&world, " add0:2(eth3) add1:2(eth3) tell0:2(eth3 4)");
	links_dump_end(world.links);
	expect(&world, " tell0:0(eth1 4) del0:1(eth2) del1:1(eth2) tell0:1(eth2 gone)");
	links_dump_begin(world.links);
	links_dump_end(world.links);
	turn(&world);
	for (unsigned id = 0; id < LINKS_MAX; id++)
		assert_false(world.views[0][id].known);
	close_world(&world);
}

/* A dump tells another name: what is left of the old one must not take the address from the new one. */
static void dump_with_a_rename(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth*", settings_of(VERSION_NONE, VERSION_3));
	assert_true(links_interface(world.links, 1, "eth1", true, true, 1500));
	address(&world, 1, "fe80::1", true);
	expect(&world, " add1:0(eth1) tell0:0(eth1 6)");
	links_dump_begin(world.links);
	links_interface(world.links, 1, "eth9", true, true, 1500);
	address(&world, 1, "fe80::1", true);
	links_dump_end(world.links);
	expect(&world, " del1:0(eth1) tell0:0(eth1 gone) add1:0(eth9) tell0:1(eth9 6)");
	close_world(&world);
}

static const char *const first_addresses[FAMILIES] = {"10.0.0.1", "fe80::1"};

/* The number of the address that the instance knows; -1: none. */
static int known_address(const struct world *world, enum family family)
{
	const struct addr *told = &world->views[0][0].change.family[family].address;

	for (uint32_t i = 0; i < MANY; i++) {
		struct addr addr = nth_addr(first_addresses[family], i);

		if (addr_equal(told, &addr))
			return (int)i;
	}
	assert_true(addr_is_unspecified(told));
	return -1;
}

static void set_address(struct world *world, enum family family, uint32_t number, bool present)
{
	struct addr addr = nth_addr(first_addresses[family], number);

	assert_true(links_address(world->links, 1, &addr, present));
}

/* A thousand addresses of each family, in either order: each family has its own, and keeps one to the
 * last. */
static void many_addresses(void **state)
{
	(void)state;
	for (int order = 0; order < 4; order++) {
		enum family first = order & 1 ? FAMILY_IPV6 : FAMILY_IPV4, second = !first;
		bool descending = order & 2;
		struct world world;

		open_world(&world);
		add_name(&world, 0, ROLE_DOWNSTREAM, "eth0", settings_of(VERSION_3, VERSION_3));
		assert_true(links_interface(world.links, 1, "eth0", true, true, 1500));
		for (uint32_t i = 0; i < MANY; i++)
			set_address(&world, first, i, true);
		for (uint32_t i = 0; i < MANY; i++)
			set_address(&world, second, i, true);
		expect(&world, " add0:0(eth0) add1:0(eth0) tell0:0(eth0 4 6)");
		assert_int_equal(known_address(&world, FAMILY_IPV4), 0);
		assert_int_equal(known_address(&world, FAMILY_IPV6), 0);
		/* A dump that has them all changes nothing. */
		links_dump_begin(world.links);
		assert_true(links_interface(world.links, 1, "eth0", true, true, 1500));
		for (uint32_t i = 0; i < MANY; i++) {
			set_address(&world, FAMILY_IPV4, i, true);
			set_address(&world, FAMILY_IPV6, i, true);
		}
		links_dump_end(world.links);
		expect(&world, "");
		/* One after the other goes; the first that is left serves. */
		for (uint32_t i = 0; i < MANY; i++) {
			uint32_t number = descending ? MANY - 1 - i : i;
			int next = i == MANY - 1 ? -1 : descending ? 0 : (int)i + 1;

			set_address(&world, FAMILY_IPV4, number, false);
			set_address(&world, FAMILY_IPV6, number, false);
			world.text[0] = 0;
			assert_true(turn(&world));
			assert_int_equal(known_address(&world, FAMILY_IPV4), next);
			assert_int_equal(known_address(&world, FAMILY_IPV6), next);
		}
		close_world(&world);
	}
}

/* A dump lacks the first 998 of a thousand. */
static void many_addresses_that_a_dump_lacks(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth0", settings_of(VERSION_3, VERSION_3));
	assert_true(links_interface(world.links, 1, "eth0", true, true, 1500));
	for (uint32_t i = 0; i < MANY; i++)
		for (int family = 0; family < FAMILIES; family++)
			set_address(&world, family, i, true);
	expect(&world, " add0:0(eth0) add1:0(eth0) tell0:0(eth0 4 6)");
	links_dump_begin(world.links);
	assert_true(links_interface(world.links, 1, "eth0", true, true, 1500));
	for (uint32_t i = MANY - 2; i < MANY; i++)
		for (int family = 0; family < FAMILIES; family++)
			set_address(&world, family, i, true);
	links_dump_end(world.links);
	expect(&world, " tell0:0(eth0 4 6)");
	assert_int_equal(known_address(&world, FAMILY_IPV4), MANY - 2);
	assert_int_equal(known_address(&world, FAMILY_IPV6), MANY - 2);
	close_world(&world);
}

/* Between the two the names are told anew. */
static void begin(struct world *world)
{
	world->name_count = 0;
	links_reconfigure_begin(world->links);
}

static void reload_tells_the_difference(void **state)
{
	struct link_settings both = settings_of(VERSION_3, VERSION_3), changed = both;
	struct world world;

	(void)state;
	changed.query_interval = 30000;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth2", both);
	for (int i = 0; i < 4; i++) {
		char name[8];

		snprintf(name, sizeof name, "eth%d", i);
		links_interface(world.links, i + 1, name, true, true, 1500);
	}
	turn(&world);
	/* The same again. */
	begin(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth[2-3]", both);
	links_reconfigure_end(world.links, true);
	expect(&world, " add0:3(eth3) add1:3(eth3) tell0:3(eth3 4)");
	/* Changed, gone, and another role; one that cannot be had. */
	begin(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", changed);
	add_name(&world, 0, ROLE_UPSTREAM, "eth2", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth9", both);
	links_reconfigure_end(world.links, true);
	expect(&world, " tell0:1(eth1 4) tell0:2(eth2 4) tell0:3(eth3 gone) del0:3(eth3) del1:3(eth3)");
	assert_int_equal(world.views[0][1].change.settings.query_interval, 30000);
	assert_int_equal(world.views[0][2].change.role, ROLE_UPSTREAM);
	/* One family less, and it comes back. Its vif number is free when the instance has been told. */
	world.refuse_tells = true;
	begin(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_NONE, VERSION_3));
	add_name(&world, 0, ROLE_UPSTREAM, "eth2", both);
	links_reconfigure_end(world.links, true);
	expect(&world, " del0:1(eth1)");
	begin(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", changed);
	add_name(&world, 0, ROLE_UPSTREAM, "eth2", both);
	links_reconfigure_end(world.links, true);
	world.refuse_tells = false;
	expect(&world, " add0:3(eth1) tell0:1(eth1) tell0:1(eth1 4)");
	/* A bad one changes nothing. */
	begin(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth7", both);
	links_reconfigure_end(world.links, false);
	expect(&world, "");
	close_world(&world);
}

static void link_that_leaves_and_returns_untold(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_3, VERSION_NONE));
	links_interface(world.links, 1, "eth1", true, true, 1500);
	expect(&world, " add0:0(eth1) tell0:0(eth1 4)");
	world.refuse_tells = true;
	begin(&world);
	links_reconfigure_end(world.links, true);
	expect(&world, "");
	world.refuse_tells = false;
	begin(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_3, VERSION_NONE));
	links_reconfigure_end(world.links, true);
	expect(&world, " tell0:0(eth1 4)");
	close_world(&world);
}

static void multicast_flag_is_told(void **state)
{
	struct world world;
	struct link_op op;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_3, VERSION_NONE));
	links_interface(world.links, 1, "eth1", true, true, 1500);
	expect(&world, " add0:0(eth1) tell0:0(eth1 4)");
	links_interface(world.links, 1, "eth1", true, false, 1500);
	assert_true(links_pull(world.links, world.now, is_free, &world, &op));
	assert_int_equal(op.kind, LINK_ANNOUNCE);
	assert_false(op.multicast);
	/* It is used all the same. */
	assert_true(op.change.family[FAMILY_IPV4].usable);
	links_done(world.links, world.now, &op, 0);
	expect(&world, "");
	close_world(&world);
}

static void instance_ends(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_DOWNSTREAM, "eth2", settings_of(VERSION_3, VERSION_NONE));
	links_interface(world.links, 1, "eth1", true, true, 1500);
	links_interface(world.links, 2, "eth2", true, true, 1500);
	turn(&world);
	begin(&world);
	add_name(&world, 1, ROLE_DOWNSTREAM, "eth2", settings_of(VERSION_3, VERSION_NONE));
	links_forget_instance(world.links, 0);
	links_reconfigure_end(world.links, true);
	expect(&world, " del0:0(eth1)");
	/* Another in its place begins with the same ids and numbers. */
	memset(world.views[0], 0, sizeof world.views[0]);
	begin(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_DOWNSTREAM, "eth2", settings_of(VERSION_3, VERSION_NONE));
	links_reconfigure_end(world.links, true);
	expect(&world, " add0:0(eth1) tell0:0(eth1 4)");
	/* The same instance with another worker. */
	links_forget_instance(world.links, 1);
	memset(world.views[1], 0, sizeof world.views[1]);
	expect(&world, " tell1:0(eth2 4)");
	close_world(&world);
}

/* The random test. */

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
		if (told)
			links_address(world->links, machine->ifindex, &addr, false);
	} else if (machine->address_count < ADDRESSES) {
		static const char *const first[] = {"10.0.0.1", "fe80::1", "2001:db8::1"};

		addr = nth_addr(first[random_below(&world->random, 3)], serial++);
		machine->addresses[machine->address_count++] = addr;
		if (told)
			world->lost |= !links_address(world->links, machine->ifindex, &addr, true);
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
		for (size_t j = 0; j < world->machines[i].address_count; j++)
			links_address(world->links, world->machines[i].ifindex,
			              &world->machines[i].addresses[j], true);
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

/* An instance that could not be told for lack of memory is told after a while, without other news. */
static void told_again_when_there_is_memory(void **state)
{
	struct link_op op;
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	for (int i = 0; i < 2; i++) {
		while (links_pull(world.links, world.now, is_free, &world, &op))
			links_done(world.links, world.now, &op,
			           op.kind == LINK_ANNOUNCE ? -ENOMEM : add_vif(&world, &op));
		assert_int_equal(links_deadline(world.links), world.now + RETRY);
		world.now += RETRY;
	}
	expect(&world, " tell0:0(eth0 4)");
	assert_true(links_deadline(world.links) == MTIME_NEVER);
	close_world(&world);
}

/* The first call says where it is. */
static void another_attachment_is_noticed(void **state)
{
	static const struct {
		struct link_attachment attachment;
		bool changed;
	} rows[] = {
		{{1, {2, 0, 0, 0, 0, 1}}, false}, {{1, {2, 0, 0, 0, 0, 1}}, false},
		{{2, {2, 0, 0, 0, 0, 1}}, true},  {{2, {2, 0, 0, 0, 0, 2}}, true},
		{{2, {2, 0, 0, 0, 0, 2}}, false}, {{0, {0}}, true},
	};
	struct links *links = links_new();

	(void)state;
	assert_false(links_attachment(links, 5, &rows[2].attachment));
	for (int round = 0; round < 2; round++) {
		assert_true(links_interface(links, 5, "eth0", true, true, 1500));
		for (size_t i = 0; i < LENGTH(rows); i++)
			assert_int_equal(links_attachment(links, 5, &rows[i].attachment), rows[i].changed);
		links_interface_gone(links, 5);
	}
	links_free(links);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_attachment_is_noticed),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(told_again_when_there_is_memory),
		cmocka_unit_test(life_of_a_link),
		cmocka_unit_test(instances_share_an_interface),
		cmocka_unit_test(tables_have_vifs_of_their_own),
		cmocka_unit_test(instances_compete),
		cmocka_unit_test(table_is_full),
		cmocka_unit_test(upstream_links_are_shared_in_one_table),
		cmocka_unit_test(families_without_a_table_have_no_vifs),
		cmocka_unit_test(names_and_patterns),
		cmocka_unit_test(missing_names),
		cmocka_unit_test(failed_vif_is_tried_again),
		cmocka_unit_test(failed_vif_of_an_interface_that_goes),
		cmocka_unit_test(refused_news_is_told_again),
		cmocka_unit_test(short_lives_are_not_told),
		cmocka_unit_test(number_with_routes_is_not_used),
		cmocka_unit_test(more_interfaces_than_vifs),
		cmocka_unit_test(waiting_interface_takes_no_number_too_early),
		cmocka_unit_test(more_links_than_ids),
		cmocka_unit_test(renamed),
		cmocka_unit_test(replaced_under_the_same_name),
		cmocka_unit_test(dump_removes_what_it_does_not_tell),
		cmocka_unit_test(dump_with_a_rename),
		cmocka_unit_test(many_addresses),
		cmocka_unit_test(many_addresses_that_a_dump_lacks),
		cmocka_unit_test(reload_tells_the_difference),
		cmocka_unit_test(link_that_leaves_and_returns_untold),
		cmocka_unit_test(multicast_flag_is_told),
		cmocka_unit_test(instance_ends),
		cmocka_unit_test(random_news),
	};

	links_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
