/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hits of filters' rules, as snapshots have them.
 */
#include "core/policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

#define RULES_MAX 600

static struct snapshot_rule seen[RULES_MAX];
static size_t seen_count;

static const struct policy *compile(const char *const *lines, size_t count)
{
	static struct policy_rule rules[RULES_MAX];
	struct policy_sets sets;
	enum policy_failure failure;
	char error[POLICY_ERROR_SIZE];
	struct policy *policy;

	sets_init(&sets);
	for (size_t i = 0; i < count; i++)
		if (!rule_parse(lines[i], (unsigned)i + 1, &sets, &rules[i], error))
			fail_msg("%s", error);
	policy = policy_new(rules, count, &failure);
	assert_non_null(policy);
	sets_fini(&sets);
	return policy;
}

static void filter(uint8_t link, enum filter_direction direction, const char *const *lines, size_t count)
{
	const struct policy *policy = compile(lines, count);
	struct link_settings *settings = &engine.links[link].settings;

	*(direction == FILTER_IN ? &settings->filter_in : &settings->filter_out) = policy;
	give_link(link);
	policy_release(policy);
}

#define FILTER(link, direction, ...)                                                                         \
	filter(link, direction, (const char *const[]){__VA_ARGS__},                                          \
	       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* Walks all pages. */
static void look(void)
{
	struct input input = {.kind = INPUT_SNAPSHOT, .what = SNAPSHOT_RULES, .first = true};
	const struct kept_request *kept;

	seen_count = 0;
	do {
		const struct snapshot_item *items;

		forget();
		instance_input(engine.instance, engine.now, &input, NULL, 0);
		turn();
		assert_int_equal(requests_of(REQUEST_SNAPSHOT), 1);
		kept = &engine.kept[engine.kept_count - 1];
		items = (const void *)kept->payload;
		for (size_t i = 0; i < kept->request.count; i++) {
			assert_int_equal(items[i].kind, SNAPSHOT_RULES);
			assert_true(seen_count < RULES_MAX);
			seen[seen_count++] = items[i].rule;
		}
		input.first = false;
	} while (kept->request.more);
}

/* "reports/streams" of each rule of the filter. */
static const char *hits(uint8_t link, enum filter_direction direction)
{
	static char text[256];
	size_t used = 0;

	look();
	text[0] = '\0';
	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].link == link && seen[i].direction == direction)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%u/%u",
			                         used > 0 ? " " : "", seen[i].reports, seen[i].streams);
	return text;
}

static void reports_count_for_the_rule_that_decides(void **state)
{
	(void)state;
	FILTER(DOWN1, FILTER_OUT, "deny 239.9.0.0/16", "allow 239.1.0.0/16 from 10.9.9.1",
	       "deny 239.1.0.0/16", "allow 239.2.0.0/16");
	join(DOWN1, "239.9.1.1");
	join(DOWN1, "239.9.1.2");
	assert_string_equal(hits(DOWN1, FILTER_OUT), "2/0 0/0 0/0 0/0");
	report(DOWN1, ALLOW, "239.1.1.1", "10.9.9.1 10.9.9.2"); /* a part is left */
	assert_string_equal(hits(DOWN1, FILTER_OUT), "2/0 1/0 1/0 0/0");
	report(DOWN1, ALLOW, "239.1.1.1", "10.9.9.2");
	assert_string_equal(hits(DOWN1, FILTER_OUT), "2/0 1/0 2/0 0/0");
	join(DOWN1, "239.2.1.1");
	join(DOWN1, "239.3.1.1"); /* no rule matches */
	assert_string_equal(hits(DOWN1, FILTER_OUT), "2/0 1/0 2/0 1/0");
	assert_string_equal(hits(UP, FILTER_IN), "");
	assert_string_equal(hits(DOWN1, FILTER_IN), "");
}

static void ipv6_reports_count(void **state)
{
	struct craft craft;

	(void)state;
	FILTER(DOWN1, FILTER_OUT, "deny ff3e::/32");
	use_family(DOWN1, FAMILY_IPV6, true);
	give_link(DOWN1);
	craft = craft_record("fe80::7", TO_EX, "ff3e::1", "");
	give_packet(DOWN1, FAMILY_IPV6, &craft);
	turn();
	assert_string_equal(hits(DOWN1, FILTER_OUT), "1/0");
}

