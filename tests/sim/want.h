/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a host wants of a group: INCLUDE or EXCLUDE with some of the few sources that the simulated world has,
 * as a set of bits. Deliberately unlike the engine's filters, which it is compared with. Groups and sources
 * have numbers here.
 */
#ifndef MCPROXY_SIM_WANT_H
#define MCPROXY_SIM_WANT_H

#include "core/base/addr.h"
#include "core/base/filter.h"

#define SOURCES_MAX 48
#define GROUPS_MAX  24

struct want {
	bool exclude;
	uint64_t sources;
};

#define WANT_NONE      ((struct want){false, 0})
#define WANT_ALL       ((struct want){true, 0})
#define WANT_TEXT_SIZE 256

bool want_is_none(struct want want);
bool want_equal(struct want a, struct want b);
/* SOURCES_MAX stands for a source that no filter names. */
bool want_passes(struct want want, unsigned source);
/* RFC 4605 section 4.1, RFC 9776 section 3.2. */
struct want want_merge(struct want a, struct want b);
/* Everything that `narrow` lets through, `wide` does too. */
bool want_covers(struct want wide, struct want narrow);
const char *want_format(struct want want, char text[WANT_TEXT_SIZE]);

struct addr universe_source(enum family family, unsigned source);
struct addr universe_group(enum family family, unsigned group);
/* The number, or -1 for an address that is none of them. */
int universe_source_number(const struct addr *addr);
int universe_group_number(const struct addr *addr);

#endif
