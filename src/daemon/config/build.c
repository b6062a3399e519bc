/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/build.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANK " \t\r\n\v\f"

bool config_protocol_parse(const char *name, enum family *family, enum version *version)
{
	for (enum family f = FAMILY_IPV4; f < FAMILIES; f++) {
		for (enum version v = f == FAMILY_IPV4 ? VERSION_1 : VERSION_2; v <= VERSION_3; v++) {
			if (strcasecmp(name, version_name(f, v)) == 0) {
				*family = f;
				*version = v;
				return true;
			}
		}
	}
	return false;
}

static struct config_instance *newest(struct config *config)
{
	return &config->instances[config->instance_count - 1];
}

struct config_instance *config_add_instance(struct config *config, const struct config_scope *scope,
                                            const struct config_place *place, char error[CONFIG_ERROR_SIZE])
{
	size_t count = config->instance_count + 1;
	struct config_instance *instances;

	if (count > CONFIG_INSTANCES_MAX) {
		config_fail(error, place, "more than %d instances", CONFIG_INSTANCES_MAX);
		return NULL;
	}
	instances = realloc(config->instances, count * sizeof *instances);
	if (instances == NULL) {
		config_fail(error, place, "out of memory");
		return NULL;
	}
	config->instances = instances;
	config->instance_count = count;
	*newest(config) = (struct config_instance){.settings = scope->instance, .table = scope->table};
	memcpy(newest(config)->family_named, scope->family_named, sizeof scope->family_named);
	return newest(config);
}

bool config_name_instance(struct config *config, const char *name, const struct config_place *place,
                          char error[CONFIG_ERROR_SIZE])
{
	if (*name == '\0')
		return config_fail(error, place, "the name of an instance is empty");
	if (strlen(name) >= CONFIG_NAME_SIZE)
		return config_fail(error, place, "%.20s...: longer than %d characters", name,
		                   CONFIG_NAME_SIZE - 1);
	for (const char *at = name; *at != '\0'; at++)
		if (iscntrl((unsigned char)*at))
			return config_fail(error, place, "%s: contains a control character", name);
	for (size_t i = 0; i + 1 < config->instance_count; i++)
		if (strcmp(config->instances[i].name, name) == 0)
			return config_fail(error, place, "another instance is named %s", name);
	memcpy(newest(config)->name, name, strlen(name) + 1);
	return true;
}

/* A hint at what a character that no name can contain was meant for. */
static const char *mark_hint(char mark)
{
	switch (mark) {
	case '=':
		return "; the two sides are written eth0 ==> eth1";
	case ',':
		return "; blanks separate links";
	case ' ':
		return "; several links are a list: ( \"eth1\", \"eth2\" )";
	}
	return "";
}

/* Accepts what the kernel accepts as a name (or as a pattern), except for the special characters of both
 * syntaxes: those are there because a quote or blank is missing. */
static bool check_link_addresses(const char *name, const struct config_place *place,
                                 char error[CONFIG_ERROR_SIZE])
{
	struct range range;
	const char *problem = range_parse(name + 1, &range);

	if (problem == NULL && range_is_mac(&range))
		problem = "a MAC address is not an address of a link";
	return problem == NULL || config_fail(error, place, "%s: %s", name, problem);
}

static bool check_link_name(const char *name, const struct config_place *place, char error[CONFIG_ERROR_SIZE])
{
	if (*name == '\0')
		return config_fail(error, place, "the name of a link is empty");
	if (strlen(name) >= CONFIG_LINK_SIZE)
		return config_fail(error, place, "%.20s%s: longer than %d characters", name,
		                   strlen(name) > 20 ? "..." : "", CONFIG_LINK_SIZE - 1);
	if (name[0] == '@')
		return check_link_addresses(name, place, error);
	for (const char *at = name; *at != '\0'; at++)
		if (isspace((unsigned char)*at) || iscntrl((unsigned char)*at) ||
		    strchr("/:;,=(){}\"'", *at) != NULL)
			return config_fail(error, place, "%s: a link's name cannot contain '%c'%s", name, *at,
			                   mark_hint(*at));
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return config_fail(error, place, "%s: not a link's name", name);
	return true;
}

static bool has_link(const struct config_link *links, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(links[i].name, name) == 0)
			return true;
	return false;
}

static bool has_upstream(const struct config_instance *instance, const char *name)
{
	return has_link(instance->upstream, instance->upstream_count, name);
}

static bool has_downstream(const struct config_instance *instance, const char *name)
{
	return has_link(instance->downstream, instance->downstream_count, name);
}

/* An instance without upstream is a querier only. */
static const struct config_link *first_link(const struct config_instance *instance)
{
	return instance->upstream_count > 0 ? &instance->upstream[0] : &instance->downstream[0];
}

/* All links of an instance serve the same families. */
static bool serves_family_of(const struct config_instance *instance, const struct link_settings *settings)
{
	const struct link_settings *other = &first_link(instance)->settings;

	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		if (other->version[family] != VERSION_NONE && settings->version[family] != VERSION_NONE)
			return true;
	return false;
}

