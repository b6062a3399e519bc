/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/filtering.h"

#include "core/policy/policy.h"

void filtering_refresh(struct instance *instance)
{
	for (size_t id = 0; id < LINKS_MAX; id++) {
		struct link *link = instance->links[id];

		if (link == NULL)
			continue;
		if (link->settings.filter_in != NULL)
			link->entry_in = policy_entry(link->settings.filter_in, link->name);
		if (link->settings.filter_out == NULL)
			continue;
		for (size_t other = 0; other < LINKS_MAX; other++)
			if (instance->links[other] != NULL)
				link->entry_out[other] =
					policy_entry(link->settings.filter_out, instance->links[other]->name);
	}
}

/* The rule that decides on a stream; policy NULL: none does. */
static uint32_t decide(const struct policy *policy, uint64_t entry, const struct flow_key *key)
{
	struct policy_question question = {.group = key->group, .source = key->source, .entry = entry};

	return policy != NULL ? policy_decide(policy, &question) : POLICY_NO_RULE;
}

static bool passes(const struct policy *policy, uint64_t entry, const struct flow_key *key)
{
	return policy == NULL || policy_allows(policy, decide(policy, entry, key));
}

bool filtering_passes(const struct link *input, const struct link *output, const struct flow_key *key)
{
	return passes(input->settings.filter_in, input->entry_in, key) &&
	       passes(output->settings.filter_out, output->entry_out[input->id], key);
}

void filtering_count_stream(struct instance *instance, struct link *input, uint64_t outputs,
                            const struct flow_key *key, mtime now)
{
	const struct policy *in = input->settings.filter_in;
	uint32_t rule = decide(in, input->entry_in, key);
	unsigned id;

	hits_add_stream(input->hits[FILTER_IN], rule, now);
	if (in != NULL && !policy_allows(in, rule))
		return;
	while (set64_take(&outputs, &id)) {
		struct link *output = instance->links[id];

		rule = decide(output->settings.filter_out, output->entry_out[input->id], key);
		hits_add_stream(output->hits[FILTER_OUT], rule, now);
	}
}

bool filtering_may_deny(const struct link *input, const struct link *output, const struct addr *group)
{
	const struct policy *in = input->settings.filter_in, *out = output->settings.filter_out;

	return (in != NULL && policy_may_deny(in, group)) || (out != NULL && policy_may_deny(out, group));
}

/* What the rules did to a filter. */
struct narrowing {
	struct policy_deciders rules;
	bool changed;
};

/* A filter of which a part is left counts for the rule that allows and the one that denies. */
static void count_reports(struct filter_hit *hits, const struct narrowing *narrowing, mtime now)
{
	hits_add_report(hits, narrowing->rules.allowed, now);
	if (narrowing->changed)
		hits_add_report(hits, narrowing->rules.denied, now);
}

static struct narrowing narrow(struct instance *instance, const struct policy *policy,
                               struct policy_question *question, struct filter *filter)
{
	struct sources scratch = sources_on(instance->scratch_filter[0], REQUEST_SOURCES_MAX);
	struct narrowing narrowing = {.rules = {POLICY_NO_RULE, POLICY_NO_RULE}};
	size_t count = filter->sources.count;
	enum filter_mode mode = filter->mode;

	if (policy == NULL || filter_is_none(filter))
		return narrowing;
	policy_narrow_by(policy, question, filter, &scratch, &narrowing.rules);
	narrowing.changed = filter->mode != mode || filter->sources.count != count;
	return narrowing;
}

static void narrow_leaving(struct instance *instance, const struct link *downstream,
                           const struct link *upstream, const struct addr *group, struct filter *filter)
{
	struct policy_question question = {.group = *group, .entry = downstream->entry_out[upstream->id]};

	narrow(instance, downstream->settings.filter_out, &question, filter);
}

void filtering_narrow(struct instance *instance, const struct link *downstream, const struct link *upstream,
                      const struct addr *group, struct filter *filter)
{
	struct policy_question question = {.group = *group, .entry = upstream->entry_in};

	narrow_leaving(instance, downstream, upstream, group, filter);
	narrow(instance, upstream->settings.filter_in, &question, filter);
}

void filtering_take_entering(struct instance *instance, const struct link *upstream, const struct addr *group,
                             struct filter *filter, mtime now)
{
	struct policy_question question = {.group = *group, .entry = upstream->entry_in};
	struct narrowing narrowing = narrow(instance, upstream->settings.filter_in, &question, filter);

	count_reports(upstream->hits[FILTER_IN], &narrowing, now);
}

void filtering_take(struct instance *instance, const struct link *downstream, const struct link *upstream,
                    const struct addr *group, struct filter *filter, mtime now)
{
	narrow_leaving(instance, downstream, upstream, group, filter);
	filtering_take_entering(instance, upstream, group, filter, now);
}

