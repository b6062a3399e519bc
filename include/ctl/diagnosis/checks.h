/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The checks of `doctor`. Each reads the same description of the machine and adds its findings. None makes a
 * system call, so that tests can describe any machine.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_CHECKS_H
#define MCPROXY_CTL_DIAGNOSIS_CHECKS_H

#include "ctl/diagnosis/findings.h"
#include "ctl/diagnosis/gather.h"
#include "ctl/machine/config_file.h"

/* What decides whether the kernel's reverse path filter drops streams on a link. */
struct reverse_path {
	char link[INTERFACE_NAME_SIZE];
	long rp_filter;               /* in force */
	bool downstream;              /* only its senders decide */
	int default_route;            /* index of the interface it leaves by; -errno: there is none */
	struct addr source;           /* of a stream that arrives here, but is routed elsewhere */
	bool source_routed_elsewhere; /* downstream: and dropped for that */
};

struct machine {
	bool quick; /* without what takes time or other programs */
	struct interfaces interfaces;
	struct daemon_view daemon; /* NULLs: it does not answer */
	struct table_owner owners[FAMILIES];
	struct firewall *firewall; /* NULL: not known */
	const char *firewall_why;
	struct reverse_path paths[128]; /* of IPv4 links */
	size_t path_count;
	struct config_file file; /* while the daemon does not run, or as asked for */
	double file_modified; /* seconds since the epoch, of the daemon's configuration file; 0: not known */
	long igmp_max_msf;
};

void check_owner(const struct machine *machine, struct findings *findings);
void check_kernel(const struct machine *machine, struct findings *findings);
void check_rp_filter(const struct machine *machine, struct findings *findings);
void check_bridges(const struct machine *machine, struct findings *findings);
void check_firewall(const struct machine *machine, struct findings *findings);
void check_links(const struct machine *machine, struct findings *findings);
void check_upstream_querier(const struct machine *machine, struct findings *findings);
void check_downstream_querier(const struct machine *machine, struct findings *findings);
void check_copies(const struct machine *machine, struct findings *findings);
void check_limits(const struct machine *machine, struct findings *findings);
void check_queues(const struct machine *machine, struct findings *findings);
void check_refused_reports(const struct machine *machine, struct findings *findings);
void check_configuration(const struct machine *machine, struct findings *findings);
void check_file(const struct machine *machine, struct findings *findings);
void check_discovery(const struct machine *machine, struct findings *findings);

#endif
