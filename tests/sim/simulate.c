/* SPDX-License-Identifier: BSD-2-Clause
 *
 * simulate [--seed N] [--steps N] [--seconds N] [--record FILE] [-v]: runs simulated worlds and checks that
 * every host gets what it wants, once, and nothing else, and that the proxies report upstream what their
 * hosts want together.
 *
 * A step is one event: the arrival of a membership packet on a segment, a timer of a host, querier or proxy,
 * an upcall, a source that sends. A world lives for some 20,000 steps; the next world has the next seed. The
 * last line is a digest of all requests of the proxies: two builds that print the same one behave the same.
 */
#include "oracle.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STEPS_PER_WORLD 20000
#define SETTLE_JOIN     400 /* for reports to reach the router */
#define SETTLE_STREAM   (25 * MTIME_SECOND)
#define ROUTES_EXPIRE   (60 * MTIME_SECOND)
#define CHECKED_MAX     256

static const char *const tally_names[TALLIES] = {
	[TALLY_STEPS] = "steps",
	[TALLY_WORLDS] = "worlds",
	[TALLY_JOINS] = "joins",
	[TALLY_LEAVES] = "leaves",
	[TALLY_FILTER_CHANGES] = "filter changes",
	[TALLY_REPORTS] = "reports sent",
	[TALLY_GENERAL_QUERIES] = "general queries",
	[TALLY_SPECIFIC_QUERIES] = "specific queries",
	[TALLY_OTHER_QUERIES] = "queries of other queriers",
	[TALLY_DISCOVERY] = "messages of router discovery",
	[TALLY_LOST] = "packets lost",
	[TALLY_DOUBLED] = "packets doubled",
	[TALLY_LINK_FLAPS] = "link failures",
	[TALLY_LINK_REMOVALS] = "link removals",
	[TALLY_RIVALS] = "rival queriers",
	[TALLY_SETTINGS] = "settings changes",
	[TALLY_POLICIES] = "filters",
	[TALLY_CHOICES] = "choices of upstream links",
	[TALLY_RESTARTS] = "restarts",
	[TALLY_FULL_RINGS] = "full rings",
	[TALLY_STREAMS_STARTED] = "streams started",
	[TALLY_STREAMS_MOVED] = "sources moved",
	[TALLY_DATA_PACKETS] = "data packets",
	[TALLY_UPCALLS] = "upcalls",
	[TALLY_WRONG_LINK_UPCALLS] = "upcalls, wrong link",
	[TALLY_UPCALLS_LOST] = "upcalls lost",
	[TALLY_ROUTES_SET] = "routes set",
	[TALLY_ROUTES_REMOVED] = "routes removed",
	[TALLY_MEMBERSHIPS_REQUESTED] = "upstream filters requested",
	[TALLY_PACKET_CHECKS] = "packets checked",
	[TALLY_FILTER_CHECKS] = "filters checked",
	[TALLY_EXPECTED_CHECKS] = "expected routes checked",
};

