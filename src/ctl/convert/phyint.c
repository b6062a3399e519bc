/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/convert/phyint.h"

#include "ctl/convert/net.h"

#include <stdio.h>
#include <stdlib.h>

struct instance *phyint_begin(struct output *output)
{
	struct instance *instance = output_instance(output, NULL);

	if (instance != NULL)
		lines_set(output, &output->settings, "protocol", "\"IGMPv3\"");
	return instance;
}

void phyint_quickleave(struct output *output, struct instance *instance, unsigned line)
{
	lines_set_bool(output, &instance->settings, "fast_leave", true);
	lines_differ(output, &instance->settings, line,
	             "quickleave: after a leave, mcproxy still queries where a host may be unknown");
}

/* Adds an entry of a list: groups, by their prefix. */
static bool add_groups(struct output *output, struct link *link, const char *action, const struct word *value)
{
	char text[NET_TEXT_SIZE];
	struct net net;

	if (!read_net(output, value, &net))
		return false;
	if (net_groups(&net) == NET_NO_GROUP)
		lines_leave_out(output, &link->settings, value->line, "%s contains no group",
		                net_format(&net, text));
	/* Even without a group it is a whitelist, and closes the rest. */
	lines_add(output, &link->in, "%s %s", action,
	          net_groups(&net) == NET_ALL_GROUPS ? "all" : net_format(&net, text));
	return true;
}

static bool add_source(struct output *output, struct link *link, const struct word *value)
{
	char text[NET_TEXT_SIZE];
	struct net net;

	if (!read_net(output, value, &net))
		return false;
	lines_add(output, &link->sources, "%s", net_format(&net, text));
	return true;
}

bool phyint_option(struct output *output, struct link *link, const char *key, const struct word *value,
                   bool *known)
{
	static const struct number_setting threshold = {"threshold", "ttl_threshold", 1, 255, false};
	unsigned long number;

	*known = true;
	if (strcmp(key, "threshold") == 0)
		return read_number_setting(output, &link->settings, &threshold, value);
	if (strcmp(key, "ratelimit") == 0) {
		if (!read_number(output, value, 0, UINT32_MAX, &number))
			return false;
		if (number > 0)
			lines_differ(output, &link->settings, value->line,
			             "ratelimit has no effect on Linux");
		return true;
	}
	if (strcmp(key, "altnet") == 0)
		return add_source(output, link, value);
	if (strcmp(key, "whitelist") == 0)
		return add_groups(output, link, "allow", value);
	if (strcmp(key, "blacklist") == 0)
		return add_groups(output, link, "deny", value);
	*known = false;
	return true;
}

bool phyint_altnets(struct output *output, struct link *link, const struct word *list)
{
	struct word one = *list;
	char *rest = NULL;

	for (one.text = strtok_r(list->text, " \t,", &rest); one.text != NULL;
	     one.text = strtok_r(NULL, " \t,", &rest))
		if (!add_source(output, link, &one))
			return false;
	return true;
}

static bool is_allow(const char *rule)
{
	return strncmp(rule, "allow ", 6) == 0;
}

static bool names_no_group(const char *rule)
{
	const char *what = strchr(rule, ' ') + 1;
	struct net net;

	return strcmp(what, "all") != 0 && net_parse(what, &net) && net_groups(&net) == NET_NO_GROUP;
}

static bool accepts_all_sources(const struct link *link)
{
	for (size_t i = 0; i < link->sources.count; i++)
		if (strcmp(link->sources.line[i].text, "0.0.0.0/0") == 0)
			return true;
	return false;
}

/* A rule, or with sources one for each of them. */
static void add_rule(struct output *output, struct lines *rules, const char *rule,
                     const struct lines *sources)
{
	if (sources == NULL || !is_allow(rule)) {
		lines_add(output, rules, "%s", rule);
		return;
	}
	for (size_t i = 0; i < sources->count && !output_has_failed(output); i++)
		lines_add(output, rules, "%s from %s", rule, sources->line[i].text);
}

/* The last match decided; now the first one does. Without a match, a list with an allow entry denied. */
static void make_rules(struct output *output, struct link *link, struct lines *rules,
                       const struct lines *sources)
{
	struct lines list = link->in;
	bool allows = false, decided = false;

	link->in = (struct lines){0};
	for (size_t i = list.count; i-- > 0 && !decided;) {
		const char *rule = list.line[i].text;

		output->from = list.line[i].from;
		allows = allows || is_allow(rule);
		decided = sources == NULL && strcmp(strchr(rule, ' '), " all") == 0;
		if (!names_no_group(rule))
			add_rule(output, rules, rule, sources);
	}
	output->from = link->line;
	if (sources != NULL && !allows)
		add_rule(output, rules, "allow all", sources);
	if (sources != NULL || (allows && !decided))
		lines_add(output, rules, "deny all");
	lines_clear(&list);
}

static void finish_upstream(struct output *output, struct link *link, bool one_way)
{
	bool narrow = output->strict && link->sources.count > 0 && !accepts_all_sources(link);
	struct lines rules = {0};

	if (narrow)
		lines_differ(output, &link->settings, link->line,
		             "sources in the subnets of %s itself need a rule of their own", link->name);
	else if (link->sources.count > 0 && !accepts_all_sources(link))
		lines_differ(output, &link->settings, link->line,
		             "altnet: mcproxy accepts every source; with --strict, rules accept only these");
	else if (link->sources.count == 0)
		lines_differ(output, &link->settings, link->line,
		             "mcproxy accepts every source, not only those in the subnets of %s", link->name);
	if (one_way && link->in.count > 0)
		lines_differ(
			output, &link->settings, link->in.line[0].from,
			"lists upstream: igmpproxy still forwards such streams if they arrive; mcproxy does not");
	make_rules(output, link, &rules, narrow ? &link->sources : NULL);
	link->in = rules;
}

static void finish_downstream(struct output *output, struct link *link, bool one_way)
{
	if (link->sources.count == 0)
		lines_set_bool(output, &link->settings, "verify_source_subnet", true);
	else if (!accepts_all_sources(link))
		lines_differ(output, &link->settings, link->line,
		             "altnet: mcproxy accepts reports from every subnet on this link");
	make_rules(output, link, &link->out, NULL);
	if (one_way)
		lines_add(output, &link->in, "deny all");
}

bool phyint_finish(struct output *output, struct instance *instance, bool one_way)
{
	if (one_way)
		lines_add(
			output, &instance->settings,
			"# igmpproxy forwards no streams that hosts send; without filter_in downstream, mcproxy does.");
	for (struct link *link = instance->links; link != NULL; link = link->next) {
		output->from = link->line;
		if (link->role == ROLE_UPSTREAM)
			finish_upstream(output, link, one_way);
		else if (link->role == ROLE_DOWNSTREAM)
			finish_downstream(output, link, one_way);
		else
			lines_leave_out(output, &instance->settings, link->line, "%s is disabled",
			                link->name);
	}
	if (instance_count_role(instance, ROLE_UPSTREAM) == 0)
		return output_fail(output, 0, "no upstream interface");
	output_choose_all(output, instance);
	return output_finish_instance(output, instance);
}