static void what_is_wanted_upstream_counts_for_filter_in(void **state)
{
	(void)state;
	FILTER(UP, FILTER_IN, "deny 239.9.0.0/16", "allow 239.1.0.0/16");
	join(DOWN1, "239.9.1.1");
	join(DOWN1, "239.1.1.1");
	assert_string_equal(hits(UP, FILTER_IN), "1/0 1/0");
	join(DOWN1, "239.1.1.1"); /* changes nothing upstream */
	assert_string_equal(hits(UP, FILTER_IN), "1/0 1/0");
}

static void a_stream_counts_once_for_each_decision(void **state)
{
	(void)state;
	FILTER(UP, FILTER_IN, "deny 239.9.0.0/16", "allow all");
	FILTER(DOWN1, FILTER_OUT, "deny all from 10.8.0.0/16");
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.9.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	upcall(UP, "10.8.9.9", "239.1.1.1");
	assert_string_equal(hits(UP, FILTER_IN), "0/1 1/2");
	assert_string_equal(hits(DOWN1, FILTER_OUT), "0/1");
	join(DOWN1, "239.1.1.1"); /* the streams remain where they are */
	counters("10.9.9.9", "239.1.1.1", 100);
	assert_string_equal(hits(UP, FILTER_IN), "0/1 1/2");
	join(DOWN2, "239.1.1.1");
	assert_string_equal(hits(UP, FILTER_IN), "0/1 3/4"); /* what each link with members wants counts */
	assert_string_equal(hits(DOWN1, FILTER_OUT), "0/2");
}

static void streams_to_upstream_links_count_for_filter_out(void **state)
{
	(void)state;
	FILTER(UP, FILTER_OUT, "deny 239.255.0.0/16");
	upcall(DOWN1, "10.0.1.7", "239.255.1.1");
	upcall(DOWN1, "10.0.1.7", "239.1.1.1");
	assert_string_equal(hits(UP, FILTER_OUT), "0/1");
}

static void the_last_hit_has_an_age(void **state)
{
	(void)state;
	FILTER(DOWN1, FILTER_OUT, "deny 239.9.0.0/16", "deny 239.9.9.9");
	join(DOWN1, "239.9.1.1");
	pass(5000);
	look();
	assert_int_equal(seen_count, 2);
	assert_int_equal(seen[0].age, 5000);
	assert_int_equal(seen[0].number, 1);
	assert_int_equal(seen[0].line, 1);
	assert_string_equal(seen[0].text, "deny 239.9.0.0/16");
	assert_true(seen[0].can_match);
	assert_false(seen[1].can_match);
}

static void hits_live_as_long_as_the_filter(void **state)
{
	(void)state;
	FILTER(DOWN1, FILTER_OUT, "deny 239.9.0.0/16");
	join(DOWN1, "239.9.1.1");
	give_link(DOWN1);
	assert_string_equal(hits(DOWN1, FILTER_OUT), "1/0");
	FILTER(DOWN1, FILTER_OUT, "deny 239.9.0.0/16", "deny 239.8.0.0/16");
	assert_string_equal(hits(DOWN1, FILTER_OUT), "0/0 0/0");
	engine.links[DOWN1].settings.filter_out = NULL;
	give_link(DOWN1);
	assert_string_equal(hits(DOWN1, FILTER_OUT), "");
	join(DOWN1, "239.9.1.1");
	assert_string_equal(membership_of("239.9.1.1"), "EXCLUDE{}");
}

static void many_rules_take_several_pages(void **state)
{
	static char texts[500][32];
	static const char *lines[500];

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		snprintf(texts[i], sizeof texts[i], "deny 239.9.%u.%u", i / 250, i % 250);
		lines[i] = texts[i];
	}
	filter(DOWN1, FILTER_OUT, lines, 500);
	FILTER(UP, FILTER_IN, "allow all");
	FILTER(UP, FILTER_OUT, "deny all");
	join(DOWN1, "239.9.1.249");
	look();
	assert_int_equal(seen_count, 502);
	assert_string_equal(seen[0].text, "allow all");
	assert_string_equal(seen[1].text, "deny all");
	for (unsigned i = 0; i < 500; i++) {
		assert_string_equal(seen[i + 2].text, texts[i]);
		assert_int_equal(seen[i + 2].reports, i == 499);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		engine_test(reports_count_for_the_rule_that_decides),
		engine_test(ipv6_reports_count),
		engine_test(what_is_wanted_upstream_counts_for_filter_in),
		engine_test(a_stream_counts_once_for_each_decision),
		engine_test(streams_to_upstream_links_count_for_filter_out),
		engine_test(the_last_hit_has_an_age),
		engine_test(hits_live_as_long_as_the_filter),
		engine_test(many_rules_take_several_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
