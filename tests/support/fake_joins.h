/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model of what Linux does with memberships of sockets: a few groups, a few sources, their filters as bit masks.
 * Its errors are those of net/ipv4/igmp.c.
 */
#ifndef MCPROXY_TESTS_FAKE_JOINS_H
#define MCPROXY_TESTS_FAKE_JOINS_H

#include "core/host/joins.h"

#include <errno.h>

#include "support/craft.h"

#define FAKE_SLOTS   256
#define FAKE_GROUPS  24
#define FAKE_SOURCES 10
#define FAKE_OTHERS  (1u << FAKE_SOURCES) /* in a set of passing sources: all those that no filter names */
#define FAKE_ALL     (2 * FAKE_OTHERS - 1)

struct fake_membership {
	bool joined;
	enum filter_mode mode;
	unsigned sources;
};

struct fake_joins {
	unsigned groups_max;  /* per socket; 0: no limit */
	unsigned sources_max; /* per filter */
	struct fake_membership held[FAKE_SLOTS][FAKE_GROUPS];
	/* Injected result of the operations of these kinds with the numbers fail_from to fail_to. The model is then in
	 * the state that the error implies. */
	int fail;
	unsigned fail_kinds; /* bits of enum join_op_kind */
	unsigned fail_from;
	unsigned fail_to;
	unsigned operations; /* so far */
};

const char *fake_first(enum family family, bool group);
struct addr fake_group(enum family family, unsigned n);

/* The number of an address that one of the two made; aborts on others. */
unsigned fake_number(const struct addr *addr, bool group);
struct filter fake_filter(enum family family, enum filter_mode mode, unsigned mask, struct addr *list);

/* Checks the order while it reads. */
unsigned fake_mask(const struct sources *sources);

/* The set of sources that a filter lets through. */
unsigned fake_passing(enum filter_mode mode, unsigned mask);
unsigned fake_passing_filter(const struct filter *filter);

/* What the interface lets through for a group: all sockets together. */
unsigned fake_held(const struct fake_joins *fake, unsigned group);
unsigned fake_memberships(const struct fake_joins *fake, uint32_t slot);

/* The socket is closed. */
void fake_close(struct fake_joins *fake, uint32_t slot);
int fake_operate(struct fake_joins *fake, const struct join_op *op);

#endif
