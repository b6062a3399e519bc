/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/filters.h"

#include "core/contract/link_change.h"
#include "core/policy/policy.h"
#include "daemon/config/text.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 16384 /* of one filter */

/* What is being read. */
struct filter_reader {
	struct config *config;
	const char *path;
	char *error;
};

/* A list of rules under construction. */
struct rule_list {
	struct policy_rule *rules;
	size_t count;
};

static bool fail(const struct filter_reader *reader, const config_setting_t *setting, const char *reason)
{
	struct config_place place = {.path = reader->path};

	if (setting != NULL)
		place = config_setting_place(setting, reader->path);
	return config_fail(reader->error, &place, "%s", reason);
}

static bool has_elements(const config_setting_t *setting)
{
	return config_setting_is_list(setting) || config_setting_is_array(setting);
}

static bool read_set(const struct filter_reader *reader, const config_setting_t *setting)
{
	char problem[POLICY_ERROR_SIZE];
	struct policy_set *set = sets_define(&reader->config->sets, config_setting_name(setting),
	                                     config_setting_source_line(setting), problem);
	int count = has_elements(setting) ? config_setting_length(setting) : 1;

	if (set == NULL)
		return fail(reader, setting, problem);
	for (int i = 0; i < count; i++) {
		const config_setting_t *member =
			has_elements(setting) ? config_setting_get_elem(setting, (unsigned)i) : setting;
		const char *text = config_setting_get_string(member);

		if (text == NULL)
			return fail(
				reader, member,
				"a member of a set is a string: an address, a prefix, a range, a MAC address or the "
				"name of another set");
		if (!sets_add(&reader->config->sets, set, text, problem))
			return fail(reader, member, problem);
	}
	sets_complete(set);
	return true;
}

bool config_sets_read(struct config *config, const config_setting_t *root, const char *path,
                      char error[CONFIG_ERROR_SIZE])
{
	struct filter_reader reader = {.config = config, .path = path, .error = error};
	const config_setting_t *sets = config_setting_get_member(root, "sets");

	if (sets == NULL)
		return true;
	if (!config_setting_is_group(sets))
		return fail(&reader, sets, "a group is expected, such as { tv = [ \"239.35.0.0/16\" ]; }");
	for (int i = 0; i < config_setting_length(sets); i++)
		if (!read_set(&reader, config_setting_get_elem(sets, (unsigned)i)))
			return false;
	return true;
}

/* A rule as a group of its parts. */
static bool read_rule_group(const struct filter_reader *reader, const config_setting_t *group, unsigned line,
                            struct policy_rule *rule)
{
	struct rule_words words = {0};
	char problem[POLICY_ERROR_SIZE];
	const struct {
		const char *key;
		const char **word;
	} parts[] = {{"action", &words.action},
	             {"what", &words.what},
	             {"from", &words.from},
	             {"by", &words.by},
	             {"in", &words.in}};

	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		size_t part = 0;

		while (part < sizeof parts / sizeof *parts &&
		       strcmp(parts[part].key, config_setting_name(setting)) != 0)
			part++;
		if (part == sizeof parts / sizeof *parts)
			return fail(reader, setting, "a rule has the keys action, what, from, by and in");
		*parts[part].word = config_setting_get_string(setting);
		if (*parts[part].word == NULL)
			return fail(reader, setting, "a string is expected");
	}
	return rule_make(&words, line, &reader->config->sets, rule, problem) || fail(reader, group, problem);
}

/* libconfig gives a string the line of what follows it, since another string there would belong to it. That is a comma on
 * the same line, except behind the last rule. */
static unsigned line_of(const struct filter_reader *reader, const config_setting_t *setting, bool last)
{
	unsigned line = config_setting_source_line(setting);
	const char *string = last ? config_setting_get_string(setting) : NULL;

	return string != NULL && config_setting_source_file(setting) == NULL && reader->config->text != NULL
	               ? config_text_line(reader->config->text, line, string)
	               : line;
}

static bool read_rule(const struct filter_reader *reader, const config_setting_t *setting,
                      enum link_role role, bool last, struct rule_list *list)
{
	const char *text = config_setting_get_string(setting);
	unsigned line = line_of(reader, setting, last);
	struct policy_rule *rule = &list->rules[list->count];
	char problem[POLICY_ERROR_SIZE];

	if (config_setting_is_group(setting)) {
		if (!read_rule_group(reader, setting, line, rule))
			return false;
	} else if (text == NULL) {
		return fail(reader, setting,
		            "a rule is a string such as \"deny all\", or a group { action = ...; }");
	} else if (strcmp(text, "default") == 0) {
		if (role == ROLE_DOWNSTREAM)
			return true;
		if (!rule_parse("deny discovery", line, &reader->config->sets, rule, problem))
			return fail(reader, setting, problem);
	} else if (!rule_parse(text, line, &reader->config->sets, rule, problem)) {
		return fail(reader, setting, problem);
	}
	list->count++;
	return true;
}

static const struct config_policy *find_equal(const struct config *config, const struct policy *policy)
{
	const struct config_policy *other = config->policies;

	while (other != NULL && !policy_equal(other->policy, policy))
		other = other->next;
	return other;
}

