/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The checks of doctor: a healthy machine, and in each row one thing that is wrong with it.
 */
#include "ctl/diagnosis/doctor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/quoted_json.h"

#define STATUS                                                                                               \
	"{'pid': 7, 'configuration': '/etc/mcproxy.conf', 'configuration_loaded': 1000.5, "                  \
	"'last_reload_successful': true, 'tables': "                                                         \
	"[{'family': 'IPv4', 'route_failures': 0, 'upcalls_deferred': 0}]}"
#define UP                                                                                                   \
	"{'instance': 'tv', 'link': 'eth0', 'role': 'upstream', 'family': 'IPv4', 'version': 'IGMPv3', "     \
	"'present': true, 'up': true, 'usable': true, 'vif': 0, 'counters': {}, 'drops': {}}"
#define DOWN_WITH(more)                                                                                      \
	"{'instance': 'tv', 'link': 'eth1', 'role': 'downstream', 'family': 'IPv4', 'version': 'IGMPv3', "   \
	"'present': true, 'up': true, 'usable': true, 'vif': 1" more "}"
#define DOWN              DOWN_WITH(", 'this_router_is_querier': true, 'querier': '10.0.1.1', 'counters': {}, 'drops': {}")
#define UPLINK_WITH(more) "[{'link': 'eth0', 'family': 'IPv4', 'present': true, 'version': 'IGMPv3'" more "}]"
#define INSTANCES         "[{'instance': 'tv', 'refused_for_routes_max': 0, 'refused_for_memory': 0}]"

static struct interface_state interface_of(int index, const char *name)
{
	struct interface_state interface = {
		.index = index, .up = true, .carrier = true, .multicast = true, .has_address = {true, true}};

	snprintf(interface.name, sizeof interface.name, "%s", name);
	return interface;
}

static struct interface_state list[4];
static const char nft_empty[] = "{\"nftables\": []}";

static void make_healthy(struct machine *machine)
{
	*machine = (struct machine){.file_modified = 1000.0004, .igmp_max_msf = 10, .path_count = 1};
	list[0] = interface_of(1, "lo");
	list[1] = interface_of(2, "eth0");
	list[2] = interface_of(3, "eth1");
	list[3] = interface_of(4, "eth2");
	machine->interfaces = (struct interfaces){list, LENGTH(list)};
	for (int family = 0; family < FAMILIES; family++)
		machine->owners[family] = (struct table_owner){.has_kernel = true};
	machine->owners[0].taken = true;
	strcpy(machine->owners[0].name, "mcproxy");
	machine->daemon.status = json(STATUS);
	machine->daemon.instances = json(INSTANCES);
	machine->daemon.links = json("[" UP "," DOWN "]");
	machine->daemon.upstream = json(UPLINK_WITH(""));
	machine->daemon.routes = json("[]");
	machine->firewall = firewall_new();
	assert_true(firewall_add_nft(machine->firewall, nft_empty));
	machine->paths[0] = (struct reverse_path){.link = "eth0", .rp_filter = 1, .default_route = 2};
}

static void replace(struct json_object **object, const char *text)
{
	json_object_put(*object);
	*object = json(text);
}

/* What can be wrong. */

static void no_carrier(struct machine *machine)
{
	(void)machine;
	list[1].carrier = false;
}

/* The links are not served, which is the only finding about them. */
static void spoil_table(struct machine *machine, const char *status)
{
	replace(&machine->daemon.status, status);
	replace(&machine->daemon.links, "[{'instance': 'tv', 'link': 'eth0', 'role': 'upstream', 'family': "
	                                "'IPv4', 'version': 'IGMPv3', 'present': true, 'up': true, "
	                                "'usable': false, 'not_served': 'x', 'counters': {}, 'drops': {}}]");
	machine->path_count = 0;
}

#define HELD_BY(holder)                                                                                      \
	"{'pid': 7, 'configuration': '/etc/mcproxy.conf', 'configuration_loaded': 1000.5, "                  \
	"'last_reload_successful': true, 'tables': "                                                         \
	"[{'family': 'IPv4', 'served': false, 'held_by': '" holder "'}]}"

