/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The instances of the owner: a slot for each with its worker, its tables and its names of links. Owner
 * thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_INSTANCES_H
#define MCPROXY_DAEMON_OWNER_INSTANCES_H

#include "core/contract/link_change.h"
#include "daemon/config/config.h"
#include "daemon/owner/holder.h"
#include "daemon/owner/link_log.h"
#include "daemon/owner/loop.h"
#include "daemon/owner/service.h"
#include "daemon/worker/worker.h"

struct owner;
struct table;

struct instance_slot {
	struct loop_source source; /* requests from the worker */
	unsigned number;
	const struct config_instance *config; /* NULL: the slot is free */
	unsigned table;                       /* number of its tables */
	struct table *tables[FAMILIES];       /* NULL: the family is not served */
	uint64_t forwarding[FAMILIES];        /* sets of links, from REQUEST_FORWARDING */
	uint64_t yielding[FAMILIES];
	struct worker *worker;   /* NULL: stopped */
	struct channel *channel; /* NULL: the worker has stopped */
	uint64_t requests;
	bool again;                           /* one turn did not take all of them */
	bool events_wanted;                   /* as announced to the engine */
	bool settings_due;                    /* the engine does not have the newest settings */
	uint8_t heartbeat;                    /* enum heartbeat */
	bool repeat_due[FAMILIES];            /* requests were lost, since memory was short */
	mtime repeat_at;                      /* 0: none; when the worker repeats them */
	uint64_t postponed;                   /* requests so far, for which memory was short */
	uint64_t logged_conflicts;            /* set of instances that have lost a stream to this one */
	struct holder holders[FAMILIES];      /* of families that wait for their table */
	struct link_logged logged[LINKS_MAX]; /* by link id */
};

/* Makes a slot for each instance of the configuration. False when memory is short. */
bool instances_make(struct owner *owner);
/* Opens their tables; 0, or the exit status after a message. */
int instances_open(struct owner *owner, loop_handler *upcalls);
/* Starts their workers. False, after a message, when memory or threads are short. */
bool instances_start(struct owner *owner, loop_handler *requests);
/* Gives a slot, free or not, its configuration. Slots that never had one stay untouched, so that they take no
 * memory. */
void instance_take_slot(struct owner *owner, unsigned number, const struct config_instance *config);
/* For a reload: one slot's links, worker and end. */
bool instance_name_links(struct owner *owner, const struct instance_slot *slot);
bool instance_start(struct owner *owner, struct instance_slot *slot, loop_handler *requests);
void instance_stop(struct owner *owner, struct instance_slot *slot);
/* Does its configuration name an interface in a role, for that family? */
bool instance_names_link(const struct owner *owner, const struct instance_slot *slot, enum link_role role,
                         enum family family, const char *interface);

/* Logs once that the recording has ended before its time. error: an errno, or 0. */
void recording_log_error(struct owner *owner, int error);
/* Once a turn, for the workers that have room: whether events are wanted, and settings that changed. */
void instances_announce_events(struct owner *owner, bool wanted);
void instances_announce_settings(struct owner *owner);
/* Wakes each worker that got an input since the last call. */
void instances_wake(struct owner *owner);
/* Stops all workers and waits for them. */
void instances_stop(struct owner *owner);

#endif
