/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Do the filters of the links let the stream through, and the joins for it?
 */
#include "ctl/client/answer.h"
#include "ctl/diagnosis/decision.h"
#include "ctl/diagnosis/gather.h"
#include "ctl/diagnosis/path_packets.h"

#include <stdio.h>
#include <stdlib.h>

/* What was found on the ways of the stream. */
struct ways {
	size_t open, partly, denied;
	bool hosts_matter;           /* a rule has `by`, and no host is named */
	char denial[STEP_TEXT_SIZE]; /* the first one */
	char file[256];              /* of the rule, with its line; "": built in */
};

/* The rules come from the daemon, which has read them: they are valid. */
static void read_sets(struct json_object *list, struct policy_sets *sets)
{
	char error[POLICY_ERROR_SIZE];

	sets_init(sets);
	for (size_t i = 0; i < view_count(list); i++) {
		struct json_object *object = json_object_array_get_idx(list, i);
		struct json_object *members = answer_member(object, "members");
		struct policy_set *set = NULL;

		if (!answer_bool(object, "built_in"))
			set = sets_define(sets, answer_text(object, "name"), 0, error);
		for (size_t j = 0; set != NULL && j < view_count(members); j++)
			sets_add(sets, set, json_object_get_string(json_object_array_get_idx(members, j)),
			         error);
		if (set != NULL)
			sets_complete(set);
	}
}

static bool is_rule_of(const struct stream_facts *stream, struct json_object *rule, const char *link,
                       const char *direction)
{
	return strcmp(answer_text(rule, "instance"), stream->instance) == 0 &&
	       strcmp(answer_text(rule, "link"), link) == 0 &&
	       strcmp(answer_text(rule, "direction"), direction) == 0;
}

/* Would some host get another answer than the rest? */
static bool depends_on_host(const struct policy_rule *rule, const struct addr *group)
{
	return rule->by != NULL && (rule->what == NULL || ranges_has(&rule->what->ranges, group));
}

/* The filter of the link as the daemon has it; NULL: none. hosts_matter: set if its answer depends on the host. */
static struct policy *read_policy(const struct stream_facts *stream, const char *link, const char *direction,
                                  bool *hosts_matter)
{
	struct policy_rule *rules = calloc(view_count(stream->filters) + 1, sizeof *rules);
	char error[POLICY_ERROR_SIZE];
	enum policy_failure failure;
	struct policy *policy = NULL;
	struct policy_sets sets;
	size_t count = 0;

	if (rules == NULL)
		return NULL;
	read_sets(stream->sets, &sets);
	for (size_t i = 0; i < view_count(stream->filters); i++) {
		struct json_object *rule = json_object_array_get_idx(stream->filters, i);

		if (!is_rule_of(stream, rule, link, direction) ||
		    !rule_parse(answer_text(rule, "rule"), (unsigned)answer_number(rule, "line"), &sets,
		                &rules[count], error))
			continue;
		*hosts_matter |= depends_on_host(&rules[count], &stream->group);
		count++;
	}
	if (count > 0)
		policy = policy_new(rules, count, &failure);
	for (size_t i = 0; i < count; i++)
		rule_fini(&rules[i]);
	free(rules);
	sets_fini(&sets);
	return policy;
}

/* The file is the same for all rules. */
static const char *file_of(const struct stream_facts *stream)
{
	for (size_t i = 0; i < view_count(stream->filters); i++) {
		struct json_object *rule = json_object_array_get_idx(stream->filters, i);

		if (answer_has(rule, "file"))
			return answer_text(rule, "file");
	}
	return "";
}

/* "filter_out of lan0 denies it: /etc/mcproxy.conf:12: deny tv by guests" */
static void keep_denial(const struct stream_facts *stream, const struct decision *decision, const char *link,
                        const char *direction, struct ways *ways)
{
	const struct policy_rule *rule = decision->rule;

	if (ways->denial[0] != '\0' || rule == NULL)
		return;
	if (rule->line > 0)
		snprintf(ways->file, sizeof ways->file, "%.230s:%u", file_of(stream), rule->line);
	snprintf(ways->denial, sizeof ways->denial, "filter_%s of %s denies %s%s: %s: %.200s", direction,
	         link, decision->kind == DECISION_PARTLY ? "some sources of " : "",
	         rule->by != NULL ? "the host's join" : "the group", rule->line > 0 ? ways->file : "built in",
	         rule->text);
}