static void held_table(struct machine *machine)
{
	spoil_table(machine, HELD_BY("igmpproxy (pid 12)"));
}

static void held_by_what_root_sees(struct machine *machine)
{
	spoil_table(machine, HELD_BY("another program"));
	machine->owners[FAMILY_IPV4] =
		(struct table_owner){.has_kernel = true, .taken = true, .pid = 12, .name = "pimd"};
}

static void link_down(struct machine *machine)
{
	(void)machine;
	list[2].up = false;
	list[2].carrier = false;
}

static void no_address(struct machine *machine)
{
	(void)machine;
	list[2].has_address[FAMILY_IPV4] = false;
}

static void bridge_port(struct machine *machine)
{
	no_address(machine);
	list[2].master = 4;
	strcpy(list[2].master_kind, "bridge");
}

static void sender_downstream(struct machine *machine)
{
	machine->paths[1] = (struct reverse_path){.link = "eth1",
	                                          .downstream = true,
	                                          .rp_filter = 1,
	                                          .default_route = 2,
	                                          .source = addr_of("10.9.9.9"),
	                                          .source_routed_elsewhere = true};
	machine->path_count = 2;
}

static void older_version_without_querier(struct machine *machine)
{
	replace(&machine->daemon.upstream,
	        "[{'link': 'eth0', 'family': 'IPv4', 'present': true, 'version': 'IGMPv2', 'query_missing': true}]");
}

static void no_multicast(struct machine *machine)
{
	(void)machine;
	list[2].multicast = false;
}

static void missing_link(struct machine *machine)
{
	replace(&machine->daemon.links,
	        "[" UP "," DOWN ", {'instance': 'tv', 'link': 'ppp0', 'role': 'upstream', "
	        "'present': false, 'usable': false}]");
}

static void other_default_route(struct machine *machine)
{
	machine->paths[0].default_route = 4;
}

static void no_default_route(struct machine *machine)
{
	machine->paths[0].rp_filter = 2;
	machine->paths[0].default_route = -ENETUNREACH;
}

static void source_routed_elsewhere(struct machine *machine)
{
	machine->paths[0].source_routed_elsewhere = true;
	machine->paths[0].source = addr_of("10.9.9.9");
}

static void no_upstream_querier(struct machine *machine)
{
	replace(&machine->daemon.upstream, UPLINK_WITH(", 'query_missing': true"));
}

static void foreign_querier(struct machine *machine)
{
	replace(&machine->daemon.links,
	        "[" UP "," DOWN_WITH(", 'this_router_is_querier': false, 'querier': '10.0.1.0'") "]");
}

static void silent_querier(struct machine *machine)
{
	replace(&machine->daemon.links,
	        "[" UP "," DOWN_WITH(
			", 'this_router_is_querier': false, 'querier': '10.0.1.0', 'other_query_age': 140.5, "
			"'timers': {'query_interval': 125, 'query_response_interval': 10}, "
			"'counters': {}, 'drops': {}") "]");
}

static void querier_outside(struct machine *machine)
{
	replace(&machine->daemon.links,
	        "[" UP "," DOWN_WITH(", 'this_router_is_querier': true, 'querier': '10.0.1.1', "
	                             "'foreign_querier': '1.0.0.1', 'counters': {}, 'drops': {}") "]");
}

#define OTHER_VERSION(querier, version, age)                                                                 \
	", 'this_router_is_querier': true, 'other_version': '" version                                       \
	"', 'other_version_querier': " querier ", 'other_version_age': " age                                 \
	", 'timers': {'robustness': 2, 'query_interval': 125, "                                              \
	"'query_response_interval': 10}, 'counters': {}, 'drops': {}"

static void older_querier(struct machine *machine)
{
	replace(&machine->daemon.links,
	        "[" UP "," DOWN_WITH(OTHER_VERSION("'10.0.1.9'", "IGMPv2", "60.4")) "]");
}

static void newer_querier(struct machine *machine)
{
	replace(&machine->daemon.links,
	        "[" UP "," DOWN_WITH(OTHER_VERSION("'10.0.1.9'", "IGMPv4", "60")) "]");
}

