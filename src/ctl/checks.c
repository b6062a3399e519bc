/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/checks.h"

const struct check checks[] = {
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
	{0},
};

void checks_run(const struct machine *machine, struct findings *findings)
{
	for (const struct check *check = checks; check->name != NULL; check++) {
		size_t skipped = findings->skipped_count;

		if (check->needs_daemon && machine->daemon.status == NULL) {
			findings_skip(findings, check->name, "mcproxy does not answer");
			continue;
		}
		check->run(machine, findings);
		findings->checks += findings->skipped_count == skipped;
	}
}
