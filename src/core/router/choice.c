/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/choice.h"

#include "core/router/filtering.h"

static bool is_before(const struct link *a, const struct link *b)
{
	int order = (a->settings.order > b->settings.order) - (a->settings.order < b->settings.order);

	return (order != 0 ? order : strncmp(a->name, b->name, sizeof a->name)) < 0;
}

void choice_refresh(struct instance *instance)
{
	instance->upstream_count = 0;
	instance->filtered = false;
	for (uint8_t id = 0; id < LINKS_MAX; id++) {
		const struct link *link = instance->links[id];
		unsigned place = instance->upstream_count;

		if (link == NULL)
			continue;
		if ((link->role == ROLE_UPSTREAM ? link->settings.filter_in : link->settings.filter_out) !=
		    NULL)
			instance->filtered = true;
		if (link->role != ROLE_UPSTREAM)
			continue;
		if (link->settings.static_groups != NULL)
			instance->filtered = true;
		for (; place > 0 && is_before(link, instance->links[instance->upstreams[place - 1]]); place--)
			instance->upstreams[place] = instance->upstreams[place - 1];
		instance->upstreams[place] = id;
		instance->upstream_count++;
	}
}

struct link *choice_next(const struct instance *instance, enum family family, unsigned *place)
{
	while (*place < instance->upstream_count) {
		struct link *link = instance->links[instance->upstreams[(*place)++]];

		if (link->family[family].usable)
			return link;
	}
	return NULL;
}

uint64_t choice_links(const struct instance *instance, enum family family, bool usable)
{
	uint64_t links = 0;

	for (unsigned place = 0; place < instance->upstream_count; place++)
		if (!usable || instance->links[instance->upstreams[place]]->family[family].usable)
			set64_add(&links, instance->upstreams[place]);
	return links;
}

bool choice_is_pure(const struct instance *instance)
{
	return instance->upstream_count < 2 || instance->settings.upstream_choice != CHOICE_MUTEX;
}

bool choice_differs(const struct instance *instance)
{
	return (instance->filtered && instance->upstream_count > 0) ||
	       (instance->upstream_count > 1 && instance->settings.upstream_choice == CHOICE_FIRST);
}

/* What the links before `upstream` take of it is not wanted there. */
static void leave_to_earlier(struct instance *instance, const struct link *downstream,
                             const struct link *upstream, const struct addr *group, struct filter *filter)
{
	enum family family = addr_family(group);
	const struct link *link;
	unsigned place = 0;

	while ((link = choice_next(instance, family, &place)) != NULL && is_before(link, upstream)) {
		struct filter one = {.mode = filter->mode,
		                     .sources = sources_on(instance->scratch_filter[1], REQUEST_SOURCES_MAX)};

		one.sources.count = filter->sources.count;
		if (one.sources.count > 0)
			memcpy(one.sources.list, filter->sources.list,
			       one.sources.count * sizeof *one.sources.list);
		filtering_narrow(instance, downstream, link, group, &one);
		if (filter->mode == FILTER_INCLUDE)
			sources_subtract(&filter->sources, &one.sources);
		else if (!filter_is_none(&one))
			*filter = (struct filter){
				.mode = FILTER_INCLUDE,
				.sources = sources_on(filter->sources.list, filter->sources.capacity)};
		if (filter_is_none(filter))
			return;
	}
}

void choice_narrow(struct instance *instance, const struct link *downstream, const struct link *upstream,
                   const struct addr *group, struct filter *filter, mtime now)
{
	if (instance->settings.upstream_choice == CHOICE_FIRST)
		leave_to_earlier(instance, downstream, upstream, group, filter);
	filtering_take(instance, downstream, upstream, group, filter, now);
}

struct link *choice_of_stream(const struct instance *instance, const struct link *downstream,
                              const struct flow_key *key)
{
	enum family family = addr_family(&key->group);
	struct link *link;
	unsigned place = 0;

	while ((link = choice_next(instance, family, &place)) != NULL)
		if (filtering_passes(link, downstream, key))
			return link;
	return NULL;
}
