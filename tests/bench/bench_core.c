/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the core costs, without system calls: nanoseconds a record by number of groups, sources and records a
 * packet, and bytes a group. Groups are taken in order, as they were joined, or shuffled, as reports of many
 * hosts come in. Each case runs in a process of its own. Prints medians, and the two measures that tell
 * whether the cost stays flat.
 */
#include "core/host/host.h"
#include "core/policy/group_map.h"
#include "core/policy/policy.h"
#include "core/router/instance.h"
#include "core/router/prefetch.h"
#include "core/wire/igmp.h"
#include "core/wire/packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIZES       3
#define RUNS_MAX    101
#define BATCH       256
#define LOOK_FAR    6
#define LOOK_NEAR   3
#define PACKET_MAX  2048
#define FIRST_GROUP 0xef000000u
#define MTU         1500

enum { UP, DOWN };

static const char usage[] = "usage: bench_core [-h] [-r runs] [-f part-of-a-name] [-g groups]\n";
static const uint32_t sizes[SIZES] = {100, 10000, 100000};

enum order { IN_ORDER, SHUFFLED };

/* What one case is about. */
struct plan {
	uint32_t groups;
	enum order order;
	uint32_t records; /* a packet */
	uint16_t sources; /* a record */
	unsigned runs;
};

struct bench {
	struct plan plan;
	struct instance *instance;
	struct host *host;
	mtime now;
	bool fast_leave;
	uint32_t host_groups_max;
	const struct policy *filter; /* of both links; NULL: none */
	uint32_t *groups;            /* in the order in which they come */
	double times[RUNS_MAX];
	size_t resident; /* before there was a group */
};

static _Alignas(8) uint8_t payload[REQUEST_PAYLOAD_MAX];
static uint8_t packets[BATCH][PACKET_MAX];
static size_t packet_sizes[BATCH];

static void fail(const char *what)
{
	fprintf(stderr, "bench_core: %s\n", what);
	exit(1);
}

/* Of processor time: other programs do not count. */
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

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, compare);
	return values[count / 2];
}

static size_t resident_bytes(void)
{
	long total = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file == NULL || fscanf(file, "%ld %ld", &total, &resident) != 2)
		fail("no /proc/self/statm");
	fclose(file);
	return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* The same order in each run of the program. */
static void make_groups(struct bench *bench)
{
	uint64_t random = 88172645463325252u;

	bench->groups = calloc(bench->plan.groups, sizeof *bench->groups);
	if (bench->groups == NULL)
		fail("no memory");
	for (uint32_t i = 0; i < bench->plan.groups; i++)
		bench->groups[i] = FIRST_GROUP + i;
	for (uint32_t i = bench->plan.groups; bench->plan.order == SHUFFLED && i > 1; i--) {
		uint32_t other, kept = bench->groups[i - 1];

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		other = (uint32_t)(random % i);
		bench->groups[i - 1] = bench->groups[other];
		bench->groups[other] = kept;
	}
}

/* The router side. */

static void open_link(struct bench *bench, uint8_t id, enum link_role role)
{
	struct input input = {.kind = INPUT_LINK, .link = id};
	struct link_change change = {
		.present = true,
		.role = (uint8_t)role,
		.mtu = MTU,
		.settings = {.version = {VERSION_3, VERSION_3},
	                     .querier_election = true,
	                     .robustness = 2,
	                     .query_interval = 125000,
	                     .query_response_interval = 10000,
	                     .last_member_query_interval = 1000,
	                     .fast_leave = bench->fast_leave,
	                     .hosts_max = 128,
	                     .host_groups_max = bench->host_groups_max,
	                     .groups_max = 131072,
	                     .sources_max = 1024},
	};

	change.settings.filter_in = change.settings.filter_out = bench->filter;
	settings_hold(&change.settings);
	change.family[FAMILY_IPV4].usable = true;
	change.family[FAMILY_IPV4].address = addr_from_ipv4_number(0x0a000001u + 256u * id);
	instance_input(bench->instance, bench->now, &input, &change, sizeof change);
}

static void open_instance(struct bench *bench)
{
	struct instance_settings settings = {
		.routes_max = 65536, .route_timeout = 60000, .memory_max = (uint64_t)1 << 30};

	bench->instance = instance_new(&settings, 0x1234567890abcdef);
	if (bench->instance == NULL)
		fail("no memory");
	open_link(bench, UP, ROLE_UPSTREAM);
	open_link(bench, DOWN, ROLE_DOWNSTREAM);
}

