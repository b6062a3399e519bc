/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hosts and the upstream router around a proxy under test: makes the traffic, takes the times, prints one
 * JSON object. bench.py makes the networks, runs the proxies and makes a table of what comes out here.
 *
 *   source port (upstream)  --  proxy  --  host port (downstream)
 */
#include "port.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND    (NANOSECONDS / 1000)
#define SOURCE_ADDRESS 0x0a00000aU /* 10.0.0.10 */
#define HOST_ADDRESS   0x0a00010aU /* 10.0.1.10 */
#define PATIENCE       (1 * (int64_t)NANOSECONDS)
#define LEAVE_PATIENCE (5 * PATIENCE) /* a stream that still runs then will not stop */
#define ZAP_BEFORE     40             /* packets before the join */

static const char usage[] =
	"usage: bench_network [-p pid] [-b first-group] [-w milliseconds] [-n pair] source-namespace "
	"host-namespace "
	"command\n"
	"  -n: the addresses are 10.0.2n.10 and 10.0.(2n+1).10 (0)\n"
	"  -w: time for repeated reports, counted as CPU of groups (2500)\n"
	"  join COUNT                      report -> report upstream\n"
	"  zap COUNT PPS                   report -> first packet of a running stream\n"
	"  source COUNT PACKETS PPS        new source -> first packet, and packets lost\n"
	"  groups COUNT RECORDS RATE       joins; RECORDS in each packet, RATE a second (0: flat out)\n"
	"  part COUNT                      all these groups left in one go\n"
	"  refresh COUNT RECORDS HOSTS     all groups told again\n"
	"  leave COUNT PPS SECOND          leave -> the stream stops; SECOND 1: another member stays\n"
	"  forward MILLISECONDS            packets forwarded a second\n"
	"  flood RATE MILLISECONDS         reports, one record each\n"
	"  upcalls RATE MILLISECONDS       packets of random sources\n";

struct bench {
	struct port host, source;
	uint32_t base; /* the first group */
	clockid_t cpu; /* of the proxy, all its threads */
	bool has_cpu;
	int64_t settle;
	uint32_t pair;
};

static uint32_t source_address(const struct bench *bench)
{
	return SOURCE_ADDRESS + (bench->pair << 9);
}

static uint32_t host_address(const struct bench *bench)
{
	return HOST_ADDRESS + (bench->pair << 9);
}

/* Times. */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Microseconds, and how many there should have been. */
static void print_times(double *times, unsigned count, unsigned wanted)
{
	qsort(times, count, sizeof *times, compare);
	printf("{\"median\": %.2f, \"p99\": %.2f, \"missing\": %u", count ? times[count / 2] : -1,
	       count ? times[(size_t)count * 99 / 100] : -1, wanted - count);
}

static double microseconds(int64_t time)
{
	return (double)time / 1000;
}

static int64_t cpu_nanoseconds(const struct bench *bench)
{
	struct timespec time = {0};

	if (bench->has_cpu && clock_gettime(bench->cpu, &time) != 0)
		errx(1, "the proxy has ended");
	return (int64_t)time.tv_sec * NANOSECONDS + time.tv_nsec;
}

static void pause_for(int64_t nanoseconds)
{
	sleep_until(clock_nanoseconds() + nanoseconds);
}

/* Until the proxy has used no CPU for 10 ms. */
static void wait_idle(const struct bench *bench)
{
	int64_t before, now = cpu_nanoseconds(bench), end = clock_nanoseconds() + 60 * PATIENCE;

	do {
		before = now;
		pause_for(10 * MILLISECOND);
		now = cpu_nanoseconds(bench);
	} while (now - before > MILLISECOND / 10 && clock_nanoseconds() < end);
}

static int64_t random_below(int64_t limit)
{
	return (int64_t)((double)random() / ((double)RAND_MAX + 1) * (double)limit);
}

/* Groups ready upstream. */

struct ready {
	uint32_t base;
	uint32_t count; /* of groups from base on that are of interest */
	bool leaves;    /* leaves are of interest, not joins */
	uint8_t *joined;
	uint32_t number; /* that are joined, or left */
	int64_t last;    /* the arrival of the newest of them */
};

