/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the kernel tells of changes to multicast routing, against changes that are made here: eth0 is vif 0,
 * eth1 vif 1.
 */
#include "kernel/mroute_watch.h"

#include "kernel/mrt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/lab.h"

#define NEWS_MAX 64
#define MANY     40000

static const char *const sources[FAMILIES] = {"10.77.0.9", "2001:db8:77::9"};
static const char *const groups[FAMILIES] = {"239.7.7.1", "ff3e::7:7:1"};

struct heard {
	struct mroute_news news[NEWS_MAX];
	size_t count; /* of all kinds; only the first ones are kept */
	size_t routes;
	bool overrun;
};

static void hear(void *context, const struct mroute_news *news)
{
	struct heard *heard = context;

	if (heard->count < NEWS_MAX)
		heard->news[heard->count] = *news;
	heard->count++;
	heard->routes += news->kind == MROUTE_ENTRY;
	heard->overrun |= news->kind == MROUTE_OVERRUN;
}

static void receive(struct mroute_watch *watch, struct heard *heard)
{
	*heard = (struct heard){.count = 0};
	mroute_watch_receive(watch, hear, heard);
}

static struct mrt *open_with_vifs(enum family family, uint32_t table)
{
	struct mrt *mrt = NULL;

	assert_int_equal(mrt_open(&mrt, family, table), 0);
	for (unsigned vif = 0; vif < 2; vif++)
		assert_int_equal(mrt_add_vif(mrt, vif, lab_index(vif == 0 ? "eth0" : "eth1")), 0);
	return mrt;
}

static struct mroute_watch *open_watch(void)
{
	struct mroute_watch *watch = NULL;

	assert_int_equal(mroute_watch_open(&watch), 0);
	assert_true(mroute_watch_fd(watch) >= 0);
	return watch;
}

static void check_route(const struct mroute_news *news, enum mroute_news_kind kind, enum family family,
                        uint32_t table)
{
	struct addr source = addr_of(sources[family]), group = addr_of(groups[family]);

	assert_int_equal(news->kind, kind);
	assert_int_equal(news->family, family);
	assert_int_equal(news->table, table);
	assert_true(addr_equal(&news->source, &source) && addr_equal(&news->group, &group));
}

/* Each is told before the call that makes it returns. */
static void entries_are_told(void **state)
{
	static const uint32_t tables[] = {MRT_TABLE_DEFAULT, 300};

	(void)state;
	LAB_OR_SKIP();
	for (int row = 0; row < 2 * FAMILIES; row++) {
		enum family family = row % FAMILIES;
		uint32_t table = tables[row / FAMILIES];
		struct addr source = addr_of(sources[family]), group = addr_of(groups[family]);
		struct mrt *mrt = open_with_vifs(family, table);
		struct mroute_watch *watch = open_watch();
		struct heard heard;

		assert_int_equal(mrt_set_route(mrt, &source, &group, 0, 2), 0);
		receive(watch, &heard);
		assert_int_equal(heard.count, 1);
		check_route(&heard.news[0], MROUTE_ENTRY, family, table);
		assert_int_equal(heard.news[0].input, lab_index("eth0"));
		assert_int_equal(heard.news[0].output_count, 1);
		assert_int_equal(heard.news[0].outputs[0], lab_index("eth1"));
		assert_int_equal(mrt_set_route(mrt, &source, &group, 1, 0), 0);
		assert_int_equal(mrt_del_route(mrt, &source, &group), 0);
		receive(watch, &heard);
		assert_int_equal(heard.count, 2);
		check_route(&heard.news[0], MROUTE_ENTRY, family, table);
		assert_int_equal(heard.news[0].input, lab_index("eth1"));
		assert_int_equal(heard.news[0].output_count, 0);
		check_route(&heard.news[1], MROUTE_ENTRY_GONE, family, table);
		receive(watch, &heard);
		assert_int_equal(heard.count, 0);
		mroute_watch_close(watch);
		mrt_close(mrt);
	}
}

static void vifs_are_told(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		struct mrt *mrt = open_with_vifs(family, MRT_TABLE_DEFAULT);
		struct mroute_watch *watch = open_watch();
		struct heard heard;

		assert_true(mrt_has_vif(mrt, 1));
		assert_int_equal(mrt_del_vif(mrt, 1), 0);
		assert_false(mrt_has_vif(mrt, 1));
		receive(watch, &heard);
		assert_int_equal(heard.count, 1);
		assert_int_equal(heard.news[0].kind, MROUTE_VIFS);
		assert_int_equal(heard.news[0].family, family);
		assert_int_equal(heard.news[0].ifindex, lab_index("eth1"));
		mroute_watch_close(watch);
		mrt_close(mrt);
	}
}

