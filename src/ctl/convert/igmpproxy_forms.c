/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Other forms of igmpproxy's configuration: OpenWrt's UCI, VyOS, udm-iptv.
 */
#include "ctl/convert/grammars.h"
#include "ctl/convert/phyint.h"
#include "ctl/convert/uci.h"

#include <stdlib.h>

static bool set_role(struct output *output, struct link *link, const struct word *role)
{
	return role_parse(role->text, &link->role) ||
	       output_fail(output, role->line, "\"%.40s\": upstream, downstream or disabled is expected",
	                   role->text);
}

/* Options of a phyint stand in any order; the one with the network names the link, so it is read first. */
static const struct word *find_network(const struct scan *scan)
{
	for (size_t i = scan->at; i + 2 < scan->count; i++) {
		const struct word *words = &scan->words[i];

		if (words[0].first && strcmp(words[0].text, "config") == 0)
			break;
		if (words[0].first && !words[2].first && strcmp(words[1].text, "network") == 0)
			return &words[2];
	}
	return NULL;
}

static bool read_uci_phyint(struct output *output, struct link *link, const struct uci_line *line)
{
	bool known;

	if (uci_is(line, "direction"))
		return set_role(output, link, line->value);
	if (uci_is(line, "network") || uci_is(line, "zone"))
		return true; /* the name of the link; firewall rules come from the package's init script */
	if (uci_is(line, "fw_drop_ssdp")) {
		if (uci_is_true(line->value))
			lines_leave_out(output, &link->settings, line->value->line,
			                "fw_drop_ssdp: filter_in denies what hosts send");
		return true;
	}
	return phyint_option(output, link, line->key->text, line->value, &known) &&
	       (known || output_fail(output, line->key->line, "unknown option \"%.40s\"", line->key->text));
}

bool read_uci_igmpproxy(struct scan *scan, struct output *output)
{
	struct instance *instance = phyint_begin(output);
	struct link *link = NULL;
	struct uci_line line;

	while (instance != NULL && uci_read(scan, output, &line)) {
		if (line.section && strcmp(line.key->text, "phyint") == 0) {
			const struct word *network = find_network(scan);

			if (network == NULL)
				return output_fail(output, line.key->line, "a phyint without a network");
			link = uci_link(output, instance, network);
			if (link == NULL)
				return false;
		} else if (line.section) {
			link = NULL;
		} else if (link != NULL) {
			if (!read_uci_phyint(output, link, &line))
				return false;
		} else if (uci_is(&line, "quickleave")) {
			if (uci_is_true(line.value))
				phyint_quickleave(output, instance, line.key->line);
		} else {
			uci_leave_out(output, &line);
		}
	}
	return instance != NULL && output->problem[0] == '\0' && phyint_finish(output, instance, true);
}

/* The words after `interface NAME`. */
static bool read_vyos_interface(struct scan *scan, struct output *output, struct link *link)
{
	const struct word *key = scan_take_same_line(scan), *value = scan_take_same_line(scan);
	const char *name = key != NULL ? key->text : "";
	bool known = true;

	if (key == NULL)
		return true;
	if (value == NULL)
		return output_fail(output, key->line, "%s without a value", key->text);
	if (strcmp(name, "role") == 0)
		return set_role(output, link, value);
	return phyint_option(output, link, strcmp(name, "alt-subnet") == 0 ? "altnet" : name, value,
	                     &known) &&
	       (known || output_fail(output, key->line, "unknown word \"%.40s\"", name));
}

static bool read_vyos_line(struct scan *scan, struct output *output, struct instance *instance,
                           bool *quickleave)
{
	const struct word *word = scan_take_same_line(scan), *name;
	struct link *link;

	if (word == NULL)
		return true;
	if (strcmp(word->text, "disable-quickleave") == 0) {
		*quickleave = false;
		return true;
	}
	if (strcmp(word->text, "disable") == 0) {
		lines_differ(output, &output->settings, word->line, "disable: do not start mcproxy instead");
		return true;
	}
	name = scan_take_same_line(scan);
	if (strcmp(word->text, "interface") != 0 || name == NULL)
		return output_fail(output, word->line, "\"%.40s\": interface and its name are expected",
		                   word->text);
	link = output_link(output, instance, name->text, name->line);
	if (link != NULL && link->role == ROLE_NONE && strcmp(scan_peek(scan)->text, "role") != 0)
		link->role = ROLE_DOWNSTREAM; /* the default of VyOS */
	return link != NULL && read_vyos_interface(scan, output, link);
}

