/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/doctor.h"

#include "ctl/client/answer.h"
#include "ctl/client/print.h"
#include "ctl/command.h"
#include "ctl/machine/mroutes.h"
#include "ctl/machine/proc_net.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/* An address that only a default route leads to, on most machines. */
#define FAR_AWAY "198.41.0.4"

static const struct {
	const char *name;
	void (*run)(const struct machine *machine, struct findings *findings);
	bool needs_daemon;
} checks[] = {
	{"owner", check_owner, false},
	{"kernel", check_kernel, false},
	{"links", check_links, true},
	{"rp-filter", check_rp_filter, true},
	{"querier-upstream", check_upstream_querier, true},
	{"querier-downstream", check_downstream_querier, true},
	{"bridge", check_bridges, true},
	{"firewall", check_firewall, true},
	{"copies", check_copies, true},
	{"limits", check_limits, true},
	{"queues", check_queues, true},
	{"reports", check_refused_reports, true},
	{"configuration", check_configuration, true},
};

static bool is_text(struct json_object *object, const char *key, const char *text)
{
	return strcmp(answer_text(object, key), text) == 0;
}

/* Looks for a known source of the link that the machine would route elsewhere. */
static void find_source_routed_elsewhere(const struct machine *machine, struct reverse_path *path)
{
	struct json_object *routes = machine->daemon.routes;
	const struct interface_state *link = interfaces_by_name(&machine->interfaces, path->link);

	for (size_t i = 0; i < view_count(routes) && i < 256 && !path->source_routed_elsewhere; i++) {
		struct json_object *route = json_object_array_get_idx(routes, i);

		if (!is_text(route, "family", "IPv4") || !is_text(route, "input", path->link) ||
		    !addr_parse(answer_text(route, "source"), &path->source))
			continue;
		path->source_routed_elsewhere = link != NULL && route_lookup(&path->source) != link->index;
	}
}

static void gather_paths(struct machine *machine)
{
	struct addr far_away;

	addr_parse(FAR_AWAY, &far_away);
	for (size_t i = 0; i < view_count(machine->daemon.links) &&
	                   machine->path_count < sizeof machine->paths / sizeof machine->paths[0];
	     i++) {
		struct json_object *link = json_object_array_get_idx(machine->daemon.links, i);
		struct reverse_path *path = &machine->paths[machine->path_count];

		if (!is_text(link, "role", "upstream") || !is_text(link, "family", "IPv4"))
			continue;
		machine->path_count++;
		snprintf(path->link, sizeof path->link, "%s", answer_text(link, "link"));
		path->rp_filter = read_rp_filter(PROC_SYS, path->link);
		path->default_route = route_lookup(&far_away);
		find_source_routed_elsewhere(machine, path);
	}
}

/* The file name is the daemon's, and may be relative to the daemon's working directory. */
static double file_modified(const struct daemon_view *daemon)
{
	const char *name = answer_text(daemon->status, "configuration");
	char path[4096];
	struct stat file;

	if (name[0] == '/')
		snprintf(path, sizeof path, "%s", name);
	else
		snprintf(path, sizeof path, "/proc/%.0f/cwd/%s", answer_number(daemon->status, "pid"), name);
	if (daemon->status == NULL || stat(path, &file) != 0)
		return 0;
	return (double)file.st_mtim.tv_sec + (double)file.st_mtim.tv_nsec / 1e9;
}

/* 0 or -errno. */
static int gather(const struct ctl *ctl, struct machine *machine)
{
	int result = interfaces_read(&machine->interfaces);

	if (result != 0)
		return result;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		gather_table_owner(family, &machine->owners[family]);
	machine->firewall = gather_firewall(&machine->firewall_why);
	machine->igmp_max_msf = read_setting(PROC_SYS, "net/ipv4/igmp_max_msf", 10);
	if (!gather_daemon(ctl, NULL, &machine->daemon))
		return 0;
	machine->file_modified = file_modified(&machine->daemon);
	gather_paths(machine);
	return 0;
}

void doctor_check(const struct machine *machine, struct findings *findings)
{
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		size_t skipped = findings->skipped_count;

		if (checks[i].needs_daemon && machine->daemon.status == NULL) {
			findings_skip(findings, checks[i].name, "mcproxy does not answer");
			continue;
		}
		checks[i].run(machine, findings);
		findings->checks += findings->skipped_count == skipped;
	}
}

static int report(const struct ctl *ctl, const struct findings *findings, bool daemon_answers)
{
	if (ctl->json)
		findings_print_json(findings, stdout);
	else
		findings_print(findings, stdout, ctl->colour);
	if (findings->count > 0)
		return CHECK_FOUND;
	return daemon_answers ? CHECK_CLEAN : CHECK_UNKNOWN;
}

int doctor_run(const struct ctl *ctl, int argc, char **argv)
{
	struct machine *machine = calloc(1, sizeof *machine);
	struct findings *findings = calloc(1, sizeof *findings);
	int status = CHECK_UNKNOWN, result;

	if (argc != 1) {
		status = command_usage(argv[0], "no arguments are expected");
	} else if (machine != NULL && findings != NULL) {
		result = gather(ctl, machine);
		if (result == 0) {
			doctor_check(machine, findings);
			status = report(ctl, findings, machine->daemon.status != NULL);
		} else {
			print_to(stderr, "mcproxyctl: doctor: the interfaces cannot be read: %s\n",
			         strerror(-result));
		}
		daemon_view_free(&machine->daemon);
		interfaces_free(&machine->interfaces);
		firewall_free(machine->firewall);
	}
	free(machine);
	free(findings);
	return status;
}
