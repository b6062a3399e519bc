/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit/core/tables/links_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

void check(const struct world *world, bool condition, const char *what)
{
	if (!condition)
		fail_msg("seed %llu: %s", (unsigned long long)world->seed, what);
}

struct link_settings settings_of(enum version ipv4, enum version ipv6)
{
	return (struct link_settings){.version = {(uint8_t)ipv4, (uint8_t)ipv6}, .robustness = 2};
}

void add_name(struct world *world, unsigned instance, enum link_role role, const char *pattern,
              struct link_settings settings)
{
	world->names[world->name_count++] = (struct name){instance, role, pattern, settings};
	assert_true(links_name(world->links, instance, role, pattern, &settings));
}

void open_world(struct world *world)
{
	*world = (struct world){.links = links_new(), .now = 1000, .by_hand = true};
	assert_non_null(world->links);
	for (unsigned table = 0; table < TABLES; table++)
		for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
			links_enable_table(world->links, table, family);
}

void close_world(struct world *world)
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

bool is_free(void *context, unsigned table, enum family family, unsigned vif, int ifindex)
{
	struct world *world = context;

	(void)ifindex;
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

int add_vif(struct world *world, const struct link_op *op)
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

bool turn(struct world *world)
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

void expect(struct world *world, const char *operations)
{
	world->text[0] = 0;
	turn(world);
	assert_string_equal(world->text, operations);
}

void give_back(struct world *world, unsigned instance, uint8_t id)
{
	assert_true(world->views[instance][id].given_up);
	world->views[instance][id].given_up = false;
	links_id_free(world->links, instance, id);
}

struct interface_address interface_address(const struct addr *addr)
{
	return (struct interface_address){.address = *addr, .network = *addr, .length = 24};
}

void address(struct world *world, int ifindex, const char *text, bool present)
{
	struct addr addr = addr_of(text);
	struct interface_address is = interface_address(&addr);

	links_address(world->links, ifindex, &is, present);
}

void begin(struct world *world)
{
	world->name_count = 0;
	links_reconfigure_begin(world->links);
}