void world_note(const struct world *world, const char *format, ...)
{
	va_list arguments;

	if (!world->verbose)
		return;
	printf("%10.3f ", (double)world_now(world) / MTIME_SECOND);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

void world_fail(const struct world *world, const char *format, ...)
{
	va_list arguments;

	printf("seed %" PRIu64 ", step %" PRIu64 ", at %.3f s: ", world->seed, world->steps,
	       (double)world_now(world) / MTIME_SECOND);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\nsee it again: simulate --seed %" PRIu64 " -v\n", world->seed);
	exit(EXIT_FAILURE);
}

void world_run(struct world *world, mtime until)
{
	while (agenda_step(&world->agenda, until)) {
		world->steps++;
		world_count(world, TALLY_STEPS);
	}
}

static void run_for(struct world *world, mtime interval)
{
	world_run(world, world_now(world) + interval);
}

/* Sends a packet of each stream, and of some new ones, and checks where they went. */
static void check_packets(struct world *world, const enum strictness *strictness, unsigned new_streams)
{
	struct data_packet *packets[CHECKED_MAX];
	size_t count = 0;

	for (int family = 0; family < FAMILIES; family++)
		for (unsigned source = 0; world->served[family] && source < world->source_count; source++)
			for (unsigned group = 0; group < world->group_count; group++)
				if (world->sources[family][source].groups >> group & 1 && count < CHECKED_MAX)
					packets[count++] = source_send(world, family, source, group);
	for (; new_streams > 0 && count < CHECKED_MAX; new_streams--) {
		enum family family = world->served[FAMILY_IPV4] ? FAMILY_IPV4 : FAMILY_IPV6;

		packets[count++] =
			source_send(world, family, random_below(&world->random, world->source_count),
		                    random_below(&world->random, world->group_count));
	}
	run_for(world, 100);
	for (size_t i = 0; i < count; i++) {
		oracle_check_packet(world, packets[i], strictness[packets[i]->family]);
		data_packet_drop(packets[i]);
	}
}

static void check(struct world *world, const enum strictness *strictness, unsigned new_streams)
{
	for (int family = 0; family < FAMILIES; family++)
		if (world->served[family])
			oracle_check_filters(world, family, strictness[family]);
	check_packets(world, strictness, new_streams);
}

/* Things go wrong. */
static void trouble(struct world *world)
{
	mtime end = world_now(world) + random_between(&world->random, 20, 120) * MTIME_SECOND;
	uint32_t pace = random_between(&world->random, 50, 2000);

	world_note(world, "trouble begins");
	world->streaming = true;
	trouble_begin(world);
	while (world_now(world) < end) {
		trouble_any(world);
		run_for(world, random_below(&world->random, pace));
	}
	trouble_end(world);
	world_note(world, "trouble ends");
}

/* Nothing happens but what the protocols do by themselves, until every timer of the past has run out. */
static void quiet(struct world *world)
{
	static const enum strictness exact[FAMILIES] = {EXACT, EXACT};

	world->streaming = false;
	run_for(world, (4 + world->depth) * world_membership_interval_max(world));
	world->streaming = true;
	run_for(world, ROUTES_EXPIRE);
	check(world, exact, 4);
	oracle_forget_changes(world);
	if (random_percent(&world->random, 30)) {
		run_for(world, world_membership_interval_max(world));
		check(world, exact, 0);
	}
}

/* A few changes in a world without faults: joins work at once, leaves within the time that the queriers
 * give. */
static void calm_round(struct world *world)
{
	static const enum strictness missing[FAMILIES] = {NOTHING_MISSING, NOTHING_MISSING};
	enum strictness strictness[FAMILIES];
	unsigned dice = random_below(&world->random, 100);

	for (int family = 0; family < FAMILIES; family++)
		strictness[family] = world_leaves_work(world, family) ? PROMPT : NOTHING_MISSING;
	for (unsigned changes = random_between(&world->random, 1, 3); changes > 0; changes--)
		trouble_want(world);
	if (dice < 20) {
		trouble_stream(world);
		run_for(world, SETTLE_STREAM);
	} else if (dice < 25) {
		trouble_restart(world);
		run_for(world, world->depth * MTIME_SECOND + world_response_interval_max(world));
	} else if (dice < 40 && world->has_policies) {
		trouble_policy(world);
		run_for(world, world->depth * MTIME_SECOND + world_response_interval_max(world));
	} else {
		run_for(world, SETTLE_JOIN);
		check(world, missing, 0);
	}
	run_for(world, world->depth * world_leave_time_max(world));
	check(world, strictness, 0);
}

static void live(struct world *world, uint64_t steps)
{
	while (world->steps < steps) {
		unsigned rounds = random_between(&world->random, 2, 12);

		trouble(world);
		quiet(world);
		world_note(world, "calm begins");
		while (rounds-- > 0)
			calm_round(world);
	}
	world_note(world, "the end");
}

/* The digest of all requests of the proxies. */
static uint64_t simulate(uint64_t seed, uint64_t steps, uint64_t *tallies, int recording_fd, bool verbose)
{
	static struct world world;

	world_init(&world, seed, tallies);
	world.recording_fd = recording_fd;
	/* Recordings leave filters out. */
	world.has_policies = recording_fd < 0 && seed % 4 != 3;
	world.verbose = verbose;
	world_build(&world);
	live(&world, steps);
	world_fini(&world);
	return world.digest;
}

static void print_tallies(const uint64_t *tallies, uint64_t seed, uint64_t digest)
{
	printf("seed %" PRIu64 ":", seed);
	for (size_t i = 0; i < TALLIES; i++)
		printf(" %" PRIu64 " %s%s", tallies[i], tally_names[i], i + 1 < TALLIES ? "," : "\n");
	printf("digest of all requests: %016" PRIx64 "\n", digest);
}

static uint64_t read_number(const char *text)
{
	char *end;
	uint64_t number = strtoull(text, &end, 0);

	if (*text == '\0' || *end != '\0') {
		fprintf(stderr, "simulate: not a number: %s\n", text);
		exit(EXIT_FAILURE);
	}
	return number;
}

static int create_recording(const char *path)
{
	int fd = recording_create(path);

	if (fd < 0) {
		fprintf(stderr, "simulate: %s: %s\n", path, strerror(-fd));
		exit(EXIT_FAILURE);
	}
	return fd;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seed", required_argument, NULL, 's'},    {"steps", required_argument, NULL, 'n'},
		{"seconds", required_argument, NULL, 't'}, {"record", required_argument, NULL, 'r'},
		{"verbose", no_argument, NULL, 'v'},       {0},
	};
	uint64_t seed = (uint64_t)time(NULL), steps = STEPS_PER_WORLD, seconds = 0, tallies[TALLIES] = {0};
	time_t started = time(NULL);
	uint64_t digest = 0;
	bool verbose = false;
	int option, recording_fd = -1;

	while ((option = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		if (option == 's')
			seed = read_number(optarg);
		else if (option == 'n')
			steps = read_number(optarg);
		else if (option == 't')
			seconds = read_number(optarg);
		else if (option == 'r')
			recording_fd = create_recording(optarg);
		else if (option == 'v')
			verbose = true;
		else
			return EXIT_FAILURE;
	}
	for (uint64_t next = seed;
	     next == seed || tallies[TALLY_STEPS] < steps || (uint64_t)(time(NULL) - started) < seconds;
	     next++)
		digest = (digest << 1 | digest >> 63) ^
		         simulate(next, STEPS_PER_WORLD, tallies, recording_fd, verbose);
	print_tallies(tallies, seed, digest);
	if (recording_fd >= 0)
		close(recording_fd);
	return EXIT_SUCCESS;
}
