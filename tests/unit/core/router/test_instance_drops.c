/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An engine: packets, records and sources that do not count, and the largest ones that do.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

/* A record means what it says of the sources that can send; where there are none of them, that is what the
 * same record without sources means. */
static void records_of_impossible_sources(void **state)
{
	static const struct {
		enum record_type type;
		const char *expected; /* where there was no member */
		bool asks;            /* where there was one */
	} rows[] = {
		{IS_IN, "never", false},     {IS_EX, "EXCLUDE{}", false}, {TO_IN, "never", true},
		{TO_EX, "EXCLUDE{}", false}, {ALLOW, "never", false},     {BLOCK, "never", false},
	};
	static const char *const groups[FAMILIES] = {"239.1.1.1", "ff05::1"};
	static const char *const impossible[FAMILIES] = {"240.0.0.1 224.1.1.1", "ff02::1 ::1"};
	static const enum version versions[] = {VERSION_2, VERSION_3};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows) * FAMILIES * LENGTH(versions); i++) {
		size_t row = i / FAMILIES / LENGTH(versions), family = i % FAMILIES;
		const char *group = groups[family];

		engine_open(&usual_settings);
		engine.link_settings.version[family] = (uint8_t)versions[i / FAMILIES % LENGTH(versions)];
		usual_links();
		report(DOWN1, rows[row].type, group, impossible[family]);
		assert_string_equal(membership_of(group), rows[row].expected);
		report(DOWN1, TO_EX, group, "");
		forget();
		report(DOWN1, rows[row].type, group, impossible[family]);
		assert_int_equal(requests_of(REQUEST_SEND), rows[row].asks);
		assert_string_equal(membership_of(group), "never");
	}
}

/* Each row makes one packet count as dropped, for that reason, on the link where it came in. */
static struct craft with_byte(struct craft craft, size_t at, uint8_t value, bool fix)
{
	craft.bytes[at] = value;
	if (fix && craft.bytes[0] >> 4 == 4)
		craft_fix_ipv4(&craft);
	else if (fix)
		craft_fix_ipv6(&craft);
	return craft;
}

static void assert_dropped(const char *what, uint8_t link, enum drop cause)
{
	const struct event *event = newest_event(EVENT_DROP);

	if (event == NULL || event->before != cause || event->link != link || event->value != 1)
		fail_msg("%s: %s", what, event ? drop_name(event->before) : "not dropped");
	assert_int_equal(events_of(EVENT_DROP), 1);
}

