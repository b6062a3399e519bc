/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a decision of a filter costs: nanoseconds by number and kind of rules, medians of processor time. Exits with 1 where 32
 * rules cost more than 50 ns, or 10,000 rules more than 1 us.
 */
#include "core/policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS      15
#define DECISIONS 20000
#define QUESTIONS 1024
#define SOURCES   64

/* Rules that differ in one condition; %d.%d is a number. */
static const struct {
	const char *name, *rule;
} kinds[] = {
	{"groups", "%s 239.%d.%d.0/24"},
	{"sources", "%s all from 10.%d.%d.0/24"},
	{"hosts", "%s all by 192.%d.%d.1"},
	{"MAC addresses", "%s all by 02:00:00:00:%02x:%02x"},
	{"groups and sources", "%s 239.%d.0.0/16 from 10.%d.0.0/16"},
};

static const struct {
	int rules;
	double limit;
} sizes[] = {{32, 50}, {10000, 1000}};

static double nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct policy *compile(const char *format, int count, struct policy_sets *sets)
{
	struct policy_rule *rules = calloc((size_t)count, sizeof *rules);
	char text[128], error[POLICY_ERROR_SIZE];
	enum policy_failure failure;
	struct policy *policy;

	for (int i = 0; i < count; i++) {
		int high = i / 200, low = i % 200;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof text, format, i % 2 ? "allow" : "deny", high, low);
#pragma GCC diagnostic pop
		if (!rule_parse(text, 1, sets, &rules[i], error)) {
			fprintf(stderr, "bench_policy: %s\n", error);
			exit(1);
		}
	}
	policy = policy_new(rules, (size_t)count, &failure);
	if (policy == NULL) {
		fprintf(stderr, "bench_policy: %d rules \"%s\" cannot be compiled\n", count, format);
		exit(1);
	}
	for (int i = 0; i < count; i++)
		rule_fini(&rules[i]);
	free(rules);
	return policy;
}

static struct policy_question question_of(uint32_t number)
{
	uint32_t mixed = number * 2654435761u;
	struct policy_question question = {
		.group = addr_from_ipv4_number(0xef000000u | mixed >> 8),
		.source = addr_from_ipv4_number(0x0a000000u | (mixed & 0xffffff)),
		.report = true,
		.host = addr_from_ipv4_number(0xc0000001u | (mixed & 0xffff00)),
		.mac = addr_from_mac((uint8_t[MAC_SIZE]){2, 0, 0, 0, (uint8_t)(mixed >> 24), (uint8_t)mixed}),
	};

	return question;
}

static struct policy_question questions[QUESTIONS];

static double decide(const struct policy *policy)
{
	double start = nanoseconds();

	for (uint32_t i = 0; i < DECISIONS; i++) {
		uint32_t rule = policy_decide(policy, &questions[i % QUESTIONS]);

		__asm__ volatile("" : : "r"(rule)); /* so that the compiler keeps the call */
	}
	return (nanoseconds() - start) / DECISIONS;
}

static double narrow(const struct policy *policy)
{
	static struct addr list[SOURCES], scratch_list[SOURCES];
	double start = nanoseconds();

	for (uint32_t i = 0; i < DECISIONS; i++) {
		struct filter filter = {.mode = FILTER_EXCLUDE, .sources = sources_on(list, SOURCES)};
		struct sources scratch = sources_on(scratch_list, SOURCES);
		uint32_t denied;

		policy_narrow(policy, &questions[i % QUESTIONS], &filter, &scratch, &denied);
	}
	return (nanoseconds() - start) / DECISIONS;
}

static double median(double (*measure)(const struct policy *), const struct policy *policy)
{
	double times[RUNS];

	for (int run = 0; run < RUNS; run++)
		times[run] = measure(policy);
	qsort(times, RUNS, sizeof *times, compare);
	return times[RUNS / 2];
}

int main(void)
{
	bool slow = false;

	for (uint32_t i = 0; i < QUESTIONS; i++)
		questions[i] = question_of(i);
	printf("%-20s %7s %12s %12s\n", "rules differ in", "rules", "decide [ns]", "narrow [ns]");
	for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
		for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++) {
			struct policy_sets sets;
			struct policy *policy;
			double decided;

			sets_init(&sets);
			policy = compile(kinds[kind].rule, sizes[size].rules, &sets);
			decided = median(decide, policy);
			slow |= decided > sizes[size].limit;
			printf("%-20s %7d %12.1f %12.1f\n", kinds[kind].name, sizes[size].rules, decided,
			       median(narrow, policy));
			policy_release(policy);
			sets_fini(&sets);
		}
	return slow;
}
