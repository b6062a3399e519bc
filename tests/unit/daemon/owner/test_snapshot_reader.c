/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Walks over snapshots: who gets which page, walks that are given back while one is on its way, instances
 * that stop.
 */
#include "daemon/owner/snapshot_reader.h"

#include "core/contract/request.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct reader {
	unsigned pages, records;
	bool more;
};

static void read_page(void *context, struct owner *owner, const struct snapshot_item *records, size_t count,
                      bool more)
{
	struct reader *reader = context;

	(void)owner;
	assert_true(count == 0 || records != NULL);
	reader->pages++;
	reader->records += (unsigned)count;
	reader->more = more;
}

static void deliver(struct owner *owner, unsigned instance, const struct snapshot_reader *walk,
                    uint16_t count, bool more)
{
	static const struct snapshot_item records[SNAPSHOT_PAGE_ITEMS];
	struct instance_slot slot = {.number = instance};
	struct request request = {.kind = REQUEST_SNAPSHOT,
	                          .cursor = (uint8_t)(walk - owner->walks),
	                          .count = count,
	                          .more = more};

	snapshot_reader_deliver(owner, &slot, &request, records);
}

static void pages_go_to_the_reader_of_their_walk(void **state)
{
	struct owner owner = {0};
	struct reader one = {0}, other = {0};
	struct snapshot_reader *first = snapshot_reader_take(&owner, read_page, &one);
	struct snapshot_reader *second = snapshot_reader_take(&owner, read_page, &other);

	(void)state;
	assert_true(first != NULL && second != NULL && first != second);
	snapshot_reader_start(first, 3, SNAPSHOT_GROUPS, 7);
	assert_true(first->first && first->instance == 3 && first->what == SNAPSHOT_GROUPS &&
	            first->link == 7);
	first->waiting = second->waiting = true;
	deliver(&owner, 3, first, 5, true);
	assert_true(one.pages == 1 && one.records == 5 && one.more && other.pages == 0);
	/* Nobody has asked for these. */
	deliver(&owner, 3, first, 5, true);
	first->waiting = true;
	deliver(&owner, 4, first, 5, true);
	assert_int_equal(one.pages, 1);
	deliver(&owner, 3, first, 2, false);
	assert_true(one.pages == 2 && one.records == 7 && !one.more);
}

static void a_walk_is_free_when_its_page_has_come(void **state)
{
	struct snapshot_reader *walks[SNAPSHOT_CURSORS];
	struct owner owner = {0};
	struct reader reader = {0};

	(void)state;
	for (size_t i = 0; i < SNAPSHOT_CURSORS; i++) {
		walks[i] = snapshot_reader_take(&owner, read_page, &reader);
		assert_non_null(walks[i]);
	}
	assert_null(snapshot_reader_take(&owner, read_page, &reader));
	snapshot_reader_start(walks[4], 0, SNAPSHOT_FLOWS, 0);
	walks[4]->waiting = true;
	snapshot_reader_give(walks[4]);
	assert_null(snapshot_reader_take(&owner, read_page, &reader));
	deliver(&owner, 0, walks[4], 5, true);
	assert_int_equal(reader.pages, 0);
	assert_ptr_equal(snapshot_reader_take(&owner, read_page, &reader), walks[4]);
}

static void instances_that_stop_end_their_walks(void **state)
{
	struct owner owner = {0};
	struct reader one = {0}, other = {0};
	struct snapshot_reader *first = snapshot_reader_take(&owner, read_page, &one);
	struct snapshot_reader *second = snapshot_reader_take(&owner, read_page, &other);

	(void)state;
	snapshot_reader_start(first, 1, SNAPSHOT_GROUPS, 0);
	snapshot_reader_start(second, 2, SNAPSHOT_GROUPS, 0);
	first->waiting = second->waiting = true;
	snapshot_reader_instance_stopped(&owner, 1);
	assert_true(one.pages == 1 && one.records == 0 && !one.more && !first->waiting);
	assert_true(other.pages == 0 && second->waiting);
	snapshot_reader_give(second);
	snapshot_reader_instance_stopped(&owner, 2);
	assert_true(other.pages == 0 && !second->waiting);
	/* At the daemon's end nobody reads any more. */
	first->waiting = owner.stopping = true;
	snapshot_reader_instance_stopped(&owner, 1);
	assert_int_equal(one.pages, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_go_to_the_reader_of_their_walk),
		cmocka_unit_test(a_walk_is_free_when_its_page_has_come),
		cmocka_unit_test(instances_that_stop_end_their_walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