static void older_querier_without_address(struct machine *machine)
{
	replace(&machine->daemon.links, "[" UP "," DOWN_WITH(OTHER_VERSION("null", "IGMPv2", "60")) "]");
}

static void older_bridge(struct machine *machine)
{
	older_querier_without_address(machine);
	list[2].is_bridge = list[2].snooping = list[2].own_querier = true;
	list[2].old_queries[FAMILY_IPV4] = true;
}

/* With its address as their source (mcast_query_use_ifaddr). */
static void older_bridge_with_an_address(struct machine *machine)
{
	older_bridge(machine);
	list[2].address[FAMILY_IPV4] = addr_of("10.0.1.9");
	older_querier(machine);
}

static void silent_bridge(struct machine *machine)
{
	(void)machine;
	list[1].is_bridge = list[1].snooping = list[1].knows_queriers = true;
}

static void flooding_bridge(struct machine *machine)
{
	(void)machine;
	list[2].is_bridge = true;
	list[0].master = list[3].master = list[2].index;
}

static void input_firewall(struct machine *machine)
{
	firewall_add_iptables(machine->firewall, FAMILY_IPV4, "iptables", "*filter\n:INPUT DROP [0:0]\n");
}

static void output_firewall(struct machine *machine)
{
	firewall_add_iptables(machine->firewall, FAMILY_IPV4, "iptables",
	                      "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p igmp -j DROP\n");
}

static void forward_firewall(struct machine *machine)
{
	firewall_add_iptables(machine->firewall, FAMILY_IPV4, "iptables", "*filter\n:FORWARD DROP [0:0]\n");
}

static void refused_joins(struct machine *machine)
{
	replace(&machine->daemon.upstream,
	        UPLINK_WITH(", 'refused_by_kernel': 5, 'last_error': 'No buffer space available'"));
}

static void supersets(struct machine *machine)
{
	replace(&machine->daemon.upstream, UPLINK_WITH(", 'supersets': 2"));
}

static void copies(struct machine *machine)
{
	json_object_put(machine->daemon.routes);
	machine->daemon.routes =
		json("[{'input': 'eth0', 'copy_input': null, 'source': '10.0.0.9', 'group': '239.1.1.1'},"
	             "{'input': 'eth0', 'copy_input': 'eth1', 'source': '10.0.0.8', 'group': '239.1.1.2'},"
	             "{'input': 'eth0', 'copy_input': 'eth1', 'source': '10.0.0.7', 'group': '239.1.1.3'}]");
}

static void full_routes(struct machine *machine)
{
	replace(&machine->daemon.instances,
	        "[{'instance': 'tv', 'refused_for_routes_max': 9, 'routes_max': 65536}]");
}

static void full_memory(struct machine *machine)
{
	replace(&machine->daemon.instances,
	        "[{'instance': 'tv', 'refused_for_memory': 9, 'memory_max': 67108864}]");
}

static void full_groups(struct machine *machine)
{
	replace(&machine->daemon.links,
	        "[" UP
	        "," DOWN_WITH(", 'this_router_is_querier': true, 'drops': {'groups_max reached': 4}") "]");
}

static void full_share_of_memory(struct machine *machine)
{
	replace(&machine->daemon.links,
	        "[" UP
	        "," DOWN_WITH(", 'this_router_is_querier': true, 'memory': 300, 'memory_share': 200") "]");
}

/* The sum of both families. */
static void half_of_the_routes(struct machine *machine)
{
	replace(&machine->daemon.instances, "[{'instance': 'tv', 'routes_max': 1000}]");
	replace(&machine->daemon.links,
	        "[" UP "," DOWN_WITH(", 'this_router_is_querier': true, 'routes': 300") "," DOWN_WITH(
			", 'this_router_is_querier': true, 'routes': 200") "]");
}

static void many_links(struct machine *machine)
{
	for (int i = 2; i < 32; i++)
		json_object_array_add(machine->daemon.links, json(DOWN));
	json_object_array_add(machine->daemon.links, json("{'instance': 'tv', 'link': 'eth2', 'role': "
	                                                  "'downstream', 'family': 'IPv4', 'present': true, "
	                                                  "'up': true, 'usable': false}"));
}