static void every_cause_of_packets_is_counted(void **state)
{
	const struct craft good = craft_record("10.0.1.5", TO_EX, "239.1.1.1", "");
	const struct craft good6 = craft_record("fe80::1:5", TO_EX, "ff05::1", "");
	const struct {
		const char *what;
		uint8_t link;
		struct craft craft;
		enum drop cause;
	} rows[] = {
		{"version", DOWN1, with_byte(good, 0, 0x56, false), DROP_IP_HEADER},
		{"IP checksum", DOWN1, with_byte(good, 10, 0, false), DROP_IP_CHECKSUM},
		{"fragment", DOWN1, with_byte(good, 7, 1, true), DROP_FRAGMENT},
		{"TTL", DOWN1, with_byte(good, 8, 2, true), DROP_TTL},
		{"router alert", DOWN1, with_byte(good6, 42, 1, false), DROP_ROUTER_ALERT},
		{"sender", DOWN1, craft_record("2001:db8::1", TO_EX, "ff05::1", ""), DROP_SOURCE_ADDRESS},
		{"no sender", DOWN1, craft_record("::", TO_EX, "ff05::1", ""), DROP_UNSPECIFIED},
		{"no sender of a version 1 report", DOWN1, craft_old("::", VERSION_2, "ff05::1", false),
	         DROP_UNSPECIFIED},
		{"no sender of a done", DOWN1, craft_old("::", VERSION_2, "ff05::1", true), DROP_UNSPECIFIED},
		{"checksum", DOWN1, with_byte(good, PACKET_HEADER_IPV4 + 5, 1, false), DROP_CHECKSUM},
		{"length", DOWN1, with_byte(good, PACKET_HEADER_IPV4 + 7, 9, true), DROP_LENGTH},
		{"type", DOWN1, with_byte(good, PACKET_HEADER_IPV4, 0x23, true), DROP_TYPE},
		{"MLD type", DOWN1, with_byte(good6, PACKET_HEADER_IPV6, 200, true), DROP_TYPE},
		{"record", DOWN1, with_byte(good, PACKET_HEADER_IPV4 + 8, 7, true), DROP_RECORD},
		{"record 0", DOWN1, with_byte(good, PACKET_HEADER_IPV4 + 8, 0, true), DROP_RECORD},
		{"group", DOWN1, craft_record("10.0.1.5", TO_EX, "10.1.1.1", ""), DROP_GROUP},
		{"v4-mapped group", DOWN1, with_byte(good6, PACKET_HEADER_IPV6 + 12, 0, true), DROP_GROUP},
		{"scope", DOWN1, craft_record("10.0.1.5", TO_EX, "224.0.0.251", ""), DROP_SCOPE},
		{"MLD scope", DOWN1, craft_record("fe80::1:5", TO_EX, "ff02::fb", ""), DROP_SCOPE},
		{"scope of a v2 report", DOWN1, craft_old("10.0.1.5", VERSION_2, "224.0.0.251", false),
	         DROP_SCOPE},
		{"role", UP, good, DROP_ROLE},
		{"role of a leave", UP, craft_old("10.0.0.5", VERSION_2, "239.1.1.1", true), DROP_ROLE},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		engine_open(&usual_settings);
		usual_links();
		want_events(true);
		receive(rows[i].link, rows[i].craft);
		assert_dropped(rows[i].what, rows[i].link, rows[i].cause);
		assert_int_equal(engine.kept_count, 1);
	}
}

/* Nothing that cannot be another host changes a membership; 0.0.0.0 may (RFC 9776 section 4.2.14). */
static void impossible_hosts_are_refused(void **state)
{
	static const struct {
		const char *host, *group;
		enum drop cause;
	} rows[] = {
		{"224.0.0.1", "239.1.1.1", DROP_SENDER},     {"239.1.1.1", "239.1.1.1", DROP_SENDER},
		{"127.0.0.1", "239.1.1.1", DROP_SENDER},     {"255.255.255.255", "239.1.1.1", DROP_SENDER},
		{"10.0.1.255", "239.1.1.1", DROP_SENDER},    {"10.0.1.1", "239.1.1.1", DROP_OWN_ADDRESS},
		{"10.0.1.2", "239.1.1.1", DROP_OWN_ADDRESS}, {"0.0.0.0", "239.1.1.1", DROP_NONE},
		{"10.0.9.255", "239.1.1.1", DROP_NONE},      {"10.0.1.5", "239.1.1.1", DROP_NONE},
		{"fe80::1:1", "ff05::1", DROP_OWN_ADDRESS},  {"fe80::1:2", "ff05::1", DROP_NONE},
		{"ff02::1", "ff05::1", DROP_SOURCE_ADDRESS}, {"::1", "ff05::1", DROP_SOURCE_ADDRESS},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows) * 3; i++) {
		const char *host = rows[i / 3].host, *group = rows[i / 3].group;
		struct link_addresses *addresses = &engine.links[DOWN1].addresses;
		bool is_leave = i % 3 == 2;

		engine_open(&usual_settings);
		usual_links();
		addresses->address_count[FAMILY_IPV4] = 2;
		addresses->addresses[FAMILY_IPV4][0] = addr_of("10.0.1.1");
		addresses->addresses[FAMILY_IPV4][1] = addr_of("10.0.1.2");
		addresses->address_count[FAMILY_IPV6] = 1;
		addresses->addresses[FAMILY_IPV6][0] = addr_of("fe80::1:1");
		addresses->subnet_count = 1;
		addresses->subnets[0] = (struct link_subnet){{10, 0, 1, 0}, 24};
		give_link(DOWN1);
		if (is_leave)
			report(DOWN1, TO_EX, group, "");
		want_events(true);
		forget();
		receive(DOWN1, i % 3 == 0 ? craft_record(host, TO_EX, group, "")
		                          : craft_old(host, VERSION_2, group, is_leave));
		if (rows[i / 3].cause != DROP_NONE)
			assert_dropped(host, DOWN1, rows[i / 3].cause);
		else
			assert_int_equal(events_of(EVENT_DROP), 0);
		assert_int_equal(requests_of(REQUEST_MEMBERSHIP),
		                 !is_leave && rows[i / 3].cause == DROP_NONE);
		assert_int_equal(requests_of(REQUEST_SEND), is_leave && rows[i / 3].cause == DROP_NONE);
	}
}

