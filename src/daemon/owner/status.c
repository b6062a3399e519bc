/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/status_inside.h"

#include "core/base/text.h"
#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/owner.h"
#include "kernel/file.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE          ((size_t)128 << 10) /* of the text that is written in one turn */
#define LOG_LINES      64                  /* the same of the log */
#define WRITE_INTERVAL 10 /* milliseconds, for a slow reader of stdout; doubled up to a second */

static void fail_file(const char *path, int result)
{
	if (result != 0)
		warnx("status_file %s cannot be written: %s", path, file_problem(result));
}

/* result: of writing the text. */
static void end_file(struct status *status, int result)
{
	if (close(status->fd) != 0 && result == 0)
		result = -errno;
	if (result == 0)
		result = file_rename(status->temporary, status->path, true);
	else
		unlink(status->temporary);
	fail_file(status->path, result);
	free(status->path);
	status->path = NULL;
}

/* The members of control_group may read the state from the socket, so they may read the file. */
static bool begin_file(struct status *status, const struct owner *owner)
{
	const char *path = owner->config->status_file;

	status->path = path != NULL ? strdup(path) : NULL;
	if (status->path == NULL)
		return false;
	status->fd = file_open_temporary(path, 0640, status->temporary);
	if (status->fd >= 0) {
		if (owner->control_group != OWNER_NO_GROUP &&
		    fchown(status->fd, (uid_t)-1, owner->control_group) != 0)
			debug("status_file %s: cannot be given to control_group", path);
		return true;
	}
	fail_file(path, status->fd);
	free(status->path);
	status->path = NULL;
	return false;
}

/* Cleans at least the next slice, up to the end of a line. */
static void clean_slice(struct status *status)
{
	size_t until = status->written + SLICE;
	char *end;

	if (status->cleaned >= status->size || status->cleaned >= until)
		return;
	end = until < status->size ? memchr(status->text + until, '\n', status->size - until) : NULL;
	until = end != NULL ? (size_t)(end - status->text) : status->size;
	text_clean(status->text + status->cleaned, until - status->cleaned, "\t\n");
	status->cleaned = until;
}

/* Writes a slice, so that a turn stays short; false when there is more. */
static bool write_file(struct status *status)
{
	size_t left = status->size - status->written;
	ssize_t size = write(status->fd, status->text + status->written, left < SLICE ? left : SLICE);

	if (size < 0 && errno != EINTR) {
		end_file(status, -errno);
		return true;
	}
	status->written += size > 0 ? (size_t)size : 0;
	if (status->written < status->size)
		return false;
	end_file(status, 0);
	return true;
}

static bool write_log(struct status *status)
{
	for (int i = 0; i < LOG_LINES && status->written < status->size; i++) {
		char *line = status->text + status->written;
		size_t length = strcspn(line, "\n");

		line[length] = '\0';
		if (length > 0)
			log_answer(line);
		status->written += length + 1;
	}
	return status->written >= status->size;
}

/* A pipe that is writable takes as much without blocking. */
#define CHUNK 4096

/* Writes to stdout as far as its reader keeps up, and never blocks; false when the rest has to wait. */
static bool write_stdout(struct status *status)
{
	size_t until = status->size - status->written < SLICE ? status->size : status->written + SLICE;

	while (status->written < until) {
		struct pollfd fd = {.fd = STDOUT_FILENO, .events = POLLOUT};
		size_t left = status->size - status->written;
		ssize_t size;

		if (poll(&fd, 1, 0) == 0)
			return false;
		size = write(STDOUT_FILENO, status->text + status->written, left < CHUNK ? left : CHUNK);
		if (size < 0 && errno != EINTR)
			return errno != EAGAIN; /* no reader is left */
		status->written += size > 0 ? (size_t)size : 0;
	}
	return status->written == status->size;
}

static void end_status(struct status *status, struct owner *owner)
{
	free(status->text);
	status->text = NULL;
	status->stage = STAGE_IDLE;
	status->write_at = MTIME_NEVER;
	for (int destination = 0; destination <= STATUS_LOG; destination++) {
		if (!status->again[destination])
			continue;
		status->again[destination] = false;
		status_begin(status, owner, status->again_detail[destination],
		             (enum status_destination)destination);
		return;
	}
}

static bool write_some(struct status *status)
{
	clean_slice(status);
	if (status->destination == STATUS_LOG)
		return write_log(status);
	return status->destination == STATUS_FILE ? write_file(status) : write_stdout(status);
}

static void go_on_writing(struct status *status, struct owner *owner)
{
	mtime now = clock_now();
	size_t before = status->written;

	if (now < status->write_at)
		return;
	if (write_some(status)) {
		end_status(status, owner);
		return;
	}
	if (status->destination == STATUS_LOG || status->written - before >= SLICE) {
		/* The next turn writes the next slice. */
		status->write_at = now;
		status->write_interval = WRITE_INTERVAL;
		return;
	}
	status->write_interval = mtime_min(2 * status->write_interval, MTIME_SECOND);
	status->write_at = now + status->write_interval;
}