/* The policy of the rules, kept in the configuration, which has equal ones once; NULL, with the error set. */
static const struct policy *add_policy(const struct filter_reader *reader, const config_setting_t *setting,
                                       struct rule_list *list)
{
	static const char *const reasons[] = {
		[POLICY_MEMORY] = "out of memory",
		[POLICY_TOO_COMPLEX] = "the rules overlap in too many ways; use fewer conditions, or sets",
		[POLICY_TOO_MANY_LINKS] =
			"the rules name more than 64 different links after `in`; use patterns",
	};
	struct config_policy *added = malloc(sizeof *added);
	enum policy_failure failure = POLICY_MEMORY;
	struct policy *policy = added != NULL ? policy_new(list->rules, list->count, &failure) : NULL;
	const struct config_policy *equal = policy != NULL ? find_equal(reader->config, policy) : NULL;

	if (policy == NULL || equal != NULL) {
		free(added);
		policy_release(policy);
		if (equal != NULL)
			return equal->policy;
		fail(reader, setting, reasons[failure]);
		return NULL;
	}
	*added = (struct config_policy){.next = reader->config->policies, .policy = policy};
	reader->config->policies = added;
	return policy;
}

static const struct policy *read_filter(const struct filter_reader *reader, const config_setting_t *setting,
                                        enum link_role role)
{
	int count = has_elements(setting) ? config_setting_length(setting) : 1;
	struct rule_list list = {.rules = calloc((size_t)count + 1, sizeof *list.rules)};
	const struct policy *policy = NULL;
	bool good = list.rules != NULL || fail(reader, setting, "out of memory");

	if (good && count > RULES_MAX)
		good = fail(reader, setting, "a filter has at most 16384 rules");
	for (int i = 0; good && i < count; i++)
		good = read_rule(reader,
		                 has_elements(setting) ? config_setting_get_elem(setting, (unsigned)i)
		                                       : setting,
		                 role, i == count - 1, &list);
	if (good)
		policy = add_policy(reader, setting, &list);
	for (size_t i = 0; i < list.count; i++)
		rule_fini(&list.rules[i]);
	free(list.rules);
	return policy;
}

bool config_filters_read(struct config *config, const config_setting_t *group, const char *path,
                         struct config_scope *scope, char error[CONFIG_ERROR_SIZE])
{
	struct filter_reader reader = {.config = config, .path = path, .error = error};

	for (int direction = 0; direction < FILTER_DIRECTIONS; direction++) {
		const config_setting_t *setting =
			config_setting_get_member(group, direction == FILTER_IN ? "filter_in" : "filter_out");

		for (int role = ROLE_UPSTREAM; setting != NULL && role <= ROLE_DOWNSTREAM; role++) {
			scope->filters[direction][role] = read_filter(&reader, setting, (enum link_role)role);
			if (scope->filters[direction][role] == NULL)
				return false;
		}
	}
	return true;
}

bool config_filters_default(struct config *config, const char *path, struct config_scope *scope,
                            char error[CONFIG_ERROR_SIZE])
{
	struct filter_reader reader = {.config = config, .path = path, .error = error};
	struct policy_rule rule = {0};
	struct rule_list list = {.rules = &rule, .count = 1};
	char problem[POLICY_ERROR_SIZE];
	const struct policy *policy;

	if (!rule_parse("deny discovery", 0, &config->sets, &rule, problem))
		return fail(&reader, NULL, problem);
	policy = add_policy(&reader, NULL, &list);
	rule_fini(&rule);
	for (int direction = 0; direction < FILTER_DIRECTIONS; direction++)
		scope->filters[direction][ROLE_UPSTREAM] = policy;
	return policy != NULL;
}

static void replace(const struct policy **filter, const struct policy *from, const struct policy *to)
{
	if (*filter == from)
		*filter = to;
}

static void replace_all(struct config *config, const struct policy *from, const struct policy *to)
{
	for (size_t i = 0; i < config->instance_count; i++) {
		struct config_instance *instance = &config->instances[i];

		for (size_t link = 0; link < instance->upstream_count; link++) {
			replace(&instance->upstream[link].settings.filter_in, from, to);
			replace(&instance->upstream[link].settings.filter_out, from, to);
		}
		for (size_t link = 0; link < instance->downstream_count; link++) {
			replace(&instance->downstream[link].settings.filter_in, from, to);
			replace(&instance->downstream[link].settings.filter_out, from, to);
		}
	}
}

void config_filters_share(struct config *next, const struct config *running)
{
	for (struct config_policy *new = next->policies; new != NULL; new = new->next) {
		const struct config_policy *old = find_equal(running, new->policy);

		if (old == NULL)
			continue;
		policy_hold(old->policy);
		replace_all(next, new->policy, old->policy);
		policy_release(new->policy);
		new->policy = old->policy;
	}
}

void config_filters_free(struct config *config)
{
	struct config_policy *policy = config->policies, *next;

	for (; policy != NULL; policy = next) {
		next = policy->next;
		policy_release(policy->policy);
		free(policy);
	}
	sets_fini(&config->sets);
}
