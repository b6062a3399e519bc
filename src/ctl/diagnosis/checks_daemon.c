/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checks of what the daemon reports: links, queriers, limits, queues, configuration.
 */
#include "ctl/client/answer.h"
#include "ctl/diagnosis/checks.h"

#define VIFS_MAX 32 /* in one kernel table */

static bool is_text(struct json_object *object, const char *key, const char *text)
{
	return strcmp(answer_text(object, key), text) == 0;
}

/* Reports one problem at a time: a link that is down has no carrier either. */
static void check_link(const struct machine *machine, struct json_object *link, struct findings *findings)
{
	const char *name = answer_text(link, "link");
	const struct interface_state *interface = interfaces_by_name(&machine->interfaces, name);
	enum family family = is_text(link, "family", "IPv6") ? FAMILY_IPV6 : FAMILY_IPV4;
	bool upstream = is_text(link, "role", "upstream");
	const char *why = upstream ? "no stream can arrive on it, and mcproxy cannot join groups there"
	                           : "hosts on it receive no streams";
	struct finding *finding;

	/* check_owner reports a family that another program holds. */
	if (answer_has(link, "not_served") && interface != NULL)
		return;
	/* One line is enough for a link with both families. */
	if (interface != NULL && family == FAMILY_IPV6 &&
	    (!interface->up || !interface->carrier || !interface->multicast) &&
	    view_find(machine->daemon.links, "link", name, "family", "IPv4") != NULL)
		return;
	if (interface != NULL && interface->up && interface->carrier && interface->multicast &&
	    interface->has_address[family])
		return;
	finding = findings_add(findings, "links", name, why);
	if (interface == NULL) {
		finding_what(finding, "the %s link of instance %s does not exist", answer_text(link, "role"),
		             answer_text(link, "instance"));
		finding_remedy(
			finding,
			"create the interface, or correct its name in the configuration (ip link lists "
			"all interfaces)");
	} else if (!interface->up) {
		finding_what(finding, "the link is down");
		finding_remedy(finding, "ip link set %s up", name);
	} else if (!interface->carrier) {
		finding_what(finding, "the link has no carrier");
		finding_remedy(finding, "check the cable, the other end, and (Wi-Fi) the association");
	} else if (!interface->multicast) {
		finding->why =
			"the kernel still routes over it, but drivers and programs may block multicast there";
		finding_what(finding, "the MULTICAST flag is missing");
		finding_remedy(finding, "ip link set %s multicast on", name);
	} else {
		finding->why =
			family == FAMILY_IPV4
				? "reports and queries then have the source 0.0.0.0, which many routers "
				  "and switches ignore"
				: "MLD needs a link-local address: without one, mcproxy sends no MLD "
				  "messages there";
		finding_what(finding, "the link has no %s address",
		             family == FAMILY_IPV4 ? "IPv4" : "IPv6 link-local");
		finding_remedy(
			finding,
			family == FAMILY_IPV4
				? "ip address add ADDRESS/LENGTH dev %s, or leave IGMP out of `protocol`"
				: "sysctl -w net.ipv6.conf.%s.disable_ipv6=0, or leave MLD out of `protocol`",
			name);
	}
}