/* The link on which a packet arrives decides which kernel table handles it. */
static bool shares_table(const struct config_instance *instance, const struct config_instance *other)
{
	return instance->table == other->table && instance->table != CONFIG_TABLE_OWN;
}

/* In one family a link has one role, and one instance is its querier. Instances can share an
 * upstream link. */
static bool check_roles(const struct config *config, enum link_role role, const char *name,
                        const struct link_settings *settings, const struct config_place *place,
                        char error[CONFIG_ERROR_SIZE])
{
	const struct config_instance *instance = &config->instances[config->instance_count - 1];

	for (const struct config_instance *other = config->instances; other < instance; other++) {
		if (!serves_family_of(other, settings))
			continue;
		if (role == ROLE_DOWNSTREAM && has_downstream(other, name))
			return config_fail(
				error, place,
				"%s: already a downstream link of instance %s, and a link has one querier: "
				"remove it from one of them",
				name, other->name);
		if (role == ROLE_UPSTREAM && has_downstream(other, name))
			return config_fail(error, place,
			                   "%s: already a downstream link of instance %s, and upstream here: "
			                   "a link has one role",
			                   name, other->name);
		if (role == ROLE_DOWNSTREAM && has_upstream(other, name))
			return config_fail(
				error, place,
				"%s: already an upstream link of instance %s, and downstream here: a "
				"link has one role",
				name, other->name);
		if (has_upstream(other, name) && !shares_table(instance, other))
			return config_fail(
				error, place,
				"%s: already an upstream link of instance %s, which has another table: "
				"give both the same `table`",
				name, other->name);
	}
	return true;
}

bool config_add_link(struct config *config, enum link_role role, const char *name,
                     const struct link_settings *settings, const struct config_place *place,
                     char error[CONFIG_ERROR_SIZE])
{
	struct config_instance *instance = newest(config);
	struct config_link *links = role == ROLE_UPSTREAM ? instance->upstream : instance->downstream;
	size_t *count = role == ROLE_UPSTREAM ? &instance->upstream_count : &instance->downstream_count;

	if (!check_link_name(name, place, error))
		return false;
	if (has_link(links, *count, name))
		return config_fail(error, place, "%s: named twice", name);
	if (has_upstream(instance, name) || has_downstream(instance, name))
		return config_fail(error, place, "%s: both upstream and downstream: name it on one side",
		                   name);
	if (!check_roles(config, role, name, settings, place, error))
		return false;
	if (*count == CONFIG_LINKS_MAX)
		return config_fail(error, place, "more than %d links", CONFIG_LINKS_MAX);
	links[*count].settings = *settings;
	links[*count].settings.order = role == ROLE_UPSTREAM ? (uint32_t)*count : 0;
	memcpy(links[*count].name, name, strlen(name) + 1);
	(*count)++;
	return true;
}

bool config_finish_instance(struct config *config, const struct config_place *place,
                            char error[CONFIG_ERROR_SIZE])
{
	struct config_instance *instance = newest(config);

	if (instance->downstream_count == 0)
		return config_fail(error, place,
		                   "an instance needs a downstream link, such as eth1 in \"eth0 ==> eth1\"");
	if (instance->name[0] == '\0')
		memcpy(instance->name, first_link(instance)->name, sizeof instance->downstream[0].name);
	return true;
}

struct link_settings config_role_settings(const struct config_scope *scope, enum link_role role)
{
	struct link_settings settings = scope->link;

	settings.reset_rp_filter = settings.reset_rp_filter && role == ROLE_UPSTREAM;
	settings.filter_in = scope->filters[FILTER_IN][role];
	settings.filter_out = scope->filters[FILTER_OUT][role];
	settings.ssm_map = role == ROLE_DOWNSTREAM ? scope->ssm_map : NULL;
	return settings;
}

/* Splits the line, which is a copy, into words. */
static bool add_words(struct config *config, const struct config_scope *scope, char *line,
                      const struct config_place *place, char error[CONFIG_ERROR_SIZE])
{
	enum link_role role = ROLE_UPSTREAM;
	struct link_settings settings = config_role_settings(scope, role);
	char *rest = NULL;

	for (char *word = strtok_r(line, BLANK, &rest); word != NULL; word = strtok_r(NULL, BLANK, &rest)) {
		if (role == ROLE_UPSTREAM && strcmp(word, "==>") == 0) {
			role = ROLE_DOWNSTREAM;
			settings = config_role_settings(scope, role);
		} else if (!config_add_link(config, role, word, &settings, place, error)) {
			return false;
		}
	}
	if (role == ROLE_UPSTREAM)
		return config_fail(error, place, "no ==> with blanks around it, as in \"eth0 ==> eth1\"");
	return config_finish_instance(config, place, error);
}

bool config_add_line(struct config *config, const struct config_scope *scope, const char *line,
                     const struct config_place *place, char error[CONFIG_ERROR_SIZE])
{
	char *copy;
	bool good;

	if (config_add_instance(config, scope, place, error) == NULL)
		return false;
	copy = strdup(line);
	good = copy != NULL ? add_words(config, scope, copy, place, error)
	                    : config_fail(error, place, "out of memory");
	free(copy);
	return good;
}
