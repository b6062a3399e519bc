/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/group_maps.h"

#include "core/policy/group_map.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATIC_GROUPS_MAX 4096 /* of a link */
#define TEXT_SIZE         160

/* The list that is being read. */
struct map_reader {
	struct config *config;
	const char *path;
	char *error;
	const struct link_settings *link; /* whose static groups they are; NULL: an ssm_map */
};

static bool fail(const struct map_reader *reader, const config_setting_t *setting, const char *text,
                 const char *reason)
{
	struct config_place place = config_setting_place(setting, reader->path);

	return config_fail(reader->error, &place, "%s%s%s", text, *text ? ": " : "", reason);
}

/* "GROUPS [from SOURCE]", which is changed. False: it has other words. */
static bool split(char *text, const char **groups, const char **source)
{
	static const char blank[] = " \t\r\n";
	const char *from;
	char *rest = NULL;

	*groups = strtok_r(text, blank, &rest);
	from = strtok_r(NULL, blank, &rest);
	*source = strtok_r(NULL, blank, &rest);
	if (*groups == NULL || strtok_r(NULL, blank, &rest) != NULL)
		return false;
	return from == NULL || (*source != NULL && strcmp(from, "from") == 0);
}

/* The reason why the entry cannot be what the link keeps; NULL: it can. */
static const char *check_static(const struct link_settings *link, const struct group_map_entry *entry)
{
	enum family family = addr_family(&entry->groups.first);
	struct addr group = entry->groups.first;
	bool any_source = addr_is_unspecified(&entry->source);

	if (link->version[family] == VERSION_NONE)
		return family == FAMILY_IPV4 ? "the link serves no IPv4; add \"IGMPv3\" to `protocol`"
		                             : "the link serves no IPv6; add \"MLDv2\" to `protocol`";
	for (unsigned count = 1;; count++) {
		if (count > STATIC_GROUPS_MAX)
			return "more than 4096 groups; use a longer prefix, such as /20 of IPv4 or /116 of IPv6";
		if (!addr_is_proxied_group(&group))
			return "groups of this range never leave their link, so there is nothing to forward; "
			       "leave them out";
		if (any_source && link_settings_demand_source(link, &group))
			return "source-specific groups need a source; write `GROUP from SOURCE`, or set "
			       "ssm_range = \"none\"";
		if (addr_equal(&group, &entry->groups.last))
			return NULL;
		addr_next(&group);
	}
}

/* The reason why the words are no entry; NULL: they are one. */
static const char *parse(const struct map_reader *reader, const char *groups, const char *source,
                         struct group_map_entry *entry)
{
	const char *problem = range_parse(groups, &entry->groups);
	enum family family = addr_family(&entry->groups.first);

	if (problem != NULL)
		return problem;
	if (range_is_mac(&entry->groups) || !addr_is_multicast(&entry->groups.first) ||
	    !addr_is_multicast(&entry->groups.last))
		return "contains more than multicast groups, which are in 224.0.0.0/4 and ff00::/8";
	entry->source = addr_unspecified(family);
	if (source == NULL)
		return reader->link != NULL ? check_static(reader->link, entry)
		                            : "without a source; write `GROUPS from SOURCE`";
	if (!addr_parse(source, &entry->source) || !addr_is_source(&entry->source))
		return "the address of one sender must follow `from`; write an entry for each sender";
	if (addr_family(&entry->source) != family)
		return "its source is of the other address family; name an address of the groups' family";
	return reader->link != NULL ? check_static(reader->link, entry) : NULL;
}

static bool read_entry(const struct map_reader *reader, const config_setting_t *setting,
                       struct group_map_entry *entry)
{
	const char *text = config_setting_get_string(setting), *groups, *source, *problem;
	char copy[TEXT_SIZE];

	if (text == NULL)
		return fail(reader, setting, "", "a string such as \"232.1.1.1 from 10.0.0.1\" is expected");
	snprintf(copy, sizeof copy, "%s", text);
	if (strlen(text) >= sizeof copy || !split(copy, &groups, &source))
		return fail(reader, setting, text,
		            reader->link != NULL
		                    ? "write a group, a prefix, or `GROUP from SOURCE`"
		                    : "write `GROUPS from SOURCE`, with an address or a prefix for GROUPS");
	problem = parse(reader, groups, source, entry);
	return problem == NULL || fail(reader, setting, text, problem);
}

static bool has_elements(const config_setting_t *setting)
{
	return config_setting_is_list(setting) || config_setting_is_array(setting);
}

