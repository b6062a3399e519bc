/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The commands that change the daemon: `reload`, `clear`, `loglevel`.
 */
#include "ctl/client/print.h"
#include "ctl/client/session.h"
#include "ctl/command.h"
#include "ctl/filters.h"

#include <stdio.h>
#include <string.h>

static void put_reload(void *context, const char *key, struct json_object *value)
{
	(void)context;
	if (strcmp(key, "configuration") == 0)
		print("%s is in force\n", json_object_get_string(value));
	else if (strcmp(key, "notes") == 0)
		print("note: %s\n", json_object_get_string(value));
}

int reload_run(const struct ctl *ctl, int argc, char **argv)
{
	if (argc > 1)
		return command_usage(argv[0], "no argument is expected");
	return session_run(ctl, session_request("reload"), put_reload, NULL);
}

static void put_cleared(void *context, const char *key, struct json_object *value)
{
	int links = json_object_get_int(value);

	(void)context;
	if (strcmp(key, "links") == 0)
		print("hosts on %d %s are asked for their groups; groups that no host confirms end\n", links,
		      links == 1 ? "link" : "links");
}

int clear_run(const struct ctl *ctl, int argc, char **argv)
{
	struct filters filters = {0};
	struct json_object *request;

	if (!filters_read(&filters, &argc, argv))
		return CTL_USAGE;
	if (argc != 2 || strcmp(argv[1], "groups") != 0)
		return command_usage(argv[0], "the word groups is expected; filters are options");
	request = session_request("clear");
	json_object_object_add(request, "what", json_object_new_string("groups"));
	filters_add(&filters, request);
	return session_run(ctl, request, put_cleared, NULL);
}

static void put_level(void *context, const char *key, struct json_object *value)
{
	(void)context;
	if (strcmp(key, "level") == 0)
		print("%s\n", json_object_get_string(value));
}

int loglevel_run(const struct ctl *ctl, int argc, char **argv)
{
	struct json_object *request;

	if (argc > 2)
		return command_usage(argv[0], "one level is expected");
	request = session_request("loglevel");
	if (argc > 1)
		json_object_object_add(request, "level", json_object_new_string(argv[1]));
	return session_run(ctl, request, put_level, NULL);
}
