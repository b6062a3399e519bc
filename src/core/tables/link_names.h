/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The names of links in the configuration: plain names, patterns, addresses. They decide which instances use an
 * interface. Pure; part of the table of links (core/tables/links.h).
 *
 * In one family a link has one role, one querier and one kernel table. If several instances name an
 * interface, one of them gets it: the first with its plain name, else the first with a pattern that matches. Alternative names of an interface count as
 * plain names. Addresses (@10.0.0.0/8) count as patterns: they match an interface that has one of them.
 * Another instance shares the interface only where both use it as an upstream link in the same table.
 */
#ifndef MCPROXY_CORE_TABLES_LINK_NAMES_H
#define MCPROXY_CORE_TABLES_LINK_NAMES_H

#include "core/contract/link_change.h"

#define NAMES_INSTANCES 64

/* A link that an instance names. */
struct link_name {
	struct link_name *next;
	unsigned instance;
	enum link_role role;
	char pattern[LINK_PATTERN_SIZE];
	struct link_settings settings;
	bool logged; /* the log has the line that it lost an interface to another instance's pattern */
};

struct link_names {
	struct link_name *first;         /* in the order of the configuration */
	uint8_t tables[NAMES_INSTANCES]; /* of the instances */
};

/* False when memory is short. */
bool names_add(struct link_names *names, unsigned instance, enum link_role role, const char *pattern,
               const struct link_settings *settings);
void names_fini(struct link_names *names);

/* A plain name matches one interface; a pattern matches as fnmatch(3) does; addresses match no name. */
bool names_match(const char *pattern, const char *interface);

struct link_interface;
/* Does the interface have the name, an alternative name, or an address that the pattern matches? */
typedef bool names_matcher(const struct link_interface *interface, const char *pattern);

/* Which name each instance uses an interface by. */
struct name_matches {
	const struct link_name *names[NAMES_INSTANCES]; /* NULL: the instance does not use it */
	bool serves[NAMES_INSTANCES][FAMILIES];
	struct link_name *loser; /* a pattern that loses the interface, or a family of it, to the pattern
	                          * `winner`; NULL: none */
	const struct link_name *winner;
};
/* An instance uses an interface by one name only: a plain name before a pattern, an earlier pattern before a
 * later one. */
void names_match_interface(const struct link_names *names, const struct link_interface *interface,
                           names_matcher *matches, struct name_matches *name_matches);

#endif