static bool read_entries(const struct map_reader *reader, const config_setting_t *setting,
                         struct group_map_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!read_entry(reader,
		                has_elements(setting) ? config_setting_get_elem(setting, (unsigned)i)
		                                      : setting,
		                &entries[i]))
			return false;
	return true;
}

/* Keeps the map in the configuration. */
static bool add_map(const struct map_reader *reader, const config_setting_t *setting, struct group_map *map)
{
	struct config_group_map *added = map != NULL ? malloc(sizeof *added) : NULL;

	if (added == NULL) {
		group_map_release(map);
		return fail(reader, setting, "", "out of memory");
	}
	*added = (struct config_group_map){.next = reader->config->group_maps, .map = map};
	reader->config->group_maps = added;
	if (reader->link != NULL &&
	    group_map_count(map, FAMILY_IPV4) + group_map_count(map, FAMILY_IPV6) > STATIC_GROUPS_MAX)
		return fail(reader, setting, "", "more than 4096 groups together; name fewer groups");
	return true;
}

/* An empty list gives no map. */
static bool read_map(const struct map_reader *reader, const config_setting_t *setting,
                     const struct group_map **map)
{
	int length = has_elements(setting) ? config_setting_length(setting) : 1;
	size_t count = (size_t)length;
	struct group_map_entry *entries;
	bool good;

	*map = NULL;
	if (count == 0)
		return true;
	if (count > GROUP_MAP_ENTRIES_MAX)
		return fail(reader, setting, "", "more than 4096 entries; use prefixes");
	entries = calloc(count, sizeof *entries);
	if (entries == NULL)
		return fail(reader, setting, "", "out of memory");
	good = read_entries(reader, setting, entries, count) &&
	       add_map(reader, setting, group_map_new(entries, count));
	if (good)
		*map = reader->config->group_maps->map;
	free(entries);
	return good;
}

bool config_ssm_map_read(struct config *config, const config_setting_t *group, const char *path,
                         struct config_scope *scope, char error[CONFIG_ERROR_SIZE])
{
	struct map_reader reader = {.config = config, .path = path, .error = error};
	const config_setting_t *setting = config_setting_get_member(group, "ssm_map");

	return setting == NULL || read_map(&reader, setting, &scope->ssm_map);
}

bool config_link_groups_read(struct config *config, const config_setting_t *group, enum link_role role,
                             const char *path, struct config_scope *scope, char error[CONFIG_ERROR_SIZE])
{
	struct map_reader reader = {.config = config, .path = path, .error = error, .link = &scope->link};
	const config_setting_t *kept = config_setting_get_member(group, "static");
	const config_setting_t *mapped = config_setting_get_member(group, "ssm_map");

	if (mapped != NULL && role == ROLE_UPSTREAM)
		return fail(
			&reader, mapped, "",
			"an upstream link has no members whose joins could be mapped; move the key to the "
			"downstream links, or to the instance");
	if (!config_ssm_map_read(config, group, path, scope, error) ||
	    (kept != NULL && !read_map(&reader, kept, &scope->link.static_groups)))
		return false;
	scope->link.ssm_map = role == ROLE_DOWNSTREAM ? scope->ssm_map : NULL;
	return true;
}

static void replace(struct config_link *links, size_t count, const struct group_map *from,
                    const struct group_map *to)
{
	for (size_t i = 0; i < count; i++) {
		struct link_settings *settings = &links[i].settings;

		if (settings->static_groups == from)
			settings->static_groups = to;
		if (settings->ssm_map == from)
			settings->ssm_map = to;
	}
}

void config_group_maps_share(struct config *next, const struct config *running)
{
	for (struct config_group_map *new = next->group_maps; new != NULL; new = new->next) {
		const struct config_group_map *old = running->group_maps;

		while (old != NULL && !group_map_equal(old->map, new->map))
			old = old->next;
		if (old == NULL)
			continue;
		for (size_t i = 0; i < next->instance_count; i++) {
			struct config_instance *instance = &next->instances[i];

			replace(instance->upstream, instance->upstream_count, new->map, old->map);
			replace(instance->downstream, instance->downstream_count, new->map, old->map);
		}
		group_map_hold(old->map);
		group_map_release(new->map);
		new->map = old->map;
	}
}

void config_group_maps_free(struct config *config)
{
	struct config_group_map *map = config->group_maps, *next;

	for (; map != NULL; map = next) {
		next = map->next;
		group_map_release(map->map);
		free(map);
	}
}
