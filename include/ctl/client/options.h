/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What holds for every command of mcproxyctl: the options before the command, and the exit status.
 */
#ifndef MCPROXY_CTL_CLIENT_OPTIONS_H
#define MCPROXY_CTL_CLIENT_OPTIONS_H

#include <stdbool.h>

#define CTL_SOCKET "/run/mcproxy/control.sock"

/* Exit status. */
enum { CTL_DONE = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

/* What holds for every command. */
struct ctl {
	const char *socket;
	bool json;   /* print JSON, as it comes */
	bool colour; /* stdout is a terminal */
};

#endif
