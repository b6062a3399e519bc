/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/convert/write.h"

#include <stdio.h>
#include <stdlib.h>

static void write_strings(struct output *output, struct lines *page, const char *key,
                          const struct lines *strings)
{
	if (strings->count == 0)
		return;
	output->from = strings->line[0].from;
	lines_add(output, page, "                %s = [", key);
	for (size_t i = 0; i < strings->count; i++) {
		output->from = strings->line[i].from;
		lines_add(output, page, "                    \"%s\"%s", strings->line[i].text,
		          i + 1 < strings->count ? "," : "");
	}
	lines_add(output, page, "                ];");
}

static void write_link(struct output *output, struct lines *page, const struct link *link, bool last)
{
	static char all[] = "allow all";
	struct line line = {all, link->line};
	const struct lines everything = {.line = &line, .count = 1};
	bool upstream = link->role == ROLE_UPSTREAM;

	output->from = link->line;
	lines_add(output, page, "            {");
	lines_add(output, page, "                name = \"%s\";", link->name);
	lines_append(output, page, "                ", &link->settings);
	write_strings(output, page, "filter_in", upstream && link->in.count == 0 ? &everything : &link->in);
	write_strings(output, page, "filter_out",
	              upstream && link->out.count == 0 ? &everything : &link->out);
	write_strings(output, page, "static", &link->statics);
	output->from = link->line;
	lines_add(output, page, "            }%s", last ? "" : ",");
}

static void write_role(struct output *output, struct lines *page, const struct instance *instance,
                       enum role role, const char *key)
{
	size_t left = instance_count_role(instance, role);

	if (left == 0)
		return;
	lines_add(output, page, "        %s = (", key);
	for (const struct link *link = instance->links; link != NULL; link = link->next)
		if (link->role == role)
			write_link(output, page, link, --left == 0);
	lines_add(output, page, "        );");
}

static void write_instance(struct output *output, struct lines *page, const struct instance *instance)
{
	output->from = instance->links != NULL ? instance->links->line : 0;
	lines_add(output, page, "    {");
	if (instance->name != NULL)
		lines_add(output, page, "        name = \"%s\";", instance->name);
	lines_append(output, page, "        ", &instance->settings);
	write_role(output, page, instance, ROLE_UPSTREAM, "upstream");
	write_role(output, page, instance, ROLE_DOWNSTREAM, "downstream");
	lines_add(output, page, "    }%s", instance->next != NULL ? "," : "");
}

static bool has_upstream(const struct output *output)
{
	for (const struct instance *instance = output->instances; instance != NULL; instance = instance->next)
		if (instance_count_role(instance, ROLE_UPSTREAM) > 0)
			return true;
	return false;
}

struct lines output_page(struct output *output)
{
	struct lines page = {0};

	output->scan = NULL;
	output->from = 0;
	output->line_count = 0; /* the page has all lines again */
	lines_add(output, &page, "# Converted from %s by mcproxyctl %s.", output->kind, MCPROXY_VERSION);
	if (has_upstream(output)) {
		lines_add(
			output, &page,
			"# On upstream links, \"allow all\" keeps the old behaviour. Without it, mcproxy leaves");
		lines_add(output, &page, "# discovery (SSDP and the like) out there.");
	}
	lines_append(output, &page, "", &output->settings);
	lines_add(output, &page, "instances = (");
	for (const struct instance *instance = output->instances; instance != NULL; instance = instance->next)
		write_instance(output, &page, instance);
	output->from = 0;
	lines_add(output, &page, ");");
	return page;
}

char *lines_text(const struct lines *lines)
{
	size_t size = 1;
	char *text, *to;

	for (size_t i = 0; i < lines->count; i++)
		size += strlen(lines->line[i].text) + 1;
	to = text = malloc(size);
	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < lines->count; i++) {
		to = stpcpy(to, lines->line[i].text);
		*to++ = '\n';
	}
	*to = '\0';
	return text;
}

static void free_instance(struct instance *instance)
{
	for (struct link *link = instance->links, *next; link != NULL; link = next) {
		next = link->next;
		lines_clear(&link->settings);
		lines_clear(&link->in);
		lines_clear(&link->out);
		lines_clear(&link->statics);
		lines_clear(&link->sources);
		free(link->name);
		free(link);
	}
	lines_clear(&instance->settings);
	free(instance->name);
	free(instance);
}

void output_free(struct output *output)
{
	for (struct instance *instance = output->instances, *next; instance != NULL; instance = next) {
		next = instance->next;
		free_instance(instance);
	}
	lines_clear(&output->settings);
}
