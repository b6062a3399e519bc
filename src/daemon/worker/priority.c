/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/priority.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/resource.h>

/* Written once, before there is any other thread. Linux keeps a nice value for each thread; who begins a
 * thread passes on his own. */
static int inherited;
static bool is_known;

int priority_raise(unsigned by)
{
	if (!is_known) {
		inherited = getpriority(PRIO_PROCESS, 0);
		is_known = true;
	}
	return setpriority(PRIO_PROCESS, 0, -(int)by < inherited ? -(int)by : inherited) == 0 ? 0 : -errno;
}

void priority_restore(void)
{
	if (is_known)
		setpriority(PRIO_PROCESS, 0, inherited);
}