static void take_news(void *context, uint32_t group, bool joined, int64_t time)
{
	struct ready *ready = context;
	uint32_t index = group - ready->base;

	if (index >= ready->count || joined == ready->leaves || ready->joined[index])
		return;
	ready->joined[index] = 1;
	ready->number++;
	ready->last = time;
}

static void heard_open(struct ready *ready, uint32_t base, uint32_t count)
{
	*ready = (struct ready){.base = base, .count = count, .joined = calloc(count, 1)};
	if (ready->joined == NULL)
		err(1, "memory");
}

static void listen_upstream(struct bench *bench, struct ready *ready, int64_t until)
{
	struct arrival arrivals[PORT_BATCH];
	unsigned count = port_receive(&bench->source, arrivals, until);

	for (unsigned i = 0; i < count; i++)
		arrival_groups(&arrivals[i], take_news, ready);
}

/* Until all are ready, or none for a second. */
static void listen_for_all(struct bench *bench, struct ready *ready)
{
	int64_t quiet = clock_nanoseconds();

	while (ready->number < ready->count && clock_nanoseconds() - quiet < PATIENCE) {
		uint32_t before = ready->number;

		listen_upstream(bench, ready, clock_nanoseconds() + 50 * MILLISECOND);
		if (ready->number != before)
			quiet = clock_nanoseconds();
	}
}

static void tell(struct bench *bench, enum record_type type, uint32_t group)
{
	port_report(&bench->host, type, group, 1);
	port_flush(&bench->host);
}

static void measure_join(struct bench *bench, const uint32_t *numbers)
{
	unsigned count = numbers[0], done = 0;
	double *times = calloc(count + 1, sizeof *times);

	for (unsigned i = 0; i < count; i++) {
		struct ready ready;
		int64_t start;

		heard_open(&ready, bench->base + i, 1);
		pause_for(2 * MILLISECOND + random_below(3 * MILLISECOND));
		start = clock_nanoseconds();
		tell(bench, TO_EX, bench->base + i);
		while (ready.number == 0 && clock_nanoseconds() - start < PATIENCE)
			listen_upstream(bench, &ready, start + PATIENCE);
		if (ready.number != 0)
			times[done++] = microseconds(ready.last - start);
		tell(bench, TO_IN, bench->base + i);
		free(ready.joined);
	}
	print_times(times, done, count);
	puts("}");
	free(times);
}

/* Streams at the host. */

/* The arrival of a packet of the group that is at least the `oldest`, or 0. */
static int64_t see_newer(struct bench *bench, uint32_t group, uint32_t oldest, uint32_t *seen, int64_t until)
{
	struct arrival arrivals[PORT_BATCH];
	unsigned count = port_receive(&bench->host, arrivals, until);
	int64_t first = 0;

	for (unsigned i = 0; i < count; i++) {
		if (arrivals[i].group != group || arrivals[i].sequence < oldest)
			continue;
		if (first == 0)
			first = arrivals[i].time;
		++*seen;
	}
	return first;
}

static int64_t see_stream(struct bench *bench, uint32_t group, uint32_t *seen, int64_t until)
{
	return see_newer(bench, group, 0, seen, until);
}

static void stream(struct bench *bench, uint32_t source, uint32_t group, uint32_t sequence)
{
	port_stream(&bench->source, source, group, sequence);
	port_flush(&bench->source);
}

/* One stream that runs before it is joined; nanoseconds from the join to the first packet that was sent after
 * it, or 0. Older ones may have waited in the kernel. */
static int64_t zap(struct bench *bench, uint32_t group, int64_t spacing)
{
	int64_t next = clock_nanoseconds(), joined = 0, first = 0;
	uint32_t seen = 0;

	for (uint32_t i = 0; first == 0 && (i <= ZAP_BEFORE || next - joined < PATIENCE); i++) {
		if (i == ZAP_BEFORE) {
			sleep_until(next - spacing + random_below(spacing));
			joined = clock_nanoseconds();
			tell(bench, TO_EX, group);
		}
		sleep_until(next);
		stream(bench, source_address(bench), group, i);
		first = see_newer(bench, group, ZAP_BEFORE, &seen, 0);
		next += spacing;
	}
	return joined != 0 && first != 0 ? first - joined : 0;
}

