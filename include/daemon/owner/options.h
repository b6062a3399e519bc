/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The options of the command line.
 */
#ifndef MCPROXY_DAEMON_OWNER_OPTIONS_H
#define MCPROXY_DAEMON_OWNER_OPTIONS_H

#include <stdbool.h>

struct options {
	const char *config_path; /* NULL: the instances are on the command line */
	const char *recording_path;
	bool status; /* -s */
	int verbose; /* -v, -vv */
	bool debug, syslog, reset_rp_filter, check_only;
	bool keeper;   /* --keeper */
	bool no_adopt; /* start with empty tables, whatever an earlier run has left */
};

/* Where the configuration comes from: the path, or "command line". */
const char *options_source(const struct options *options);

#endif
