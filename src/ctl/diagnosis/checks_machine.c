/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checks of the machine: which program routes multicast, what the kernel and the packet filter would drop,
 * bridges.
 */
#include "core/base/shell.h"
#include "ctl/client/answer.h"
#include "ctl/diagnosis/checks.h"

#include <netinet/in.h>

/* Does the daemon route this family? */
static bool is_served(const struct machine *machine, enum family family)
{
	struct json_object *tables = answer_member(machine->daemon.status, "tables");

	for (size_t i = 0; i < view_count(tables); i++) {
		struct json_object *table = json_object_array_get_idx(tables, i);

		if (strcmp(answer_text(table, "family"), family_name(family)) == 0 &&
		    !answer_has(table, "held_by"))
			return true;
	}
	return false;
}

static void add_other_owner(const struct table_owner *owner, enum family family, struct findings *findings)
{
	struct finding *finding =
		findings_add(findings, "owner", family_name(family),
	                     "only one program at a time can route multicast: mcproxy cannot start");

	finding_what(finding, "%s (pid %d) holds the kernel's multicast routing socket", owner->name,
	             (int)owner->pid);
	finding_remedy(finding, "stop %s, keep it from starting at boot, then start mcproxy", owner->name);
}

static void add_hidden_owner(enum family family, struct findings *findings)
{
	struct finding *finding = findings_add(findings, "owner", family_name(family),
	                                       "only the daemon knows the members and routes");

	finding_what(finding, "a program routes multicast, and only root can see which one");
	finding_remedy(finding,
	               "run this command as root, or as a member of control_group if the program is mcproxy");
}

/* The daemon is there, but closed to this user, or silent. */
static void add_problem(const struct session_problem *problem, struct findings *findings)
{
	struct finding *finding =
		findings_add(findings, "owner", "mcproxy", "only the daemon knows the members and routes");

	finding_what(finding, "%s", problem->what);
	finding_remedy(finding, "%s", problem->remedy);
}

static void add_no_answer(const struct table_owner *own, bool valid_file, struct findings *findings)
{
	struct finding *finding = findings_add(findings, "owner", "mcproxy",
	                                       own != NULL ? "only the daemon knows the members and routes"
	                                                   : "no stream is forwarded without it");

	if (own != NULL) {
		finding_what(finding, "the daemon runs (pid %d), but does not answer", (int)own->pid);
		finding_remedy(finding,
		               "name its control_socket with --socket, and run this command as root or as a "
		               "member of the socket's group");
	} else {
		finding_what(finding, "the daemon does not answer, and no other program routes multicast");
		finding_remedy(finding, valid_file ? "start it: systemctl start mcproxy (or mcproxy -c FILE)"
		                                   : "correct its configuration file first; then start it: "
		                                     "systemctl start mcproxy (or mcproxy -c FILE)");
	}
}

static void add_elsewhere(pid_t pid, struct findings *findings)
{
	struct finding *finding =
		findings_add(findings, "owner", "mcproxy",
	                     "its links, rules and tables differ from those that are visible here");

	finding_what(finding, "the daemon (pid %d) runs in another network namespace", (int)pid);
	finding_remedy(finding,
	               "nsenter -t %d -n mcproxyctl doctor, or name the socket of the mcproxy that "
	               "runs here with --socket",
	               (int)pid);
}

/* An unprivileged daemon cannot see which program holds the socket; root can. */
static void find_held_table(const struct machine *machine, struct json_object *table,
                            struct findings *findings)
{
	bool ipv4 = strcmp(answer_text(table, "family"), "IPv4") == 0;
	const struct table_owner *owner = &machine->owners[ipv4 ? FAMILY_IPV4 : FAMILY_IPV6];
	struct finding *finding = findings_add(
		findings, "owner", answer_text(table, "family"),
		"only one program at a time can route multicast of a family: mcproxy does not serve "
		"this one");
	const char *holder = answer_text(table, "held_by");
	char seen[sizeof owner->name + 32];

	if (strchr(holder, '(') == NULL && owner->name[0] != '\0' && strcmp(owner->name, "mcproxy") != 0) {
		snprintf(seen, sizeof seen, "%s (pid %d)", owner->name, (int)owner->pid);
		holder = seen;
	}
	finding_what(finding, "%s holds the kernel's multicast routing socket", holder);
	finding_remedy(
		finding,
		"stop %s, and keep it from starting at boot; mcproxy then serves the family within a second",
		holder);
}