static void measure_zap(struct bench *bench, const uint32_t *numbers)
{
	unsigned count = numbers[0], done = 0;
	double *times = calloc(count + 1, sizeof *times);

	for (unsigned i = 0; i < count; i++) {
		int64_t time = zap(bench, bench->base + i, NANOSECONDS / (int64_t)numbers[1]);

		if (time > 0)
			times[done++] = microseconds(time);
		tell(bench, TO_IN, bench->base + i);
		pause_for(MILLISECOND);
	}
	print_times(times, done, count);
	puts("}");
	free(times);
}

static void measure_source(struct bench *bench, const uint32_t *numbers)
{
	unsigned count = numbers[0], packets = numbers[1], done = 0;
	int64_t spacing = NANOSECONDS / (int64_t)numbers[2];
	double *times = calloc(count + 1, sizeof *times);
	uint32_t lost = 0;

	tell(bench, TO_EX, bench->base);
	pause_for(100 * MILLISECOND);
	for (unsigned i = 0; i < count; i++) {
		int64_t start = clock_nanoseconds(), first = 0;
		uint32_t seen = 0;

		for (uint32_t j = 0; j < packets; j++) {
			int64_t arrival;

			sleep_until(start + (int64_t)j * spacing);
			stream(bench, source_address(bench) + 10 + i % 200, bench->base + i / 200, j);
			arrival = see_stream(bench, bench->base + i / 200, &seen, 0);
			first = first ? first : arrival;
		}
		while (seen < packets && see_stream(bench, bench->base + i / 200, &seen,
		                                    clock_nanoseconds() + 20 * MILLISECOND))
			;
		lost += packets - seen;
		if (first != 0)
			times[done++] = microseconds(first - start);
		if (i % 200 == 199) {
			tell(bench, TO_EX, bench->base + i / 200 + 1);
			pause_for(100 * MILLISECOND);
		}
		pause_for(2 * MILLISECOND);
	}
	print_times(times, done, count);
	printf(", \"lost\": %u, \"packets\": %u}\n", lost, packets * count);
	free(times);
}

/* Many groups. */

static void report_groups(struct bench *bench, struct ready *ready, enum record_type type, uint32_t count,
                          uint32_t records, uint32_t rate)
{
	int64_t start = clock_nanoseconds();

	for (uint32_t i = 0; i < count; i += records) {
		uint32_t left = count - i;

		port_report(&bench->host, type, bench->base + i, left < records ? left : records);
		if (rate == 0 || i % 256 >= records)
			continue;
		port_flush(&bench->host);
		sleep_until(start + (int64_t)i * NANOSECONDS / (int64_t)rate);
		if (ready != NULL)
			listen_upstream(bench, ready, 0);
	}
	port_flush(&bench->host);
}

/* CPU includes what follows: repeated reports. */
static void measure_groups(struct bench *bench, const uint32_t *numbers)
{
	uint32_t count = numbers[0];
	struct ready ready;
	int64_t cpu, start;

	heard_open(&ready, bench->base, count);
	wait_idle(bench);
	cpu = cpu_nanoseconds(bench);
	start = clock_nanoseconds();
	report_groups(bench, &ready, TO_EX, count, numbers[1], numbers[2]);
	listen_for_all(bench, &ready);
	for (int64_t end = clock_nanoseconds() + bench->settle; clock_nanoseconds() < end;)
		listen_upstream(bench, &ready, end);
	wait_idle(bench);
	cpu = cpu_nanoseconds(bench) - cpu;
	printf("{\"joined\": %u, \"wanted\": %u, \"seconds\": %.4f, \"cpu\": %.3f}\n", ready.number, count,
	       ready.number ? microseconds(ready.last - start) / 1e6 : 0,
	       ready.number ? microseconds(cpu) / ready.number : 0);
	free(ready.joined);
}

