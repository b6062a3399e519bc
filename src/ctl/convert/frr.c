/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The lines of FRR's configuration that make a proxy: IGMP and MLD of interfaces, and the route-maps that filter them.
 */
#include "ctl/convert/grammars.h"
#include "ctl/convert/net.h"
#include "ctl/convert/route_map.h"

#include <stdlib.h>

struct frr {
	struct scan *scan;
	struct output *output;
	struct instance *instance;
	const struct word *interface; /* NULL: outside of an interface */
};

static const struct number_setting numbers[] = {
	{"query-interval", "query_interval", 1, 31744, false},
	{"query-max-response-time", "query_response_interval", 1, 31744, true},
	{"query-max-response-time-dsec", "query_response_interval", 1, 31744, true},
	{"last-member-query-interval", "last_member_query_interval", 1, 31744, true},
	{"last-member-query-count", "last_member_query_count", 1, 255, false},
	{"robustness", "robustness", 1, 255, false},
	{"max-groups", "groups_max", 1, 16777216, false},
	{"max-sources", "sources_max", 1, 4096, false},
	{0},
};

/* GROUP [SOURCE] */
static bool add_static(struct frr *frr, struct link *link)
{
	const struct word *group = scan_take_same_line(frr->scan), *source = scan_take_same_line(frr->scan);
	struct net net;

	if (group == NULL || !net_parse(group->text, &net) || net_groups(&net) != NET_SOME_GROUPS)
		return output_fail(frr->output, scan_line(frr->scan), "\"%.40s\" is no group",
		                   group != NULL ? group->text : "");
	if (source != NULL && !net_parse(source->text, &net))
		return output_fail(frr->output, source->line, "\"%.40s\" is no source", source->text);
	lines_add(frr->output, &link->statics, "%s%s%s", group->text, source != NULL ? " from " : "",
	          source != NULL ? source->text : "");
	return true;
}

static bool take_route_map(struct frr *frr, struct link *link)
{
	link->list = scan_take_same_line(frr->scan);
	return link->list != NULL ||
	       output_fail(frr->output, scan_line(frr->scan), "route-map without a name");
}

static bool read_version(struct frr *frr, struct link *link, bool mld)
{
	const struct word *word = scan_take_same_line(frr->scan);
	unsigned long version, newest = mld ? 2 : 3;

	if (!read_number(frr->output, word, 1, newest, &version))
		return false;
	if (version < newest)
		lines_differ(
			frr->output, &link->settings, word->line,
			"version %lu: mcproxy queries with the newest one; `protocol` of the instance says otherwise",
			version);
	return true;
}

/* What follows `ip igmp` or `ipv6 mld` on an interface. */
static bool read_membership(struct frr *frr, struct link *link, bool mld)
{
	static const char *const joins[] = {"join-group", "join", "static-group", NULL};
	const struct word *word = scan_take_same_line(frr->scan), *value;
	struct lines *lines = &link->settings;
	const struct number_setting *number;

	if (word == NULL) {
		link->role = link->role == ROLE_NONE ? ROLE_DOWNSTREAM : link->role;
		return true;
	}
	number = number_setting_find(numbers, word->text);
	if (number != NULL)
		return read_number_setting(frr->output, lines, number, scan_take_same_line(frr->scan));
	if (text_is_in(word->text, joins))
		return add_static(frr, link);
	if (strcmp(word->text, "route-map") == 0)
		return take_route_map(frr, link);
	if (strcmp(word->text, "version") == 0)
		return read_version(frr, link, mld);
	if (strcmp(word->text, "proxy") == 0) {
		link->role = ROLE_UPSTREAM;
		return !scan_skip(frr->scan, "route-map") || take_route_map(frr, link);
	}
	if (strcmp(word->text, "require-router-alert") == 0) {
		lines_set_bool(frr->output, lines, "require_router_alert", true);
	} else if (strcmp(word->text, "immediate-leave") == 0) {
		lines_set_bool(frr->output, lines, "fast_leave", true);
		lines_differ(frr->output, lines, word->line,
		             "immediate-leave: mcproxy still queries where a host may be unknown");
	} else {
		value = scan_take_same_line(frr->scan);
		lines_differ(frr->output, lines, word->line, "%s %s %s has no counterpart on a link",
		             mld ? "ipv6 mld" : "ip igmp", word->text, value != NULL ? value->text : "");
	}
	return true;
}

