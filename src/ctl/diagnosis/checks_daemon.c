/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checks of what the daemon reports: copies, limits, queues, reports, configuration.
 */
#include "core/base/shell.h"
#include "ctl/client/answer.h"
#include "ctl/client/columns.h"
#include "ctl/diagnosis/checks.h"

#define VIFS_MAX 32 /* in one kernel table */

/* "1 group", "2 groups": in full, because it counts faults. */
static const char *counted(double count, const char *one, const char *several, char text[64])
{
	snprintf(text, 64, "%.0f %s", count, count == 1 ? one : several);
	return text;
}

static bool is_text(struct json_object *object, const char *key, const char *text)
{
	return strcmp(answer_text(object, key), text) == 0;
}

/* The number of streams whose copies arrive on the same two links as those of this route; 0 if an earlier
 * route has already counted them. */
static size_t count_copies(struct json_object *routes, size_t number)
{
	struct json_object *route = json_object_array_get_idx(routes, number);
	const char *input = answer_text(route, "input"), *copy = answer_text(route, "copy_input");
	size_t count = 0;

	for (size_t i = 0; i < view_count(routes) && *copy != '\0'; i++) {
		struct json_object *other = json_object_array_get_idx(routes, i);

		if (!is_text(other, "input", input) || !is_text(other, "copy_input", copy))
			continue;
		if (i < number)
			return 0;
		count++;
	}
	return count;
}

void check_copies(const struct machine *machine, struct findings *findings)
{
	struct json_object *routes = machine->daemon.routes;

	for (size_t i = 0; i < view_count(routes); i++) {
		struct json_object *route = json_object_array_get_idx(routes, i);
		const char *input = answer_text(route, "input"), *copy = answer_text(route, "copy_input");
		size_t count = count_copies(routes, i);
		struct finding *finding;

		if (count == 0)
			continue;
		finding = findings_add(findings, "copies", copy,
		                       "if both routers forward the stream, hosts receive it twice");
		finding_what(
			finding,
			"%zu stream%s on %s and on %s, such as (%s, %s): a second router forwards between "
			"these links",
			count, count > 1 ? "s arrive" : " arrives", input, copy, answer_text(route, "source"),
			answer_text(route, "group"));
		finding_remedy(finding,
		               "find the second router (a proxy, an access point or a tunnel) that connects "
		               "%s and %s, and let only one of the two routers forward multicast",
		               input, copy);
	}
}

static void check_uplink_limits(const struct machine *machine, struct json_object *uplink,
                                struct findings *findings)
{
	const char *name = answer_text(uplink, "link"), *error = answer_text(uplink, "last_error");
	bool ipv4 = is_text(uplink, "family", "IPv4");
	struct finding *finding;
	char count[64];

	if (answer_number(uplink, "refused_by_kernel") > 0) {
		finding = findings_add(findings, "limits", name, "these groups are not joined upstream");
		finding_what(finding, "the kernel refuses to join %s: %s",
		             counted(answer_number(uplink, "refused_by_kernel"), "group", "groups", count),
		             *error != '\0' ? error : "no reason given");
		finding_remedy(finding,
		               "set upstream_membership = \"user\" in the configuration: the kernel's limits "
		               "then do not apply");
	}
	if (answer_number(uplink, "supersets") == 0)
		return;
	finding = findings_add(
		findings, "limits", name,
		"the kernel's source lists are too short: unwanted sources arrive too, and are dropped here");
	finding_what(finding, "%s joined from all sources: the source lists are too long for the kernel",
	             counted(answer_number(uplink, "supersets"), "group is", "groups are", count));
	if (ipv4)
		finding_remedy(
			finding,
			"sysctl -w net.ipv4.igmp_max_msf=64 (now %ld), or set upstream_membership = \"user\"",
			machine->igmp_max_msf);
	else
		finding_remedy(finding,
		               "sysctl -w net.ipv6.mld_max_msf=512, or set upstream_membership = \"user\"");
}

static void check_instance_limits(struct json_object *instance, struct findings *findings)
{
	static const struct {
		const char *key, *option, *now;
	} limits[] = {
		{"refused_for_routes_max", "routes_max", "routes_max"},
		{"refused_for_memory", "memory_max", "memory_max"},
	};

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		double refused = answer_number(instance, limits[i].key);
		struct finding *finding;
		char count[64];

		if (refused == 0)
			continue;
		finding = findings_add(findings, "limits", answer_text(instance, "instance"),
		                       "whatever exceeds the limit is not served");
		finding_what(finding, "%s was reached %s", limits[i].option,
		             counted(refused, "time", "times", count));
		finding_remedy(finding, "raise %s in the configuration (now %.0f)", limits[i].option,
		               answer_number(instance, limits[i].now));
	}
}

static void check_link_limits(struct json_object *link, struct findings *findings)
{
	static const char *const options[] = {"groups_max", "sources_max", "hosts_max"};
	struct json_object *drops = answer_member(link, "drops");

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		struct finding *finding;
		char key[32], count[64];

		snprintf(key, sizeof key, "%s reached", options[i]);
		if (answer_number(drops, key) == 0)
			continue;
		finding = findings_add(findings, "limits", answer_text(link, "link"),
		                       "whatever exceeds the limit is not served");
		finding_what(finding, "%s was reached %s", options[i],
		             counted(answer_number(drops, key), "time", "times", count));
		finding_remedy(finding, "raise %s in the configuration, for this link or for all",
		               options[i]);
	}
}

