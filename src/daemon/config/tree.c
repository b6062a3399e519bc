/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/tree.h"

#include "daemon/config/build.h"
#include "daemon/config/filters.h"
#include "daemon/config/group_maps.h"
#include "daemon/config/options.h"
#include "daemon/config/syntax_error.h"
#include "daemon/config/text.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

struct tree_reader {
	struct config *config;
	const char *path;
	char *error;
};

/* A setting has one value, or a list or array of values. */
static int element_count(const config_setting_t *setting)
{
	return config_setting_is_list(setting) || config_setting_is_array(setting)
	               ? config_setting_length(setting)
	               : 1;
}

static const config_setting_t *element(const config_setting_t *setting, int index)
{
	if (!config_setting_is_list(setting) && !config_setting_is_array(setting))
		return setting;
	return config_setting_get_elem(setting, (unsigned)index);
}

static bool fail_type(const struct tree_reader *reader, const config_setting_t *setting, const char *expected)
{
	struct config_place place = config_setting_place(setting, reader->path);

	return config_fail(reader->error, &place, "%s is expected, not %s", expected,
	                   config_setting_kind(setting));
}

static bool read_version(const struct tree_reader *reader, const config_setting_t *setting,
                         struct config_scope *scope)
{
	struct config_place place = config_setting_place(setting, reader->path);
	const char *name = config_setting_get_string(setting);
	enum family family;
	enum version version;

	if (name == NULL)
		return fail_type(reader, setting, "a string such as \"IGMPv3\"");
	if (!config_protocol_parse(name, &family, &version))
		return config_fail_protocol(reader->error, &place, name);
	if (scope->family_named[family])
		return config_fail(
			reader->error, &place,
			"%s and %s exclude each other; the newer version also serves hosts that use an "
			"older one",
			version_name(family, scope->link.version[family]), version_name(family, version));
	scope->link.version[family] = (uint8_t)version;
	scope->family_named[family] = true;
	return true;
}

/* A level that names protocols replaces those of the level around it. */
static bool read_protocol(const struct tree_reader *reader, const config_setting_t *group,
                          struct config_scope *scope)
{
	const config_setting_t *setting = config_setting_get_member(group, "protocol");
	struct config_place place;

	if (setting == NULL)
		return true;
	place = config_setting_place(setting, reader->path);
	if (element_count(setting) == 0)
		return config_fail(reader->error, &place, "names no protocol");
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		scope->link.version[family] = VERSION_NONE;
		scope->family_named[family] = false;
	}
	for (int i = 0; i < element_count(setting); i++)
		if (!read_version(reader, element(setting, i), scope))
			return false;
	return true;
}

/* A link with options of its own. */
static bool read_link_group(const struct tree_reader *reader, const config_setting_t *group,
                            enum link_role role, struct config_scope scope)
{
	const config_setting_t *setting = config_setting_get_member(group, "name");
	struct config_place place = config_setting_place(group, reader->path);

	scope.link = config_role_settings(&scope, role);
	if (!config_options_read(group, LEVEL_LINK, reader->path, &scope, reader->error) ||
	    !config_filters_read(reader->config, group, reader->path, &scope, reader->error) ||
	    !config_link_groups_read(reader->config, group, role, reader->path, &scope, reader->error))
		return false;
	scope.link.filter_in = scope.filters[FILTER_IN][role];
	scope.link.filter_out = scope.filters[FILTER_OUT][role];
	if (setting == NULL)
		return config_fail(reader->error, &place, "a link needs a name, as in { name = \"eth1\"; }");
	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return fail_type(reader, setting, "a string");
	place = config_setting_place(setting, reader->path);
	return config_add_link(reader->config, role, config_setting_get_string(setting), &scope.link, &place,
	                       reader->error);
}

static bool read_link(const struct tree_reader *reader, const config_setting_t *setting, enum link_role role,
                      const struct config_scope *scope)
{
	struct config_place place = config_setting_place(setting, reader->path);
	struct link_settings settings = config_role_settings(scope, role);

	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_STRING:
		return config_add_link(reader->config, role, config_setting_get_string(setting), &settings,
		                       &place, reader->error);
	case CONFIG_TYPE_GROUP:
		return read_link_group(reader, setting, role, *scope);
	}
	return fail_type(reader, setting, "the name of a link or a group { name = ...; }");
}

static bool read_links(const struct tree_reader *reader, const config_setting_t *instance,
                       enum link_role role, const struct config_scope *scope)
{
	const char *key = role == ROLE_UPSTREAM ? "upstream" : "downstream";
	const config_setting_t *setting = config_setting_get_member(instance, key);

	if (setting == NULL)
		return true;
	for (int i = 0; i < element_count(setting); i++)
		if (!read_link(reader, element(setting, i), role, scope))
			return false;
	return true;
}

