/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The names of links in the configuration, plain or patterns, and which instances an interface belongs to by
 * them. Pure; part of the table of links (core/tables/links.h).
 *
 * In one family a link has one role, one querier and one kernel table. So of several instances that want an
 * interface one has it: the first that names it plainly, else the first whose pattern matches. Others share
 * it where they agree with that one: as an upstream link, in the same table.
 */
#ifndef MCPROXY_CORE_TABLES_LINK_NAMES_H
#define MCPROXY_CORE_TABLES_LINK_NAMES_H

#include "core/contract/link_change.h"

#define NAMES_INSTANCES 64

/* A link that an instance names. */
struct name {
	struct name *next;
	unsigned instance;
	enum link_role role;
	char pattern[LINK_NAME_SIZE];
	struct link_settings settings;
	bool announced; /* that it lost an interface to another instance's pattern */
};

struct names {
	struct name *first;              /* in the order of the configuration */
	uint8_t tables[NAMES_INSTANCES]; /* of the instances */
};

/* False when memory is short. */
bool names_add(struct names *names, unsigned instance, enum link_role role, const char *pattern,
               const struct link_settings *settings);
void names_fini(struct names *names);

/* A name stands for the interface of that name, a pattern for all that fnmatch finds. */
bool names_match(const char *pattern, const char *interface);

/* What the instances have of an interface. */
struct name_matches {
	const struct name *names[NAMES_INSTANCES]; /* NULL: nothing */
	bool serves[NAMES_INSTANCES][FAMILIES];
	struct name *loser; /* a pattern that got nothing, or less, because of the winner's; NULL: none */
	const struct name *winner;
};
/* An instance uses an interface once. A plain name wins over a pattern, the first pattern over later ones. */
void names_match_interface(const struct names *names, const char *interface,
                           struct name_matches *name_matches);

#endif
