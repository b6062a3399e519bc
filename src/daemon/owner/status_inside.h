/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inside of a status, shared by status.c (the walks, and where the text goes) and status_print.c (what is
 * in it). Other modules use status.h. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_STATUS_INSIDE_H
#define MCPROXY_DAEMON_OWNER_STATUS_INSIDE_H

#include "core/contract/snapshot_items.h"
#include "core/tables/links.h"
#include "daemon/owner/status.h"
#include "kernel/file.h"

#include <stdio.h>

enum stage {
	STAGE_IDLE,
	STAGE_INSTANCE,
	STAGE_FLOWS,
	STAGE_DOWNSTREAM,
	STAGE_GROUPS,
	STAGE_LINKS,
	STAGE_WRITING
};

struct status {
	enum stage stage;
	struct snapshot_reader *walk;
	int detail;
	enum status_destination destination;
	unsigned count; /* statuses printed: the "alive time" */
	FILE *out;
	char *text;
	size_t size;
	size_t instance;
	size_t port_cursor;
	struct addr group; /* of the flow printed last */
	unsigned groups;   /* printed in this list */
	unsigned sources;  /* printed in this list */
	char *path;        /* of the file that is being written; NULL: none */
	int fd;            /* the same under its temporary name */
	size_t written;    /* of the text, while it goes out */
	size_t cleaned;    /* the same, ahead of it */
	mtime write_at;    /* when to try a slow reader again */
	mtime write_interval;
	struct links_port port;
	bool again[STATUS_LOG + 1]; /* begun while another was being made */
	int again_detail[STATUS_LOG + 1];
	char temporary[FILE_PATH_SIZE];
};

/* status_print.c: appends to the text. */

void status_print_vifs(FILE *out, const struct links_port *port);
/* Names of the instance's configuration that no interface has now. */
void status_print_missing(const struct status *status, struct owner *owner, enum link_role role);
void status_print_instance(struct status *status, struct owner *owner);
void status_print_item(struct status *status, struct owner *owner, const struct snapshot_item *record);

#endif