static void doubtful_hosts_are_refused_where_wanted(void **state)
{
	static const struct {
		const char *host, *group;
		bool alert, verify, require, subnet;
		enum drop cause;
	} rows[] = {
		{"10.0.2.5", "239.1.1.1", true, true, false, true, DROP_HOST_SUBNET},
		{"10.0.2.5", "239.1.1.1", true, false, false, true, DROP_NONE},
		{"10.0.2.5", "239.1.1.1", true, true, false, false, DROP_NONE},
		{"10.0.1.5", "239.1.1.1", true, true, true, true, DROP_NONE},
		{"0.0.0.0", "239.1.1.1", true, true, false, true, DROP_NONE},
		{"fe80::1:5", "ff05::1", true, true, true, true, DROP_NONE},
		{"10.0.1.5", "239.1.1.1", false, false, true, true, DROP_ROUTER_ALERT},
		{"10.0.1.5", "239.1.1.1", false, true, false, true, DROP_NONE},
		{"fe80::1:5", "ff05::1", false, false, false, true, DROP_ROUTER_ALERT},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct craft craft = craft_record(rows[i].host, TO_EX, rows[i].group, "");
		struct link_change *link = &engine.links[DOWN1];
		bool is_ipv4 = craft.bytes[0] >> 4 == 4;

		engine_open(&usual_settings);
		usual_links();
		link->settings.require_router_alert = rows[i].require;
		link->settings.verify_source_subnet = rows[i].verify;
		link->addresses.subnet_count = rows[i].subnet;
		link->addresses.subnets[0] = (struct link_subnet){{10, 0, 1, 0}, 24};
		give_link(DOWN1);
		want_events(true);
		forget();
		/* Padding, or in IPv6 an option that is skipped, in its place. */
		if (!rows[i].alert && is_ipv4)
			memset(craft.bytes + 20, 1, 4);
		else if (!rows[i].alert)
			craft.bytes[42] = 30;
		if (is_ipv4)
			craft_fix_ipv4(&craft);
		receive(DOWN1, craft);
		if (rows[i].cause != DROP_NONE)
			assert_dropped(rows[i].host, DOWN1, rows[i].cause);
		assert_string_equal(membership_of(rows[i].group),
		                    rows[i].cause == DROP_NONE ? "EXCLUDE{}" : "never");
	}
}

static void queries_upstream_need_the_alert_where_wanted(void **state)
{
	struct craft craft = craft_query("10.0.0.254",
	                                 (struct query){.version = VERSION_3, .max_response = 100}, NULL, "");

	(void)state;
	memset(craft.bytes + 20, 1, 4);
	craft_fix_ipv4(&craft);
	receive(UP, craft);
	assert_int_equal(requests_of(REQUEST_UPSTREAM_QUERY), 1);
	engine.links[UP].settings.require_router_alert = true;
	give_link(UP);
	forget();
	receive(UP, craft);
	assert_int_equal(requests_of(REQUEST_UPSTREAM_QUERY), 0);
}