static size_t craft_packet(const struct plan *plan, uint8_t *at, const uint32_t *groups, uint32_t count,
                           enum record_type type)
{
	static struct addr sources[1024];
	struct addr from = addr_from_ipv4_number(0x0a000105), to = addr_from_ipv4_number(IGMP_V3_ROUTERS);
	struct report_writer writer;

	for (uint16_t i = 0; i < plan->sources; i++)
		sources[i] = addr_from_ipv4_number(0x0b000001u + i);
	report_writer_open(&writer, FAMILY_IPV4, at + packet_header_size(FAMILY_IPV4),
	                   PACKET_MAX - packet_header_size(FAMILY_IPV4));
	for (uint32_t i = 0; i < count; i++) {
		struct addr group = addr_from_ipv4_number(groups[i]);

		if (report_writer_add(&writer, type, &group, sources, plan->sources) != plan->sources)
			fail("the records do not fit a packet");
	}
	return packet_finish(FAMILY_IPV4, at, &from, &to, igmp_finish_report(&writer));
}

/* The daemon's loop, without the daemon. */
static void turn(struct bench *bench)
{
	struct request request;
	size_t size;

	instance_expire(bench->instance, bench->now);
	while (instance_pull(bench->instance, bench->now, &request, payload, &size))
		continue;
	instance_deadline(bench->instance);
}

static void hear_batch(struct bench *bench, size_t count)
{
	static const struct input input = {.kind = INPUT_PACKET, .link = DOWN, .family = FAMILY_IPV4};

	/* As the worker does it. */
	for (size_t i = 0; i < count; i++) {
		if (i + LOOK_FAR < count)
			prefetch_input(bench->instance, &input, packets[i + LOOK_FAR],
			               packet_sizes[i + LOOK_FAR], PREFETCH_FAR);
		if (i + LOOK_NEAR < count)
			prefetch_input(bench->instance, &input, packets[i + LOOK_NEAR],
			               packet_sizes[i + LOOK_NEAR], PREFETCH_NEAR);
		instance_input(bench->instance, bench->now, &input, packets[i], packet_sizes[i]);
	}
	turn(bench);
}

/* All groups once, in batches that are made beforehand: nanoseconds a record. */
static double hear_all(struct bench *bench, enum record_type type)
{
	uint32_t done = 0;
	double spent = 0;

	while (done < bench->plan.groups) {
		size_t batch = 0;
		double start;

		for (; batch < BATCH && done < bench->plan.groups; batch++) {
			uint32_t left = bench->plan.groups - done;
			uint32_t count = left < bench->plan.records ? left : bench->plan.records;

			packet_sizes[batch] =
				craft_packet(&bench->plan, packets[batch], bench->groups + done, count, type);
			done += count;
		}
		start = nanoseconds();
		hear_batch(bench, batch);
		spent += nanoseconds() - start;
	}
	return spent / bench->plan.groups;
}

/* Few groups are gone through more often, so that each run takes as long. */
static double hear_often(struct bench *bench, enum record_type type)
{
	uint32_t rounds = sizes[SIZES - 1] / bench->plan.groups;
	double spent = 0;

	for (uint32_t i = 0; i < rounds; i++) {
		bench->now += 10;
		spent += hear_all(bench, type);
	}
	return spent / rounds;
}

static double measure_refresh(struct bench *bench)
{
	enum record_type type = bench->plan.sources > 0 ? IS_IN : IS_EX;

	open_instance(bench);
	hear_all(bench, type);
	for (unsigned run = 0; run < bench->plan.runs; run++)
		bench->times[run] = hear_often(bench, type);
	return median(bench->times, bench->plan.runs);
}

/* Refreshed at the pace of queries, so that timers move and are corrected. */
static double measure_aged_refresh(struct bench *bench)
{
	open_instance(bench);
	hear_all(bench, IS_EX);
	for (unsigned run = 0; run < bench->plan.runs; run++) {
		bench->now += 125000;
		bench->times[run] = hear_all(bench, IS_EX);
	}
	return median(bench->times, bench->plan.runs);
}

