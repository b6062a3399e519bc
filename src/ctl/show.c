/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/show.h"

#include "ctl/client/session.h"
#include "ctl/filters.h"

#include <stdio.h>
#include <string.h>

struct context {
	const struct view *view;
	struct view_output output;
};

static const struct view *find_view(const char *what)
{
	for (const struct view *view = views; view->what != NULL; view++)
		if (strcmp(view->what, what) == 0)
			return view;
	return NULL;
}

/* Prints the problem, and what can be shown. */
static int usage(const char *name, const char *problem)
{
	char text[256];
	size_t used = (size_t)snprintf(text, sizeof text, "%s; the choices are", problem);

	for (const struct view *view = views; view->what != NULL && used < sizeof text; view++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s %s",
		                         view == views          ? ""
		                         : view[1].what == NULL ? " or"
		                                                : ",",
		                         view->what);
	return command_usage(name, text);
}

static void take(void *data, const char *key, struct json_object *value)
{
	struct context *context = data;

	context->view->put(&context->output, key, value);
}

int show_run(const struct ctl *ctl, int argc, char **argv)
{
	struct context context = {.output = {.ctl = ctl}};
	struct filters filter = {0};
	struct json_object *request;
	int status;

	if (!filters_read(&filter, &argc, argv))
		return CTL_USAGE;
	if (argc != 2)
		return usage(argv[0],
		             argc < 2 ? "what to show is missing"
		                      : "only one thing can be shown at a time, and filters are options");
	context.view = find_view(argv[1]);
	if (context.view == NULL)
		return usage(argv[0], "there is no such thing to show");
	context.output.details = filter.details;
	context.output.columns = (struct columns){.columns = context.view->columns, .colour = ctl->colour};
	request = session_request("show");
	json_object_object_add(request, "what", json_object_new_string(argv[1]));
	filters_add(&filter, request);
	status = session_run(ctl, request, take, &context);
	if (status == CTL_DONE && !ctl->json && !context.output.begun && context.view->columns != NULL)
		columns_head(&context.output.columns); /* titles without rows show that the table is empty */
	return status;
}
