/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/show.h"

#include "core/base/spelling.h"
#include "ctl/client/print.h"
#include "ctl/client/session.h"
#include "ctl/client/wrap.h"

#include <stdio.h>
#include <string.h>

const struct view *const views[] = {
	&view_status,   &view_instances, &view_links,   &view_groups, &view_routes,
	&view_upstream, &view_uplinks,   &view_filters, &view_sets,   NULL,
};

static const struct view *find_view(const char *what)
{
	for (size_t i = 0; views[i] != NULL; i++)
		if (strcmp(views[i]->what, what) == 0)
			return views[i];
	return NULL;
}

bool show_has(const char *what)
{
	return find_view(what) != NULL;
}

/* Prints the problem, and what can be shown. */
static int usage(const char *name, const char *problem)
{
	char text[256];
	size_t used = (size_t)snprintf(text, sizeof text, "%s; the choices are", problem);

	for (size_t i = 0; views[i] != NULL && used < sizeof text; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s %s",
		                         i == 0                 ? ""
		                         : views[i + 1] == NULL ? " or"
		                                                : ",",
		                         views[i]->what);
	return command_usage(name, text);
}

static int unknown(const char *name, const char *what)
{
	struct spelling spelling = spelling_begin(what);
	char text[128];

	for (size_t i = 0; views[i] != NULL; i++)
		spelling_compare(&spelling, views[i]->what);
	if (spelling.nearest == NULL)
		return usage(name, "there is no such thing to show");
	snprintf(text, sizeof text, "%.40s: no such thing to show; did you mean %s?", what, spelling.nearest);
	return command_usage(name, text);
}

static int usage_of_sort(const char *name, const struct view *view)
{
	char text[256] = "--sort: this view has no columns";
	size_t used = 0;

	for (const struct listing_column *column = view->columns; column != NULL && column->title != NULL;
	     column++)
		if (used < sizeof text)
			used += (size_t)snprintf(
				text + used, sizeof text - used, "%s%s",
				used == 0 ? "--sort: there is no such column; the columns are " : ", ",
				column->title);
	return command_usage(name, text);
}

void show_put_text(struct listing *listing, struct json_object *value, const char *key)
{
	const char *text = answer_text(value, key);

	listing_put(listing, COLOUR_NONE, *text != '\0' ? text : "-");
}

void show_put_amount(struct listing *listing, struct json_object *value, const char *key)
{
	double amount = answer_number(value, key);
	char text[16];

	listing_put_number(listing, COLOUR_NONE, amount, format_amount(amount, text));
}

void show_put_bytes(struct listing *listing, struct json_object *value, const char *key)
{
	double bytes = answer_number(value, key);
	char text[16];

	listing_put_number(listing, COLOUR_NONE, bytes, format_bytes(bytes, text));
}

void show_put_age(struct listing *listing, struct json_object *value, const char *key)
{
	double age = answer_number(value, key);
	char text[16];

	listing_put_number(listing, COLOUR_NONE, age, answer_has(value, key) ? format_age(age, text) : "-");
}

const char *show_wanted(const char *mode, double sources, const char *first, char text[VIEW_TEXT_SIZE])
{
	bool exclude = strcmp(mode, "EXCLUDE") == 0;

	if (sources == 0)
		snprintf(text, VIEW_TEXT_SIZE, exclude ? "any source" : "nothing");
	else if (exclude)
		snprintf(text, VIEW_TEXT_SIZE, "all but %.0f", sources);
	else if (sources == 1)
		snprintf(text, VIEW_TEXT_SIZE, "%s", first);
	else
		snprintf(text, VIEW_TEXT_SIZE, "%.0f sources", sources);
	return text;
}

const char *show_join(struct json_object *value, const char *key, char *text, size_t size)
{
	struct json_object *list = answer_member(value, key);
	size_t count = answer_length(list);
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? " " : "",
		                         json_object_get_string(json_object_array_get_idx(list, i)));
	return text;
}

void show_note_details(struct listing *listing, struct json_object *object)
{
	char text[32];

	json_object_object_foreach(object, key, value)
	{
		if (json_object_is_type(value, json_type_object))
			show_note_details(listing, value);
		else if (json_object_is_type(value, json_type_double))
			listing_note(listing, "%-31s %s", key,
			             format_duration(json_object_get_double(value), text));
		else if (!json_object_is_type(value, json_type_array))
			listing_note(listing, "%-31s %s", key,
			             value != NULL ? json_object_get_string(value) : "-");
	}
}

struct context {
	const struct view *view;
	struct show *show;
};

static void take(void *data, const char *key, struct json_object *value)
{
	struct context *context = data;

	context->view->take(context->show, key, value);
}

