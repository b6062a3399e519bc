/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a host wants of a group: INCLUDE or EXCLUDE with some of the few sources that the simulated world has,
 * as a set of bits. Deliberately unlike the engine's filters, which it is compared with. Groups and sources
 * have numbers here.
 */
#ifndef MCPROXY_SIM_WISH_H
#define MCPROXY_SIM_WISH_H

#include "core/base/addr.h"
#include "core/base/filter.h"

#define SOURCES_MAX 48
#define GROUPS_MAX  24

struct wish {
	bool exclude;
	uint64_t sources;
};

#define WISH_NONE      ((struct wish){false, 0})
#define WISH_ALL       ((struct wish){true, 0})
#define WISH_TEXT_SIZE 256

bool wish_is_none(struct wish wish);
bool wish_equal(struct wish a, struct wish b);
/* SOURCES_MAX stands for a source that nobody names. */
bool wish_passes(struct wish wish, unsigned source);
/* RFC 4605 section 4.1, RFC 9776 section 3.2. */
struct wish wish_merge(struct wish a, struct wish b);
/* Everything that `narrow` lets through, `wide` does too. */
bool wish_covers(struct wish wide, struct wish narrow);
const char *wish_format(struct wish wish, char text[WISH_TEXT_SIZE]);

struct addr universe_source(enum family family, unsigned source);
struct addr universe_group(enum family family, unsigned group);
/* The number, or -1 for an address that is none of them. */
int universe_source_number(const struct addr *addr);
int universe_group_number(const struct addr *addr);

#endif