static void messages_older_than_wanted_are_refused(void **state)
{
	const struct query v2_query = {.version = VERSION_2, .max_response = 1000};
	const struct query v1_query = {.version = VERSION_1};
	static const struct {
		enum version version, oldest;
		enum version message;
		bool dropped;
	} rows[] = {
		{VERSION_3, VERSION_NONE, VERSION_1, false},
		{VERSION_3, VERSION_1, VERSION_1, false},
		{VERSION_3, VERSION_2, VERSION_1, true},
		{VERSION_3, VERSION_2, VERSION_2, false},
		{VERSION_3, VERSION_3, VERSION_1, true},
		{VERSION_3, VERSION_3, VERSION_2, true},
		/* The link's own version always counts. */
		{VERSION_2, VERSION_3, VERSION_2, false},
		{VERSION_2, VERSION_3, VERSION_1, true},
		{VERSION_1, VERSION_2, VERSION_1, false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows) * 2; i++) {
		enum family family = i % 2 ? FAMILY_IPV6 : FAMILY_IPV4;
		bool dropped = rows[i / 2].dropped;
		const char *host = family ? "fe80::1:5" : "10.0.1.5",
			   *querier = family ? "fe80::1:0" : "10.0.1.0";
		const char *group = family ? "ff05::1" : "239.1.1.1";

		if (family == FAMILY_IPV6 &&
		    (rows[i / 2].message == VERSION_1 || rows[i / 2].version == VERSION_1))
			continue;
		engine_open(&usual_settings);
		engine.link_settings.version[family] = (uint8_t)rows[i / 2].version;
		engine.link_settings.oldest_version[family] = (uint8_t)rows[i / 2].oldest;
		usual_links();
		want_events(true);
		forget();
		receive(DOWN1, craft_old(host, rows[i / 2].message, group, false));
		if (dropped)
			assert_dropped("report", DOWN1, DROP_VERSION);
		assert_int_equal(requests_of(REQUEST_MEMBERSHIP), !dropped);
		forget();
		receive(DOWN1, craft_query(querier, rows[i / 2].message == VERSION_1 ? v1_query : v2_query,
		                           NULL, NULL));
		assert_int_equal(events_of(EVENT_QUERIER), !dropped);
	}
}

static void wrong_links_and_cut_packets_are_counted(void **state)
{
	struct craft craft = craft_record("10.0.1.5", TO_EX, "239.1.1.1", "");
	struct input truncated = {.kind = INPUT_PACKET, .link = DOWN1, .truncated = true};

	(void)state;
	want_events(true);
	receive(DOWN3, craft);
	assert_dropped("no such link", UINT8_MAX, DROP_LINK);
	forget();
	give(&truncated, craft.bytes, craft.size);
	turn();
	assert_dropped("longer than the buffer", DOWN1, DROP_TRUNCATED);
	use_family(DOWN1, FAMILY_IPV6, false);
	give_link(DOWN1);
	forget();
	receive(DOWN1, craft_record("fe80::1:5", TO_EX, "ff05::1", ""));
	assert_dropped("family not in use", DOWN1, DROP_LINK);
	assert_string_equal(membership_of("ff05::1"), "never");
}

/* A report of the largest size that a packet can have. */
static size_t largest_report(uint8_t *packet, enum family family, const char *first, size_t sources)
{
	const struct addr from = addr_of(family == FAMILY_IPV4 ? "10.0.1.5" : "fe80::1:5");
	const struct addr to =
		family == FAMILY_IPV4 ? addr_from_ipv4_number(IGMP_V3_ROUTERS) : mld_v2_routers;
	static struct addr list[UINT16_MAX];
	struct report_writer writer;
	uint32_t groups = 0;
	size_t size;

	for (uint32_t i = 0; i < sources; i++)
		list[i] = nth_addr(family == FAMILY_IPV4 ? "10.9.0.1" : "2001:db8::1", i);
	report_writer_open(&writer, family, packet + packet_header_size(family),
	                   65535 - packet_header_size(family));
	for (struct addr group = addr_of(first);
	     report_writer_add(&writer, sources > 0 ? ALLOW : TO_EX, &group, list, sources) == (int)sources;
	     group = nth_addr(first, groups))
		groups++;
	size = family == FAMILY_IPV4 ? igmp_finish_report(&writer) : mld_finish_report(&writer, &from);
	return packet_finish(family, packet, &from, &to, size);
}

static void every_record_of_the_largest_report_counts(void **state)
{
	static const char *const first[FAMILIES] = {"239.1.0.1", "ff05::1"};
	static const size_t records[FAMILIES] = {8187, 3273};
	static uint8_t packet[65535];

	(void)state;
	for (uint8_t family = 0; family < FAMILIES; family++) {
		struct input input = {.kind = INPUT_PACKET, .link = DOWN1, .family = family};
		size_t size = largest_report(packet, family, first[family], 0);

		forget();
		assert_true(size > 65500);
		give(&input, packet, size);
		turn();
		assert_int_equal(requests_of(REQUEST_MEMBERSHIP), records[family]);
	}
}