void check_links(const struct machine *machine, struct findings *findings)
{
	for (size_t i = 0; i < view_count(machine->daemon.links); i++)
		check_link(machine, json_object_array_get_idx(machine->daemon.links, i), findings);
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

	if (age <= interval + answer_number(timers, "query_response_interval"))
		return false;
	finding = findings_add(
		findings, "querier-downstream", name,
		"it remains the querier until its timer ends: until then no router sends queries, "
		"and memberships can end");
	finding_what(finding,
	             "the querier %s has stopped: its last query came %.0f s ago, its interval is %.0f s",
	             answer_text(link, "querier"), age, interval);
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

static void check_querier(struct json_object *link, struct findings *findings)
{
	const char *name = answer_text(link, "link"), *version = answer_text(link, "version");
	double others = answer_number(answer_member(link, "counters"), "queries_of_another_version");
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
	if (others == 0)
		return;
	finding = findings_add(findings, "querier-downstream", name,
	                       "hosts answer in the version of the querier: in an older one they cannot name "
	                       "sources, and streams stop later");
	finding_what(finding, "received %.0f quer%s of a version other than %s", others,
	             others > 1 ? "ies" : "y", version);
	finding_remedy(finding,
	               "configure the same version on all routers of %s, or set `protocol` to the version of "
	               "the others",
	               name);
}

void check_downstream_querier(const struct machine *machine, struct findings *findings)
{
	for (size_t i = 0; i < view_count(machine->daemon.links); i++) {
		struct json_object *link = json_object_array_get_idx(machine->daemon.links, i);

		if (answer_bool(link, "usable") && is_text(link, "role", "downstream"))
			check_querier(link, findings);
	}
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

	if (answer_number(uplink, "refused_by_kernel") > 0) {
		finding = findings_add(findings, "limits", name, "these groups are not joined upstream");
		finding_what(finding, "the kernel refuses to join %.0f groups: %s",
		             answer_number(uplink, "refused_by_kernel"),
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
	finding_what(finding,
	             "%.0f groups are joined from all sources, because their source lists are too long for "
	             "the kernel",
	             answer_number(uplink, "supersets"));
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

		if (refused == 0)
			continue;
		finding = findings_add(findings, "limits", answer_text(instance, "instance"),
		                       "whatever exceeds the limit is not served");
		finding_what(finding, "%s was reached %.0f times", limits[i].option, refused);
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
		char key[32];

		snprintf(key, sizeof key, "%s reached", options[i]);
		if (answer_number(drops, key) == 0)
			continue;
		finding = findings_add(findings, "limits", answer_text(link, "link"),
		                       "whatever exceeds the limit is not served");
		finding_what(finding, "%s was reached %.0f times", options[i], answer_number(drops, key));
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

/* Reports that were received and ignored, for reasons that an administrator can fix. */
void check_refused_reports(const struct machine *machine, struct findings *findings)
{
	static const struct {
		const char *cause, *why, *remedy;
	} causes[] = {
		{"not allowed in SSM range",
	         "in this range of groups a host must name its sources (RFC 4604)",
	         "let the hosts use IGMPv3 or MLDv2 and name sources, or set ssm_range = \"none\""},
		{"no router alert",
	         "MLD messages without the Router Alert option do not come from a host on this link "
	         "(RFC 9777)",
	         "look for the sender with tcpdump -vi LINK icmp6; a bridge or access point may remove "
	         "the option"},
		{"TTL or hop limit not 1", "such reports may come from outside this link, and are ignored",
	         "look for the sender with tcpdump -vi LINK igmp"},
		{"bad checksum", "such reports are damaged, and are ignored",
	         "look for the sender with tcpdump -vi LINK igmp; check cables and offloading (ethtool -k)"},
	};

	for (size_t i = 0; i < view_count(machine->daemon.links); i++) {
		struct json_object *link = json_object_array_get_idx(machine->daemon.links, i);

		for (size_t j = 0; j < sizeof causes / sizeof causes[0]; j++) {
			double count = answer_number(answer_member(link, "drops"), causes[j].cause);
			struct finding *finding;

			if (count == 0 || !is_text(link, "role", "downstream"))
				continue;
			finding = findings_add(findings, "reports", answer_text(link, "link"), causes[j].why);
			finding_what(finding, "%.0f reports were ignored: %s", count, causes[j].cause);
			finding_remedy(finding, "%s", causes[j].remedy);
		}
	}
}

void check_configuration(const struct machine *machine, struct findings *findings)
{
	double loaded = answer_number(machine->daemon.status, "configuration_loaded");
	struct finding *finding;

	if (machine->file_modified == 0 || loaded == 0) {
		findings_skip(findings, "configuration",
		              "the daemon's configuration file cannot be accessed");
		return;
	}
	if (machine->file_modified <= loaded)
		return;
	finding =
		findings_add(findings, "configuration", answer_text(machine->daemon.status, "configuration"),
	                     "the daemon runs with a configuration other than that in the file");
	finding_what(finding, "the file was changed %.0f s after the daemon read it",
	             machine->file_modified - loaded);
	finding_remedy(finding, "mcproxyctl reload (mcproxy -t -c FILE checks the file first)");
}
