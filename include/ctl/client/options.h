/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all commands of mcproxyctl share: the options before the command, and the exit status.
 */
#ifndef MCPROXY_CTL_CLIENT_OPTIONS_H
#define MCPROXY_CTL_CLIENT_OPTIONS_H

#include <stdbool.h>

#define CTL_SOCKET "/run/mcproxy/control.sock"

/* The "version" of all JSON that mcproxyctl makes, as that of the daemon (docs/control.md). */
#define CTL_JSON_VERSION 1

/* Exit status. */
enum { CTL_DONE = 0, CTL_FAILED = 1, CTL_USAGE = 2 };
/* Exit status of explain and doctor: all is well, something is wrong, or they cannot find out. */
enum { CHECK_CLEAN = 0, CHECK_FOUND = 1, CHECK_UNKNOWN = 2 };

/* The options before the command. */
struct ctl {
	const char *socket;
	bool json;   /* print the JSON as received */
	bool colour; /* stdout is a terminal */
};

#endif