bool read_vyos(struct scan *scan, struct output *output)
{
	struct instance *instance = phyint_begin(output);
	bool quickleave = true;

	while (instance != NULL && !scan_ended(scan)) {
		const struct word *first = scan_take(scan);
		/* Lines about anything else belong to the rest of the router. */
		bool ours = scan_skip(scan, "protocols") && scan_skip(scan, "igmp-proxy");

		if (ours && strcmp(first->text, "set") != 0)
			lines_differ(output, &output->settings, first->line,
			             "%s: only lines with set are read", first->text);
		else if (ours && !read_vyos_line(scan, output, instance, &quickleave))
			return false;
		scan_skip_line(scan);
	}
	if (instance != NULL && quickleave)
		phyint_quickleave(output, instance, 0);
	return instance != NULL && phyint_finish(output, instance, true);
}

struct udm {
	struct word wan, vlan, vlan_interface, lans, ranges, no_quickleave;
};

static void read_udm_variable(struct output *output, const struct word *word, struct udm *udm)
{
	const struct {
		const char *name;
		struct word *to;
	} variables[] = {
		{"IPTV_WAN_INTERFACE=", &udm->wan},
		{"IPTV_WAN_VLAN=", &udm->vlan},
		{"IPTV_WAN_VLAN_INTERFACE=", &udm->vlan_interface},
		{"IPTV_LAN_INTERFACES=", &udm->lans},
		{"IPTV_WAN_RANGES=", &udm->ranges},
		{"IPTV_IGMPPROXY_DISABLE_QUICKLEAVE=", &udm->no_quickleave},
	};

	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
		size_t size = strlen(variables[i].name);

		if (strncmp(word->text, variables[i].name, size) != 0)
			continue;
		*variables[i].to = *word;
		variables[i].to->text += size;
		return;
	}
	if (strncmp(word->text, "IPTV_IGMPPROXY_", 15) == 0 && word->text[strlen(word->text) - 1] != '=')
		lines_differ(output, &output->settings, word->line, "%s has no counterpart", word->text);
	else if (strncmp(word->text, "IPTV_", 5) == 0)
		lines_leave_out(output, &output->settings, word->line,
		                "%.*s: the interface, its DHCP client and routes stay with udm-iptv",
		                (int)strcspn(word->text, "="), word->text);
}

static bool add_downstreams(struct output *output, struct instance *instance, const struct word *list)
{
	struct word name = *list;
	char *rest = NULL;

	output->from = list->line;
	for (name.text = strtok_r(list->text, " \t", &rest); name.text != NULL;
	     name.text = strtok_r(NULL, " \t", &rest))
		if (!output_link_role(output, instance, &name, ROLE_DOWNSTREAM))
			return false;
	output->from = 0;
	return true;
}

bool read_udm_iptv(struct scan *scan, struct output *output)
{
	struct instance *instance = phyint_begin(output);
	struct udm udm = {.vlan_interface = {.text = (char[]){"iptv"}}};
	struct link *upstream;
	const struct word *name;

	while (!scan_ended(scan))
		read_udm_variable(output, scan_take(scan), &udm);
	/* The VLAN has an interface of its own, unless it is 0. */
	name = udm.vlan.text != NULL && strcmp(udm.vlan.text, "0") == 0 ? &udm.wan : &udm.vlan_interface;
	if (name->text == NULL)
		return output_fail(output, 0, "no IPTV_WAN_INTERFACE");
	upstream = output_link(output, instance, name->text, name->line);
	if (upstream == NULL)
		return false;
	upstream->role = ROLE_UPSTREAM;
	if ((udm.ranges.text != NULL && !phyint_altnets(output, upstream, &udm.ranges)) ||
	    (udm.lans.text != NULL && !add_downstreams(output, instance, &udm.lans)))
		return false;
	if (udm.no_quickleave.text == NULL || strcmp(udm.no_quickleave.text, "true") != 0)
		phyint_quickleave(output, instance, 0);
	return phyint_finish(output, instance, true);
}
