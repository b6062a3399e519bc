/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checks of the links that the configuration names: are they there, up, and fit for multicast?
 */
#include "core/base/shell.h"
#include "ctl/client/answer.h"
#include "ctl/diagnosis/checks.h"
#include "kernel/link_master.h"

static bool is_text(struct json_object *object, const char *key, const char *text)
{
	return strcmp(answer_text(object, key), text) == 0;
}

/* A port of a bridge lacks the address, and sees few packets: only the bridge can be a link. */
static void add_port(const struct interface_state *interface, const struct link_master *master,
                     struct findings *findings)
{
	struct finding *finding =
		findings_add(findings, "links", interface->name,
	                     "packets belong to that device: mcproxy receives few of them here, and hosts at "
	                     "its other ports receive nothing");
	char text[128];

	link_master_text(interface->name, master, text, sizeof text);
	finding_what(finding, "%s", text);
	finding_remedy(finding, "name %s in place of %s in the configuration, then mcproxyctl reload",
	               strcmp(master->kind, "openvswitch") == 0 ? "the bridge" : master->name,
	               interface->name);
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
	struct link_master master;
	struct finding *finding;
	bool is_port = interface != NULL && interfaces_master(&machine->interfaces, interface, &master);

	/* check_owner reports a family that another program holds. */
	if (answer_has(link, "not_served") && interface != NULL)
		return;
	/* One line is enough for a link with both families. */
	if (interface != NULL && family == FAMILY_IPV6 &&
	    (!interface->up || !interface->carrier || !interface->multicast || is_port) &&
	    view_find(machine->daemon.links, "link", name, "family", "IPv4") != NULL)
		return;
	if (is_port) {
		add_port(interface, &master, findings);
		return;
	}
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
		finding_remedy(finding, "ip link set dev %s up", shell_word(name).text);
	} else if (!interface->carrier) {
		finding_what(finding, "the link has no carrier");
		finding_remedy(finding, "check the cable, the other end, and (Wi-Fi) the association");
	} else if (!interface->multicast) {
		finding->why =
			"the kernel still routes over it, but drivers and programs may block multicast there";
		finding_what(finding, "the MULTICAST flag is missing");
		finding_remedy(finding, "ip link set dev %s multicast on", shell_word(name).text);
	} else {
		finding->why =
			family == FAMILY_IPV4
				? "reports and queries then have the source 0.0.0.0, which many routers "
				  "and switches ignore"
				: "MLD needs a link-local address: without one, mcproxy sends no MLD "
				  "messages there";
		finding_what(finding, "the link has no %s address",
		             family == FAMILY_IPV4 ? "IPv4" : "IPv6 link-local");
		if (family == FAMILY_IPV4)
			finding_remedy(
				finding,
				"ip address add ADDRESS/LENGTH dev %s, or leave IGMP out of `protocol`",
				shell_word(name).text);
		else
			finding_remedy(finding, "sysctl -w %s, or leave MLD out of `protocol`",
			               shell_sysctl("net.ipv6.conf", name, "disable_ipv6=0").text);
	}
}

void check_links(const struct machine *machine, struct findings *findings)
{
	for (size_t i = 0; i < view_count(machine->daemon.links); i++)
		check_link(machine, json_object_array_get_idx(machine->daemon.links, i), findings);
}