/* All groups are left at once. */
static void measure_part(struct bench *bench, const uint32_t *numbers)
{
	uint32_t count = numbers[0];
	struct ready ready;
	int64_t start;

	heard_open(&ready, bench->base, count);
	ready.leaves = true;
	wait_idle(bench);
	start = clock_nanoseconds();
	report_groups(bench, &ready, TO_IN, count, 100, 0);
	listen_for_all(bench, &ready);
	printf("{\"left\": %u, \"wanted\": %u, \"ms\": %.2f}\n", ready.number, count,
	       ready.number ? microseconds(ready.last - start) / 1e3 : 0);
	free(ready.joined);
}

static void measure_refresh(struct bench *bench, const uint32_t *numbers)
{
	uint32_t hosts = numbers[2];
	int64_t cpu;

	wait_idle(bench);
	cpu = cpu_nanoseconds(bench);
	for (uint32_t host = 0; host < hosts; host++) {
		bench->host.address = host_address(bench) + 10 + host;
		report_groups(bench, NULL, IS_EX, numbers[0], numbers[1], 0);
		wait_idle(bench);
	}
	cpu = cpu_nanoseconds(bench) - cpu;
	printf("{\"records\": %u, \"cpu\": %.4f}\n", numbers[0] * hosts,
	       microseconds(cpu) / ((double)numbers[0] * hosts));
}

/* Leaving. */

/* Streams until `end`; the last arrival, or 0. */
static int64_t keep_streaming(struct bench *bench, uint32_t group, int64_t spacing, int64_t end,
                              int64_t quiet, uint32_t *sent, uint32_t *seen)
{
	int64_t next = clock_nanoseconds(), last = 0;

	for (; next < end; next += spacing) {
		int64_t arrival;

		sleep_until(next);
		stream(bench, source_address(bench), group, 0);
		++*sent;
		arrival = see_stream(bench, group, seen, 0);
		if (arrival != 0)
			last = arrival;
		if (quiet != 0 && last != 0 && next - last > quiet)
			break;
	}
	return last;
}

static void measure_leave(struct bench *bench, const uint32_t *numbers)
{
	unsigned count = numbers[0], done = 0;
	int64_t spacing = NANOSECONDS / (int64_t)numbers[1];
	double *times = calloc(count + 1, sizeof *times);
	uint32_t lost = 0;
	bool second = numbers[2] != 0;

	for (unsigned i = 0; i < count; i++) {
		uint32_t group = bench->base + i, sent = 0, seen = 0;
		int64_t start, last;

		bench->host.address = host_address(bench) + 11;
		if (second)
			tell(bench, TO_EX, group);
		bench->host.address = host_address(bench) + 10;
		tell(bench, TO_EX, group);
		keep_streaming(bench, group, spacing, clock_nanoseconds() + 50 * MILLISECOND, 0, &sent,
		               &seen);
		sent = seen = 0;
		start = clock_nanoseconds();
		tell(bench, TO_IN, group);
		last = keep_streaming(bench, group, spacing, start + (second ? PATIENCE / 5 : LEAVE_PATIENCE),
		                      second ? 0 : 100 * MILLISECOND, &sent, &seen);
		lost += sent - seen;
		if (!second && last - start > LEAVE_PATIENCE - PATIENCE / 10)
			break;
		/* A stream that stops before its next packet comes is stopped at once. */
		times[done++] = last > start ? microseconds(last - start) : 0;
	}
	print_times(times, done, count);
	printf(", \"lost\": %u}\n", lost);
	free(times);
}

/* Throughput. */

static uint64_t packets_received(void)
{
	FILE *file = fopen("/proc/thread-self/net/dev", "re");
	unsigned long long packets = 0;
	char line[512];

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, " eth0: %*u %llu", &packets) == 1)
			break;
	if (file != NULL)
		fclose(file);
	return packets;
}

static void measure_forward(struct bench *bench, const uint32_t *numbers)
{
	int64_t start, end;
	uint64_t before;
	uint32_t seen = 0;

	tell(bench, TO_EX, bench->base);
	for (int tries = 0; seen == 0 && tries < 100; tries++) {
		stream(bench, source_address(bench), bench->base, 0);
		see_stream(bench, bench->base, &seen, clock_nanoseconds() + 10 * MILLISECOND);
	}
	/* No socket receives it: this measures the way through the router. */
	port_close(&bench->host);
	before = packets_received();
	start = clock_nanoseconds();
	end = start + (int64_t)numbers[0] * MILLISECOND;
	while (clock_nanoseconds() < end) {
		for (uint32_t i = 0; i < PORT_BATCH; i++)
			port_stream(&bench->source, source_address(bench), bench->base, i);
		port_flush(&bench->source);
	}
	end = clock_nanoseconds();
	printf("{\"pps\": %.0f}\n", (double)(packets_received() - before) * 1e9 / (double)(end - start));
}

