/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/inherited.h"

#include "core/base/grow.h"

#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/store.h"
#include "kernel/join_list.h"
#include "kernel/mroute_watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL_INTERVAL (MTIME_SECOND / 10)
#define READ_TRIES       3    /* a change by another program interrupts a dump */
#define READ_PATIENCE    1000 /* milliseconds for a part of a dump */

void inherited_open(struct owner *owner)
{
	if (!store_has(STORE_MRT) && !store_has(STORE_JOIN) && !store_has(STORE_LINK))
		return;
	owner->adoption = calloc(1, sizeof *owner->adoption);
	if (owner->adoption == NULL)
		return;
	owner->adoption->until = MTIME_NEVER;
	owner->adoption->control_at = clock_now() + CONTROL_INTERVAL;
}

void inherited_close(struct owner *owner)
{
	if (owner->adoption != NULL)
		free(owner->adoption->entries);
	free(owner->adoption);
	owner->adoption = NULL;
}

static bool is_own_of(const char *object, uint32_t number, const struct config_instance *config)
{
	char own[STORE_OBJECT_SIZE];

	return config->table == CONFIG_TABLE_OWN &&
	       strcmp(object, store_table(number, config->name, own)) == 0;
}

static bool is_own_of_any(const struct owner *owner, const char *object, uint32_t number)
{
	for (size_t i = 0; i < owner->config->instance_count; i++)
		if (is_own_of(object, number, &owner->config->instances[i]))
			return true;
	return false;
}

/* The own table of the instance; else one of an instance that is gone, as the instance may have got another name. NULL: there
 * is none. */
static const char *find_own(const struct owner *owner, struct table *table,
                            const struct config_instance *config)
{
	const char *object, *found = NULL;
	size_t cursor = 0;
	uint32_t number;

	while ((number = store_next_own(table->family, &cursor, &object)) != 0) {
		bool is_its_own = is_own_of(object, number, config);

		if (!is_its_own && (found != NULL || is_own_of_any(owner, object, number)))
			continue;
		found = object;
		table->id = number;
		if (is_its_own)
			break;
	}
	return found;
}

/* Under the name of the instance as it is now. */
static void store_again(const struct table *table, const struct config_instance *config, const char *before,
                        int fd)
{
	char object[STORE_OBJECT_SIZE];

	if (is_own_of(before, table->id, config))
		return;
	store_remove(STORE_MRT, table->family, before, fd);
	store_add(STORE_MRT, table->family, store_table(table->id, config->name, object), fd);
}

bool inherited_take_mrt(struct owner *owner, struct table *table, const struct config_instance *config)
{
	char name[STORE_OBJECT_SIZE];
	const char *object;
	int fd;

	if (owner->adoption == NULL)
		return false;
	object = config->table == CONFIG_TABLE_OWN ? find_own(owner, table, config)
	                                           : store_table(table->id, NULL, name);
	fd = object != NULL ? store_take(STORE_MRT, table->family, object) : -1;
	if (fd < 0)
		return false;
	if (config->table == CONFIG_TABLE_OWN)
		store_again(table, config, object, fd);
	table->inherited = mrt_adopt(&table->mrt, table->family, fd) == 0;
	return table->inherited;
}

/* Its vifs. The kernel shows entries by interfaces and takes vifs by numbers. So each number gets an entry, for a group that
 * no packet is forwarded to, and the entry shows its interface. */

static struct route_key probe_key(enum family family, unsigned vif)
{
	struct route_key key = {.source = addr_unspecified(family), .group = addr_unspecified(family)};

	key.source.bytes[15] = (uint8_t)(vif + 1);
	if (family == FAMILY_IPV4) {
		key.group.bytes[12] = 224;
		key.group.bytes[15] = 255;
	} else {
		key.group.bytes[0] = 0xff;
		key.group.bytes[1] = 2;
		key.group.bytes[15] = 255;
	}
	return key;
}

static uint32_t set_probes(struct table *table)
{
	uint32_t vifs = 0;

	for (unsigned vif = 0; vif < MRT_VIFS; vif++) {
		struct route_key key = probe_key(table->family, vif);

		if (mrt_has_vif(table->mrt, vif) &&
		    mrt_set_route(table->mrt, &key.source, &key.group, vif, 0) == 0)
			vifs |= (uint32_t)1 << vif;
	}
	return vifs;
}

static void delete_probes(struct table *table, uint32_t vifs)
{
	for (; vifs != 0; vifs &= vifs - 1) {
		struct route_key key = probe_key(table->family, (unsigned)__builtin_ctz(vifs));

		mrt_del_route(table->mrt, &key.source, &key.group);
	}
}

struct reading {
	struct table *table;
	struct mroute_news *news;
	size_t count, capacity;
	bool failed;
};

static void take_news(void *context, const struct mroute_news *news)
{
	struct reading *reading = context;
	const struct table *table = reading->table;
	struct mroute_news *list;

	if (news->kind != MROUTE_ENTRY || news->family != table->family || news->table != table->id ||
	    reading->failed)
		return;
	list = grow(reading->news, reading->count, &reading->capacity, sizeof *list);
	reading->failed = list == NULL;
	if (reading->failed)
		return;
	reading->news = list;
	list[reading->count++] = *news;
}

static int read_part(struct mroute_watch *watch, struct reading *reading)
{
	int result = mroute_watch_audit_next(watch, take_news, reading);
	struct pollfd wait = {.fd = mroute_watch_audit_fd(watch), .events = POLLIN};

	if (result != -EAGAIN)
		return result;
	return poll(&wait, 1, READ_PATIENCE) > 0 ? 1 : -ETIMEDOUT;
}

