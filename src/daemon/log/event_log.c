/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log/event_log.h"

#include "core/base/filter.h"
#include "core/contract/settings.h"
#include "core/wire/drop.h"
#include "daemon/log/log.h"

#include <inttypes.h>
#include <stdio.h>

/* The sources of an event: the first by name, the others by number. */
static void sources_text(const struct event *event, char *text, size_t size)
{
	char source[ADDR_TEXT_SIZE];

	if (event->count == 0)
		snprintf(text, size, "{}");
	else if (event->count == 1)
		snprintf(text, size, "{%s}", addr_format(&event->source, source));
	else
		snprintf(text, size, "{%s and %u more}", addr_format(&event->source, source),
		         event->count - 1u);
}

static void describe(const struct event *event, const char *outputs, char *text, size_t size)
{
	char source[ADDR_TEXT_SIZE], host[ADDR_TEXT_SIZE], sources[ADDR_TEXT_SIZE + 32];
	const char *before =
		filter_mode_name(event->before == FILTER_EXCLUDE ? FILTER_EXCLUDE : FILTER_INCLUDE);
	const char *after =
		filter_mode_name(event->after == FILTER_EXCLUDE ? FILTER_EXCLUDE : FILTER_INCLUDE);
	bool named;

	addr_format(&event->source, source);
	sources_text(event, sources, sizeof sources);
	switch ((enum event_kind)event->kind) {
	case EVENT_LINK:
		snprintf(text, size, "link %s, address %s", event->after ? "usable" : "not usable", source);
		break;
	case EVENT_QUERIER:
		snprintf(text, size, "querier: %s (%s)%s", event->after ? "this router" : "another router",
		         source,
		         event->after ? "" : "; forward_without_querier decides what is forwarded there");
		break;
	case EVENT_JOIN:
		snprintf(text, size, "%sjoined, %s%s", event->before ? "static, " : "", after, sources);
		break;
	case EVENT_LEAVING:
		snprintf(text, size, "host %s left, asking others", addr_format(&event->host, host));
		break;
	case EVENT_HOST_JOIN:
		snprintf(text, size, "host %s joined too", addr_format(&event->host, host));
		break;
	case EVENT_HOST_LEAVE:
		snprintf(text, size, "host %s left, others remain", addr_format(&event->host, host));
		break;
	case EVENT_LEAVE:
		snprintf(text, size, "left, was %s", before);
		break;
	case EVENT_FILTER:
		snprintf(text, size, "%s -> %s%s", before, after, sources);
		break;
	case EVENT_QUERY:
		snprintf(text, size, "query sent, %u source%s%s", event->count, event->count == 1 ? "" : "s",
		         event->after ? ", S" : "");
		break;
	case EVENT_UPSTREAM:
		snprintf(text, size, "wanted upstream: %s of %u source%s", after, event->count,
		         event->count == 1 ? "" : "s");
		break;
	case EVENT_FLOW:
		snprintf(text, size, "source %s appeared", source);
		break;
	case EVENT_FLOW_MOVED:
		snprintf(text, size, "source %s arrives here now", source);
		break;
	case EVENT_FLOW_GONE:
		snprintf(text, size, "source %s is gone", source);
		break;
	case EVENT_ROUTE:
		snprintf(text, size, "source %s goes to%s", source, outputs);
		break;
	case EVENT_OLDER_QUERY:
		snprintf(text, size, "%s querier %s on a link configured for %s, which is kept",
		         version_name(event->family, event->before), source,
		         version_name(event->family, event->after));
		break;
	case EVENT_FOREIGN_QUERIER:
		snprintf(text, size, "querier %s is outside the link's subnets: it is ignored", source);
		break;
	case EVENT_DENIED:
		snprintf(text, size, "join of host %s denied by the filter rule in line %" PRIu64, source,
		         event->value);
		break;
	case EVENT_DROP:
		named = !addr_is_unspecified(&event->source);
		snprintf(text, size, "dropped: %s (%" PRIu64 " so far)%s%s", drop_name(event->before),
		         event->value, named ? ", host " : "", named ? source : "");
		break;
	case EVENT_KINDS:
		break;
	}
}

void event_log_write(const char *instance, const char *link, const struct event *event, const char *outputs)
{
	char text[512] = "", group[ADDR_TEXT_SIZE];
	bool has_group = addr_is_multicast(&event->group);

	describe(event, outputs, text, sizeof text);
	if (event_is_notable(event))
		warnx("instance %s: %s%s%s%s%s", instance, link ? link : "", link ? ": " : "",
		      has_group ? addr_format(&event->group, group) : "", has_group ? ": " : "", text);
	else
		debug("instance %s: %s%s%s%s%s", instance, link ? link : "", link ? ": " : "",
		      has_group ? addr_format(&event->group, group) : "", has_group ? ": " : "", text);
}
