/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/filters.h"

#include "core/base/option.h"
#include "ctl/command.h"

#include <getopt.h>

static const struct option options[] = {
	{"instance", required_argument, NULL, 'i'},
	{"link", required_argument, NULL, 'l'},
	{"group", required_argument, NULL, 'g'},
	{"details", no_argument, NULL, 'd'},
	{"all", no_argument, NULL, 'a'},
	{"sort", required_argument, NULL, 's'},
	{0},
};

bool filters_read(struct filters *filter, int *argc, char **argv)
{
	char problem[128];
	int letter, kept = 1;

	optind = 0; /* restart getopt, in GNU libc and musl */
	opterr = 0;
	while ((letter = getopt_long(*argc, argv, "i:l:g:das:", options, NULL)) != -1) {
		switch (letter) {
		case 'i':
			filter->instance = optarg;
			break;
		case 'l':
			filter->link = optarg;
			break;
		case 'g':
			filter->group = optarg;
			break;
		case 'd':
			filter->details = true;
			break;
		case 'a':
			filter->all = true;
			break;
		case 's':
			filter->sort = optarg;
			break;
		default:
			option_problem(options, optopt, argv[optind - 1], problem, sizeof problem);
			command_usage(argv[0], problem);
			return false;
		}
	}
	while (optind < *argc)
		argv[kept++] = argv[optind++];
	*argc = kept;
	return true;
}

bool filters_read_only(struct filters *filter, int argc, char **argv)
{
	if (!filters_read(filter, &argc, argv))
		return false;
	if (argc > 1)
		command_usage(argv[0], "only filters are expected");
	return argc == 1;
}

void filters_add(const struct filters *filter, struct json_object *request)
{
	if (filter->instance != NULL)
		json_object_object_add(request, "instance", json_object_new_string(filter->instance));
	if (filter->link != NULL)
		json_object_object_add(request, "link", json_object_new_string(filter->link));
	if (filter->group != NULL)
		json_object_object_add(request, "group", json_object_new_string(filter->group));
}