static int read_all(struct reading *reading)
{
	struct mroute_watch *watch;
	int result = mroute_watch_open(&watch);

	if (result != 0)
		return result;
	for (int tries = 0; tries < READ_TRIES; tries++) {
		reading->count = 0;
		result = mroute_watch_audit_begin(watch, reading->table->family);
		if (result == 0)
			do
				result = read_part(watch, reading);
			while (result > 0);
		if (result != -EINTR)
			break;
	}
	mroute_watch_close(watch);
	return reading->failed ? -ENOMEM : result;
}

static unsigned find_inherited(const struct table *table, int ifindex)
{
	unsigned vif = 0;

	while (vif < MRT_VIFS && (ifindex == 0 || table->inherited_vifs[vif] != ifindex))
		vif++;
	return vif;
}

static bool is_probe(const struct table *table, const struct mroute_news *news, unsigned *vif)
{
	struct route_key key;

	*vif = (unsigned)news->source.bytes[15] - 1;
	if (*vif >= MRT_VIFS)
		return false;
	key = probe_key(table->family, *vif);
	return addr_equal(&key.source, &news->source) && addr_equal(&key.group, &news->group);
}

bool inherited_add(struct adoption *adoption, struct table *table, const struct adopted_entry *entry)
{
	struct adopted_entry *list =
		grow(adoption->entries, adoption->count, &adoption->capacity, sizeof *list);

	if (list == NULL)
		return false;
	adoption->entries = list;
	list[adoption->count] = *entry;
	list[adoption->count++].table = table;
	return true;
}

/* An entry whose input is no vif now, and one beyond the memory, is deleted: the kernel asks about the stream. So is one for
 * all sources or groups, which another program has made: it would keep the kernel from asking. */
static void read_entry(struct adoption *adoption, struct table *table, const struct mroute_news *news)
{
	struct adopted_entry entry = {.key = {.source = news->source, .group = news->group},
	                              .input = find_inherited(table, news->input)};

	for (size_t i = 0; i < news->output_count; i++) {
		unsigned vif = find_inherited(table, news->outputs[i]);

		if (vif == MRT_VIFS)
			continue;
		entry.outputs |= (uint32_t)1 << vif;
		mrt_set_threshold(table->mrt, vif, news->thresholds[i]);
	}
	if (entry.input == MRT_VIFS || !addr_is_proxied_stream(&news->source, &news->group) ||
	    !inherited_add(adoption, table, &entry))
		mrt_del_route(table->mrt, &entry.key.source, &entry.key.group);
}

int inherited_read(struct owner *owner, struct table *table)
{
	struct reading reading = {.table = table};
	uint32_t probes = set_probes(table);
	int result = read_all(&reading);
	unsigned vif;

	delete_probes(table, probes);
	for (size_t i = 0; result == 0 && i < reading.count; i++)
		if (is_probe(table, &reading.news[i], &vif))
			table->inherited_vifs[vif] = reading.news[i].input;
	for (size_t i = 0; result == 0 && i < reading.count; i++)
		if (!is_probe(table, &reading.news[i], &vif))
			read_entry(owner->adoption, table, &reading.news[i]);
	free(reading.news);
	return result;
}

bool inherited_allows_vif(const struct table *table, unsigned vif, int ifindex)
{
	unsigned own = find_inherited(table, ifindex);

	if (own < MRT_VIFS)
		return own == vif;
	return table->inherited_vifs[vif] == 0 && !routes_vif_is_named(table->routes, vif);
}

void inherited_free_numbers(struct owner *owner, struct table *table)
{
	if (!table->inherited || table->numbers_freed)
		return;
	table->numbers_freed = true;
	for (size_t i = 0; i < owner->adoption->count; i++) {
		const struct adopted_entry *entry = &owner->adoption->entries[i];

		if (entry->table == table)
			mrt_set_route(table->mrt, &entry->key.source, &entry->key.group, entry->input,
			              entry->outputs);
	}
}

struct joined {
	struct host *host;
	mtime now;
};

static void take_joined(void *context, const struct addr *group, const struct filter *filter)
{
	const struct joined *joined = context;

	if (addr_is_proxied_group(group))
		host_adopt(joined->host, joined->now, group, filter);
}

bool inherited_join(const struct owner *owner, enum family family, int ifindex, struct host *host, mtime now)
{
	struct joined joined = {.host = host, .now = now};

	if (owner->adoption != NULL)
		owner->adoption->wants_widened = true;
	return owner->adoption == NULL || owner->adoption->joined ||
	       host_membership(host) == MEMBERSHIP_USER || join_list(family, ifindex, take_joined, &joined);
}

void inherited_forget_table(struct owner *owner, const struct table *table)
{
	struct adoption *adoption = owner->adoption;
	size_t kept = 0, announced = 0;

	for (size_t i = 0; adoption != NULL && i < adoption->count; i++) {
		if (adoption->entries[i].table == table)
			continue;
		announced += i < adoption->announced;
		adoption->entries[kept++] = adoption->entries[i];
	}
	if (adoption == NULL)
		return;
	adoption->count = kept;
	adoption->announced = announced;
	kept = 0;
	for (size_t i = 0; i < adoption->held_count; i++)
		if (adoption->held[i].table != table)
			adoption->held[kept++] = adoption->held[i];
	adoption->held_count = kept;
}
