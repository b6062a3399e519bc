/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Walks over the engines' snapshots (core/contract/snapshot_items.h), page by page, for the status and the
 * answers of the control socket. The owner has one walk for each snapshot cursor. A reader takes a walk, and
 * starts it for one instance after the other; it requests a page and gets it, until the walk ends. Owner
 * thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_SNAPSHOT_READER_H
#define MCPROXY_DAEMON_OWNER_SNAPSHOT_READER_H

#include "core/contract/snapshot_items.h"

struct owner;
struct instance_slot;
struct request;

/* A page has come; more: ask for the next one. The last page may be empty. */
typedef void snapshot_page_handler(void *reader, struct owner *owner, const struct snapshot_item *records,
                                   size_t count, bool more);

struct snapshot_reader {
	snapshot_page_handler *page; /* NULL: free */
	void *reader;
	unsigned instance;
	uint8_t what; /* enum snapshot_kind */
	uint8_t link;
	bool first;   /* the next page starts the walk */
	bool waiting; /* a page is on its way; a walk that was given back is free only after that */
	bool ended;   /* so has the instance, and another may get its number: the pages so far are void */
};

/* NULL when all are taken. */
struct snapshot_reader *snapshot_reader_take(struct owner *owner, snapshot_page_handler *page, void *reader);
void snapshot_reader_give(struct snapshot_reader *walk);

void snapshot_reader_start(struct snapshot_reader *walk, unsigned instance, enum snapshot_kind what,
                           uint8_t link);
/* False when the instance has no room for the request: try again in the next turn. False also when it has
 * ended: then the reader has got an empty last page. */
bool snapshot_reader_request(struct owner *owner, struct snapshot_reader *walk);

/* An instance has sent a page. */
void snapshot_reader_deliver(struct owner *owner, const struct instance_slot *instance,
                             const struct request *request, const void *payload);
/* An instance has stopped: ends its walks. Readers that wait for a page get an empty last one. */
void snapshot_reader_instance_stopped(struct owner *owner, unsigned instance);

#endif