/* Lines for other protocols belong to the rest of the router; multicast ones do not. */
static void name_other(struct frr *frr, const struct word *word, struct lines *lines)
{
	static const char *const others[] = {"pim",       "pim6", "msdp", "mroute",
	                                     "multicast", "igmp", "mld",  NULL};
	const struct word *kind = scan_peek(frr->scan);

	if (kind->first || !text_is_in(kind->text, others))
		return;
	if (strcmp(kind->text, "pim") == 0 || strcmp(kind->text, "pim6") == 0)
		lines_differ(frr->output, lines, word->line, "%s %s: mcproxy has no PIM", word->text,
		             kind->text);
	else
		lines_differ(frr->output, lines, word->line, "%s %s has no counterpart here", word->text,
		             kind->text);
}

static bool begin_interface(struct frr *frr, const struct word *word)
{
	frr->interface = scan_take_same_line(frr->scan);
	if (frr->interface == NULL)
		return output_fail(frr->output, word->line, "interface without a name");
	if (scan_skip(frr->scan, "vrf"))
		lines_differ(frr->output, &frr->output->settings, word->line,
		             "vrf %s: mcproxy has a table for an instance, not a VRF",
		             scan_peek(frr->scan)->text);
	return true;
}

static bool read_line(struct frr *frr)
{
	static const char *const ends[] = {"exit", "route-map", "router", "line", "vrf", NULL};
	const struct word *word = scan_take(frr->scan);
	bool mld = strcmp(word->text, "ipv6") == 0;
	struct link *link;

	if (strcmp(word->text, "interface") == 0)
		return begin_interface(frr, word);
	if (text_is_in(word->text, ends))
		frr->interface = NULL;
	if (!mld && strcmp(word->text, "ip") != 0) {
		if (strcmp(word->text, "router") == 0)
			name_other(frr, word, &frr->output->settings);
		return true;
	}
	if (frr->interface == NULL) {
		name_other(frr, word, &frr->output->settings);
		return true;
	}
	if (scan_skip(frr->scan, mld ? "mld" : "igmp")) {
		link = output_link(frr->output, frr->instance, frr->interface->text, frr->interface->line);
		return link != NULL && read_membership(frr, link, mld);
	}
	link = link_find(frr->instance, frr->interface->text);
	name_other(frr, word, link != NULL ? &link->settings : &frr->output->settings);
	return true;
}

static bool finish_link(struct frr *frr, struct link *link)
{
	frr->output->from = link->line;
	if (link->role == ROLE_NONE)
		return output_fail(frr->output, link->line,
		                   "%s has neither \"ip igmp\" nor \"ip igmp proxy\"", link->name);
	return link->list == NULL || route_map_add(frr->output, frr->scan, link->list, link,
	                                           link->role == ROLE_UPSTREAM ? &link->in : &link->out);
}

bool read_frr(struct scan *scan, struct output *output)
{
	struct frr frr = {.scan = scan, .output = output, .instance = output_instance(output, NULL)};

	while (frr.instance != NULL && !scan_ended(scan)) {
		if (!read_line(&frr))
			return false;
		scan_skip_line(scan);
	}
	for (struct link *link = frr.instance != NULL ? frr.instance->links : NULL; link != NULL;
	     link = link->next)
		if (!finish_link(&frr, link))
			return false;
	if (frr.instance != NULL && instance_count_role(frr.instance, ROLE_UPSTREAM) == 0)
		lines_differ(output, &frr.instance->settings, 0,
		             "no interface with \"ip igmp proxy\": this is a querier only");
	output_choose_all(output, frr.instance);
	return output_finish_instance(output, frr.instance);
}
