/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/status.h"

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/packets.h"
#include "daemon/uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE          ((size_t)128 << 10) /* of the text that is written in one turn */
#define LOG_LINES      64                  /* the same of the log */
#define PATH_SIZE      4096
#define WRITE_INTERVAL 10 /* milliseconds, for a slow reader of stdout; doubled up to a second */

enum stage {
	STAGE_IDLE,
	STAGE_INSTANCE,
	STAGE_FLOWS,
	STAGE_DOWNSTREAM,
	STAGE_GROUPS,
	STAGE_LINKS,
	STAGE_WRITING,
	STAGE_KEPT
};

struct status {
	enum stage stage;
	struct page_walk *walk;
	int detail;
	enum status_destination destination;
	bool again[STATUS_LOG + 1]; /* begun while another was being made */
	int again_detail[STATUS_LOG + 1];
	unsigned count; /* statuses printed: the "alive time" */
	FILE *out;
	char *text;
	size_t size;
	size_t instance;
	size_t port_cursor;
	struct links_port port;
	struct addr group; /* of the flow printed last */
	unsigned groups;   /* printed in this list */
	unsigned sources;  /* printed in this list */
	char *path;        /* of the file that is being written; NULL: none */
	int fd;            /* the same under its temporary name */
	size_t written;    /* of the text, while it goes out */
	mtime write_at;    /* when a reader that was slow is looked at again */
	mtime write_interval;
};

static void print_vifs(FILE *out, const struct links_port *port)
{
	unsigned vif = port->vif[FAMILY_IPV4], mif = port->vif[FAMILY_IPV6];

	if (vif == LINKS_NO_VIF && mif == LINKS_NO_VIF)
		fprintf(out, " [vif=none]");
	else if (vif == LINKS_NO_VIF || mif == LINKS_NO_VIF || vif == mif)
		fprintf(out, " [vif=%u]", vif != LINKS_NO_VIF ? vif : mif);
	else
		fprintf(out, " [vif=%u mif=%u]", vif, mif);
}

/* Names of the configuration that no interface bears now. */
static void print_missing(const struct status *status, struct owner *owner, enum link_role role)
{
	const struct config_instance *config = owner->instances[status->instance].config;
	const struct config_link *names = role == ROLE_UPSTREAM ? config->upstream : config->downstream;
	size_t count = role == ROLE_UPSTREAM ? config->upstream_count : config->downstream_count;

	for (size_t i = 0; i < count; i++) {
		size_t cursor = 0;
		unsigned instance;
		const char *pattern;
		bool missing = false;

		while (links_next_missing(owner->links, &cursor, &instance, &pattern))
			missing |= instance == status->instance && strcmp(pattern, names[i].name) == 0;
		if (!missing)
			continue;
		if (role == ROLE_UPSTREAM)
			fprintf(status->out, " %s [missing]", names[i].name);
		else
			fprintf(status->out, "\n\t-- downstream %s [missing] --\n", names[i].name);
	}
}

static void print_instance(struct status *status, struct owner *owner)
{
	struct links_port port;
	size_t cursor = status->instance * LINKS_MAX;

	fprintf(status->out, "##-- instance upstream");
	while (links_next_port(owner->links, &cursor, &port) && port.instance == status->instance) {
		if (port.role != ROLE_UPSTREAM)
			continue;
		fprintf(status->out, " %s", port.name);
		print_vifs(status->out, &port);
	}
	print_missing(status, owner, ROLE_UPSTREAM);
	if (owner->instances[status->instance].config->upstream_count == 0)
		fprintf(status->out, " none, querier only");
	fprintf(status->out, " --##\n");
}

static void print_flow(struct status *status, const struct snapshot_flow *flow)
{
	char text[ADDR_TEXT_SIZE];

	if (status->groups == 0)
		fprintf(status->out, "\tgroup addr\n");
	if (status->groups == 0 || !addr_equal(&flow->group, &status->group)) {
		fprintf(status->out, "\t[%u] %s\n", status->groups++, addr_format(&flow->group, text));
		status->group = flow->group;
		status->sources = 0;
		if (status->detail >= 2)
			fprintf(status->out, "\t\tsrc addr | robustness_counter | flag\n");
	}
	if (status->detail >= 2)
		fprintf(status->out, "\t\t[%u] %s\t%u\t%s\n", status->sources++,
		        addr_format(&flow->source, text), flow->rounds,
		        flow->outputs ? "CACHED_SRC" : "UNUSED_SRC");
}

static void print_group(struct status *status, const struct snapshot_group *group)
{
	bool filtered = group->mode == FILTER_INCLUDE || group->sources > 0;
	char text[ADDR_TEXT_SIZE];

	if (status->groups == 0)
		fprintf(status->out, "\t\tgroup addr | robustness_counter | flag\n");
	fprintf(status->out, "\t\t[%u] %s\t%u\t%s%s%s\n", status->groups++, addr_format(&group->group, text),
	        group->rounds, group->queried ? "RESPONSE_STATE" : "RUNNING", filtered ? "\t" : "",
	        filtered ? filter_mode_name(group->mode) : "");
	status->sources = 0;
}