/* Last members leave, and no host answers the queries: nanoseconds a group for all of it. */
static double leave_all(struct bench *bench)
{
	double spent = hear_all(bench, TO_IN) * bench->plan.groups, start = nanoseconds();

	for (int i = 0; i < 4; i++) {
		bench->now += 1000;
		turn(bench);
	}
	return (spent + nanoseconds() - start) / bench->plan.groups;
}

static double measure_join(struct bench *bench)
{
	open_instance(bench);
	for (unsigned run = 0; run < bench->plan.runs; run++) {
		bench->times[run] = hear_all(bench, TO_EX);
		leave_all(bench);
	}
	return median(bench->times, bench->plan.runs);
}

static double measure_leave(struct bench *bench)
{
	open_instance(bench);
	for (unsigned run = 0; run < bench->plan.runs; run++) {
		hear_all(bench, TO_EX);
		bench->times[run] = leave_all(bench);
	}
	return median(bench->times, bench->plan.runs);
}

/* The only host of each group leaves, on a link with fast leave. */
static double measure_fast_leave(struct bench *bench)
{
	bench->fast_leave = true;
	open_instance(bench);
	for (unsigned run = 0; run < bench->plan.runs; run++) {
		hear_all(bench, TO_EX);
		bench->times[run] = hear_all(bench, TO_IN);
	}
	return median(bench->times, bench->plan.runs);
}

static double measure_tracked_refresh(struct bench *bench)
{
	bench->fast_leave = true;
	return measure_refresh(bench);
}

static double measure_limited_refresh(struct bench *bench)
{
	bench->host_groups_max = UINT32_MAX;
	return measure_refresh(bench);
}

/* 32 rules, most of which concern the groups. */
static const struct policy *make_filter(void)
{
	struct policy_rule rules[32];
	char text[64], error[POLICY_ERROR_SIZE];
	enum policy_failure failure;
	struct policy_sets sets;
	struct policy *policy;

	sets_init(&sets);
	for (int i = 0; i < 32; i++) {
		snprintf(text, sizeof text, "%s 239.0.%d.0/24%s", i % 2 ? "allow" : "deny", 8 * i,
		         i % 2 ? "" : " from 10.9.0.0/16");
		if (!rule_parse(text, 1, &sets, &rules[i], error))
			fail(error);
	}
	policy = policy_new(rules, 32, &failure);
	if (policy == NULL)
		fail("no filter");
	return policy;
}

static double measure_filtered_refresh(struct bench *bench)
{
	bench->filter = make_filter();
	return measure_refresh(bench);
}

static double measure_filtered_join(struct bench *bench)
{
	bench->filter = make_filter();
	return measure_join(bench);
}

static double measure_instance_bytes(struct bench *bench)
{
	open_instance(bench);
	bench->resident = resident_bytes();
	hear_all(bench, bench->plan.sources > 0 ? IS_IN : IS_EX);
	return (double)(resident_bytes() - bench->resident) / bench->plan.groups;
}

static double measure_tracked_bytes(struct bench *bench)
{
	bench->fast_leave = true;
	return measure_instance_bytes(bench);
}

/* The host side. */

static void open_host(struct bench *bench)
{
	struct host_limits limits = {
		.groups_per_socket = 20, .sources_per_filter = 10, .memory_max = (size_t)1 << 30};
	struct link_settings settings = {
		.upstream_membership = MEMBERSHIP_USER,
		.version = {VERSION_3, VERSION_3},
		.querier_election = true,
		.robustness = 2,
		.query_interval = 125000,
		.query_response_interval = 10000,
	};
	struct host_link link = {.usable = true,
	                         .address = addr_from_ipv4_number(0x0a000002),
	                         .mtu = MTU,
	                         .kernel_version = VERSION_3};

	bench->host = host_new(FAMILY_IPV4, &limits, &settings, 0x1234567890abcdef);
	if (bench->host == NULL)
		fail("no memory");
	host_set_link(bench->host, bench->now, &link);
}

static size_t packets_sent, packet_bytes;

static void send_due(struct bench *bench)
{
	size_t size;
	struct addr destination;

	while (host_pull_packet(bench->host, bench->now, packets[0], &size, &destination)) {
		packets_sent++;
		packet_bytes += size;
	}
}