/* The entries of the links that streams may come from, one by one; false: no more. */
static bool next_entry(const struct instance *instance, const struct link *link, unsigned *id,
                       uint64_t *entry)
{
	for (; *id < LINKS_MAX; ++*id)
		if (instance->links[*id] != NULL && instance->links[*id] != link) {
			*entry = link->entry_out[(*id)++];
			return true;
		}
	return false;
}

/* Narrows the source filter once if no rule looks at the entry link. Otherwise narrows it for each entry link, and merges the
 * results: what one of them allows remains. host NULL: what hosts want that are not known. */
static struct narrowing narrow_report(struct instance *instance, const struct link *link,
                                      const struct reporting_host *host, const struct addr *group,
                                      struct filter *filter)
{
	struct policy_question question = {.group = *group, .report = host != NULL};
	struct filter left = {.sources = sources_on(instance->scratch_filter[1], REQUEST_SOURCES_MAX)};
	struct narrowing all = {.rules = {POLICY_NO_RULE, POLICY_NO_RULE}};
	unsigned id = 0;

	if (host != NULL) {
		question.host = host->address;
		question.mac = host->mac;
	}
	if (!policy_uses_entry(link->settings.filter_out))
		return narrow(instance, link->settings.filter_out, &question, filter);
	while (next_entry(instance, link, &id, &question.entry)) {
		struct filter one = {.mode = filter->mode,
		                     .sources = sources_on(instance->scratch_merge, REQUEST_SOURCES_MAX)};
		struct narrowing narrowing;

		one.sources.count = filter->sources.count;
		if (one.sources.count > 0)
			memcpy(one.sources.list, filter->sources.list,
			       one.sources.count * sizeof *one.sources.list);
		narrowing = narrow(instance, link->settings.filter_out, &question, &one);
		if (all.rules.allowed == POLICY_NO_RULE)
			all.rules.allowed = narrowing.rules.allowed;
		if (all.rules.denied == POLICY_NO_RULE)
			all.rules.denied = narrowing.rules.denied;
		filter_merge(&left, &one);
	}
	all.changed = filter->mode != left.mode || filter->sources.count != left.sources.count;
	filter->mode = left.mode;
	filter->sources.count = left.sources.count;
	if (left.sources.count > 0)
		memcpy(filter->sources.list, left.sources.list,
		       left.sources.count * sizeof *left.sources.list);
	return all;
}

bool filtering_narrow_host(struct instance *instance, const struct link *link, const struct addr *host,
                           const struct addr *group, struct filter *filter)
{
	struct reporting_host reporter = {.address = *host, .mac = addr_unspecified(FAMILY_IPV6)};
	enum filter_mode mode = filter->mode;
	size_t count = filter->sources.count;

	if (filter_is_none(filter))
		return false;
	narrow_report(instance, link, &reporter, group, filter);
	return filter->mode != mode || filter->sources.count != count;
}

static bool is_exclude(const struct record *record)
{
	return record->type == IS_EX || record->type == TO_EX;
}

/* Narrows a record; the rules that decided in narrowing. False: nothing is left of it. */
static bool narrow_record(struct instance *instance, const struct link *link,
                          const struct reporting_host *host, struct record *record, struct sources *sources,
                          struct narrowing *narrowing)
{
	struct filter filter = {.mode = is_exclude(record) ? FILTER_EXCLUDE : FILTER_INCLUDE,
	                        .sources = *sources};

	*narrowing = narrow_report(instance, link, host, &record->group, &filter);
	*sources = filter.sources;
	if (is_exclude(record) && filter.mode == FILTER_INCLUDE)
		record->type = record->type == IS_EX ? IS_IN : TO_IN;
	return !filter_is_none(&filter);
}

bool filtering_admit_adopted(struct instance *instance, const struct link *link, struct record *record,
                             struct sources *sources)
{
	struct narrowing narrowing;

	return link->settings.filter_out == NULL ||
	       narrow_record(instance, link, NULL, record, sources, &narrowing);
}

bool filtering_admit(struct instance *instance, struct link *link, const struct reporting_host *host,
                     struct record *record, struct sources *sources, mtime now)
{
	bool wants_nothing = !is_exclude(record) && sources->count == 0, left;
	struct narrowing narrowing;

	if (link->settings.filter_out == NULL || record->type == BLOCK || wants_nothing)
		return true;
	left = narrow_record(instance, link, host, record, sources, &narrowing);
	count_reports(link->hits[FILTER_OUT], &narrowing, now);
	if (left)
		return true;
	engine_drop_host(instance, link, addr_family(&record->group), DROP_FILTER, &host->address);
	events_push(&instance->events,
	            &(struct event){
			    .kind = EVENT_DENIED,
			    .link = link->id,
			    .family = (uint8_t)addr_family(&record->group),
			    .group = record->group,
			    .source = host->address,
			    .value = narrowing.rules.denied == POLICY_NO_RULE
	                                     ? 0
	                                     : policy_rule(link->settings.filter_out, narrowing.rules.denied)
	                                               ->line});
	/* A denied change ends what the host wanted before; a denied answer or addition does not. */
	return record->type == TO_IN;
}