static void find_held_tables(const struct machine *machine, struct findings *findings)
{
	struct json_object *tables = answer_member(machine->daemon.status, "tables");

	for (size_t i = 0; i < view_count(tables); i++) {
		struct json_object *table = json_object_array_get_idx(tables, i);

		if (answer_has(table, "held_by"))
			find_held_table(machine, table, findings);
	}
}

void check_owner(const struct machine *machine, struct findings *findings)
{
	const struct table_owner *own = NULL;
	bool others = false;

	/* Another router may serve IPv6 beside an IPv4-only mcproxy, and the reverse. */
	if (machine->daemon.status != NULL) {
		find_held_tables(machine, findings);
		return;
	}
	if (machine->daemon.pid_elsewhere != 0) {
		add_elsewhere(machine->daemon.pid_elsewhere, findings);
		return;
	}
	if (machine->daemon.problem.kind == SESSION_DENIED ||
	    machine->daemon.problem.kind == SESSION_SILENT) {
		add_problem(&machine->daemon.problem, findings);
		return;
	}
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		const struct table_owner *owner = &machine->owners[family];

		if (!owner->taken)
			continue;
		if (strcmp(owner->name, "mcproxy") == 0) {
			own = owner;
		} else if (owner->name[0] == '\0') {
			others = true;
			add_hidden_owner(family, findings);
		} else {
			others = true;
			add_other_owner(owner, family, findings);
		}
	}
	if (!others)
		add_no_answer(own, machine->file.text == NULL || machine->file.valid, findings);
}

void check_kernel(const struct machine *machine, struct findings *findings)
{
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		struct finding *finding;

		if (machine->owners[family].has_kernel)
			continue;
		/* A kernel without IPv6 is no problem where only IPv4 is served. */
		if (machine->daemon.status != NULL && !is_served(machine, family) &&
		    is_served(machine, family == FAMILY_IPV4 ? FAMILY_IPV6 : FAMILY_IPV4))
			continue;
		finding = findings_add(findings, "kernel", family_name(family),
		                       "the kernel forwards the streams; mcproxy only installs the entries");
		finding_what(finding, "this kernel cannot route multicast");
		finding_remedy(finding, "use a kernel with %s",
		               family == FAMILY_IPV4 ? "CONFIG_IP_MROUTE=y" : "CONFIG_IPV6_MROUTE=y");
	}
}

static void find_path(const struct machine *machine, const struct reverse_path *path,
                      struct findings *findings)
{
	const struct interface_state *link = interfaces_by_name(&machine->interfaces, path->link);
	const struct interface_state *way = interfaces_by_index(&machine->interfaces, path->default_route);
	bool strict = path->rp_filter == 1, no_route = path->default_route < 0;
	char source[ADDR_TEXT_SIZE];
	struct finding *finding;

	if (link == NULL || path->rp_filter == 0)
		return;
	if (path->downstream ? !path->source_routed_elsewhere
	    : strict         ? !no_route && way == link && !path->source_routed_elsewhere
	                     : !no_route)
		return;
	finding = findings_add(
		findings, "rp-filter", path->link,
		"the kernel drops streams from sources that it routes elsewhere, before mcproxy sees them");
	if (path->source_routed_elsewhere)
		finding_what(finding, "rp_filter is %ld, and the route back to %s does not leave by %s",
		             path->rp_filter, addr_format(&path->source, source), path->link);
	else if (no_route)
		finding_what(finding, "rp_filter is %ld, and there is no default route", path->rp_filter);
	else
		finding_what(finding, "rp_filter is %ld, and the default route leaves by %s", path->rp_filter,
		             way != NULL ? way->name : "another link");
	finding_remedy(
		finding, "sysctl -w net.ipv4.conf.all.rp_filter=0 %s, or %s",
		shell_sysctl("net.ipv4.conf", path->link, "rp_filter=0").text,
		path->downstream
			? "set reset_rp_filter = true in that link of the configuration"
			: "set reset_rp_filter = true in the configuration (or start mcproxy with -r)");
}

void check_rp_filter(const struct machine *machine, struct findings *findings)
{
	for (size_t i = 0; i < machine->path_count; i++)
		find_path(machine, &machine->paths[i], findings);
}