static void lost_packets(struct machine *machine)
{
	replace(&machine->daemon.links,
	        "[" UP
	        "," DOWN_WITH(", 'this_router_is_querier': true, 'counters': {'lost_in_socket': 12}") "]");
}

static void reports_over_the_rate(struct machine *machine)
{
	replace(&machine->daemon.links, "[" UP "," DOWN_WITH(", 'this_router_is_querier': true, 'drops': "
	                                                     "{'report_rate_max exceeded': 7}") "]");
}

static void host_over_the_rate(struct machine *machine)
{
	replace(&machine->daemon.links, "[" UP "," DOWN_WITH(", 'this_router_is_querier': true, 'drops': "
	                                                     "{'host_report_rate_max exceeded': 8}") "]");
}

static void queries_over_the_rate(struct machine *machine)
{
	replace(&machine->daemon.links, "[" UP "," DOWN_WITH(", 'this_router_is_querier': true, 'drops': "
	                                                     "{'query_rate_max exceeded': 9}") "]");
}

static void deferred_upcalls(struct machine *machine)
{
	replace(&machine->daemon.status,
	        "{'configuration_loaded': 1000, 'tables': [{'family': 'IPv4', 'upcalls_deferred': 3}]}");
}

static void refused_reports(struct machine *machine)
{
	replace(&machine->daemon.links,
	        "[" UP "," DOWN_WITH(", 'this_router_is_querier': true, 'drops': {'not allowed in SSM "
	                             "range': 4}") "]");
}

static void newer_file(struct machine *machine)
{
	machine->file_modified = 1060.5;
}

static void old_kernel(struct machine *machine)
{
	machine->owners[FAMILY_IPV4].has_kernel = false;
}