/* All that is due within the time. */
static void send_for(struct bench *bench, mtime interval)
{
	mtime until = bench->now + interval;

	send_due(bench);
	for (mtime at; (at = host_deadline(bench->host)) <= until;) {
		bench->now = at > bench->now ? at : bench->now;
		send_due(bench);
	}
	bench->now = until;
}

static void want_all(struct bench *bench, enum filter_mode mode)
{
	struct filter filter = {.mode = mode};

	for (uint32_t i = 0; i < bench->plan.groups; i++) {
		struct addr group = addr_from_ipv4_number(bench->groups[i]);

		if (!host_want(bench->host, bench->now, 0, &group, &filter, 0))
			fail("no memory");
		if (i % BATCH == BATCH - 1)
			send_due(bench);
		if (i % 1000 == 999)
			bench->now++;
	}
}

/* Wanted and told, with all repetitions; then the same backwards. */
static double measure_host(struct bench *bench, enum filter_mode mode)
{
	open_host(bench);
	for (unsigned run = 0; run < bench->plan.runs; run++) {
		double start = nanoseconds(), half;

		want_all(bench, FILTER_EXCLUDE);
		send_for(bench, 3000);
		half = nanoseconds();
		want_all(bench, FILTER_INCLUDE);
		send_for(bench, 3000);
		bench->times[run] =
			(mode == FILTER_EXCLUDE ? half - start : nanoseconds() - half) / bench->plan.groups;
	}
	return median(bench->times, bench->plan.runs);
}

static double measure_host_join(struct bench *bench)
{
	return measure_host(bench, FILTER_EXCLUDE);
}

static double measure_host_leave(struct bench *bench)
{
	return measure_host(bench, FILTER_INCLUDE);
}

static double measure_host_answer(struct bench *bench)
{
	struct upstream_query query = {.querier = addr_from_ipv4_number(0x0a000001),
	                               .group = addr_unspecified(FAMILY_IPV4),
	                               .max_response = 10000,
	                               .query_interval = 125000,
	                               .version = VERSION_3,
	                               .robustness = 2};

	open_host(bench);
	want_all(bench, FILTER_EXCLUDE);
	send_for(bench, 3000);
	for (unsigned run = 0; run < bench->plan.runs; run++) {
		double start = nanoseconds();

		host_receive_query(bench->host, bench->now, &query, NULL);
		send_for(bench, 20000);
		bench->times[run] = (nanoseconds() - start) / bench->plan.groups;
	}
	return median(bench->times, bench->plan.runs);
}

static double measure_host_bytes(struct bench *bench)
{
	open_host(bench);
	bench->resident = resident_bytes();
	want_all(bench, FILTER_EXCLUDE);
	send_for(bench, 3000);
	return (double)(resident_bytes() - bench->resident) / bench->plan.groups;
}

/* How full the packets of a burst of joins and its repetitions are: records in each. */
static double measure_host_packing(struct bench *bench)
{
	open_host(bench);
	want_all(bench, FILTER_EXCLUDE);
	send_for(bench, 3000);
	return (double)(packet_bytes - packets_sent * 32) / 8 / (double)packets_sent;
}

/* The cases. */

struct kind {
	const char *name;
	double (*measure)(struct bench *bench);
	struct plan plan; /* groups and runs are filled in */
};

