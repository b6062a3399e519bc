/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a channel costs: the time of a message down and its answer up, both sides asleep in between, and how
 * many messages a second go one way in batches. Prints medians.
 */
#include "daemon/worker/channel.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: bench_channel [-h] [-r runs] [-t round-trips] [-m messages] [-p payload-bytes] "
	"[-b batch] [-s slots]\n";

struct options {
	size_t runs, round_trips, messages, payload_size, batch, slots;
};

struct bench {
	struct options options;
	struct channel channel;
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value that the share `rank` (0 to 1) of the values stays below; sorts them. */
static double quantile(double *values, size_t count, double rank)
{
	qsort(values, count, sizeof *values, compare);
	return values[(size_t)((double)(count - 1) * rank)];
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory == NULL) {
		perror("bench_channel");
		exit(1);
	}
	return memory;
}

static void wait_for(struct lane *lane)
{
	struct pollfd news = {.fd = lane_fd(lane), .events = POLLIN};

	if (lane_rest(lane))
		poll(&news, 1, -1);
	lane_acknowledge(lane);
}

static bool send_one(struct lane *lane, size_t payload_size)
{
	void *payload;
	void *body = lane_reserve(lane, payload_size, &payload);

	if (body == NULL)
		return false;
	memset(body, 1, LANE_BODY_SIZE);
	if (payload_size > 0)
		memset(payload, 2, payload_size);
	lane_commit(lane, payload_size);
	return true;
}

static size_t receive_all(struct lane *lane)
{
	unsigned char body[LANE_BODY_SIZE];
	const void *payload;
	size_t size, count = 0;

	while (lane_next(lane, body, &payload, &size))
		count++;
	lane_drained(lane);
	return count;
}

static void receive_one(struct lane *lane)
{
	do
		wait_for(lane);
	while (receive_all(lane) == 0);
}

static void *echo(void *arg)
{
	struct bench *bench = arg;

	for (size_t n = 0; n < bench->options.round_trips; n++) {
		receive_one(bench->channel.down);
		send_one(bench->channel.up, bench->options.payload_size);
		lane_wake(bench->channel.up);
	}
	return NULL;
}

static void ask(struct bench *bench, double *times)
{
	for (size_t n = 0; n < bench->options.round_trips; n++) {
		double start = seconds();

		send_one(bench->channel.down, bench->options.payload_size);
		lane_wake(bench->channel.down);
		receive_one(bench->channel.up);
		times[n] = seconds() - start;
	}
}

static void *swallow(void *arg)
{
	struct bench *bench = arg;

	for (size_t received = 0; received < bench->options.messages;) {
		wait_for(bench->channel.down);
		received += receive_all(bench->channel.down);
	}
	return NULL;
}

static void pour(struct bench *bench)
{
	struct lane *down = bench->channel.down;

	for (size_t sent = 0; sent < bench->options.messages;) {
		if (send_one(down, bench->options.payload_size)) {
			if (++sent % bench->options.batch == 0)
				lane_wake(down);
		} else if (!lane_starve(down)) {
			wait_for(bench->channel.up);
		}
	}
	lane_wake(down);
}

static void measure_round_trips(struct bench *bench)
{
	size_t count = bench->options.round_trips * bench->options.runs;
	double *times = allocate(count, sizeof *times);

	for (size_t run = 0; run < bench->options.runs; run++) {
		pthread_t worker;

		pthread_create(&worker, NULL, echo, bench);
		ask(bench, &times[run * bench->options.round_trips]);
		pthread_join(worker, NULL);
	}
	printf("round trip: median %.1f us, 99 %% below %.1f us\n", quantile(times, count, 0.5) * 1e6,
	       quantile(times, count, 0.99) * 1e6);
	free(times);
}

static void measure_one_way(struct bench *bench)
{
	double *rates = allocate(bench->options.runs, sizeof *rates);

	for (size_t run = 0; run < bench->options.runs; run++) {
		double start = seconds();
		pthread_t worker;

		pthread_create(&worker, NULL, swallow, bench);
		pour(bench);
		pthread_join(worker, NULL);
		rates[run] = (double)bench->options.messages / (seconds() - start);
	}
	double median = quantile(rates, bench->options.runs, 0.5);

	printf("one way: median %.2f million messages/s, %.0f ns each, %.0f MB/s of payload\n", median * 1e-6,
	       1e9 / median, median * (double)bench->options.payload_size * 1e-6);
	free(rates);
}

static size_t number(const char *text, size_t smallest, size_t largest)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || value < smallest || value > largest) {
		fprintf(stderr, "bench_channel: %s: not a number from %zu to %zu\n%s", text, smallest,
		        largest, usage);
		exit(2);
	}
	return (size_t)value;
}

static void parse(int argc, char **argv, struct options *options)
{
	for (int option; (option = getopt(argc, argv, "hr:t:m:p:b:s:")) != -1;) {
		switch (option) {
		case 'r':
			options->runs = number(optarg, 1, 1000);
			break;
		case 't':
			options->round_trips = number(optarg, 1, 10000000);
			break;
		case 'm':
			options->messages = number(optarg, 1, 1000000000);
			break;
		case 'p':
			options->payload_size = number(optarg, 0, LANE_PAYLOAD_MAX);
			break;
		case 'b':
			options->batch = number(optarg, 1, 1000000);
			break;
		case 's':
			options->slots = number(optarg, 2, LANE_SLOTS_MAX);
			break;
		default:
			fputs(usage, option == 'h' ? stdout : stderr);
			exit(option == 'h' ? 0 : 2);
		}
	}
}

int main(int argc, char **argv)
{
	struct bench bench = {.options = {.runs = 5,
	                                  .round_trips = 20000,
	                                  .messages = 5000000,
	                                  .payload_size = 64,
	                                  .batch = 32,
	                                  .slots = 1024}};

	parse(argc, argv, &bench.options);
	int error = channel_open(&bench.channel, bench.options.slots);

	if (error != 0) {
		fprintf(stderr, "bench_channel: channel: %s\n", strerror(-error));
		return 1;
	}
	printf("%zu runs, %zu slots, %zu bytes of payload, batches of %zu\n", bench.options.runs,
	       bench.options.slots, bench.options.payload_size, bench.options.batch);
	measure_round_trips(&bench);
	measure_one_way(&bench);
	channel_close(&bench.channel);
	return 0;
}
