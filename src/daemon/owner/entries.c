/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/entries.h"

#include "daemon/log/log.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"

#include <errno.h>

/* The rest comes with the next turn, so that nothing else waits long. */
#define OPERATIONS_PER_TURN 512
#define READINGS_PER_TURN   256

static int perform(struct table *table, const struct route_op *op)
{
	if (op->kind == ROUTE_DELETE)
		return mrt_del_route(table->mrt, &op->key.source, &op->key.group);
	return mrt_set_route(table->mrt, &op->key.source, &op->key.group, op->input, op->outputs);
}

static void log_failure(struct table *table, const struct route_op *op, int result)
{
	char source[ADDR_TEXT_SIZE], group[ADDR_TEXT_SIZE];

	if (result == 0 || op->kind == ROUTE_DELETE || table->logged_error == -result)
		return;
	table->logged_error = errno = -result;
	warn("route (%s, %s) is refused by the kernel; trying again", addr_format(&op->key.source, source),
	     addr_format(&op->key.group, group));
}

void entries_apply(struct owner *owner, struct table *table, mtime now)
{
	struct route_op op;
	int count = 0;

	while (routes_pull(table->routes, now, &op)) {
		int result = perform(table, &op);

		owner->written = true;
		log_failure(table, &op, result);
		routes_done(table->routes, now, &op, result);
		if (++count == OPERATIONS_PER_TURN) {
			owner->loop.again = true;
			break;
		}
	}
}

static void announce_counters(struct owner *owner, const struct table *table, const struct route_key *key,
                              const struct mrt_counters *counters, uint64_t instances)
{
	struct input input = {.kind = INPUT_COUNTERS,
	                      .family = (uint8_t)table->family,
	                      .source = key->source,
	                      .group = key->group,
	                      .packets = counters->packets,
	                      .bytes = counters->bytes,
	                      .wrong_link_packets = (uint32_t)counters->wrong_vif};

	for (; instances != 0; instances &= instances - 1)
		worker_tell(owner->instances[__builtin_ctzll(instances)].channel, &input, NULL, 0);
}

void entries_announce_counters(struct owner *owner, const struct table *table, const struct route_key *key)
{
	struct mrt_counters counters;

	if (mrt_route_counters(table->mrt, &key->source, &key->group, &counters) == 0)
		announce_counters(owner, table, key, &counters, routes_wanted_by(table->routes, key));
}

void entries_read_counters(struct owner *owner, struct table *table, mtime now)
{
	struct route_key key;
	uint64_t instances;

	for (int i = 0; i < READINGS_PER_TURN && routes_pull_reading(table->routes, now, &key, &instances);
	     i++) {
		struct mrt_counters counters;

		if (mrt_route_counters(table->mrt, &key.source, &key.group, &counters) != 0) {
			/* Another program has deleted the entry. */
			routes_observe(table->routes, &key, &(struct route_observed){.present = false});
			owner->loop.again = true;
			continue;
		}
		routes_counted(table->routes, now, &key, counters.packets - counters.wrong_vif);
		announce_counters(owner, table, &key, &counters, instances);
	}
	instances_wake(owner);
}
