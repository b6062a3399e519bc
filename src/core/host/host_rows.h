/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The groups of a host, with their wants and providers. Private to the modules host (settings, the link, what
 * instances want, kernel operations, packets), host_rows, and host_status (what others see of a host). Other
 * rooms use host.h.
 *
 *   host --< reporter   one for each provider, because their reports differ
 *   reporter --< row    a group; an entry of its reporter, which finds and walks the rows
 *   row --< want        the filter that one instance wants; the first one is in the row itself
 *
 * A row whose group the kernel keeps has a struct joining, and is in the list of its state unless it is
 * settled. A row exists while it has wants, while the kernel holds a part of the group, or while its reporter
 * still has something to send about it.
 */
#ifndef MCPROXY_CORE_HOST_HOST_ROWS_H
#define MCPROXY_CORE_HOST_HOST_ROWS_H

#include "core/base/bucket.h"
#include "core/contract/request.h"
#include "core/host/holds.h"
#include "core/host/host.h"
#include "core/host/reporter.h"

struct want {
	struct want *next;
	struct stored_filter filter;
	uint64_t links; /* the argument of host_want */
	uint8_t instance;
	bool used;     /* false: the one in the row is free */
	uint16_t hold; /* number of the hold after which it ends; 0: it is wanted */
};

enum row_state {
	ROW_SETTLED,
	ROW_JOINING, /* kernel operations remain */
	ROW_RESTING, /* the kernel refused; the host retries at retry_at */
	ROW_WIDE,    /* the kernel refused a list and holds EXCLUDE{} instead; the host retries at retry_at */
	ROW_STATES
};

/* Who keeps a group. */
enum provider { PROVIDER_KERNEL, PROVIDER_HOST, PROVIDERS };

/* What only a group has that the kernel keeps. */
struct joining {
	struct host_row *prev, *next; /* in the list of its state */
	mtime retry_at;
	uint8_t state;      /* enum row_state */
	uint8_t operations; /* in its turn */
	struct join_row join;
};

struct host_row {
	struct reporter_entry entry; /* first: what was reported upstream */
	struct joining *joining;     /* NULL: the host keeps the group */
	struct want first;           /* the list of wants begins with it */
};

_Static_assert(sizeof(void *) > 8 || sizeof(struct host_row) <= 176, "there may be 100,000 of them");

struct host {
	enum family family;
	enum membership_provider membership; /* as the host was made */
	struct pool *pool;
	struct joins *joins;
	size_t resting;
	size_t supersets;
	int last_error;
	mtime correct_at; /* sends what memory was too short to report; MTIME_NEVER: nothing is missing */
	struct host_walk *walks;
	struct host_link link;
	struct bucket kernel_queries; /* the queries that the kernel has room for */
	struct host_row *lists[ROW_STATES];
	struct link_settings settings; /* of the upstream link; the reporters use these, too */
	struct reporter reporters[PROVIDERS];
	struct holds holds;
	struct addr merged[REQUEST_SOURCES_MAX]; /* the wanted filter of the row that joins now */
	struct addr scratch[REQUEST_SOURCES_MAX];
};

/* May that provider keep groups? */
static inline bool host_keeps(const struct host *host, enum provider provider)
{
	return host->membership == MEMBERSHIP_AUTO ||
	       (host->membership == MEMBERSHIP_USER) == (provider == PROVIDER_HOST);
}

/* Its first want; NULL: no instance wants it. The others follow by `next`. */
static inline struct want *row_wants(struct host_row *row)
{
	return row->first.used ? &row->first : row->first.next;
}

static inline enum row_state row_state(const struct host_row *row)
{
	return row->joining == NULL ? ROW_SETTLED : row->joining->state;
}

/* The kernel holds a membership of the group. */
static inline bool row_is_held(const struct host_row *row)
{
	return row->joining != NULL && row->joining->join.parts != NULL;
}

static inline enum provider row_provider(const struct host_row *row)
{
	return row->joining != NULL ? PROVIDER_KERNEL : PROVIDER_HOST;
}

static inline struct reporter *row_reporter(struct host *host, const struct host_row *row)
{
	return &host->reporters[row_provider(row)];
}

/* NULL when there is none. */
struct host_row *row_find(struct host *host, const struct addr *group);
/* Makes the row of a group when there is none; NULL when memory is short. */
struct host_row *row_get(struct host *host, mtime now, const struct addr *group);
/* Frees the row, unless something still needs it. */
void row_release(struct host *host, struct host_row *row);
/* The oldest row of this provider or a later one. */
struct host_row *row_oldest(const struct host *host, int provider);
/* The next one of a walk over all rows. */
struct host_row *row_next(const struct host *host, const struct host_row *row);

/* The want of an instance; NULL when there is none. */
struct want *want_find(struct host_row *row, unsigned instance);
/* Makes the want of an instance, with INCLUDE{}, when there is none; NULL when memory is short. */
struct want *want_get(struct host *host, struct host_row *row, unsigned instance);
/* Removes a want; the caller calls row_change or row_release. */
void want_free(struct host *host, struct host_row *row, struct want *want);
/* What all instances want: the own list of a single one, otherwise merged in the host's memory, valid until
 * the next call. */
struct filter row_wanted(struct host *host, struct host_row *row);

/* The wants of a group have changed: reports that upstream, or lets the kernel join first. May free the row.
 * */
void row_change(struct host *host, mtime now, struct host_row *row);
/* The kernel holds what it should, or as much of it as it takes for now: reports what it holds. May free the
 * row. */
void row_joined(struct host *host, mtime now, struct host_row *row);
/* A row that the host keeps is always ROW_SETTLED. */
void row_set_state(struct host *host, struct host_row *row, enum row_state state);
/* The kernel refused: retries after the interval of the state, ROW_RESTING or ROW_WIDE. */
void row_try_later(struct host *host, mtime now, struct host_row *row, enum row_state state);
/* Retries the rows whose retry_at is not after `until`. */
void rows_try_again(struct host *host, mtime until);
/* Sends the reports that memory was too short for, when their time has come. */
void rows_correct(struct host *host, mtime now);
/* An operation of a joining row is done: after 32 of them the other groups have their turn. */
void row_take_turn(struct host *host, struct host_row *row);
/* The host keeps the group from now on, instead of the kernel. False when the kernel holds a part of it,
 * upstream knows of it, or memory is short. */
bool row_keep_here(struct host *host, mtime now, struct host_row *row);

#endif
