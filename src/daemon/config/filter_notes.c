/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/filter_notes.h"

#include "core/policy/policy.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A filter of a link. */
struct use {
	const struct policy *policy;
	const char *link;
	enum filter_direction direction;
	bool to_hosts; /* of the streams that the link is there for: in upstream, out downstream */
};

struct uses {
	const struct config *config;
	struct use *list;
	size_t count;
};

__attribute__((format(printf, 3, 4))) static void note(const struct config_notes *notes, unsigned line,
                                                       const char *format, ...)
{
	char text[CONFIG_NOTE_SIZE];
	int used = snprintf(text, sizeof text, "%.200s:%u: ", notes->path, line);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, sizeof text - (size_t)used, format, arguments);
	va_end(arguments);
	notes->take(notes->context, text);
}

static void add_links(struct uses *uses, const struct config_link *links, size_t count, bool upstream)
{
	for (size_t i = 0; i < count; i++)
		for (enum filter_direction direction = FILTER_IN; direction < FILTER_DIRECTIONS;
		     direction++) {
			const struct policy *policy = link_settings_filter(&links[i].settings, direction);

			if (policy != NULL)
				uses->list[uses->count++] =
					(struct use){policy, links[i].name, direction,
				                     (direction == FILTER_IN) == upstream};
		}
}

/* Those of all links, in the order of the configuration. Without memory there are none. */
static struct uses find_uses(const struct config *config)
{
	struct uses uses = {.config = config};
	size_t links = 0;

	for (size_t i = 0; i < config->instance_count; i++)
		links += config->instances[i].upstream_count + config->instances[i].downstream_count;
	uses.list = calloc(links * FILTER_DIRECTIONS + 1, sizeof *uses.list);
	for (size_t i = 0; uses.list != NULL && i < config->instance_count; i++) {
		const struct config_instance *instance = &config->instances[i];

		add_links(&uses, instance->upstream, instance->upstream_count, true);
		add_links(&uses, instance->downstream, instance->downstream_count, false);
	}
	return uses;
}

/* The filter before the end that has this rule of the file, which may stand for several links. NULL: none. */
static const struct use *find_rule(const struct use *from, const struct use *end,
                                   const struct policy_rule *rule, bool can_match)
{
	for (; from < end; from++)
		for (uint32_t i = 0; i < policy_rule_count(from->policy); i++) {
			const struct policy_rule *other = policy_rule(from->policy, i);

			if (other->line == rule->line && strcmp(other->text, rule->text) == 0 &&
			    (!can_match || policy_rule_can_match(from->policy, i)))
				return from;
		}
	return NULL;
}

/* A filter of several links is looked at once; its streams to hosts once, too. */
static bool is_repeated(const struct uses *uses, const struct use *use, bool to_hosts)
{
	for (const struct use *before = uses->list; before < use; before++)
		if (before->policy == use->policy && before->direction == use->direction &&
		    (before->to_hosts || !to_hosts))
			return true;
	return false;
}

/* Can a link of the configuration have a name that fits after `in`? */
static bool is_one_of(const struct config_link *links, size_t count, const char *in)
{
	for (size_t i = 0; i < count; i++)
		if (links[i].name[0] == '@' || fnmatch(in, links[i].name, 0) == 0 ||
		    fnmatch(links[i].name, in, 0) == 0 || (is_glob(in) && is_glob(links[i].name)))
			return true;
	return false;
}

static bool is_a_link(const struct config *config, const char *in)
{
	for (size_t i = 0; i < config->instance_count; i++) {
		const struct config_instance *instance = &config->instances[i];

		if (is_one_of(instance->upstream, instance->upstream_count, in) ||
		    is_one_of(instance->downstream, instance->downstream_count, in))
			return true;
	}
	return false;
}

static void note_rule(const struct uses *uses, const struct use *use, uint32_t number,
                      const struct config_notes *notes)
{
	const struct policy_rule *rule = policy_rule(use->policy, number);
	bool dead = !policy_rule_can_match(use->policy, number);
	bool hostless = use->direction == FILTER_IN && rule->by != NULL;
	bool linkless = rule->in[0] != '\0' && !is_a_link(uses->config, rule->in);

	if (rule->line == 0 || (!dead && !hostless && !linkless) ||
	    find_rule(uses->list, use, rule, false) != NULL)
		return;
	if (linkless)
		note(notes, rule->line,
		     "\"%.80s\" can never match: no instance has a link %s; after `in`, put the name of an "
		     "interface or a pattern",
		     rule->text, rule->in);
	else if (hostless)
		note(notes, rule->line,
		     "\"%.80s\": filter_in sees no hosts; move a rule with `by` to filter_out", rule->text);
	else if (find_rule(uses->list, uses->list + uses->count, rule, true) == NULL)
		note(notes, rule->line,
		     "\"%.80s\" can never match: rules before it match all that it matches; move it up, or "
		     "remove it",
		     rule->text);
}

static unsigned first_line(const struct policy *policy)
{
	for (uint32_t i = 0; i < policy_rule_count(policy); i++)
		if (policy_rule(policy, i)->line != 0)
			return policy_rule(policy, i)->line;
	return 0;
}

static void note_filter(const struct uses *uses, const struct use *use, const struct config_notes *notes)
{
	uint32_t count = is_repeated(uses, use, false) ? 0 : (uint32_t)policy_rule_count(use->policy);

	for (uint32_t i = 0; i < count; i++)
		note_rule(uses, use, i, notes);
	/* To deny all that hosts send is usual. */
	if (use->to_hosts && !policy_allows_something(use->policy) && !is_repeated(uses, use, true))
		note(notes, first_line(use->policy),
		     "the %s of %s denies everything: no stream %s; put a rule that allows some before it",
		     use->direction == FILTER_IN ? "filter_in" : "filter_out", use->link,
		     use->direction == FILTER_IN ? "enters by the link" : "leaves by the link");
}

void config_filter_notes(const struct config *config, const struct config_notes *notes)
{
	struct uses uses = find_uses(config);

	for (const struct use *use = uses.list; use < uses.list + uses.count; use++)
		note_filter(&uses, use, notes);
	free(uses.list);
	for (const struct policy_set *set = config->sets.first; set != NULL; set = set->next)
		if (set->name[0] != '\0' && !set->builtin && !set->used)
			note(notes, set->line, "no rule uses the set %s; name it in a rule, or remove it",
			     set->name);
}