static const struct kind kinds[] = {
	{"router: refresh, in order, 1 record a packet", measure_refresh, {.order = IN_ORDER, .records = 1}},
	{"router: refresh, shuffled, 1 record a packet", measure_refresh, {.order = SHUFFLED, .records = 1}},
	{"router: refresh, in order, 100 records", measure_refresh, {.order = IN_ORDER, .records = 100}},
	{"router: refresh, shuffled, 100 records", measure_refresh, {.order = SHUFFLED, .records = 100}},
	{"router: refresh every 125 s, shuffled, 100 records",
         measure_aged_refresh,
         {.order = SHUFFLED, .records = 100}},
	{"router: refresh, shuffled, 1 source",
         measure_refresh,
         {.order = SHUFFLED, .records = 1, .sources = 1}},
	{"router: refresh, shuffled, 10 sources",
         measure_refresh,
         {.order = SHUFFLED, .records = 1, .sources = 10}},
	{"router: refresh, shuffled, 100 sources",
         measure_refresh,
         {.order = SHUFFLED, .records = 1, .sources = 100}},
	{"router: join, in order, 1 record a packet", measure_join, {.order = IN_ORDER, .records = 1}},
	{"router: join, shuffled, 1 record a packet", measure_join, {.order = SHUFFLED, .records = 1}},
	{"router: join, shuffled, 100 records", measure_join, {.order = SHUFFLED, .records = 100}},
	{"router: leave, queries and end, shuffled", measure_leave, {.order = SHUFFLED, .records = 1}},
	{"router: refresh, shuffled, 1 record, hosts tracked",
         measure_tracked_refresh,
         {.order = SHUFFLED, .records = 1}},
	{"router: refresh, shuffled, 1 record, groups of hosts limited",
         measure_limited_refresh,
         {.order = SHUFFLED, .records = 1}},
	{"router: refresh, shuffled, 1 record, 32 rules",
         measure_filtered_refresh,
         {.order = SHUFFLED, .records = 1}},
	{"router: join, shuffled, 1 record, 32 rules",
         measure_filtered_join,
         {.order = SHUFFLED, .records = 1}},
	{"router: fast leave, shuffled", measure_fast_leave, {.order = SHUFFLED, .records = 1}},
	{"host: join, told twice, shuffled", measure_host_join, {.order = SHUFFLED}},
	{"host: leave, told twice, shuffled", measure_host_leave, {.order = SHUFFLED}},
	{"host: answer to a general query", measure_host_answer, {.order = SHUFFLED}},
	{"bytes a group: router", measure_instance_bytes, {.order = SHUFFLED, .records = 100}},
	{"bytes a group: router, 1 source", measure_instance_bytes, {.records = 100, .sources = 1}},
	{"bytes a group: router, host tracked", measure_tracked_bytes, {.records = 100}},
	{"bytes a group: router, 10 sources", measure_instance_bytes, {.records = 10, .sources = 10}},
	{"bytes a group: host", measure_host_bytes, {.order = SHUFFLED}},
	{"records a packet: host", measure_host_packing, {.order = SHUFFLED}},
};

#define KINDS (sizeof kinds / sizeof *kinds)

static double run_case(const struct kind *kind, uint32_t groups, unsigned runs)
{
	static struct bench bench;

	bench = (struct bench){.plan = kind->plan, .now = 1000000};
	bench.plan.groups = groups;
	bench.plan.runs = runs;
	make_groups(&bench);
	return kind->measure(&bench);
}

/* In a process of its own, whose memory no other case has touched. */
static void run_apart(const struct kind *kind, uint32_t groups, unsigned runs, double *result)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		*result = run_case(kind, groups, runs);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		fail("a case did not end well");
}

static void print_flatness(const char *name, const double *ns)
{
	printf("%s: 100,000 groups cost %.0f ns more than 100, %.1f times as much as 10,000\n", name,
	       ns[2] - ns[0], ns[2] / ns[1]);
}

int main(int argc, char **argv)
{
	double *results = mmap(NULL, KINDS * SIZES * sizeof *results, PROT_READ | PROT_WRITE,
	                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned runs = 5, groups = 0;
	const char *only = "";

	for (int option; (option = getopt(argc, argv, "hr:f:g:")) != -1;) {
		if (option == 'r')
			runs = (unsigned)atoi(optarg);
		else if (option == 'f')
			only = optarg;
		else if (option == 'g')
			groups = (unsigned)atoi(optarg);
		else
			return fputs(usage, option == 'h' ? stdout : stderr), option != 'h';
	}
	if (results == MAP_FAILED || runs < 1 || runs > RUNS_MAX)
		fail(usage);
	printf("%-52s %10s %10s %10s groups\n", "ns a record or group, unless said otherwise", "100",
	       "10,000", "100,000");
	for (size_t i = 0; i < KINDS; i++) {
		if (strstr(kinds[i].name, only) == NULL)
			continue;
		printf("%-52s", kinds[i].name);
		for (size_t size = 0; size < SIZES; size++) {
			if (groups != 0 && sizes[size] != groups)
				continue;
			run_apart(&kinds[i], sizes[size], runs, &results[i * SIZES + size]);
			printf(" %10.1f", results[i * SIZES + size]);
			fflush(stdout);
		}
		printf("\n");
	}
	if (*only == '\0' && groups == 0) {
		print_flatness("1 record a packet, shuffled", &results[1 * SIZES]);
		print_flatness("100 records a packet, shuffled", &results[3 * SIZES]);
	}
	return 0;
}