static bool is_same(struct json_object *a, struct json_object *b, const char *key)
{
	return strcmp(answer_text(a, key), answer_text(b, key)) == 0;
}

static bool is_same_link(struct json_object *a, struct json_object *b)
{
	return is_same(a, b, "instance") && is_same(a, b, "link");
}

/* The link has more state than its share of memory_max. Both families have the same numbers. */
static void check_memory_share(struct json_object *link, struct findings *findings)
{
	double memory = answer_number(link, "memory"), share = answer_number(link, "memory_share");
	struct finding *finding;

	if (share == 0 || memory < share)
		return;
	finding =
		findings_add(findings, "limits", answer_text(link, "link"),
	                     "joins with source lists on this link may fail; other links keep their shares");
	finding_what(finding, "hosts on the link use %.0f bytes of memory_max; its share is %.0f bytes",
	             memory, share);
	finding_remedy(finding, "find the host with mcproxyctl show groups (track_hosts = true shows it); "
	                        "lower groups_max and sources_max for this link, or raise memory_max");
}

/* The link uses half of routes_max. */
static void check_routes_share(const struct machine *machine, struct json_object *link, double routes,
                               struct findings *findings)
{
	for (size_t i = 0; i < view_count(machine->daemon.instances); i++) {
		struct json_object *instance = json_object_array_get_idx(machine->daemon.instances, i);
		double routes_max = answer_number(instance, "routes_max");
		struct finding *finding;

		if (!is_same(instance, link, "instance") || routes_max == 0 || routes < routes_max / 2)
			continue;
		finding = findings_add(
			findings, "limits", answer_text(link, "link"),
			"further streams from this link replace its own; other links get routes");
		finding_what(finding,
		             "streams from the link use %.0f of %.0f routes (routes_max): half is its share",
		             routes, routes_max);
		finding_remedy(finding, "find the sender with mcproxyctl show routes, or raise routes_max");
	}
}

/* Once for the objects of both families. */
static void check_shares(const struct machine *machine, size_t place, struct findings *findings)
{
	struct json_object *link = json_object_array_get_idx(machine->daemon.links, place);
	double routes = 0;

	for (size_t i = 0; i < view_count(machine->daemon.links); i++) {
		struct json_object *other = json_object_array_get_idx(machine->daemon.links, i);

		if (!is_same_link(link, other))
			continue;
		if (i < place)
			return;
		routes += answer_number(other, "routes");
	}
	check_memory_share(link, findings);
	check_routes_share(machine, link, routes, findings);
}

/* A kernel table holds at most 32 interfaces. */
static void check_vifs(const struct machine *machine, struct json_object *link, struct findings *findings)
{
	const char *family = answer_text(link, "family");
	struct finding *finding;
	size_t taken = 0;

	if (!answer_bool(link, "present") || !answer_bool(link, "up") || answer_has(link, "vif") ||
	    answer_has(link, "not_served"))
		return;
	for (size_t i = 0; i < view_count(machine->daemon.links); i++) {
		struct json_object *other = json_object_array_get_idx(machine->daemon.links, i);

		taken += is_text(other, "family", family) && answer_has(other, "vif");
	}
	if (taken < VIFS_MAX)
		return;
	finding = findings_add(findings, "limits", answer_text(link, "link"), "the link is not served");
	finding_what(finding, "a kernel table holds at most %d interfaces", VIFS_MAX);
	finding_remedy(finding, "give an instance a table of its own: table = \"own\"");
}

void check_limits(const struct machine *machine, struct findings *findings)
{
	for (size_t i = 0; i < view_count(machine->daemon.upstream); i++)
		check_uplink_limits(machine, json_object_array_get_idx(machine->daemon.upstream, i),
		                    findings);
	for (size_t i = 0; i < view_count(machine->daemon.instances); i++)
		check_instance_limits(json_object_array_get_idx(machine->daemon.instances, i), findings);
	for (size_t i = 0; i < view_count(machine->daemon.links); i++) {
		check_link_limits(json_object_array_get_idx(machine->daemon.links, i), findings);
		check_vifs(machine, json_object_array_get_idx(machine->daemon.links, i), findings);
		check_shares(machine, i, findings);
	}
}

static void check_queue(struct findings *findings, struct json_object *counters, const char *key,
                        const char *subject, const char *what, const char *remedy)
{
	struct finding *finding;

	if (answer_number(counters, key) == 0)
		return;
	finding = findings_add(findings, "queues", subject,
	                       "hosts and routers repeat their messages, so a few losses delay joins; many "
	                       "losses end memberships");
	finding_what(finding, "%.0f %s", answer_number(counters, key), what);
	finding_remedy(finding, "%s", remedy);
}