/* Storms. */

/* Calls send(bench, n) at that rate, in bursts of a millisecond. */
static void storm(struct bench *bench, const uint32_t *numbers, void (*send)(struct bench *, uint32_t))
{
	int64_t start = clock_nanoseconds();
	uint64_t sent = 0;

	for (uint32_t ms = 1; ms <= numbers[1]; ms++) {
		for (; sent < (uint64_t)numbers[0] * ms / 1000; sent++)
			send(bench, (uint32_t)sent);
		port_flush(&bench->host);
		port_flush(&bench->source);
		sleep_until(start + (int64_t)ms * MILLISECOND);
	}
	printf("{\"sent\": %llu, \"seconds\": %.3f}\n", (unsigned long long)sent,
	       microseconds(clock_nanoseconds() - start) / 1e6);
}

static void send_report(struct bench *bench, uint32_t n)
{
	port_report(&bench->host, IS_EX, bench->base + n % 1000, 1);
}

static void send_stranger(struct bench *bench, uint32_t n)
{
	(void)n;
	port_stream(&bench->source, 0x0b000000U + (uint32_t)random_below(1 << 24), bench->base + n % 100, 0);
}

static void measure_flood(struct bench *bench, const uint32_t *numbers)
{
	storm(bench, numbers, send_report);
}

static void measure_upcalls(struct bench *bench, const uint32_t *numbers)
{
	storm(bench, numbers, send_stranger);
}

static const struct command {
	const char *name;
	int numbers;
	void (*run)(struct bench *bench, const uint32_t *numbers);
} commands[] = {
	{"join", 1, measure_join},       {"zap", 2, measure_zap},         {"source", 3, measure_source},
	{"part", 1, measure_part},       {"groups", 3, measure_groups},   {"refresh", 3, measure_refresh},
	{"leave", 3, measure_leave},     {"forward", 1, measure_forward}, {"flood", 2, measure_flood},
	{"upcalls", 2, measure_upcalls},
};

static const struct command *find_command(const char *name, int numbers)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, name) == 0 && commands[i].numbers == numbers)
			return &commands[i];
	errx(2, "%s", usage);
}

static void parse_options(struct bench *bench, int argc, char **argv)
{
	for (int option; (option = getopt(argc, argv, "p:b:w:n:")) != -1;) {
		if (option == 'p') {
			bench->has_cpu = clock_getcpuclockid((pid_t)atoi(optarg), &bench->cpu) == 0;
			if (!bench->has_cpu)
				errx(1, "%s: no such process", optarg);
		} else if (option == 'n') {
			bench->pair = (uint32_t)atoi(optarg);
		} else if (option == 'w') {
			bench->settle = atoi(optarg) * (int64_t)MILLISECOND;
		} else if (option == 'b') {
			bench->base = (uint32_t)strtoul(optarg, NULL, 0);
		} else {
			errx(2, "%s", usage);
		}
	}
	if (argc - optind < 3)
		errx(2, "%s", usage);
}

int main(int argc, char **argv)
{
	struct bench bench = {.base = 0xef800000U, .settle = 5 * PATIENCE / 2};
	const struct command *command;
	uint32_t numbers[4] = {0};

	parse_options(&bench, argc, argv);
	argv += optind;
	argc -= optind;
	command = find_command(argv[2], argc - 3);
	for (int i = 3; i < argc; i++)
		numbers[i - 3] = (uint32_t)strtoul(argv[i], NULL, 0);
	prctl(PR_SET_TIMERSLACK, 1);
	srandom((unsigned)clock_nanoseconds());
	port_open(&bench.source, argv[0], "eth0", source_address(&bench), true);
	port_open(&bench.host, argv[1], "eth0", host_address(&bench), false);
	command->run(&bench, numbers);
	return 0;
}
