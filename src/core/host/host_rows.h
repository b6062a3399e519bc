/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inside of a host, shared by the modules that make it up: host (settings, the link, what instances want,
 * kernel operations, packets), host_rows (groups with their wants and who keeps them), host_status (what is
 * reported of it). Everybody else uses host.h.
 *
 *   host --< reporter   one for each keeper, since what they have to say differs
 *   reporter --< row    a group; found and walked by its reporter, of which it is an entry
 *   row --< want        the filter that one instance wants of it; one lies in the row itself
 *
 * A row whose group the kernel keeps has a struct joining, and stands in the list of its state unless it is
 * settled. A row is kept while it has wants, while the kernel holds something of it, or while its reporter
 * has something left to tell.
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
	uint64_t links; /* as host_want was reported */
	uint8_t instance;
	bool used;     /* the one in the row may be free */
	uint16_t hold; /* number of the hold after which it ends; 0: it is wanted */
};

enum row_state {
	ROW_SETTLED,
	ROW_JOINING, /* kernel operations are left to do */
	ROW_RESTING, /* the kernel refused; tried again at retry_at */
	ROW_WIDE,    /* it refused a list and holds EXCLUDE{} instead; likewise */
	ROW_STATES
};

/* Who keeps a group. */
enum keeper { KEEPER_KERNEL, KEEPER_HOST, KEEPERS };

/* What only groups have that the kernel keeps. */
struct joining {
	struct join_row join;
	struct row *prev, *next; /* in the list of its state */
	mtime retry_at;
	uint8_t state;      /* enum row_state */
	uint8_t operations; /* since its last turn began */
};

struct row {
	struct reporter_entry entry; /* first: what upstream was reported */
	struct joining *joining;     /* NULL: kept here */
	struct want first;           /* the list of wants begins with it */
};

_Static_assert(sizeof(void *) > 8 || sizeof(struct row) <= 176, "there may be 100,000 of them");

struct host {
	enum family family;
	struct host_settings settings;
	struct host_link link;
	struct pool *pool;
	struct joins *joins;
	struct reporter reporters[KEEPERS];
	struct row *lists[ROW_STATES];
	size_t resting;
	size_t supersets;
	int last_error;
	/* memory was too short to say what is so: said again then; MTIME_NEVER: all is said */
	mtime correct_at;
	struct host_walk *walks;
	struct holds holds;
	struct bucket kernel_queries;            /* that the kernel has room for */
	struct addr merged[REQUEST_SOURCES_MAX]; /* a row's wanted filter while operations are made of it */
	struct addr scratch[REQUEST_SOURCES_MAX];
};

/* May that keeper keep groups? */
static inline bool host_keeps(const struct host *host, enum keeper keeper)
{
	return host->settings.membership == MEMBERSHIP_AUTO ||
	       (host->settings.membership == MEMBERSHIP_USER) == (keeper == KEEPER_HOST);
}

/* Its first want; NULL: nobody wants it. The others follow by `next`. */
static inline struct want *row_wants(struct row *row)
{
	return row->first.used ? &row->first : row->first.next;
}

static inline enum row_state row_state(const struct row *row)
{
	return row->joining == NULL ? ROW_SETTLED : row->joining->state;
}

/* The kernel holds something of it. */
static inline bool row_is_held(const struct row *row)
{
	return row->joining != NULL && row->joining->join.parts != NULL;
}

static inline enum keeper row_keeper(const struct row *row)
{
	return row->joining != NULL ? KEEPER_KERNEL : KEEPER_HOST;
}

static inline struct reporter *row_reporter(struct host *host, const struct row *row)
{
	return &host->reporters[row_keeper(row)];
}

/* host_rows.c */

/* NULL when there is none. */
struct row *row_find(struct host *host, const struct addr *group);
/* The row of a group, made when there is none; NULL when memory is short. */
struct row *row_get(struct host *host, const struct addr *group);
/* Frees a row that nothing keeps; any other stays. */
void row_release(struct host *host, struct row *row);
/* The oldest row of this keeper or a later one. */
struct row *row_oldest(const struct host *host, int keeper);
/* The next one of a walk over all rows. */
struct row *row_next(const struct host *host, const struct row *row);

/* The want of an instance; NULL when there is none. */
struct want *want_find(struct row *row, unsigned instance);
/* The want of an instance, made when there is none, then with INCLUDE{}; NULL when memory is short. */
struct want *want_get(struct host *host, struct row *row, unsigned instance);
/* Takes a want away; row_change or row_release is up to the caller. */
void want_free(struct host *host, struct row *row, struct want *want);
/* What all instances want: of a single one its own list, otherwise merged into the host's memory, where it
 * stays until the next call. */
struct filter row_wanted(struct host *host, struct row *row);

/* What is wanted of a group has changed: upstream is reported, or the kernel has something to do first. May free
 * the row. */
void row_change(struct host *host, mtime now, struct row *row);
/* The kernel is where it should be, or as near as it lets us come for now: what it holds is reported. May free
 * the row. */
void row_joined(struct host *host, mtime now, struct row *row);
/* A row that is kept here is settled, and can be nothing else. */
void row_set_state(struct host *host, struct row *row, enum row_state state);
/* The kernel refused, state is ROW_RESTING or ROW_WIDE: it is tried again by and by. */
void row_try_later(struct host *host, mtime now, struct row *row, enum row_state state);
/* Those that wait until then are tried again. */
void rows_try_again(struct host *host, mtime until);
/* What could not be reported as it is, since memory was short, is reported when its time has come. */
void rows_correct(struct host *host, mtime now);
/* An operation of a joining row is done: a group with many sources lets the others through. */
void row_take_turn(struct host *host, struct row *row);
/* A group that the kernel holds nothing of, and upstream knows nothing of, is kept here from now on; false
 * when that cannot be. */
bool row_keep_here(struct host *host, mtime now, struct row *row);

#endif
