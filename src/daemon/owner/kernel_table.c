/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/kernel_table.h"

#include "core/tables/links.h"
#include "daemon/log/log.h"
#include "daemon/owner/inherited.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/store.h"
#include "kernel/mrt_owner.h"
#include "kernel/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#define LEFTOVERS_MAX     1024 /* policy rules; more are removed with the next start */
#define ROUTES_MEMORY_MIN ((size_t)64 << 20)

struct table *table_find(const struct owner *owner, unsigned number, enum family family)
{
	struct table *table;

	LL_FOREACH (owner->tables, table)
		if (table->number == number && table->family == family)
			return table;
	return NULL;
}

unsigned table_find_vif(const struct table *table, int ifindex)
{
	unsigned number = 0;

	while (number < MRT_VIFS && (table->vifs[number] == NULL || table->vifs[number]->ifindex != ifindex))
		number++;
	return number;
}

/* In both directions; how many were changed, or -errno of one that failed. */
static int change_rules(struct owner *owner, const struct vif *vif,
                        int (*change)(struct rules *rules, const struct rule *rule))
{
	struct rule rule = {.family = vif->table->family, .table = vif->table->id};
	int changed = 0, error = 0;

	if (vif->table->id == MRT_TABLE_DEFAULT)
		return 0;
	memcpy(rule.interface, vif->name, sizeof rule.interface);
	for (int output = 0; output <= 1; output++) {
		int result;

		rule.output = output;
		result = change(owner->rules, &rule);
		if (result == 0)
			changed++;
		else if (result != -EEXIST && result != -ENOENT)
			error = result;
	}
	return error != 0 ? error : changed;
}

/* The packet socket of an earlier run, which has heard what hosts said since; -1: none. */
static int inherited_link(const struct table *table, int ifindex, const char *name)
{
	int fd = store_take(STORE_LINK, table->family, name);

	if (fd < 0 || link_socket_is_on(fd, ifindex))
		return fd;
	store_remove(STORE_LINK, table->family, name, fd);
	close(fd);
	return -1;
}

static void store_vif(const struct vif *vif, bool inherited)
{
	enum family family = vif->table->family;

	if (!inherited)
		store_add(STORE_LINK, family, vif->name, link_socket_fd(vif->socket));
	store_add(STORE_JOIN, family, vif->name, link_socket_membership_fd(vif->socket));
}

static int open_vif(struct table *table, unsigned number, int ifindex, const char *name)
{
	struct vif *vif = calloc(1, sizeof *vif);
	int result, inherited;

	if (vif == NULL)
		return -ENOMEM;
	inherited = inherited_link(table, ifindex, name);
	result = link_socket_open(&vif->socket, ifindex, table->family, inherited);
	if (result != 0) {
		free(vif);
		return result;
	}
	vif->table = table;
	vif->number = number;
	vif->ifindex = ifindex;
	vif->reader = LINK_READER_NONE;
	snprintf(vif->name, sizeof vif->name, "%s", name);
	table->vifs[number] = vif;
	store_vif(vif, inherited >= 0);
	return 0;
}

static void close_vif(struct owner *owner, struct table *table, unsigned number)
{
	struct vif *vif = table->vifs[number];

	if (vif == NULL)
		return;
	change_rules(owner, vif, rules_delete);
	table->vifs[number] = NULL;
	store_remove(STORE_LINK, table->family, vif->name, link_socket_fd(vif->socket));
	store_remove(STORE_JOIN, table->family, vif->name, link_socket_membership_fd(vif->socket));
	link_socket_close(vif->socket);
	if (vif->copies != NULL) {
		loop_remove(&owner->loop, vif->copies);
		close(vif->copies->fd);
	}
	free(vif);
	yield_check_all(table->yield);
}

int table_lead(struct owner *owner, const struct vif *vif)
{
	return change_rules(owner, vif, rules_add);
}

void table_del_vif(struct owner *owner, struct table *table, unsigned vif)
{
	close_vif(owner, table, vif);
	/* If the interface is gone the kernel has removed the vif itself. */
	mrt_del_vif(table->mrt, vif);
}

static int add_to_kernel(struct owner *owner, struct table *table, unsigned vif, int ifindex)
{
	bool inherited = table->inherited_vifs[vif] == ifindex;

	table->inherited_vifs[vif] = 0;
	if (!inherited) {
		inherited_free_numbers(owner, table);
		return mrt_add_vif(table->mrt, vif, ifindex);
	}
	mrt_adopt_vif(table->mrt, vif, ifindex);
	return 0;
}