static enum decision_kind follow_filter(const struct stream_facts *stream, const char *link,
                                        const char *direction, const char *entry, bool joins,
                                        struct ways *ways)
{
	bool hosts_matter = false;
	struct policy *policy = read_policy(stream, link, direction, &hosts_matter);
	struct decision_subject subject = {
		.group = stream->group,
		.source = stream->source,
		.has_source = stream->has_source,
		.host = addr_unspecified(addr_family(&stream->group)),
	};
	struct decision decision;

	if (joins && stream->host != NULL)
		decision_read_host(stream->host, &subject);
	ways->hosts_matter |= joins && stream->host == NULL && hosts_matter;
	decision = decision_find(policy, &subject, entry);
	if (decision.kind != DECISION_ALLOWED)
		keep_denial(stream, &decision, link, direction, ways);
	policy_release(policy);
	return decision.kind;
}

static void follow_way(const struct stream_facts *stream, const char *from, const char *to, struct ways *ways)
{
	bool joins = path_has_role(stream, to, "downstream");
	enum decision_kind in = follow_filter(stream, from, "in", from, false, ways);
	enum decision_kind out =
		in == DECISION_DENIED ? in : follow_filter(stream, to, "out", from, joins, ways);
	enum decision_kind kind = in > out ? in : out;

	ways->open += kind == DECISION_ALLOWED;
	ways->partly += kind == DECISION_PARTLY;
	ways->denied += kind == DECISION_DENIED;
}

/* To the link that was asked about, or to all: a stream of a downstream link goes upstream, too. */
static void follow_from(const struct stream_facts *stream, const char *from, struct ways *ways)
{
	bool upward = path_has_role(stream, from, "downstream");

	for (size_t i = 0; i < view_count(stream->links); i++) {
		struct json_object *link = json_object_array_get_idx(stream->links, i);
		const char *to = answer_text(link, "link");

		if (!path_is_ours(stream, link) || strcmp(to, from) == 0 ||
		    (stream->wanted_link != NULL && strcmp(to, stream->wanted_link) != 0) ||
		    (!upward && !path_has_role(stream, to, "downstream")))
			continue;
		follow_way(stream, from, to, ways);
	}
}

static void fail(const struct stream_facts *stream, const struct ways *ways, struct steps *steps)
{
	char group[ADDR_TEXT_SIZE];
	struct step *step = step_add(steps, "policy", STEP_FAIL, "%s", ways->denial);

	if (ways->file[0] != '\0')
		step_remedy(step,
		            "if that is not intended, put a rule that allows it before this rule, and run "
		            "mcproxyctl reload; mcproxyctl check %s shows what the file decides",
		            addr_format(&stream->group, group));
	else
		step_remedy(step,
		            "if that is not intended, configure a filter_in and filter_out for the link: it "
		            "replaces this default (mcproxy.conf(5), Filters)");
}

bool path_follow_rules(const struct stream_facts *stream, struct steps *steps)
{
	struct ways ways = {0};
	struct arrival arrival;
	const char *upstream;
	size_t cursor = 0;

	if (stream->filters == NULL || stream->instance == NULL)
		return true;
	if (path_find_arrival(stream, &arrival) && path_link(stream, arrival.name) != NULL)
		follow_from(stream, arrival.name, &ways);
	else
		while ((upstream = path_next_upstream(stream, &cursor)) != NULL)
			follow_from(stream, upstream, &ways);
	cursor = 0;
	if (ways.denied > 0 && ways.open == 0 && ways.partly == 0) {
		fail(stream, &ways, steps);
		return false;
	}
	if (ways.denied > 0 || ways.partly > 0)
		step_add(steps, "policy", STEP_OK, "%s; %s", ways.denial,
		         ways.denied > 0 ? "the filters of other links allow it" : "others are allowed");
	else if (ways.hosts_matter && path_next_member(stream, &cursor) == NULL)
		step_add(steps, "policy", STEP_OK,
		         "the filters allow it, but rules with `by` depend on the host: add --host ADDRESS");
	return true;
}