/* A socket that wants the table at this news gets it. */
static void routers_are_announced(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int row = 0; row < 2 * FAMILIES; row++) {
		enum family family = row % FAMILIES;
		uint32_t table = row < FAMILIES ? MRT_TABLE_DEFAULT : 300;
		struct mroute_watch *watch = open_watch();
		struct mrt *mrt = NULL, *other = NULL;
		struct heard heard;

		assert_int_equal(mrt_open(&mrt, family, table), 0);
		receive(watch, &heard);
		assert_int_equal(heard.count, 1);
		assert_int_equal(heard.news[0].kind, MROUTE_ROUTER);
		assert_int_equal(heard.news[0].family, family);
		/* One that is refused is no news. */
		assert_int_equal(mrt_open(&other, family, table), -EADDRINUSE);
		receive(watch, &heard);
		assert_int_equal(heard.count, 0);
		mrt_close(mrt);
		receive(watch, &heard);
		assert_int_equal(heard.count, 1);
		assert_int_equal(heard.news[0].kind, MROUTE_ROUTER);
		assert_int_equal(mrt_open(&other, family, table), 0);
		mrt_close(other);
		mroute_watch_close(watch);
	}
}

static void write_setting(const char *path, const char *value)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(value, file);
	assert_int_equal(fclose(file), 0);
}

static void rp_filter_is_announced(void **state)
{
	struct mroute_watch *watch;
	struct heard heard;

	(void)state;
	LAB_OR_SKIP();
	watch = open_watch();
	write_setting("/proc/sys/net/ipv4/conf/eth0/rp_filter", "2");
	write_setting("/proc/sys/net/ipv4/conf/all/rp_filter", "2");
	write_setting("/proc/sys/net/ipv4/conf/all/rp_filter", "2");
	write_setting("/proc/sys/net/ipv4/conf/default/rp_filter", "2");
	receive(watch, &heard);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.news[0].kind, MROUTE_RP_FILTER);
	assert_int_equal(heard.news[0].ifindex, lab_index("eth0"));
	assert_int_equal(heard.news[1].kind, MROUTE_RP_FILTER);
	write_setting("/proc/sys/net/ipv4/conf/eth0/rp_filter", "0");
	write_setting("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
	write_setting("/proc/sys/net/ipv4/conf/default/rp_filter", "0");
	mroute_watch_close(watch);
}

static void rules_are_told(void **state)
{
	struct mroute_watch *watch;
	struct rules *rules;

	(void)state;
	LAB_OR_SKIP();
	watch = open_watch();
	assert_int_equal(rules_open(&rules), 0);
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		struct rule rule = {.family = family, .output = family, .interface = "eth0", .table = 300};
		struct heard heard;

		assert_int_equal(rules_add(rules, &rule), 0);
		assert_int_equal(rules_delete(rules, &rule), 0);
		lab_run("ip rule add iif eth0 table 7 && ip rule del iif eth0 table 7");
		receive(watch, &heard);
		assert_int_equal(heard.count, 1);
		assert_int_equal(heard.news[0].kind, MROUTE_RULE_GONE);
		assert_int_equal(heard.news[0].rule.family, family);
		assert_int_equal(heard.news[0].rule.output, rule.output);
		assert_int_equal(heard.news[0].rule.table, rule.table);
		assert_string_equal(heard.news[0].rule.interface, rule.interface);
	}
	rules_close(rules);
	mroute_watch_close(watch);
}

static struct addr numbered(enum family family, unsigned number)
{
	struct addr addr = addr_of(sources[family]);

	addr.bytes[13] = (uint8_t)(number >> 16);
	addr.bytes[14] = (uint8_t)(number >> 8);
	addr.bytes[15] = (uint8_t)number;
	return addr;
}

static size_t audit(struct mroute_watch *watch, enum family family, unsigned *parts)
{
	struct heard heard = {.count = 0};
	int result;

	assert_int_equal(mroute_watch_audit_begin(watch, family), 0);
	for (*parts = 1; (result = mroute_watch_audit_next(watch, hear, &heard)) == 1; ++*parts)
		;
	assert_int_equal(result, 0);
	return heard.routes;
}

/* More than can wait to be read: that is said. An audit tells all, in parts; one that was given up leaves
 * nothing behind. */
static void many_entries(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		struct addr group = addr_of(groups[family]);
		struct mrt *mrt = open_with_vifs(family, 300);
		struct mroute_watch *watch = open_watch();
		struct heard heard;
		unsigned parts;

		for (unsigned number = 0; number < MANY; number++) {
			struct addr source = numbered(family, number);

			assert_int_equal(mrt_set_route(mrt, &source, &group, 0, 2), 0);
		}
		receive(watch, &heard);
		assert_true(heard.overrun && heard.routes < MANY);
		assert_int_equal(audit(watch, family, &parts), MANY);
		assert_true(parts > 20);
		assert_int_equal(mroute_watch_audit_begin(watch, family), 0);
		assert_int_equal(mroute_watch_audit_next(watch, hear, &heard), 1);
		assert_int_equal(audit(watch, 1 - family, &parts), 0);
		assert_int_equal(audit(watch, family, &parts), MANY);
		mroute_watch_close(watch);
		mrt_close(mrt);
	}
}

static int open_links(void **state)
{
	int result = lab_open(state);

	for (int i = 0; lab_is_open && i < 2; i++)
		lab_add_pair(i);
	return result;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_told),      cmocka_unit_test(vifs_are_told),
		cmocka_unit_test(routers_are_announced), cmocka_unit_test(rp_filter_is_announced),
		cmocka_unit_test(rules_are_told),        cmocka_unit_test(many_entries),
	};

	return cmocka_run_group_tests(tests, open_links, NULL);
}
