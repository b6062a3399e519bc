/* SPDX-License-Identifier: BSD-2-Clause
 *
 * replay [-v] FILE: runs a recording through the engine again and compares its requests with those of the
 * recording. Exit status 0: the same; 1: the first difference was printed; 2: the file cannot be
 * replayed.
 */
#include "narration.h"
#include "recording.h"

#include "core/policy/group_map.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define INSTANCES 256

enum outcome { SAME, DIFFERENT, UNUSABLE };

/* Where an instance stands in its turn. */
enum stage { BETWEEN_TURNS, INPUTS, REQUESTS };

struct player {
	struct instance *instance;
	enum stage stage;
	mtime now;
};

struct replay {
	const char *path;
	bool verbose;
	struct player players[INSTANCES];
	mtime first_at, last_at;
	uint64_t counts[RECORDING_KINDS];
};

static _Alignas(8) uint8_t payload[REQUEST_PAYLOAD_MAX];

static char *request_text(const struct request *request, const void *bytes, size_t size)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	if (to == NULL)
		abort();
	narrate_request(to, request, bytes, size);
	fclose(to);
	return text;
}

/* Packets and source lists have no padding; of the other payloads the text has every field. */
static bool payload_has_padding(const struct request *request)
{
	return request->kind == REQUEST_SNAPSHOT || request->kind == REQUEST_UPSTREAM_QUERY;
}

static bool requests_are_equal(const struct request *then, const struct request *now, bool same_payload,
                               const char *then_text, const char *now_text)
{
	return then->kind == now->kind && (same_payload || payload_has_padding(now)) &&
	       strcmp(then_text, now_text) == 0;
}

static void print_where(const struct replay *replay, const struct recorded *recorded)
{
	printf("%s: offset %zu, instance %u, at %.3f s: ", replay->path, recorded->offset,
	       recorded->head.instance, (double)recorded->head.now / MTIME_SECOND);
}

static enum outcome unusable(const struct replay *replay, const struct recorded *recorded,
                             const char *problem)
{
	print_where(replay, recorded);
	printf("%s\n", problem);
	return UNUSABLE;
}