/* The text is complete. */
static void finish(struct status *status, struct owner *owner)
{
	bool complete = fclose(status->out) == 0 && status->text != NULL;

	status->out = NULL;
	if (complete && (status->destination != STATUS_FILE || begin_file(status, owner))) {
		status->stage = STAGE_WRITING;
		status->written = status->cleaned = 0;
		status->write_at = 0;
		status->write_interval = WRITE_INTERVAL;
		return;
	}
	end_status(status, owner);
}

static void start_walk(struct status *status, enum stage stage, enum snapshot_kind what, uint8_t link)
{
	snapshot_reader_start(status->walk, (unsigned)status->instance, what, link);
	status->stage = stage;
	status->groups = 0;
	status->sources = 0;
}

static void next_instance(struct status *status)
{
	status->instance++;
	status->stage = STAGE_INSTANCE;
}

/* The next downstream link of the instance, or what follows the last one. */
static void next_downstream(struct status *status, struct owner *owner)
{
	if (owner->instances[status->instance].channel == NULL) {
		next_instance(status);
		return;
	}
	while (links_next_port(owner->links, &status->port_cursor, &status->port) &&
	       status->port.instance == status->instance) {
		if (status->port.role != ROLE_DOWNSTREAM)
			continue;
		fprintf(status->out, "\n\t-- downstream %s", status->port.name);
		status_print_vifs(status->out, &status->port);
		fprintf(status->out, " --\n");
		if (status->detail >= 1) {
			start_walk(status, STAGE_GROUPS, SNAPSHOT_GROUPS, status->port.id);
			return;
		}
	}
	status_print_missing(status, owner, ROLE_DOWNSTREAM);
	if (status->detail >= 2)
		start_walk(status, STAGE_LINKS, SNAPSHOT_LINKS, 0);
	else
		next_instance(status);
}

void status_continue(struct status *status, struct owner *owner)
{
	while (status->stage != STAGE_IDLE && !status->walk->waiting) {
		switch (status->stage) {
		case STAGE_INSTANCE:
			if (status->instance >= owner->instance_count) {
				finish(status, owner);
				return;
			}
			if (owner->instances[status->instance].channel == NULL) {
				next_instance(status);
				break;
			}
			status_print_instance(status, owner);
			status->port_cursor = status->instance * LINKS_MAX;
			if (status->detail >= 1)
				start_walk(status, STAGE_FLOWS, SNAPSHOT_FLOWS, 0);
			else
				status->stage = STAGE_DOWNSTREAM;
			break;
		case STAGE_DOWNSTREAM:
			next_downstream(status, owner);
			break;
		case STAGE_FLOWS:
		case STAGE_GROUPS:
		case STAGE_LINKS:
			if (!snapshot_reader_request(owner, status->walk))
				return;
			break;
		case STAGE_WRITING:
			go_on_writing(status, owner);
			return;
		case STAGE_IDLE:
			break;
		}
	}
}

void status_free(struct status *status)
{
	if (status == NULL)
		return;
	if (status->path != NULL)
		end_file(status, -ECANCELED);
	snapshot_reader_give(status->walk);
	if (status->out != NULL)
		fclose(status->out);
	free(status->text);
	free(status);
}

mtime status_deadline(const struct status *status)
{
	return status->write_at;
}

static void read_page(void *reader, struct owner *owner, const struct snapshot_item *records, size_t count,
                      bool more)
{
	struct status *status = reader;

	for (size_t i = 0; i < count; i++)
		status_print_item(status, owner, &records[i]);
	if (!more && status->stage == STAGE_LINKS)
		next_instance(status);
	else if (!more)
		status->stage = STAGE_DOWNSTREAM;
	status_continue(status, owner);
}

struct status *status_new(struct owner *owner)
{
	struct status *status = calloc(1, sizeof *status);

	if (status == NULL)
		return NULL;
	status->write_at = MTIME_NEVER;
	status->walk = snapshot_reader_take(owner, read_page, status);
	if (status->walk != NULL)
		return status;
	free(status);
	return NULL;
}

void status_begin(struct status *status, struct owner *owner, int detail, enum status_destination destination)
{
	if (status->stage != STAGE_IDLE) {
		if (!status->again[destination] || status->again_detail[destination] < detail)
			status->again_detail[destination] = detail;
		status->again[destination] |= status->destination != destination || status->detail < detail;
		return;
	}
	status->out = open_memstream(&status->text, &status->size);
	if (status->out == NULL) {
		warn("status");
		return;
	}
	status->detail = detail;
	status->destination = destination;
	status->instance = 0;
	status->stage = STAGE_INSTANCE;
	fprintf(status->out, "alive time: %u\n", ++status->count);
	status_continue(status, owner);
}