static void print_source(struct status *status, const struct snapshot_source *source)
{
	char text[ADDR_TEXT_SIZE];

	if (status->detail < 2)
		return;
	fprintf(status->out, "\t\t\t[%u] %s\t%s\n", status->sources++, addr_format(&source->source, text),
	        source->blocked ? "BLOCKED" : "FORWARDED");
}

static void print_upstream(struct status *status, struct owner *owner, const struct snapshot_link *link)
{
	struct uplink *uplink = uplink_find(owner, link->family, link->name);
	mtime now = clock_now();
	struct host_status host;
	char text[ADDR_TEXT_SIZE];

	if (uplink == NULL)
		return;
	host_get_status(uplink->host, now, &host);
	fprintf(status->out, "\t\tspoken\t%s\n", version_name(link->family, host.version));
	fprintf(status->out, "\t\tgroups\t%zu, %zu refused by the kernel, %zu as supersets\n", host.groups,
	        host.failing, host.supersets);
	fprintf(status->out, "\t\tkept\t%zu by the kernel, %zu by mcproxy\n", host.groups - host.kept_here,
	        host.kept_here);
	if (host.query_heard_at != MTIME_NEVER)
		fprintf(status->out, "\t\tquerier\t%s, heard %lld s ago\n", addr_format(&host.querier, text),
		        (long long)(now - host.query_heard_at) / 1000);
	else
		fprintf(status->out, "\t\tquerier\tnone heard\n");
	fprintf(status->out, "\t\treports_sent\t%llu\n", (unsigned long long)host.reports_sent);
	fprintf(status->out, "\t\trepeats_without_querier\t%llu\n", (unsigned long long)host.repeats);
}

static void print_seconds(struct status *status, const char *name, uint32_t milliseconds)
{
	fprintf(status->out, "\t\t%s\t%g\n", name, milliseconds / 1e3);
}

static void print_downstream(struct status *status, const struct snapshot_link *link)
{
	char text[ADDR_TEXT_SIZE];

	fprintf(status->out, "\t\tquerier\t%s%s\n",
	        addr_format(link->querier ? &link->address : &link->other_querier, text),
	        link->querier ? ", this router" : "");
	fprintf(status->out, "\t\trobustness\t%u\n", link->robustness);
	print_seconds(status, "query_interval", link->query_interval);
	print_seconds(status, "query_response_interval", link->query_response_interval);
	print_seconds(status, "startup_query_interval", link->startup_query_interval);
	fprintf(status->out, "\t\tstartup_query_count\t%u\n", link->startup_query_count);
	print_seconds(status, "last_member_query_interval", link->last_member_query_interval);
	fprintf(status->out, "\t\tlast_member_query_count\t%u\n", link->last_member_query_count);
	print_seconds(status, "group_membership_interval", link->membership_interval);
	print_seconds(status, "other_querier_present_interval", link->other_querier_present_interval);
	print_seconds(status, "older_host_present_interval", link->older_host_present_interval);
	fprintf(status->out, "\t\treports\t%u\n\t\tqueries_sent\t%u\n", link->reports, link->queries_sent);
	fprintf(status->out, "\t\tqueries_heard\t%u, %u of another version\n", link->queries_heard,
	        link->older_queries);
}

/* What was lost outside the engine. */
static void print_vif_counters(struct status *status, struct owner *owner, const struct snapshot_link *link)
{
	unsigned number = links_vif(owner->links, (unsigned)status->instance, link->id, link->family);
	const struct table *table = owner->instances[status->instance].tables[link->family];
	struct vif *vif = table != NULL && number != LINKS_NO_VIF ? table->vifs[number] : NULL;

	if (vif == NULL)
		return;
	fprintf(status->out,
	        "\t\tlost_in_socket\t%llu\n\t\tover_report_rate_max\t%u\n\t\tsends_failed\t%llu\n",
	        (unsigned long long)packets_lost_in_socket(vif), link->drops[DROP_RATE],
	        (unsigned long long)vif->sends_failed);
	if (link->role == ROLE_UPSTREAM)
		fprintf(status->out,
		        "\t\tupcalls\t%llu\n\t\tupcalls_deferred\t%llu\n\t\troute_failures\t%llu\n",
		        (unsigned long long)table->upcalls, (unsigned long long)table->upcalls_deferred,
		        (unsigned long long)routes_failures(table->routes));
}