static void print_bytes(const char *title, const uint8_t *bytes, size_t size)
{
	printf("    %s", title);
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static void print_difference(const struct replay *replay, const struct recorded *recorded, size_t size,
                             const char *then, const char *now)
{
	print_where(replay, recorded);
	printf("another request\n    then: %s    now:  %s", then, now);
	if (strcmp(then, now) != 0)
		return;
	print_bytes("then: ", recorded->payload, recorded->payload_size);
	print_bytes("now:  ", payload, size);
}

static enum outcome replay_request(struct replay *replay, struct player *player,
                                   const struct recorded *recorded)
{
	struct request request;
	size_t size;
	char *then, *now;
	bool same;

	if (player->stage != REQUESTS || recorded->head.now != player->now)
		return unusable(replay, recorded, "a request outside of a turn");
	then = request_text(&recorded->request, recorded->payload, recorded->payload_size);
	if (!instance_pull(player->instance, player->now, &request, payload, &size)) {
		print_where(replay, recorded);
		printf("a request is missing\n    then: %s", then);
		free(then);
		return DIFFERENT;
	}
	now = request_text(&request, payload, size);
	same = size == recorded->payload_size && (size == 0 || memcmp(payload, recorded->payload, size) == 0);
	same = requests_are_equal(&recorded->request, &request, same, then, now);
	if (!same)
		print_difference(replay, recorded, size, then, now);
	free(then);
	free(now);
	return same ? SAME : DIFFERENT;
}

/* A turn's last pull gave nothing; that, too, changed the engine. */
static enum outcome finish_turn(struct replay *replay, struct player *player, unsigned number)
{
	struct request request;
	size_t size;
	char *text;

	if (player->stage != REQUESTS)
		return SAME;
	player->stage = BETWEEN_TURNS;
	if (!instance_pull(player->instance, player->now, &request, payload, &size))
		return SAME;
	text = request_text(&request, payload, size);
	printf("%s: instance %u, at %.3f s: a request that was not made then\n    now:  %s", replay->path,
	       number, (double)player->now / MTIME_SECOND, text);
	free(text);
	return DIFFERENT;
}

static enum outcome start(struct replay *replay, struct player *player, const struct recorded *recorded)
{
	instance_free(player->instance);
	*player = (struct player){.now = recorded->head.now};
	player->instance = instance_new(&recorded->start.settings, recorded->start.seed);
	return player->instance != NULL ? SAME : unusable(replay, recorded, "no memory");
}

/* An input or a turn. */
static enum outcome advance(struct replay *replay, struct player *player, const struct recorded *recorded)
{
	if (recorded->head.now < player->now)
		return unusable(replay, recorded, "time goes back");
	player->now = recorded->head.now;
	if (player->stage == BETWEEN_TURNS)
		(void)instance_deadline(player->instance);
	if (recorded->head.kind == RECORDING_INPUT) {
		if (recorded->input.kind == INPUT_LINK)
			settings_hold(&recorded->change.settings);
		instance_input(player->instance, player->now, &recorded->input, recorded->payload,
		               recorded->payload_size);
		player->stage = INPUTS;
	} else {
		instance_expire(player->instance, player->now);
		player->stage = REQUESTS;
	}
	return SAME;
}

static void print_record(const struct recorded *recorded)
{
	static const char *const names[] = {
		[RECORDING_START] = "start\n",  [RECORDING_INPUT] = "< ",
		[RECORDING_TURN] = "turn\n",    [RECORDING_REQUEST] = "> ",
		[RECORDING_FULL] = "no room\n", [RECORDING_OBJECT] = "filter or group map\n",
	};

	printf("%12.3f %3u %s", (double)recorded->head.now / MTIME_SECOND, recorded->head.instance,
	       names[recorded->head.kind]);
	if (recorded->head.kind == RECORDING_INPUT)
		narrate_input(stdout, &recorded->input, recorded->payload, recorded->payload_size);
	else if (recorded->head.kind == RECORDING_REQUEST)
		narrate_request(stdout, &recorded->request, recorded->payload, recorded->payload_size);
}

static enum outcome replay_record(struct replay *replay, const struct recorded *recorded)
{
	struct player *player = &replay->players[recorded->head.instance];
	enum recording_kind kind = recorded->head.kind;

	if (replay->verbose)
		print_record(recorded);
	if (kind != RECORDING_START && player->instance == NULL)
		return unusable(replay, recorded, "an instance that was never started");
	if (kind == RECORDING_OBJECT)
		return SAME;
	if (kind == RECORDING_REQUEST)
		return replay_request(replay, player, recorded);
	if (kind == RECORDING_FULL) {
		player->stage = BETWEEN_TURNS;
		return SAME;
	}
	if (finish_turn(replay, player, recorded->head.instance) != SAME)
		return DIFFERENT;
	return kind == RECORDING_START ? start(replay, player, recorded) : advance(replay, player, recorded);
}

static void count_record(struct replay *replay, const struct recorded *recorded)
{
	if (recorded->offset == sizeof(struct recording_file))
		replay->first_at = recorded->head.now;
	replay->last_at = recorded->head.now;
	replay->counts[recorded->head.kind]++;
}

static enum outcome replay_file(struct replay *replay, struct recording *recording)
{
	enum outcome outcome = SAME;
	struct recorded recorded;

	while (outcome == SAME && recording_next(recording, &recorded)) {
		count_record(replay, &recorded);
		outcome = replay_record(replay, &recorded);
	}
	if (outcome == SAME && recording->problem != NULL) {
		printf("%s: offset %zu: %s\n", replay->path, recording->at, recording->problem);
		return UNUSABLE;
	}
	for (unsigned i = 0; outcome == SAME && i < INSTANCES; i++)
		outcome = finish_turn(replay, &replay->players[i], i);
	return outcome;
}

static void print_totals(const struct replay *replay)
{
	printf("%s: the same: %" PRIu64 " inputs, %" PRIu64 " turns, %" PRIu64 " requests, %" PRIu64
	       " starts in %.3f s\n",
	       replay->path, replay->counts[RECORDING_INPUT], replay->counts[RECORDING_TURN],
	       replay->counts[RECORDING_REQUEST], replay->counts[RECORDING_START],
	       (double)(replay->last_at - replay->first_at) / MTIME_SECOND);
}

int main(int argc, char **argv)
{
	static struct replay replay;
	struct recording recording;
	enum outcome outcome = UNUSABLE;
	int option;

	while ((option = getopt(argc, argv, "v")) == 'v')
		replay.verbose = true;
	if (option != -1 || optind != argc - 1) {
		fprintf(stderr, "usage: replay [-v] FILE\n");
		return UNUSABLE;
	}
	replay.path = argv[optind];
	if (recording_open(&recording, replay.path))
		outcome = replay_file(&replay, &recording);
	else
		printf("%s: %s\n", replay.path, recording.problem);
	if (outcome == SAME)
		print_totals(&replay);
	for (unsigned i = 0; i < INSTANCES; i++)
		instance_free(replay.players[i].instance);
	recording_close(&recording);
	return outcome;
}