static size_t port_count(const struct machine *machine, const struct interface_state *bridge)
{
	size_t count = 0;

	for (size_t i = 0; i < machine->interfaces.count; i++)
		count += machine->interfaces.list[i].master == bridge->index;
	return count;
}

static void check_snooping(const struct machine *machine, const struct interface_state *bridge,
                           struct findings *findings)
{
	struct finding *finding;

	if (bridge->snooping || port_count(machine, bridge) < 2)
		return;
	finding = findings_add(
		findings, "bridge", bridge->name,
		"the bridge sends every stream to all ports, wanted or not; Wi-Fi becomes very slow");
	finding_what(finding, "the bridge does not snoop");
	finding_remedy(finding, "ip link set dev %s type bridge mcast_snooping 1",
	               shell_word(bridge->name).text);
}

static void check_snoopers_querier(struct json_object *link, const struct interface_state *bridge,
                                   struct findings *findings)
{
	bool ipv4 = strcmp(answer_text(link, "family"), "IPv4") == 0;
	struct finding *finding;

	if (!bridge->snooping || bridge->own_querier || !bridge->knows_queriers ||
	    bridge->has_querier[ipv4 ? FAMILY_IPV4 : FAMILY_IPV6] ||
	    answer_bool(link, "this_router_is_querier"))
		return;
	finding = findings_add(findings, "bridge", bridge->name,
	                       "snooping learns from the answers to queries: without queries a Linux bridge "
	                       "floods every port, Wi-Fi included, and other switches stop the streams after "
	                       "some minutes");
	finding_what(finding, "the bridge snoops, but no %s querier is present on it", ipv4 ? "IGMP" : "MLD");
	finding_remedy(finding,
	               "ip link set dev %s type bridge mcast_querier 1 mcast_igmp_version 3 "
	               "mcast_mld_version 2, or enable the querier of the network",
	               shell_word(bridge->name).text);
}

void check_bridges(const struct machine *machine, struct findings *findings)
{
	for (size_t i = 0; i < view_count(machine->daemon.links); i++) {
		struct json_object *link = json_object_array_get_idx(machine->daemon.links, i);
		const char *name = answer_text(link, "link");
		const struct interface_state *bridge = interfaces_by_name(&machine->interfaces, name);

		if (bridge == NULL || !bridge->is_bridge)
			continue;
		/* Once for both families. */
		if (view_find(machine->daemon.links, "link", name, NULL, NULL) == link)
			check_snooping(machine, bridge, findings);
		check_snoopers_querier(link, bridge, findings);
	}
}

/* Does the packet filter drop this packet in any of the hooks that it passes? */
static bool is_dropped(const struct machine *machine, const enum hook *hooks, size_t count,
                       const struct firewall_packet *packet, struct firewall_drop *drop)
{
	for (size_t i = 0; i < count; i++) {
		struct firewall_packet there = *packet;

		if (hooks[i] == HOOK_PREROUTING)
			there.output = NULL;
		if (firewall_try(machine->firewall, hooks[i], &there, drop) == FIREWALL_DROPS)
			return true;
	}
	return false;
}

static bool is_known(const struct findings *findings, const char *check, const char *what)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->list[i].check, check) == 0 && strcmp(findings->list[i].what, what) == 0)
			return true;
	return false;
}

static void add_drop(struct findings *findings, const char *subject, const struct firewall_drop *drop,
                     const struct firewall_packet *packet, const char *packets, const char *why)
{
	char name[FIREWALL_TEXT_SIZE], remedy[FIREWALL_TEXT_SIZE], what[FINDING_TEXT_SIZE];
	struct finding *finding;

	firewall_drop_name(drop, name, sizeof name);
	firewall_remedy(drop, packet, remedy, sizeof remedy);
	snprintf(what, sizeof what, "%s drops %s", name, packets);
	if (is_known(findings, "firewall", what))
		return;
	finding = findings_add(findings, "firewall", subject, why);
	finding_what(finding, "%s", what);
	finding_remedy(finding, "%s", remedy);
}

static struct addr addr_from_text(const char *text)
{
	struct addr addr = {0};

	addr_parse(text, &addr);
	return addr;
}

/* The kernel's own host side receives queries through the input hook and answers through the
 * output hook. */