static void each_trouble_is_named(void **state)
{
	static const struct {
		void (*spoil)(struct machine *machine);
		const char *check, *subject, *what, *remedy;
	} rows[] = {
		{old_kernel, "kernel", "IPv4", "cannot route multicast", "CONFIG_IP_MROUTE=y"},
		{held_table, "owner", "IPv4", "igmpproxy (pid 12) holds", "stop igmpproxy (pid 12)"},
		{held_by_what_root_sees, "owner", "IPv4", "pimd (pid 12) holds", "stop pimd (pid 12)"},
		{no_carrier, "links", "eth0", "no carrier", "cable"},
		{link_down, "links", "eth1", "the link is down", "ip link set dev eth1 up"},
		{no_address, "links", "eth1", "no IPv4 address", "ip address add"},
		{bridge_port, "links", "eth1", "eth1 is a port of bridge eth2: use eth2",
	         "name eth2 in place of eth1"},
		{sender_downstream, "rp-filter", "eth1",
	         "rp_filter is 1, and the route back to 10.9.9.9 does not",
	         "set reset_rp_filter = true in that link"},
		{older_version_without_querier, "querier-upstream", "eth0",
	         "no IGMP querier is present upstream", "enable the querier in the router or switch there"},
		{no_multicast, "links", "eth1", "MULTICAST flag", "ip link set dev eth1 multicast on"},
		{missing_link, "links", "ppp0", "the upstream link of instance tv does not exist",
	         "correct its name"},
		{other_default_route, "rp-filter", "eth0",
	         "rp_filter is 1, and the default route leaves by eth2", "net.ipv4.conf.eth0.rp_filter=0"},
		{no_default_route, "rp-filter", "eth0", "rp_filter is 2, and there is no default route",
	         "set reset_rp_filter = true in the configuration (or start mcproxy with -r)"},
		{source_routed_elsewhere, "rp-filter", "eth0",
	         "the route back to 10.9.9.9 does not leave by eth0", "sysctl"},
		{no_upstream_querier, "querier-upstream", "eth0", "no IGMP querier is present upstream",
	         "upstream_version"},
		{foreign_querier, "querier-downstream", "eth1", "another router is the querier: 10.0.1.0",
	         "forward_without_querier"},
		{silent_querier, "querier-downstream", "eth1",
	         "the querier 10.0.1.0 has stopped: its last query came 2 min 20 s ago, its interval is 2 min 5 s",
	         "mcproxyctl reload"},
		{querier_outside, "querier-downstream", "eth1",
	         "a querier from outside the subnets of the link is ignored: 1.0.0.1",
	         "add an address of its subnet to eth1"},
		{older_querier, "querier-downstream", "eth1",
	         "10.0.1.9 sends IGMPv2 queries; hosts return to IGMPv3 in 200 s if no more follow",
	         "ip link set dev BRIDGE type bridge mcast_igmp_version 3"},
		{newer_querier, "querier-downstream", "eth1",
	         "10.0.1.9 sends IGMPv4 queries, this router IGMPv3", "`protocol`"},
		{older_querier_without_address, "querier-downstream", "eth1",
	         "a bridge or switch without an address sends IGMPv2 queries", "on all routers"},
		{older_bridge, "querier-downstream", "eth1", "the bridge eth1 itself sends IGMPv2 queries",
	         "ip link set dev eth1 type bridge mcast_igmp_version 3"},
		{older_bridge_with_an_address, "querier-downstream", "eth1", "the bridge eth1 itself sends",
	         "ip link set dev eth1 type bridge mcast_igmp_version 3"},
		{silent_bridge, "bridge", "eth0", "no IGMP querier is present", "mcast_querier 1"},
		{flooding_bridge, "bridge", "eth1", "does not snoop", "mcast_snooping 1"},
		{input_firewall, "firewall", "eth0",
	         "the policy of INPUT in table filter drops IGMP queries that arrive on eth0",
	         "iptables -t filter -I INPUT -p igmp -j ACCEPT"},
		{output_firewall, "firewall", "eth0",
	         "rule 1 of OUTPUT in table filter (-A OUTPUT -p igmp -j DROP) drops IGMP reports that leave by eth0",
	         "iptables -t filter -I OUTPUT"},
		{forward_firewall, "firewall", "eth1", "drops IPv4 streams from eth0 to eth1",
	         "iptables -t filter -I FORWARD -d 224.0.0.0/4 -j ACCEPT"},
		{refused_joins, "limits", "eth0", "refuses to join 5 groups: No buffer space available",
	         "upstream_membership"},
		{supersets, "limits", "eth0", "2 groups are joined from all sources",
	         "igmp_max_msf=64 (now 10)"},
		{copies, "copies", "eth1",
	         "2 streams arrive on eth0 and on eth1, such as (10.0.0.8, 239.1.1.2): a second router "
	         "forwards between these links",
	         "find the second router (a proxy, an access point or a tunnel) that connects eth0 and "
	         "eth1, and let only one of the two routers forward multicast"},
		{full_routes, "limits", "tv", "routes_max was reached 9 times",
	         "raise routes_max in the configuration (now 65536)"},
		{full_memory, "limits", "tv", "memory_max was reached", "raise memory_max"},
		{full_groups, "limits", "eth1", "groups_max was reached 4 times", "raise groups_max"},
		{full_share_of_memory, "limits", "eth1",
	         "use 300 bytes of memory_max; its share is 200 bytes", "mcproxyctl show groups"},
		{half_of_the_routes, "limits", "eth1", "use 500 of 1000 routes", "mcproxyctl show routes"},
		{many_links, "limits", "eth2", "at most 32 interfaces", "table = \"own\""},
		{lost_packets, "queues", "eth1", "12 packets were lost because the socket's buffer was full",
	         "net.core.rmem_max"},
		{reports_over_the_rate, "queues", "eth1",
	         "7 packets exceeded the report_rate_max of the link", "raise report_rate_max"},
		{host_over_the_rate, "queues", "eth1",
	         "8 packets exceeded the host_report_rate_max of their source address",
	         "raise host_report_rate_max"},
		{queries_over_the_rate, "queues", "eth1", "9 groups got a general query",
	         "raise query_rate_max"},
		{deferred_upcalls, "queues", "IPv4", "3 new streams had to wait", "ring_size"},
		{refused_reports, "reports", "eth1", "4 reports were ignored: not allowed in SSM range",
	         "ssm_range"},
		{newer_file, "configuration", "/etc/mcproxy.conf",
	         "changed 1 min 0 s after the daemon read it",
	         "mcproxyctl reload (mcproxy -t -c /etc/mcproxy.conf"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct findings *findings = calloc(1, sizeof *findings);
		struct machine *machine = calloc(1, sizeof *machine);
		const struct finding *finding = &findings->list[0];

		make_healthy(machine);
		rows[i].spoil(machine);
		doctor_check(machine, findings);
		if (findings->count != 1 || strcmp(finding->check, rows[i].check) != 0 ||
		    strcmp(finding->subject, rows[i].subject) != 0 ||
		    strstr(finding->what, rows[i].what) == NULL ||
		    strstr(finding->remedy, rows[i].remedy) == NULL)
			fail_msg("row %zu (%s): %zu findings, %s: %s: %s; %s", i, rows[i].what,
			         findings->count, finding->check, finding->subject, finding->what,
			         finding->remedy);
		assert_true(finding->why != NULL && findings->skipped_count == 0);
		daemon_view_free(&machine->daemon);
		firewall_free(machine->firewall);
		free(machine);
		free(findings);
	}
}

static void a_healthy_machine_is_clean(void **state)
{
	struct findings *findings = calloc(1, sizeof *findings);
	struct machine *machine = calloc(1, sizeof *machine);

	(void)state;
	make_healthy(machine);
	doctor_check(machine, findings);
	assert_int_equal(findings->count, 0);
	assert_int_equal(findings->skipped_count, 0);
	assert_int_equal(findings->checks, 14);
	/* The reverse: a machine on which nothing can be read. */
	daemon_view_free(&machine->daemon);
	machine->owners[0] =
		(struct table_owner){.has_kernel = true, .taken = true, .name = "igmpproxy", .pid = 9};
	*findings = (struct findings){0};
	doctor_check(machine, findings);
	assert_int_equal(findings->count, 1);
	assert_string_equal(findings->list[0].what,
	                    "igmpproxy (pid 9) holds the kernel's multicast routing socket");
	assert_int_equal(findings->checks, 2);
	assert_int_equal(findings->skipped_count, 12);
	/* The daemon runs, and answers elsewhere. */
	strcpy(machine->owners[0].name, "mcproxy");
	*findings = (struct findings){0};
	doctor_check(machine, findings);
	assert_int_equal(findings->count, 1);
	assert_string_equal(findings->list[0].what, "the daemon runs (pid 9), but does not answer");
	/* It answers from a namespace where nothing else can be read. */
	machine->daemon.pid_elsewhere = 10;
	*findings = (struct findings){0};
	doctor_check(machine, findings);
	assert_int_equal(findings->count, 1);
	assert_string_equal(findings->list[0].what, "the daemon (pid 10) runs in another network namespace");
	firewall_free(machine->firewall);
	free(machine);
	free(findings);
}

static void what_cannot_be_looked_at_is_skipped(void **state)
{
	struct findings *findings = calloc(1, sizeof *findings);
	struct machine *machine = calloc(1, sizeof *machine);

	(void)state;
	make_healthy(machine);
	firewall_free(machine->firewall);
	machine->firewall = NULL;
	machine->firewall_why = "only root may read the rules";
	machine->file_modified = 0;
	doctor_check(machine, findings);
	assert_int_equal(findings->count, 0);
	assert_int_equal(findings->checks, 12);
	assert_int_equal(findings->skipped_count, 2);
	assert_string_equal(findings->skipped[0], "firewall");
	assert_string_equal(findings->skipped_why[0], "only root may read the rules");
	assert_string_equal(findings->skipped[1], "configuration");
	daemon_view_free(&machine->daemon);
	free(machine);
	free(findings);
}

/* Two items of one link, and rules that drop in several places, make one finding each. */
static void findings_are_not_repeated(void **state)
{
	struct findings *findings = calloc(1, sizeof *findings);
	struct machine *machine = calloc(1, sizeof *machine);

	(void)state;
	make_healthy(machine);
	replace(&machine->daemon.links,
	        "[" UP "," DOWN ",{'instance': 'tv', 'link': 'eth1', 'role': 'downstream', 'family': "
	        "'IPv6', 'present': true, 'up': true, 'usable': true, 'this_router_is_querier': true, "
	        "'vif': 1}]");
	list[2].carrier = false;
	doctor_check(machine, findings);
	assert_int_equal(findings->count, 1);
	daemon_view_free(&machine->daemon);
	firewall_free(machine->firewall);
	free(machine);
	free(findings);
}

static void what_does_not_fit_is_counted(void **state)
{
	struct findings *findings = calloc(1, sizeof *findings);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (int i = 0; i < FINDINGS_MAX + 3; i++) {
		struct finding *finding = findings_add(findings, "links", "eth0", "because");

		finding_what(finding, "trouble %d", i);
		finding_remedy(finding, "help %d", i);
	}
	findings_skip(findings, "firewall", "no root");
	findings->checks = 11;
	findings_print(findings, out, false, 80);
	fflush(out);
	assert_non_null(strstr(text, "links: eth0: trouble 0\n    why: because\n    remedy: help 0\n\n"));
	assert_non_null(strstr(text, "3 more findings are not shown\n\nskipped, because no root: firewall\n\n"
	                             "67 findings (11 checks, 1 skipped)\n"));
	fclose(out);
	free(text);
	free(findings);
}

static void equal_remedies_are_printed_once(void **state)
{
	static const struct {
		const char *subject, *remedy;
	} rows[] = {{"eth1", "help"}, {"eth2", "help"}, {"eth3", "other help"}};
	struct findings *findings = calloc(1, sizeof *findings);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct finding *finding = findings_add(findings, "firewall", rows[i].subject, "because");

		finding_what(finding, "trouble");
		finding_remedy(finding, "%s", rows[i].remedy);
	}
	findings->checks = 1;
	findings_print(findings, out, false, 80);
	fclose(out);
	assert_string_equal(
		text,
		"firewall: eth1: trouble\nfirewall: eth2: trouble\n    why: because\n    remedy: help\n\n"
		"firewall: eth3: trouble\n    why: because\n    remedy: other help\n\n"
		"3 findings (1 check)\n");
	free(text);
	free(findings);
}