static bool read_instance_name(const struct tree_reader *reader, const config_setting_t *group)
{
	const config_setting_t *setting = config_setting_get_member(group, "name");
	struct config_place place;

	if (setting == NULL)
		return true;
	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return fail_type(reader, setting, "a string");
	place = config_setting_place(setting, reader->path);
	return config_name_instance(reader->config, config_setting_get_string(setting), &place,
	                            reader->error);
}

static bool read_instance_group(const struct tree_reader *reader, const config_setting_t *group,
                                struct config_scope scope)
{
	struct config_place place = config_setting_place(group, reader->path);

	return config_options_read(group, LEVEL_INSTANCE, reader->path, &scope, reader->error) &&
	       config_filters_read(reader->config, group, reader->path, &scope, reader->error) &&
	       config_ssm_map_read(reader->config, group, reader->path, &scope, reader->error) &&
	       read_protocol(reader, group, &scope) &&
	       config_add_instance(reader->config, &scope, &place, reader->error) != NULL &&
	       read_instance_name(reader, group) && read_links(reader, group, ROLE_UPSTREAM, &scope) &&
	       read_links(reader, group, ROLE_DOWNSTREAM, &scope) &&
	       config_finish_instance(reader->config, &place, reader->error);
}

static bool read_instance(const struct tree_reader *reader, const config_setting_t *setting,
                          const struct config_scope *scope)
{
	struct config_place place = config_setting_place(setting, reader->path);

	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_STRING:
		return config_add_line(reader->config, scope, config_setting_get_string(setting), &place,
		                       reader->error);
	case CONFIG_TYPE_GROUP:
		return read_instance_group(reader, setting, *scope);
	}
	return fail_type(reader, setting,
	                 "a string such as \"eth0 ==> eth1\" or a group { upstream = ...; }");
}

static bool read_control(const struct tree_reader *reader, const config_setting_t *root,
                         const struct config_scope *scope)
{
	struct config_control *control = &reader->config->control;
	const char *path = scope->control_socket;
	struct config_place place;

	control->mode = scope->control_mode;
	strcpy(control->group, scope->control_group);
	if (path == NULL)
		return true;
	place = config_setting_place(config_setting_get_member(root, "control_socket"), reader->path);
	if (strlen(path) >= sizeof control->socket)
		return config_fail(reader->error, &place, "a path of at most %zu bytes is expected",
		                   sizeof control->socket - 1);
	strcpy(control->socket, strcmp(path, "none") == 0 ? "" : path);
	return true;
}

static bool read_top(const struct tree_reader *reader, const config_setting_t *root)
{
	const config_setting_t *instances = config_setting_get_member(root, "instances");
	struct config_scope scope;

	config_scope_init(&scope);
	if (!config_filters_default(reader->config, reader->path, &scope, reader->error) ||
	    !config_sets_read(reader->config, root, reader->path, reader->error) ||
	    !config_filters_read(reader->config, root, reader->path, &scope, reader->error) ||
	    !config_ssm_map_read(reader->config, root, reader->path, &scope, reader->error))
		return false;
	if (!config_options_read(root, LEVEL_TOP, reader->path, &scope, reader->error) ||
	    !read_protocol(reader, root, &scope) || !read_control(reader, root, &scope))
		return false;
	reader->config->ring_size = scope.ring_size;
	strcpy(reader->config->user, scope.user);
	strcpy(reader->config->group, scope.group);
	reader->config->owner_priority = scope.owner_priority;
	reader->config->owner_priority_named = scope.owner_priority_named;
	if (scope.status_file != NULL) {
		reader->config->status_file = strdup(scope.status_file);
		if (reader->config->status_file == NULL)
			return config_fail(reader->error, &(struct config_place){.path = reader->path},
			                   "out of memory");
	}
	for (int i = 0; instances != NULL && i < element_count(instances); i++)
		if (!read_instance(reader, element(instances, i), &scope))
			return false;
	return true;
}

static bool parse(const struct tree_reader *reader, const char *directory, const char *text)
{
	config_t tree;
	bool good;

	config_init(&tree);
	config_set_include_dir(&tree, directory);
	good = config_read_string(&tree, text)
	               ? read_top(reader, config_root_setting(&tree))
	               : config_fail_syntax(&tree, reader->path, directory, text, reader->error);
	config_destroy(&tree);
	return good;
}

bool config_tree_read(struct config *config, const char *path, const char *text,
                      char error[CONFIG_ERROR_SIZE])
{
	struct tree_reader reader = {.config = config, .path = path, .error = error};
	char *directory = config_text_directory(path);
	bool good;

	if (directory == NULL)
		return config_fail(error, &(struct config_place){.path = path}, "out of memory");
	good = config_text_check(path, directory, text, error) && parse(&reader, directory, text);
	free(directory);
	return good;
}
