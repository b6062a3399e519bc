/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/host_groups.h"

#include "core/router/members.h"

#include <utlist.h>

struct counted_host {
	struct index_node node;
	struct addr address;
	uint32_t entries;
	uint32_t places; /* that they take */
};

struct host_groups_entry {
	struct index_node node;
	struct host_groups_entry *prev, *next;
	struct counted_host *host;
	struct addr group;
	mtime reported_at;
	struct stored_filter wanted;
};

static uint32_t places_of(const struct host_groups_entry *entry)
{
	return entry->wanted.mode == FILTER_EXCLUDE ? 1 : entry->wanted.count;
}

static struct counted_host *find_host(const struct host_groups *table,
                                      const struct host_groups_question *question)
{
	struct index_node *node = index_find(&table->hosts, addr_hash(question->host, question->seed));

	while (node != NULL && !addr_equal(&((struct counted_host *)node)->address, question->host))
		node = index_find_next(&table->hosts, node);
	return (struct counted_host *)node;
}

static uint32_t entry_hash(const struct host_groups_question *question)
{
	return addr_pair_hash(question->host, question->group, question->seed);
}

static struct host_groups_entry *find_entry(const struct host_groups *table,
                                            const struct host_groups_question *question)
{
	struct index_node *node = index_find(&table->entries, entry_hash(question));

	for (; node != NULL; node = index_find_next(&table->entries, node)) {
		struct host_groups_entry *entry = (struct host_groups_entry *)node;

		if (addr_equal(&entry->group, question->group) &&
		    addr_equal(&entry->host->address, question->host))
			return entry;
	}
	return NULL;
}

static void release_host(struct host_groups *table, struct pool *pool, struct counted_host *host)
{
	if (host->entries > 0)
		return;
	index_remove(&table->hosts, &host->node);
	pool_give(pool, host, sizeof *host);
}

static void remove_entry(struct host_groups *table, struct pool *pool, struct host_groups_entry *entry)
{
	struct counted_host *host = entry->host;

	host->places -= places_of(entry);
	host->entries--;
	stored_filter_clear(&entry->wanted, pool);
	index_remove(&table->entries, &entry->node);
	DL_DELETE(table->oldest, entry);
	pool_give(pool, entry, sizeof *entry);
	release_host(table, pool, host);
}

static struct counted_host *make_host(struct host_groups *table, const struct host_groups_question *question)
{
	struct counted_host *host = pool_take(question->pool, sizeof *host);

	if (host == NULL)
		return NULL;
	*host = (struct counted_host){.address = *question->host};
	if (index_add(&table->hosts, &host->node, addr_hash(question->host, question->seed)))
		return host;
	pool_give(question->pool, host, sizeof *host);
	return NULL;
}

static struct host_groups_entry *make_entry(struct host_groups *table,
                                            const struct host_groups_question *question)
{
	struct counted_host *host = find_host(table, question);
	struct host_groups_entry *entry;

	if (host == NULL)
		host = make_host(table, question);
	if (host == NULL)
		return NULL;
	entry = pool_take(question->pool, sizeof *entry);
	if (entry != NULL) {
		*entry = (struct host_groups_entry){.host = host, .group = *question->group};
		if (index_add(&table->entries, &entry->node, entry_hash(question))) {
			DL_APPEND(table->oldest, entry);
			host->entries++;
			return entry;
		}
		pool_give(question->pool, entry, sizeof *entry);
	}
	release_host(table, question->pool, host);
	return NULL;
}

/* NULL when memory is short: the membership is not counted. */
static struct host_groups_entry *add_entry(struct host_groups *table,
                                           const struct host_groups_question *question)
{
	struct host_groups_entry *entry = NULL;

	if (table->entries.count < HOST_GROUPS_ENTRIES_MAX)
		entry = make_entry(table, question);
	if (entry != NULL || table->oldest == NULL)
		return entry;
	remove_entry(table, question->pool, table->oldest);
	return make_entry(table, question);
}

static void expire(struct host_groups *table, const struct host_groups_question *question)
{
	while (table->oldest != NULL && table->oldest->reported_at + question->interval <= question->now)
		remove_entry(table, question->pool, table->oldest);
}

