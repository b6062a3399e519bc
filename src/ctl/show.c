/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/show.h"

#include "ctl/filters.h"
#include "ctl/session.h"

#include <string.h>

struct context {
	const struct view *view;
	struct showing showing;
};

static const struct view *find_view(const char *what)
{
	for (const struct view *view = views; view->what != NULL; view++)
		if (strcmp(view->what, what) == 0)
			return view;
	return NULL;
}

static void take(void *data, const char *key, struct json_object *value)
{
	struct context *context = data;

	context->view->put(&context->showing, key, value);
}

int show_run(const struct ctl *ctl, int argc, char **argv)
{
	struct context context = {.showing = {.ctl = ctl}};
	struct filters filter = {0};
	struct json_object *request;

	if (!filters_read(&filter, &argc, argv))
		return CTL_USAGE;
	if (argc != 2)
		return command_usage(argv[0],
		                     "one of status, instances, links, groups, routes, upstream is expected");
	context.view = find_view(argv[1]);
	if (context.view == NULL)
		return command_usage(argv[0],
		                     "one of status, instances, links, groups, routes, upstream is expected");
	context.showing.details = filter.details;
	context.showing.columns = (struct columns){.columns = context.view->columns, .colour = ctl->colour};
	request = session_request("show");
	json_object_object_add(request, "what", json_object_new_string(argv[1]));
	filters_add(&filter, request);
	return session_run(ctl, request, take, &context);
}