static void the_most_severe_comes_first(void **state)
{
	static const char *const checks[] = {"limits", "reports", "rp-filter", "reports", "links"};
	static const char *const sorted[] = {"rp-filter", "links", "limits", "reports"};
	struct findings *findings = calloc(1, sizeof *findings);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		struct finding *finding = findings_add(findings, checks[i], "eth0", "because");

		finding_what(finding, "trouble");
		finding_remedy(finding, "help");
	}
	findings_sort(findings);
	assert_int_equal(findings->count, 4); /* one was repeated */
	for (size_t i = 0; i < findings->count; i++)
		assert_string_equal(findings->list[i].check, sorted[i]);
	assert_string_equal(severity_name(findings->list[0].severity), "error");
	assert_string_equal(severity_name(findings->list[3].severity), "warning");
	assert_int_equal(findings_problems(findings), 4);
	findings->list[0].severity = SEVERITY_NOTE;
	findings_sort(findings);
	assert_string_equal(findings->list[3].check, "rp-filter");
	assert_int_equal(findings_problems(findings), 3);
	findings->count = 0;
	findings->checks = 12;
	findings_print(findings, out, false, 80);
	fclose(out);
	assert_string_equal(text, "All is well (12 checks)\n");
	free(text);
	free(findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_machine_is_clean),
		cmocka_unit_test(each_trouble_is_named),
		cmocka_unit_test(what_cannot_be_looked_at_is_skipped),
		cmocka_unit_test(findings_are_not_repeated),
		cmocka_unit_test(what_does_not_fit_is_counted),
		cmocka_unit_test(equal_remedies_are_printed_once),
		cmocka_unit_test(the_most_severe_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