/* Removes new sources, except for the first `room` of them; false: there are no more. */
static bool cut_sources(const struct host_groups_entry *entry, uint32_t room, struct sources *sources)
{
	struct sources known = {0};
	size_t kept = 0, count = sources->count;

	if (entry != NULL && entry->wanted.mode == FILTER_INCLUDE)
		known = stored_filter_view(&entry->wanted).sources;
	for (size_t i = 0; i < count; i++) {
		if (!sources_has(&known, &sources->list[i])) {
			if (room == 0)
				continue;
			room--;
		}
		sources->list[kept++] = sources->list[i];
	}
	sources->count = kept;
	return kept < count;
}

static uint32_t known_count(const struct host_groups_entry *entry, const struct sources *sources)
{
	struct sources known = stored_filter_view(&entry->wanted).sources;
	uint32_t count = 0;

	for (size_t i = 0; i < sources->count; i++)
		count += sources_has(&known, &sources->list[i]);
	return count;
}

/* What of the record exceeds the places that the host has left. */
static enum host_groups_answer judge(const struct host_groups_entry *entry, uint32_t room,
                                     enum record_type type, struct sources *sources)
{
	bool exclude = entry != NULL && entry->wanted.mode == FILTER_EXCLUDE;

	switch (type) {
	case IS_EX:
	case TO_EX:
		return entry != NULL || room > 0 ? HOST_GROUPS_FIT : HOST_GROUPS_REFUSED;
	case TO_IN:
		/* The new list takes the places of the old one. */
		if (exclude)
			room++;
		else if (entry != NULL)
			room += places_of(entry) - known_count(entry, sources);
		break;
	case IS_IN:
	case ALLOW:
		if (exclude)
			return HOST_GROUPS_FIT;
		break;
	case BLOCK:
		return HOST_GROUPS_FIT;
	}
	if (!cut_sources(entry, room, sources))
		return HOST_GROUPS_FIT;
	/* TO_IN also says what the host no longer wants. */
	return sources->count > 0 || type == TO_IN ? HOST_GROUPS_CUT : HOST_GROUPS_REFUSED;
}

static void note(struct host_groups *table, const struct host_groups_question *question,
                 struct host_groups_entry *entry, enum record_type type, const struct sources *sources)
{
	bool renews = members_renews(type, sources);

	if (entry == NULL && renews)
		entry = add_entry(table, question);
	if (entry == NULL)
		return;
	entry->host->places -= places_of(entry);
	members_apply(&entry->wanted, question->pool, type, sources);
	entry->host->places += places_of(entry);
	if (entry->wanted.mode == FILTER_INCLUDE && entry->wanted.count == 0) {
		remove_entry(table, question->pool, entry);
	} else if (renews) {
		entry->reported_at = question->now;
		DL_DELETE(table->oldest, entry);
		DL_APPEND(table->oldest, entry);
	}
}

/* The hosts' answers to queries show what they had before the counting began. */
static bool is_from_before(const struct host_groups *table, const struct host_groups_question *question)
{
	return question->joined_at < table->begun_at && question->now < table->begun_at + question->interval;
}

enum host_groups_answer host_groups_count(struct host_groups *table,
                                          const struct host_groups_question *question, enum record_type type,
                                          struct sources *sources)
{
	enum host_groups_answer answer = HOST_GROUPS_FIT;
	const struct counted_host *host;
	struct host_groups_entry *entry;
	uint32_t used;

	if (table->begun_at == 0)
		table->begun_at = question->now;
	expire(table, question);
	entry = find_entry(table, question);
	host = entry != NULL ? entry->host : find_host(table, question);
	used = host != NULL ? host->places : 0;
	if (!is_from_before(table, question))
		answer = judge(entry, used < question->groups_max ? question->groups_max - used : 0, type,
		               sources);
	if (answer != HOST_GROUPS_REFUSED)
		note(table, question, entry, type, sources);
	return answer;
}

void host_groups_forget(struct host_groups *table, const struct host_groups_question *question)
{
	struct host_groups_entry *entry = find_entry(table, question);

	if (entry != NULL)
		remove_entry(table, question->pool, entry);
}

void host_groups_clear(struct host_groups *table, struct pool *pool)
{
	while (table->oldest != NULL)
		remove_entry(table, pool, table->oldest);
	index_fini(&table->hosts);
	index_fini(&table->entries);
	*table = (struct host_groups){0};
}