static void print_link(struct status *status, struct owner *owner, const struct snapshot_link *link)
{
	fprintf(status->out, "\n\t-- protocol %s %s%s --\n", link->name,
	        version_name(link->family, link->version), link->usable ? "" : " [not usable]");
	if (link->role == ROLE_UPSTREAM)
		print_upstream(status, owner, link);
	else
		print_downstream(status, link);
	for (int drop = 0; drop < DROP_CAUSES; drop++)
		if (link->drops[drop] > 0)
			fprintf(status->out, "\t\tdropped\t%u, %s\n", link->drops[drop], drop_name(drop));
	print_vif_counters(status, owner, link);
}

static void print_record(struct status *status, struct owner *owner, const struct snapshot_record *record)
{
	switch ((enum snapshot_kind)record->kind) {
	case SNAPSHOT_FLOWS:
		print_flow(status, &record->flow);
		break;
	case SNAPSHOT_GROUPS:
		print_group(status, &record->group);
		break;
	case SNAPSHOT_SOURCES:
		print_source(status, &record->source);
		break;
	case SNAPSHOT_LINKS:
		print_link(status, owner, &record->link);
		break;
	case SNAPSHOT_HOSTS:
	case SNAPSHOT_INSTANCE:
	case SNAPSHOT_KINDS:
		break;
	}
}

/* Always made anew: in a directory that others may write to, a link would lead elsewhere, and a FIFO block.
 */
static int create_file(const char *path)
{
	unlink(path);
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
}

static void name_temporary(const struct status *status, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s.new", status->path);
}

static void end_file(struct status *status, bool complete)
{
	char temporary[PATH_SIZE];

	name_temporary(status, temporary);
	complete &= status->fd >= 0 && close(status->fd) == 0;
	if (!complete || rename(temporary, status->path) != 0) {
		warn("status_file %s cannot be written", status->path);
		unlink(temporary);
	}
	free(status->path);
	status->path = NULL;
}

static bool begin_file(struct status *status, const char *path)
{
	char temporary[PATH_SIZE];

	status->path = path != NULL ? strdup(path) : NULL;
	if (status->path == NULL)
		return false;
	name_temporary(status, temporary);
	status->fd = create_file(temporary);
	if (status->fd >= 0)
		return true;
	end_file(status, false);
	return false;
}

/* A slice, so that nobody waits for megabytes of it; false when there is more. */
static bool write_file(struct status *status)
{
	size_t left = status->size - status->written;
	ssize_t size = write(status->fd, status->text + status->written, left < SLICE ? left : SLICE);

	if (size < 0 && errno != EINTR) {
		end_file(status, false);
		return true;
	}
	status->written += size > 0 ? (size_t)size : 0;
	if (status->written < status->size)
		return false;
	end_file(status, true);
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

/* What a pipe takes without blocking once it is writable. */
#define CHUNK 4096

/* Writes to stdout as far as its reader keeps up; false when the rest has to wait. The owner never blocks for
 * it. */
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
			return errno != EAGAIN; /* nobody is there any more */
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
		/* The next one with the next turn. */
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
	if (complete &&
	    (status->destination == STATUS_STDOUT || status->destination == STATUS_LOG ||
	     (status->destination == STATUS_FILE && begin_file(status, owner->config->status_file)))) {
		status->stage = STAGE_WRITING;
		status->written = 0;
		status->write_at = 0;
		status->write_interval = WRITE_INTERVAL;
		return;
	}
	if (complete && status->destination == STATUS_TEXT) {
		status->stage = STAGE_KEPT;
		return;
	}
	end_status(status, owner);
}

static void start_walk(struct status *status, enum stage stage, enum snapshot_kind what, uint8_t link)
{
	page_walk_start(status->walk, (unsigned)status->instance, what, link);
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
		print_vifs(status->out, &status->port);
		fprintf(status->out, " --\n");
		if (status->detail >= 1) {
			start_walk(status, STAGE_GROUPS, SNAPSHOT_GROUPS, status->port.id);
			return;
		}
	}
	print_missing(status, owner, ROLE_DOWNSTREAM);
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
			print_instance(status, owner);
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
			if (!page_walk_ask(owner, status->walk))
				return;
			break;
		case STAGE_WRITING:
			go_on_writing(status, owner);
			return;
		case STAGE_KEPT:
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
		end_file(status, false);
	page_walk_give(status->walk);
	if (status->out != NULL)
		fclose(status->out);
	free(status->text);
	free(status);
}

const char *status_text(const struct status *status, size_t *size)
{
	*size = status->size;
	return status->stage == STAGE_KEPT ? status->text : NULL;
}

mtime status_deadline(const struct status *status)
{
	return status->write_at;
}

static void read_page(void *reader, struct owner *owner, const struct snapshot_record *records, size_t count,
                      bool more)
{
	struct status *status = reader;

	for (size_t i = 0; i < count; i++)
		print_record(status, owner, &records[i]);
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
	status->walk = page_walk_take(owner, read_page, status);
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
