/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `show`: the state of the daemon in tables. A view is one of them.
 */
#ifndef MCPROXY_CTL_SHOW_H
#define MCPROXY_CTL_SHOW_H

#include "ctl/client/answer.h"
#include "ctl/client/listing.h"
#include "ctl/command.h"
#include "ctl/filters.h"

/* What a view sums up. */
struct totals {
	double groups, hosts, streams, unwanted, rate, drops, refused;
	double items, idle; /* rows, and those without effect */
	size_t down;        /* links that are not usable */
};

/* What a view needs to print an answer. */
struct show {
	const struct ctl *ctl;
	const struct filters *filters;
	struct listing *listing;     /* NULL: the view has no columns */
	struct listing *second;      /* of a view with two tables */
	struct json_object *links;   /* those of the daemon */
	struct json_object *uplinks; /* for the view of links */
	struct totals totals;
};

/* What to request, how to print it: the columns, the function for each element of the answer, and the one that
 * adds up in the end. */
struct view {
	const char *what;
	const char *empty; /* why there may be no row; NULL: there is always one */
	const struct listing_column *columns, *second; /* NULL: none */
	void (*take)(struct show *show, const char *key, struct json_object *value);
	/* The line below the table. */
	const char *(*sum)(const struct show *show, char *text, size_t size);
};

#define VIEW_TEXT_SIZE 256

extern const struct view *const views[]; /* the last one is NULL */
extern const struct view view_status, view_instances, view_links, view_groups, view_routes, view_upstream,
	view_uplinks, view_filters, view_sets;

/* Can `show` show that? */
bool show_has(const char *what);

/* Cells with the member of that name. */
void show_put_text(struct listing *listing, struct json_object *value, const char *key);
void show_put_amount(struct listing *listing, struct json_object *value, const char *key);
void show_put_bytes(struct listing *listing, struct json_object *value, const char *key);
void show_put_age(struct listing *listing, struct json_object *value, const char *key);
/* "any source", "all but 1", "10.0.0.1", "3 sources" */
const char *show_wanted(const char *mode, double sources, const char *first, char text[VIEW_TEXT_SIZE]);
/* The texts of a list, separated by spaces. */
const char *show_join(struct json_object *value, const char *key, char *text, size_t size);
/* Notes with the members that have no column, one line each; --details. */
void show_note_details(struct listing *listing, struct json_object *object);

#endif
