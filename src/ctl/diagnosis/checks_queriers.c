/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checks of the queriers upstream and downstream.
 */
#include "ctl/client/answer.h"
#include "ctl/client/columns.h"
#include "ctl/diagnosis/checks.h"
#include "ctl/diagnosis/old_queries.h"

static bool is_text(struct json_object *object, const char *key, const char *text)
{
	return strcmp(answer_text(object, key), text) == 0;
}

void check_upstream_querier(const struct machine *machine, struct findings *findings)
{
	for (size_t i = 0; i < view_count(machine->daemon.upstream); i++) {
		struct json_object *uplink = json_object_array_get_idx(machine->daemon.upstream, i);
		bool ipv4 = is_text(uplink, "family", "IPv4");
		struct finding *finding;

		if (!answer_bool(uplink, "present") || !answer_bool(uplink, "query_missing"))
			continue;
		finding = findings_add(
			findings, "querier-upstream", answer_text(uplink, "link"),
			"routers and switches upstream forget members that they do not query: the "
			"picture freezes after some minutes (until a querier appears, mcproxy repeats "
			"its reports)");
		finding_what(finding, "no %s querier is present upstream; mcproxy reports with %s there",
		             ipv4 ? "IGMP" : "MLD", answer_text(uplink, "version"));
		if (strcmp(answer_text(uplink, "version"), ipv4 ? "IGMPv3" : "MLDv2") != 0)
			finding_remedy(finding, "enable the querier in the router or switch there");
		else
			finding_remedy(
				finding,
				"enable the querier in the router or switch there; if the provider understands "
				"only an older version, set upstream_version = \"%s\"",
				ipv4 ? "IGMPv2" : "MLDv1");
	}
}

/* A switch that was replaced, or a query that was forged: only its timer keeps the querier elected. */
static bool check_silent_querier(struct json_object *link, struct findings *findings)
{
	struct json_object *timers = answer_member(link, "timers");
	double age = answer_number(link, "other_query_age"),
	       interval = answer_number(timers, "query_interval");
	const char *name = answer_text(link, "link");
	struct finding *finding;
	char past[32], between[32];

	if (age <= interval + answer_number(timers, "query_response_interval"))
		return false;
	finding = findings_add(
		findings, "querier-downstream", name,
		"it remains the querier until its timer ends: until then no router sends queries, "
		"and memberships can end");
	finding_what(finding, "the querier %s has stopped: its last query came %s ago, its interval is %s",
	             answer_text(link, "querier"), format_duration(age, past),
	             format_duration(interval, between));
	finding_remedy(
		finding,
		"mcproxyctl reload makes this router the querier at once; querier_election = false keeps "
		"it so on %s",
		name);
	return true;
}

static void check_foreign_querier(struct json_object *link, struct findings *findings)
{
	const char *name = answer_text(link, "link");
	struct finding *finding;

	if (!answer_has(link, "foreign_querier"))
		return;
	finding = findings_add(findings, "querier-downstream", name,
	                       "mcproxy ignores its queries, but hosts and switches follow them");
	finding_what(finding, "a querier from outside the subnets of the link is ignored: %s",
	             answer_text(link, "foreign_querier"));
	finding_remedy(finding,
	               "give it an address of the link's subnet or disable it; if it must take part in the "
	               "election, add an address of its subnet to %s",
	               name);
}

/* Hosts follow the oldest version that they have heard for some time. */
static void check_versions(const struct machine *machine, struct json_object *link, struct findings *findings)
{
	const char *name = answer_text(link, "link");
	struct old_queries old;
	struct finding *finding;
	char command[160];

	if (!old_queries_find(&machine->interfaces, link, &old))
		return;
	finding = findings_add(
		findings, "querier-downstream", name,
		"hosts answer in the oldest version that a querier uses: in IGMPv2 and MLDv1 they "
		"cannot name sources, so SSM joins fail, and streams stop later");
	if (old.is_older)
		finding_what(finding, "%s sends %s queries; hosts return to %s in %.0f s if no more follow",
		             old.querier, old.version, old.own, old.left);
	else
		finding_what(finding, "%s sends %s queries, this router %s", old.querier, old.version,
		             old.own);
	old_queries_command(&old, name, command, sizeof command);
	if (old.is_bridge)
		finding_remedy(finding, "%s", command);
	else
		finding_remedy(
			finding, "configure %s on all routers, switches and bridges of %s (Linux: %s)%s",
			old.own, name, command,
			old.is_older
				? "; set `protocol` to the version of the others only where no host names "
				  "sources"
				: ", or set `protocol` to the version of the others");
}

static void check_querier(const struct machine *machine, struct json_object *link, struct findings *findings)
{
	const char *name = answer_text(link, "link");
	struct finding *finding;

	check_foreign_querier(link, findings);
	if (!answer_bool(link, "this_router_is_querier") && !check_silent_querier(link, findings)) {
		finding = findings_add(
			findings, "querier-downstream", name,
			"mcproxy leaves a stream to the other router while that one forwards it, and every "
			"stream if forward_without_querier is false; if a snooping switch withholds the other "
			"router's packets, both routers forward");
		finding_what(finding, "another router is the querier: %s", answer_text(link, "querier"));
		finding_remedy(
			finding,
			"disable the other querier, or give this router the lower address on %s; where "
			"two proxies are behind a snooping switch without Multicast Router Discovery, "
			"set forward_without_querier = false on both",
			name);
	}
	check_versions(machine, link, findings);
}

void check_downstream_querier(const struct machine *machine, struct findings *findings)
{
	for (size_t i = 0; i < view_count(machine->daemon.links); i++) {
		struct json_object *link = json_object_array_get_idx(machine->daemon.links, i);

		if (answer_bool(link, "usable") && is_text(link, "role", "downstream"))
			check_querier(machine, link, findings);
	}
}
