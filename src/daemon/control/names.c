/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/names.h"

#include "core/tables/links.h"
#include "daemon/owner/instances.h"

#include <stdio.h>
#include <string.h>

struct names {
	char text[CONTROL_ERROR_SIZE];
	size_t used;
};

static void add(struct names *names, const char *name)
{
	char word[CONFIG_NAME_SIZE + 4], all[sizeof names->text + 4];

	snprintf(word, sizeof word, ", %s,", name);
	snprintf(all, sizeof all, ", %s,", names->text);
	if (strstr(all, word) == NULL && names->used < sizeof names->text)
		names->used += (size_t)snprintf(names->text + names->used, sizeof names->text - names->used,
		                                "%s%s", names->used > 0 ? ", " : "", name);
}

/* The configured links, with patterns as they are; true if one of them is the name or matches it. */
static bool find_link(const struct owner *owner, const struct config_link *links, size_t count,
                      const char *name, struct names *names)
{
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		add(names, links[i].name);
		found |= strcmp(links[i].name, name) == 0 || links_match(owner->links, links[i].name, name);
	}
	return found;
}

bool names_check(struct client *client)
{
	const struct owner *owner = client->owner;
	const char *instance = client->request.instance, *link = client->request.link;
	struct names instances = {.used = 0}, links = {.used = 0};
	bool has_instance = instance[0] == '\0', has_link = link[0] == '\0';

	for (size_t i = 0; i < owner->instance_count; i++) {
		const struct config_instance *config = owner->instances[i].config;

		if (config == NULL)
			continue;
		add(&instances, config->name);
		has_instance |= strcmp(config->name, instance) == 0;
		has_link |= find_link(owner, config->upstream, config->upstream_count, link, &links);
		has_link |= find_link(owner, config->downstream, config->downstream_count, link, &links);
	}
	if (!has_instance)
		client_fail(client, "instance %s: no such instance; the instances are: %s", instance,
		            instances.text);
	else if (!has_link)
		client_fail(client, "link %s: no instance uses it; the links are: %s", link, links.text);
	return has_instance && has_link;
}
