/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/conflict.h"

#include "daemon/log/log.h"

/* The instances of a vif. */
struct users {
	const struct table *table;
	const struct route_key *key;
	bool any, want_it;
	unsigned first;
};

static void note_user(void *context, unsigned instance, uint8_t id)
{
	struct users *users = context;

	(void)id;
	if (!users->any || instance < users->first)
		users->first = instance;
	users->any = true;
	users->want_it |= routes_is_wanted_by(users->table->routes, users->key, instance);
}

static void explain(struct owner *owner, const struct table *table, const struct route_key *key,
                    unsigned instance, unsigned input, unsigned other, unsigned vif)
{
	const char *name = owner->instances[instance].config->name;
	const char *other_name = owner->instances[other].config->name;
	char source[ADDR_TEXT_SIZE], group[ADDR_TEXT_SIZE];

	warnx("(%s, %s) reaches instance %s by %s and instance %s by %s, and they share a kernel table, "
	      "which has one entry for it: only %s forwards it; give each a table to itself: table = "
	      "\"own\"",
	      addr_format(&key->source, source), addr_format(&key->group, group), name,
	      links_vif_name(owner->links, table->number, table->family, input), other_name,
	      links_vif_name(owner->links, table->number, table->family, vif), name);
}

bool conflict_check(struct owner *owner, const struct table *table, const struct route_key *key, unsigned vif)
{
	struct users users = {.table = table, .key = key};
	unsigned instance, input;
	uint64_t *logged;

	if (owner->instance_count < 2 || !routes_first(table->routes, key, &instance, &input) || input == vif)
		return false;
	links_each_port(owner->links, table->number, table->family, vif, false, note_user, &users);
	/* Those that want it know where it comes from. */
	if (!users.any || users.want_it)
		return false;
	logged = &owner->instances[instance].logged_conflicts;
	if ((*logged >> users.first & 1) == 0)
		explain(owner, table, key, instance, input, users.first, vif);
	*logged |= (uint64_t)1 << users.first;
	return true;
}
