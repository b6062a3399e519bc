/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/manage.h"
#include "daemon/control/monitor.h"
#include "daemon/control/show.h"

const struct control_command control_commands[] = {
	{"show", false, show_begin, show_go_on, show_end},
	{"monitor", false, monitor_begin, NULL, monitor_end},
	{"reload", true, reload_begin, reload_go_on, NULL},
	{"clear", true, clear_begin, clear_go_on, NULL},
	{"loglevel", true, loglevel_begin, NULL, NULL},
	{0},
};