static void keep(void *data, const char *key, struct json_object *value)
{
	(void)key;
	if (json_object_is_type(value, json_type_object))
		json_object_array_add(data, json_object_get(value));
}

static bool ask(struct session *session, const struct show *show, const char *what, answer_take *take_answer,
                void *context)
{
	struct json_object *request = session_request("show");

	json_object_object_add(request, "what", json_object_new_string(what));
	filters_add(show->filters, request);
	return session_ask(session, request) && session_read(session, take_answer, context);
}

/* Several instances: each row names its own. */
static bool has_instances(const struct show *show)
{
	const char *first = NULL;

	for (size_t i = 0; i < answer_length(show->links); i++) {
		const char *instance = answer_text(json_object_array_get_idx(show->links, i), "instance");

		if (first != NULL && strcmp(first, instance) != 0)
			return true;
		first = instance;
	}
	return false;
}

static bool ask_all(struct session *session, const struct view *view, struct show *show)
{
	struct context context = {.view = view, .show = show};

	if (view->columns == NULL)
		return ask(session, show, view->what, take, &context);
	if (!ask(session, show, "links", keep, show->links))
		return false;
	if (view == &view_links && !ask(session, show, "uplinks", keep, show->uplinks))
		return false;
	if (!has_instances(show) && view != &view_instances)
		listing_hide(show->listing, "INSTANCE");
	if (view != &view_links)
		return ask(session, show, view->what, take, &context);
	for (size_t i = 0; i < answer_length(show->links); i++)
		view->take(show, "links", json_object_array_get_idx(show->links, i));
	return true;
}

static bool print_listing(const struct show *show, struct listing *listing, const char *sort)
{
	listing_sort(listing, sort);
	return listing_print(listing, stdout, show->ctl->colour, screen_width());
}

/* What an empty table means. */
static const char *describe_empty(const struct view *view, const struct show *show, char *text, size_t size)
{
	const struct filters *filters = show->filters;

	if (show->totals.unwanted > 0)
		return view->sum(show, text, size);
	if (view->empty != NULL && filters->instance == NULL && filters->link == NULL &&
	    filters->group == NULL)
		return view->empty;
	snprintf(text, size, "no %s match the filter", view->what);
	return text;
}

static int print_all(const struct view *view, const struct show *show)
{
	bool empty = show->listing == NULL || listing_rows(show->listing) == 0;
	char text[VIEW_TEXT_SIZE];

	if (show->listing == NULL)
		return CTL_DONE;
	if (!empty && !print_listing(show, show->listing, show->filters->sort))
		return CTL_FAILED;
	if (show->second != NULL && listing_rows(show->second) > 0) {
		putchar('\n');
		if (!print_listing(show, show->second, NULL))
			return CTL_FAILED;
	}
	if (!empty)
		putchar('\n');
	wrap_print(stdout, screen_width(), 0, 0,
	           empty ? describe_empty(view, show, text, sizeof text)
	                 : view->sum(show, text, sizeof text));
	return CTL_DONE;
}

static int run(const struct ctl *ctl, const struct view *view, struct show *show)
{
	struct session *session = session_open(ctl);
	int status = CTL_FAILED;

	if (session != NULL && ask_all(session, view, show))
		status = print_all(view, show);
	session_close(session);
	return status;
}

/* Prints the daemon's answer as it is. */
static int copy(const struct ctl *ctl, const struct view *view, const struct filters *filters)
{
	struct json_object *request = session_request("show");

	json_object_object_add(request, "what", json_object_new_string(view->what));
	filters_add(filters, request);
	return session_run(ctl, request, NULL, NULL);
}

int show_run(const struct ctl *ctl, int argc, char **argv)
{
	struct filters filters = {0};
	struct show show = {.ctl = ctl, .filters = &filters};
	const struct view *view;
	int status;

	if (!filters_read(&filters, &argc, argv))
		return CTL_USAGE;
	if (argc != 2)
		return usage(argv[0],
		             argc < 2 ? "what to show is missing"
		                      : "only one thing can be shown at a time, and filters are options");
	view = find_view(argv[1]);
	if (view == NULL)
		return unknown(argv[0], argv[1]);
	if (view->columns != NULL)
		show.listing = listing_new(view->columns);
	if (view->second != NULL)
		show.second = listing_new(view->second);
	show.links = json_object_new_array();
	show.uplinks = json_object_new_array();
	if (filters.sort != NULL && (show.listing == NULL || !listing_sort(show.listing, filters.sort)))
		status = usage_of_sort(argv[0], view);
	else if (ctl->json)
		status = copy(ctl, view, &filters);
	else
		status = run(ctl, view, &show);
	listing_free(show.listing);
	listing_free(show.second);
	json_object_put(show.links);
	json_object_put(show.uplinks);
	return status;
}