int table_add_vif(struct owner *owner, struct table *table, unsigned vif, int ifindex, const char *name)
{
	/* A program that sees the vif may rely on the socket. */
	int result = open_vif(table, vif, ifindex, name);

	if (result != 0)
		return result;
	result = add_to_kernel(owner, table, vif, ifindex);
	if (result != 0) {
		close_vif(owner, table, vif);
		return result;
	}
	result = table_lead(owner, table->vifs[vif]);
	if (result >= 0)
		return 0;
	table_del_vif(owner, table, vif);
	return result;
}

const char *table_name(enum family family, uint32_t configured, char text[TABLE_NAME_SIZE])
{
	const char *name = family_name(family);

	if (configured == CONFIG_TABLE_OWN)
		snprintf(text, TABLE_NAME_SIZE, "%s, own table", name);
	else if (configured != CONFIG_TABLE_DEFAULT)
		snprintf(text, TABLE_NAME_SIZE, "%s, table %u", name, configured);
	else
		snprintf(text, TABLE_NAME_SIZE, "%s", name);
	return text;
}

/* Silence must be seen within the times that depend on it. */
static mtime reading_interval(const struct owner *owner)
{
	mtime interval = MTIME_NEVER;

	for (size_t i = 0; i < owner->config->instance_count; i++) {
		const struct instance_settings *settings = &owner->config->instances[i].settings;

		interval = mtime_min(interval, settings->route_timeout / 2);
		if (settings->upstream_choice == CHOICE_MUTEX)
			interval = mtime_min(interval, settings->mutex_hold / 2);
	}
	return interval;
}

/* Every instance may fill its routes_max, so that none takes the memory from others. A quarter more is for
 * routes that end, and for streams that wait for an instance. */
static size_t routes_memory_max(const struct owner *owner)
{
	uint64_t count = 0;
	size_t memory;

	for (size_t i = 0; i < owner->config->instance_count; i++)
		count += owner->config->instances[i].settings.routes_max;
	count += count / 4;
	memory = routes_memory(count < SIZE_MAX ? (size_t)count : SIZE_MAX);
	return memory > ROUTES_MEMORY_MIN ? memory : ROUTES_MEMORY_MIN;
}

void table_free(struct owner *owner, struct table *table)
{
	for (unsigned vif = 0; vif < MRT_VIFS; vif++)
		close_vif(owner, table, vif);
	if (table->mrt != NULL) {
		store_remove(STORE_MRT, table->family, table->stored, mrt_fd(table->mrt));
		mrt_close(table->mrt);
	}
	routes_free(table->routes);
	wrong_vif_free(table->wrong_vif);
	yield_free(table->yield);
	free(table);
}

static bool is_configured(const struct owner *owner, uint32_t id)
{
	for (size_t i = 0; i < owner->instance_count; i++)
		if (owner->instances[i].config != NULL && owner->instances[i].config->table == id)
			return true;
	return false;
}

/* Takes the first number that no program has. */
static int open_own(const struct owner *owner, struct table *table)
{
	int result = -EADDRINUSE;

	for (table->id = TABLE_OWN_FIRST; table->id <= TABLE_OWN_LAST; table->id++) {
		if (is_configured(owner, table->id))
			continue;
		result = mrt_open(&table->mrt, table->family, table->id);
		if (result != -EADDRINUSE)
			break;
	}
	return result;
}

/* Opens the socket, and what leads packets to its table. */
static int open_mrt(struct owner *owner, struct table *table, const struct config_instance *config)
{
	bool is_own = config->table == CONFIG_TABLE_OWN;
	int result = 0;

	if (config->table != CONFIG_TABLE_DEFAULT && owner->rules == NULL) {
		result = rules_open(&owner->rules);
		if (result != 0)
			return result;
	}
	_Static_assert(sizeof table->stored >= STORE_OBJECT_SIZE, "the object fits");
	_Static_assert(MRT_TABLE_DEFAULT == CONFIG_TABLE_DEFAULT, "both have one number for it");
	table->id = config->table;
	if (!inherited_take_mrt(owner, table, config))
		result = is_own ? open_own(owner, table) : mrt_open(&table->mrt, table->family, table->id);
	store_table(table->id, is_own ? config->name : NULL, table->stored);
	return result;
}