static void check_membership(const struct machine *machine, const char *link, bool ipv4,
                             struct findings *findings)
{
	static const enum hook in[] = {HOOK_PREROUTING, HOOK_INPUT}, out[] = {HOOK_OUTPUT, HOOK_POSTROUTING};
	static const char why[] =
		"the upstream querier gets no answer and assumes that the members have left: "
		"the streams stop after some minutes";
	struct firewall_packet packet = {.family = ipv4 ? FAMILY_IPV4 : FAMILY_IPV6,
	                                 .protocol = ipv4 ? IPPROTO_IGMP : IPPROTO_ICMPV6,
	                                 .type = ipv4 ? 0x11 : 130,
	                                 .input = link,
	                                 .destination = addr_from_text(ipv4 ? "224.0.0.1" : "ff02::1")};
	const char *protocol = ipv4 ? "IGMP" : "MLD";
	struct firewall_drop drop;
	char packets[80];

	if (is_dropped(machine, in, 2, &packet, &drop)) {
		snprintf(packets, sizeof packets, "%s queries that arrive on %s", protocol, link);
		add_drop(findings, link, &drop, &packet, packets, why);
	}
	packet.input = NULL;
	packet.output = link;
	packet.type = ipv4 ? 0x22 : 143;
	packet.destination = addr_from_text(ipv4 ? "224.0.0.22" : "ff02::16");
	if (is_dropped(machine, out, 2, &packet, &drop)) {
		snprintf(packets, sizeof packets, "%s reports that leave by %s", protocol, link);
		add_drop(findings, link, &drop, &packet, packets, why);
	}
}

/* A stream from one link to the other: of a group that is in use, or of any group. */
static void check_stream(const struct machine *machine, const char *from, const char *to, bool ipv4,
                         struct findings *findings)
{
	static const enum hook hooks[] = {HOOK_PREROUTING, HOOK_FORWARD, HOOK_POSTROUTING};
	struct json_object *route =
		view_find(machine->daemon.routes, "family", ipv4 ? "IPv4" : "IPv6", "input", from);
	struct firewall_packet packet = {.family = ipv4 ? FAMILY_IPV4 : FAMILY_IPV6,
	                                 .protocol = IPPROTO_UDP,
	                                 .input = from,
	                                 .output = to,
	                                 .any_group = true,
	                                 .destination = addr_from_text(ipv4 ? "239.192.0.1" : "ff18::1")};
	struct firewall_drop drop;
	char packets[80];

	if (route != NULL) {
		packet.destination = addr_from_text(answer_text(route, "group"));
		packet.source_known = addr_parse(answer_text(route, "source"), &packet.source);
	}
	if (!is_dropped(machine, hooks, 3, &packet, &drop))
		return;
	snprintf(packets, sizeof packets, "%s streams from %s to %s", ipv4 ? "IPv4" : "IPv6", from, to);
	add_drop(findings, to, &drop, &packet, packets,
	         "the kernel forwards these streams, but the firewall drops them");
}

void check_firewall(const struct machine *machine, struct findings *findings)
{
	struct json_object *links = machine->daemon.links;

	if (machine->firewall == NULL) {
		findings_skip(findings, "firewall", machine->firewall_why);
		return;
	}
	for (size_t i = 0; i < view_count(links); i++) {
		struct json_object *up = json_object_array_get_idx(links, i), *uplink;
		const char *name = answer_text(up, "link"), *family = answer_text(up, "family");
		bool ipv4 = strcmp(family, "IPv4") == 0;

		if (!answer_bool(up, "present") || strcmp(answer_text(up, "role"), "upstream") != 0)
			continue;
		uplink = view_find(machine->daemon.upstream, "link", name, "family", family);
		if (uplink == NULL || strcmp(answer_text(uplink, "membership"), "user") != 0)
			check_membership(machine, name, ipv4, findings);
		for (size_t j = 0; j < view_count(links); j++) {
			struct json_object *down = json_object_array_get_idx(links, j);

			if (answer_bool(down, "present") &&
			    strcmp(answer_text(down, "role"), "downstream") == 0 &&
			    strcmp(answer_text(down, "family"), family) == 0 &&
			    strcmp(answer_text(down, "instance"), answer_text(up, "instance")) == 0)
				check_stream(machine, name, answer_text(down, "link"), ipv4, findings);
		}
	}
}
