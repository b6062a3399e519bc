/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/fake_joins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

const char *fake_first(enum family family, bool group)
{
	if (family == FAMILY_IPV4)
		return group ? "239.1.0.1" : "10.0.0.1";
	return group ? "ff0e::1" : "2001:db8::1";
}

struct addr fake_group(enum family family, unsigned n)
{
	return nth_addr(fake_first(family, true), n);
}

static struct addr fake_source(enum family family, unsigned n)
{
	return nth_addr(fake_first(family, false), n);
}

unsigned fake_number(const struct addr *addr, bool group)
{
	struct addr first = nth_addr(fake_first(addr_family(addr), group), 0);
	uint32_t n = ipv4_number(addr) - ipv4_number(&first);

	if (memcmp(addr, &first, 12) == 0 && n < (group ? FAKE_GROUPS : FAKE_SOURCES))
		return n;
	abort();
}

struct filter fake_filter(enum family family, enum filter_mode mode, unsigned mask, struct addr *list)
{
	struct filter filter = {.mode = mode, .sources = sources_on(list, FAKE_SOURCES)};

	for (unsigned n = 0; n < FAKE_SOURCES; n++) {
		struct addr addr = fake_source(family, n);

		if (mask >> n & 1)
			assert_true(sources_append(&filter.sources, &addr));
	}
	return filter;
}

unsigned fake_mask(const struct sources *sources)
{
	unsigned mask = 0;

	for (size_t i = 0; i < sources->count; i++) {
		assert_true(i == 0 || addr_compare(&sources->list[i - 1], &sources->list[i]) < 0);
		mask |= 1u << fake_number(&sources->list[i], false);
	}
	return mask;
}

unsigned fake_passing(enum filter_mode mode, unsigned mask)
{
	return mode == FILTER_INCLUDE ? mask : FAKE_ALL & ~mask;
}

unsigned fake_passing_filter(const struct filter *filter)
{
	return fake_passing(filter->mode, fake_mask(&filter->sources));
}

unsigned fake_held(const struct fake_joins *fake, unsigned group)
{
	unsigned passing = 0;

	for (size_t slot = 0; slot < FAKE_SLOTS; slot++) {
		const struct fake_membership *membership = &fake->held[slot][group];

		if (membership->joined)
			passing |= fake_passing(membership->mode, membership->sources);
	}
	return passing;
}

unsigned fake_memberships(const struct fake_joins *fake, uint32_t slot)
{
	unsigned count = 0;

	for (size_t group = 0; group < FAKE_GROUPS; group++)
		count += fake->held[slot][group].joined;
	return count;
}

void fake_close(struct fake_joins *fake, uint32_t slot)
{
	memset(fake->held[slot], 0, sizeof fake->held[slot]);
}

static bool fake_is_full(const struct fake_joins *fake, uint32_t slot)
{
	return fake->groups_max > 0 && fake_memberships(fake, slot) >= fake->groups_max;
}

static int fake_join(struct fake_joins *fake, uint32_t slot, struct fake_membership *membership,
                     enum filter_mode mode)
{
	if (membership->joined)
		return -EADDRINUSE;
	if (fake_is_full(fake, slot))
		return -ENOBUFS;
	*membership = (struct fake_membership){.joined = true, .mode = mode};
	return 0;
}

static int fake_join_source(struct fake_joins *fake, uint32_t slot, struct fake_membership *membership,
                            unsigned source)
{
	int result = fake_join(fake, slot, membership, FILTER_INCLUDE);

	if (result != 0 && result != -EADDRINUSE)
		return result;
	if (membership->mode == FILTER_EXCLUDE && membership->sources != 0)
		return -EINVAL;
	membership->mode = FILTER_INCLUDE;
	if (membership->sources & source)
		return -EADDRNOTAVAIL;
	if ((unsigned)__builtin_popcount(membership->sources) >= fake->sources_max)
		return -ENOBUFS;
	membership->sources |= source;
	return 0;
}

static int fake_leave_source(struct fake_membership *membership, unsigned source)
{
	if (!membership->joined || membership->mode != FILTER_INCLUDE)
		return -EINVAL;
	if (!(membership->sources & source))
		return -EADDRNOTAVAIL;
	membership->sources &= ~source;
	/* INCLUDE{} is no membership. */
	membership->joined = membership->sources != 0;
	return 0;
}

static int fake_set_filter(const struct fake_joins *fake, struct fake_membership *membership,
                           const struct filter *filter)
{
	if (!membership->joined)
		return -EINVAL;
	if (filter->sources.count > fake->sources_max)
		return -ENOBUFS;
	*membership = (struct fake_membership){
		.joined = !filter_is_none(filter),
		.mode = filter->mode,
		.sources = fake_mask(&filter->sources),
	};
	return 0;
}

static int fake_perform(struct fake_joins *fake, const struct join_op *op, struct fake_membership *membership)
{
	switch (op->kind) {
	case JOIN_GROUP:
		return fake_join(fake, op->slot, membership, FILTER_EXCLUDE);
	case JOIN_LEAVE:
		if (!membership->joined)
			return -EADDRNOTAVAIL;
		*membership = (struct fake_membership){0};
		return 0;
	case JOIN_SOURCE:
		return fake_join_source(fake, op->slot, membership, 1u << fake_number(&op->source, false));
	case JOIN_LEAVE_SOURCE:
		return fake_leave_source(membership, 1u << fake_number(&op->source, false));
	case JOIN_SET_FILTER:
		return fake_set_filter(fake, membership, &op->filter);
	}
	abort();
}

/* Puts the model into the state that an error implies. */
static void fake_make_true(struct fake_joins *fake, const struct join_op *op,
                           struct fake_membership *membership, int error)
{
	bool adds = op->kind == JOIN_GROUP || op->kind == JOIN_SOURCE;

	if (op->kind == JOIN_GROUP && error == -EADDRINUSE)
		*membership = (struct fake_membership){true, FILTER_EXCLUDE, 5};
	else if ((op->kind == JOIN_SOURCE || op->kind == JOIN_LEAVE_SOURCE) && error == -EADDRNOTAVAIL)
		fake_perform(fake, op, membership);
	else if (!adds && (error == -EADDRNOTAVAIL || error == -EINVAL || error == -ENODEV))
		*membership = (struct fake_membership){0};
}

int fake_operate(struct fake_joins *fake, const struct join_op *op)
{
	struct fake_membership *membership = &fake->held[op->slot][fake_number(&op->group, true)];
	unsigned number = fake->operations++;

	assert_true(op->slot < FAKE_SLOTS);
	if (fake->fail == 0 || number < fake->fail_from || number > fake->fail_to ||
	    !(fake->fail_kinds >> op->kind & 1))
		return fake_perform(fake, op, membership);
	fake_make_true(fake, op, membership, fake->fail);
	return fake->fail;
}
