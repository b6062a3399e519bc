/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/old_queries.h"

#include "core/base/shell.h"
#include "ctl/client/answer.h"

#include <stdio.h>

static enum family family_of(struct json_object *link)
{
	return strcmp(answer_text(link, "family"), "IPv6") == 0 ? FAMILY_IPV6 : FAMILY_IPV4;
}

/* A Linux bridge sends its queries from its own address, or from none. */
static bool is_own_bridge(const struct interfaces *interfaces, struct json_object *link)
{
	const struct interface_state *bridge = interfaces_by_name(interfaces, answer_text(link, "link"));
	enum family family = family_of(link);
	const char *querier = answer_text(link, "other_version_querier");
	struct addr source;

	if (bridge == NULL || !bridge->is_bridge || !bridge->own_querier || !bridge->old_queries[family])
		return false;
	return *querier == '\0' ||
	       (addr_parse(querier, &source) && addr_equal(&source, &bridge->address[family]));
}

bool old_queries_find(const struct interfaces *interfaces, struct json_object *link,
                      struct old_queries *found)
{
	struct json_object *timers = answer_member(link, "timers");
	double wait = answer_number(timers, "robustness") * answer_number(timers, "query_interval") +
	              answer_number(timers, "query_response_interval");
	const char *querier = answer_text(link, "other_version_querier");

	*found = (struct old_queries){.version = answer_text(link, "other_version"),
	                              .own = answer_text(link, "version"),
	                              .age = answer_number(link, "other_version_age"),
	                              .is_bridge = is_own_bridge(interfaces, link)};
	found->left = wait - found->age;
	found->is_older = strcmp(found->version, found->own) < 0;
	if (!answer_has(link, "other_version") || found->left <= 0)
		return false;
	if (found->is_bridge)
		snprintf(found->querier, sizeof found->querier, "the bridge %s itself",
		         answer_text(link, "link"));
	else
		snprintf(found->querier, sizeof found->querier, "%s",
		         *querier != '\0' ? querier : "a bridge or switch without an address");
	return true;
}

void old_queries_command(const struct old_queries *found, const char *link, char *text, size_t size)
{
	snprintf(text, size, "ip link set dev %s type bridge %s",
	         found->is_bridge ? shell_word(link).text : "BRIDGE",
	         strncmp(found->own, "IGMP", 4) == 0 ? "mcast_igmp_version 3" : "mcast_mld_version 2");
}