/* A list may be longer there than what a filter can hold. */
static void what_no_filter_holds_is_left_out_and_counted(void **state)
{
	static const char *const first[FAMILIES] = {"239.1.0.1", "ff05::1"};
	static uint8_t packet[65535];

	(void)state;
	for (uint8_t family = 0; family < FAMILIES; family++) {
		struct input input = {.kind = INPUT_PACKET, .link = DOWN1, .family = family};
		/* In IPv6 a packet has room for less. */
		const size_t sources = family == FAMILY_IPV4 ? REQUEST_SOURCES_MAX + 1 : 4080;
		size_t size = largest_report(packet, family, first[family], sources);

		engine_open(&usual_settings);
		engine.link_settings.sources_max = REQUEST_SOURCES_MAX;
		usual_links();
		want_events(true);
		forget();
		give(&input, packet, size);
		turn();
		assert_int_equal(events_of(EVENT_DROP) > 0, family == FAMILY_IPV4);
		if (family == FAMILY_IPV4)
			assert_int_equal(newest_event(EVENT_DROP)->before, DROP_SOURCES_MAX);
		assert_true(requests_of(REQUEST_MEMBERSHIP) > 0);
	}
}

static void drops_are_told_at_powers_of_two(void **state)
{
	(void)state;
	want_events(true);
	for (unsigned n = 1; n <= 1000; n++)
		receive(DOWN1, craft_record("10.0.1.5", TO_EX, "224.0.0.251", ""));
	assert_int_equal(events_of(EVENT_DROP), 10);
	assert_int_equal(newest_event(EVENT_DROP)->value, 512);
}

static void families_are_not_mixed_up(void **state)
{
	/* MLD may name addresses that look like IPv4 inside the engine. */
	struct craft record = craft_record("fe80::1:5", ALLOW, "ff05::1", "2001:db8::9 2001:db8::8");
	uint8_t *first_source = record.bytes + PACKET_HEADER_IPV6 + 8 + 20;
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 9};

	(void)state;
	memcpy(first_source, mapped, sizeof mapped);
	craft_fix_ipv6(&record);
	receive(DOWN1, record);
	assert_string_equal(membership_of("ff05::1"), "INCLUDE{2001:db8::8}");
	memset(first_source - 16, 0, 16);
	memcpy(first_source - 16, mapped, sizeof mapped);
	first_source[-4] = 239;
	craft_fix_ipv6(&record);
	forget();
	receive(DOWN1, record);
	assert_int_equal(engine.kept_count, 0);
}

static void mixed_report_counts_record_by_record(void **state)
{
	(void)state;
	want_events(true);
	receive(DOWN1, craft_records("10.0.1.5", (const struct craft_record[]){
							 {TO_EX, "224.0.0.251", ""},
							 {TO_EX, "239.1.1.1", ""},
							 {99, "239.1.1.3", ""},
							 {ALLOW, "239.1.1.2", "10.9.9.9"},
							 {0},
						 }));
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_of("239.1.1.2"), "INCLUDE{10.9.9.9}");
	assert_string_equal(membership_of("239.1.1.3"), "never");
	assert_int_equal(events_of(EVENT_DROP), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(records_of_impossible_sources),
		engine_test(every_cause_of_packets_is_counted),
		engine_test(impossible_hosts_are_refused),
		engine_test(messages_older_than_wanted_are_refused),
		engine_test(queries_upstream_need_the_alert_where_wanted),
		empty_test(doubtful_hosts_are_refused_where_wanted),
		engine_test(wrong_links_and_cut_packets_are_counted),
		engine_test(every_record_of_the_largest_report_counts),
		engine_test(what_no_filter_holds_is_left_out_and_counted),
		engine_test(drops_are_told_at_powers_of_two),
		engine_test(families_are_not_mixed_up),
		engine_test(mixed_report_counts_record_by_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
