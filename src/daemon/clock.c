/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/clock.h"

#include <time.h>

mtime clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (mtime)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