void check_queues(const struct machine *machine, struct findings *findings)
{
	struct json_object *tables = answer_member(machine->daemon.status, "tables");

	for (size_t i = 0; i < view_count(machine->daemon.links); i++) {
		struct json_object *link = json_object_array_get_idx(machine->daemon.links, i);
		struct json_object *counters = answer_member(link, "counters");
		const char *name = answer_text(link, "link");

		check_queue(findings, counters, "lost_in_socket", name,
		            "packets were lost because the socket's buffer was full",
		            "look for a host that floods reports (mcproxyctl monitor); a larger "
		            "net.core.rmem_max helps with bursts");
		check_queue(
			findings, answer_member(link, "drops"), "report_rate_max exceeded", name,
			"packets exceeded the report_rate_max of the link",
			"look for a host that floods reports (mcproxyctl monitor), or raise report_rate_max");
		check_queue(findings, answer_member(link, "drops"), "host_report_rate_max exceeded", name,
		            "packets exceeded the host_report_rate_max of their source address",
		            "look for a host that floods reports (mcproxyctl monitor), or raise "
		            "host_report_rate_max");
		check_queue(
			findings, answer_member(link, "drops"), "query_rate_max exceeded", name,
			"groups got a general query in place of their own, because of query_rate_max",
			"look for a host that floods leaves (mcproxyctl monitor), or raise query_rate_max");
	}
	for (size_t i = 0; i < view_count(tables); i++) {
		struct json_object *table = json_object_array_get_idx(tables, i);
		const char *family = answer_text(table, "family");

		check_queue(findings, table, "upcalls_deferred", family,
		            "new streams had to wait because the queue was full",
		            "raise ring_size in the configuration");
		check_queue(findings, table, "route_failures", family,
		            "forwarding entries were refused by the kernel", "the log shows the reason");
	}
}

/* A cause of ignored reports that an administrator can fix. */
struct refusal {
	const char *cause, *why;
	bool watch; /* the remedy begins with a look at the packets */
	const char *remedy;
};

static void check_refusal(struct json_object *link, const struct refusal *refusal, struct findings *findings)
{
	double count = answer_number(answer_member(link, "drops"), refusal->cause);
	const char *name = answer_text(link, "link");
	struct finding *finding;
	char text[64];

	if (count == 0 || !is_text(link, "role", "downstream"))
		return;
	finding = findings_add(findings, "reports", name, refusal->why);
	finding_what(finding, "%s ignored: %s", counted(count, "report was", "reports were", text),
	             refusal->cause);
	if (refusal->watch)
		finding_remedy(finding, "look for the sender with tcpdump -vi %s %s%s", shell_word(name).text,
		               is_text(link, "family", "IPv4") ? "igmp" : "icmp6 or ip6 proto 0",
		               refusal->remedy);
	else
		finding_remedy(finding, "%s", refusal->remedy);
}

/* Reports that were received and ignored, for reasons that an administrator can fix. */
void check_refused_reports(const struct machine *machine, struct findings *findings)
{
	static const struct refusal refusals[] = {
		{"not allowed in SSM range",
	         "in this range of groups a host must name its sources (RFC 4604)", false,
	         "let the hosts use IGMPv3 or MLDv2 and name sources, or set ssm_range = \"none\""},
		{"no router alert",
	         "MLD messages without the Router Alert option do not come from a host on this link "
	         "(RFC 9777), and require_router_alert asks for the same of IGMP",
	         true,
	         "; a bridge or access point may remove the option; for IGMP alone, set require_router_alert = false"},
		{"report outside the subnet", "verify_source_subnet keeps such hosts out", true,
	         "; add their subnet to the link (ip address add), or set verify_source_subnet = false"},
		{"TTL or hop limit not 1", "such reports may come from outside this link, and are ignored",
	         true, ""},
		{"bad checksum", "such reports are damaged, so mcproxy ignores them", true,
	         "; check cables and offloading (ethtool -k)"},
	};

	for (size_t i = 0; i < view_count(machine->daemon.links); i++)
		for (size_t j = 0; j < sizeof refusals / sizeof refusals[0]; j++)
			check_refusal(json_object_array_get_idx(machine->daemon.links, i), &refusals[j],
			              findings);
}

void check_configuration(const struct machine *machine, struct findings *findings)
{
	double loaded = answer_number(machine->daemon.status, "configuration_loaded");
	struct finding *finding;
	char later[32];

	if (machine->file_modified == 0 || loaded == 0) {
		findings_skip(findings, "configuration",
		              "the daemon's configuration file cannot be accessed");
		return;
	}
	if (machine->file_modified < loaded + 0.001) /* the daemon's time is in whole milliseconds */
		return;
	finding =
		findings_add(findings, "configuration", answer_text(machine->daemon.status, "configuration"),
	                     "the daemon runs with a configuration other than that in the file");
	finding_what(finding, "the file was changed %s after the daemon read it%s",
	             format_duration(machine->file_modified - loaded, later),
	             answer_bool(machine->daemon.status, "last_reload_successful")
	                     ? ""
	                     : ", and the last reload failed");
	finding_remedy(finding, "mcproxyctl reload (mcproxy -t -c %s checks the file first)",
	               shell_word(answer_text(machine->daemon.status, "configuration")).text);
}
