/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/doctor.h"

#include "ctl/client/answer.h"
#include "ctl/machine/capture.h"
#include "ctl/machine/mroutes.h"
#include "ctl/machine/proc_net.h"

#include <stdlib.h>
#include <sys/stat.h>

/* An address that only a default route leads to, on most machines. */
#define FAR_AWAY "198.41.0.4"

enum need { NEEDS_NOTHING, NEEDS_DAEMON, NEEDS_FILE };
#define LOOK_INTERVAL 1000 /* milliseconds, in which a stream has packets */

static const struct {
	const char *name;
	void (*run)(const struct machine *machine, struct findings *findings);
	enum need need;
} checks[] = {
	{"owner", check_owner, NEEDS_NOTHING},
	{"file", check_file, NEEDS_FILE},
	{"kernel", check_kernel, NEEDS_NOTHING},
	{"links", check_links, NEEDS_DAEMON},
	{"rp-filter", check_rp_filter, NEEDS_DAEMON},
	{"querier-upstream", check_upstream_querier, NEEDS_DAEMON},
	{"querier-downstream", check_downstream_querier, NEEDS_DAEMON},
	{"bridge", check_bridges, NEEDS_DAEMON},
	{"firewall", check_firewall, NEEDS_DAEMON},
	{"copies", check_copies, NEEDS_DAEMON},
	{"limits", check_limits, NEEDS_DAEMON},
	{"queues", check_queues, NEEDS_DAEMON},
	{"reports", check_refused_reports, NEEDS_DAEMON},
	{"configuration", check_configuration, NEEDS_DAEMON},
	{"discovery", check_discovery, NEEDS_DAEMON},
};

static bool is_text(struct json_object *object, const char *key, const char *text)
{
	return strcmp(answer_text(object, key), text) == 0;
}

/* Does the filter drop packets of the source? Upstream, other sources that are routed in the same way count too. */
static bool is_dropped(const struct reverse_path *path, const struct interface_state *link,
                       const struct addr *source)
{
	int back = route_lookup(source);

	return path->downstream && path->rp_filter != 1 ? back < 0 : back != link->index;
}

/* Looks for a known source of the link that the machine would route elsewhere. */
static void find_source_routed_elsewhere(const struct machine *machine, struct reverse_path *path)
{
	struct json_object *routes = machine->daemon.routes;
	const struct interface_state *link = interfaces_by_name(&machine->interfaces, path->link);

	for (size_t i = 0; i < view_count(routes) && i < 256 && !path->source_routed_elsewhere; i++) {
		struct json_object *route = json_object_array_get_idx(routes, i);

		if (is_text(route, "family", "IPv4") && is_text(route, "input", path->link) &&
		    addr_parse(answer_text(route, "source"), &path->source))
			path->source_routed_elsewhere = link != NULL && is_dropped(path, link, &path->source);
	}
}

/* A copy that a second router sends: the filter drops it rightly. */
static bool is_copy(const struct capture *capture, const struct sighting *sighting)
{
	for (size_t i = 0; i < capture->count; i++) {
		const struct sighting *other = &capture->list[i];

		if (!other->outgoing && other->interface != sighting->interface &&
		    addr_equal(&other->source, &sighting->source))
			return true;
	}
	return false;
}

/* The daemon never learns of streams that the filter has dropped. */
static void find_dropped_senders(struct machine *machine, const struct capture *capture)
{
	for (size_t i = 0; i < capture->count; i++) {
		const struct sighting *sighting = &capture->list[i];
		const struct interface_state *link =
			interfaces_by_index(&machine->interfaces, sighting->interface);

		if (link == NULL || sighting->outgoing || sighting->vlan != 0 || is_copy(capture, sighting))
			continue;
		for (size_t j = 0; j < machine->path_count; j++) {
			struct reverse_path *path = &machine->paths[j];

			if (!path->downstream || path->source_routed_elsewhere ||
			    strcmp(path->link, link->name) != 0 || !is_dropped(path, link, &sighting->source))
				continue;
			path->source = sighting->source;
			path->source_routed_elsewhere = true;
		}
	}
}

/* A loose filter drops nothing where a default route leads to every source. */
static bool may_drop(const struct reverse_path *path)
{
	return path->downstream &&
	       (path->rp_filter == 1 || (path->rp_filter == 2 && path->default_route < 0));
}

/* Looks at packets for a moment if the filter of a downstream link may drop some, and has dropped some anywhere. */
static void look_for_senders(struct machine *machine)
{
	const struct addr any_group = addr_unspecified(FAMILY_IPV4);
	struct capture *capture;
	bool look = false;

	for (size_t i = 0; i < machine->path_count; i++)
		look |= may_drop(&machine->paths[i]);
	if (!look || gather_rp_drops() <= 0)
		return;
	capture = calloc(1, sizeof *capture);
	if (capture != NULL && capture_run(capture, &any_group, &machine->interfaces, LOOK_INTERVAL) == 0)
		find_dropped_senders(machine, capture);
	free(capture);
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

		if (!is_text(link, "family", "IPv4"))
			continue;
		machine->path_count++;
		snprintf(path->link, sizeof path->link, "%s", answer_text(link, "link"));
		path->downstream = is_text(link, "role", "downstream");
		path->rp_filter = read_rp_filter(PROC_SYS, path->link);
		path->default_route = route_lookup(&far_away);
		find_source_routed_elsewhere(machine, path);
	}
	if (!machine->quick)
		look_for_senders(machine);
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

int doctor_gather(struct machine *machine)
{
	int result = interfaces_read(&machine->interfaces);

	if (result != 0)
		return result;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		gather_table_owner(family, &machine->owners[family]);
	machine->igmp_max_msf = read_setting(PROC_SYS, "net/ipv4/igmp_max_msf", 10);
	if (machine->daemon.status == NULL)
		return 0;
	machine->file_modified = file_modified(&machine->daemon);
	gather_paths(machine);
	return 0;
}

static const char *why_skipped(const struct machine *machine)
{
	return machine->daemon.problem.kind == SESSION_DENIED ? "this user may not connect to mcproxy"
	                                                      : "mcproxy does not answer";
}

void doctor_check(const struct machine *machine, struct findings *findings)
{
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		size_t skipped = findings->skipped_count;

		if (checks[i].need == NEEDS_FILE && machine->file.path == NULL)
			continue;
		if (checks[i].need == NEEDS_DAEMON && machine->daemon.status == NULL) {
			findings_skip(findings, checks[i].name, why_skipped(machine));
			continue;
		}
		checks[i].run(machine, findings);
		findings->checks += findings->skipped_count == skipped;
	}
	findings_sort(findings);
}
