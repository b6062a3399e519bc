/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/link_names.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <utlist.h>

bool names_add(struct link_names *names, unsigned instance, enum link_role role, const char *pattern,
               const struct link_settings *settings)
{
	struct link_name *name = calloc(1, sizeof *name);

	assert(instance < NAMES_INSTANCES);
	if (name == NULL)
		return false;
	name->instance = instance;
	name->role = role;
	name->settings = *settings;
	strncpy(name->pattern, pattern, sizeof name->pattern - 1);
	LL_APPEND(names->first, name);
	return true;
}

void names_fini(struct link_names *names)
{
	struct link_name *name, *next;

	LL_FOREACH_SAFE (names->first, name, next)
		free(name);
	names->first = NULL;
}

static bool is_pattern(const struct link_name *name)
{
	return name->pattern[0] == '@' || is_glob(name->pattern);
}

bool names_match(const char *pattern, const char *interface)
{
	if (pattern[0] == '@')
		return false;
	return is_glob(pattern) ? fnmatch(pattern, interface, 0) == 0 : strcmp(pattern, interface) == 0;
}

static bool serves(const struct link_name *name, enum family family)
{
	return name != NULL && name->settings.version[family] != VERSION_NONE;
}

/* The first name in the order of the configuration; plain names before patterns. */
static const struct link_name *find_winner(const struct link_names *names,
                                           const struct name_matches *name_matches, enum family family)
{
	const struct link_name *name, *winner = NULL;

	LL_FOREACH (names->first, name) {
		if (name_matches->names[name->instance] != name || !serves(name, family))
			continue;
		if (!is_pattern(name))
			return name;
		if (winner == NULL)
			winner = name;
	}
	return winner;
}

static bool can_share(const struct link_names *names, const struct link_name *name,
                      const struct link_name *other)
{
	return name->role == ROLE_UPSTREAM && other->role == ROLE_UPSTREAM &&
	       names->tables[name->instance] == names->tables[other->instance];
}

static void claim_family(const struct link_names *names, enum family family, struct link_name *const best[],
                         struct name_matches *name_matches)
{
	const struct link_name *winner = find_winner(names, name_matches, family);

	for (unsigned instance = 0; instance < NAMES_INSTANCES; instance++) {
		struct link_name *name = best[instance];

		if (!serves(name, family))
			continue;
		name_matches->serves[instance][family] = name == winner || can_share(names, name, winner);
		if (name_matches->serves[instance][family] || name_matches->loser != NULL ||
		    !is_pattern(winner))
			continue;
		name_matches->loser = name;
		name_matches->winner = winner;
	}
}

void names_match_interface(const struct link_names *names, const struct link_interface *interface,
                           names_matcher *matches, struct name_matches *name_matches)
{
	struct link_name *best[NAMES_INSTANCES] = {NULL}, *name;

	LL_FOREACH (names->first, name) {
		struct link_name **found = &best[name->instance];

		if (matches(interface, name->pattern) &&
		    (*found == NULL || (is_pattern(*found) && !is_pattern(name))))
			*found = name;
	}
	*name_matches = (struct name_matches){.loser = NULL};
	for (unsigned instance = 0; instance < NAMES_INSTANCES; instance++)
		name_matches->names[instance] = best[instance];
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		claim_family(names, family, best, name_matches);
	for (unsigned instance = 0; instance < NAMES_INSTANCES; instance++)
		if (!name_matches->serves[instance][FAMILY_IPV4] &&
		    !name_matches->serves[instance][FAMILY_IPV6])
			name_matches->names[instance] = NULL;
}