int table_open(struct owner *owner, const struct config_instance *config, unsigned number, enum family family,
               loop_handler *upcalls, struct table **opened)
{
	struct table *table = calloc(1, sizeof *table);
	int result;

	if (table == NULL)
		return -ENOMEM;
	table->number = number;
	table->family = family;
	result = open_mrt(owner, table, config);
	if (result != 0) {
		free(table);
		return result;
	}
	table->routes = routes_new(routes_memory_max(owner), reading_interval(owner), random_seed());
	table->wrong_vif = wrong_vif_new(random_seed());
	table->yield = yield_new(random_seed());
	table->source = (struct loop_source){
		.fd = mrt_wait_fd(table->mrt), .urgent = true, .ready = upcalls, .context = owner};
	/* Upcalls of an inherited table wait until its entries are known. */
	if (table->routes == NULL || table->wrong_vif == NULL || table->yield == NULL ||
	    (!table->inherited && !loop_watch(&owner->loop, &table->source))) {
		table_free(owner, table);
		return -ENOMEM;
	}
	result = table->inherited ? inherited_read(owner, table) : 0;
	if (result != 0) {
		table_free(owner, table);
		return result;
	}
	if (!table->inherited)
		store_add(STORE_MRT, family, table->stored, mrt_fd(table->mrt));
	LL_APPEND(owner->tables, table);
	if (table->id != MRT_TABLE_DEFAULT)
		info("instance %s: %s in kernel table %u", config->name, family_name(family), table->id);
	links_enable_table(owner->links, table->number, family);
	*opened = table;
	return 0;
}

static bool is_used(const struct owner *owner, const struct table *table)
{
	for (size_t i = 0; i < owner->instance_count; i++)
		if (owner->instances[i].tables[table->family] == table)
			return true;
	for (unsigned vif = 0; vif < MRT_VIFS; vif++)
		if (table->vifs[vif] != NULL)
			return true;
	return false;
}

struct table *tables_take_unused(struct owner *owner)
{
	struct table *table;

	LL_FOREACH (owner->tables, table) {
		if (is_used(owner, table))
			continue;
		links_disable_table(owner->links, table->number, table->family);
		LL_DELETE(owner->tables, table);
		loop_unwatch(&owner->loop, &table->source);
		return table;
	}
	return NULL;
}

void tables_reconfigure(struct owner *owner, mtime now)
{
	struct table *table;

	LL_FOREACH (owner->tables, table) {
		routes_set_reading_interval(table->routes, now, reading_interval(owner));
		routes_set_memory_max(table->routes, routes_memory_max(owner));
	}
}

void tables_close(struct owner *owner)
{
	struct table *table, *next;

	LL_FOREACH_SAFE (owner->tables, table, next)
		table_free(owner, table);
	owner->tables = NULL;
	rules_close(owner->rules);
	owner->rules = NULL;
}

/* The policy rules that rules_list has found. */
struct leftovers {
	struct rule rules[LEFTOVERS_MAX];
	size_t count;
};

static void note_leftover(void *context, const struct rule *rule)
{
	struct leftovers *leftovers = context;

	if (leftovers->count < LEFTOVERS_MAX)
		leftovers->rules[leftovers->count++] = *rule;
}

/* Does a table need it: one of this run, or one of another router? */
static bool is_needed(const struct owner *owner, const struct rule *rule)
{
	const struct table *table;

	LL_FOREACH (owner->tables, table) {
		if (table->family != rule->family || table->id != rule->table)
			continue;
		for (unsigned vif = 0; vif < MRT_VIFS; vif++)
			if (table->vifs[vif] != NULL && strcmp(table->vifs[vif]->name, rule->interface) == 0)
				return true;
		return false;
	}
	return mrt_is_owned(rule->family, rule->table);
}

static unsigned clean_family(const struct owner *owner, struct rules *rules, enum family family)
{
	struct leftovers leftovers = {.count = 0};
	unsigned removed = 0;

	/* A change by another program interrupts the list: reads it once more. */
	if (rules_list(rules, family, note_leftover, &leftovers) == -EINTR)
		rules_list(rules, family, note_leftover, &leftovers);
	for (size_t i = 0; i < leftovers.count; i++)
		if (!is_needed(owner, &leftovers.rules[i]))
			removed += rules_delete(rules, &leftovers.rules[i]) == 0;
	return removed;
}

void tables_clean(const struct owner *owner)
{
	struct rules *rules;
	unsigned removed = 0;

	if (rules_open(&rules) != 0)
		return;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		removed += clean_family(owner, rules, family);
	rules_close(rules);
	if (removed > 0)
		info("%u policy rules of a run that was killed are removed", removed);
}
