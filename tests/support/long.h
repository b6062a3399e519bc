/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MCPROXY_TESTS_LONG_H
#define MCPROXY_TESTS_LONG_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* MCPROXY_LONG=1, as `scripts/test --long` sets it: do all of it, however long that takes. */
static inline bool tests_are_long(void)
{
	const char *wanted = getenv("MCPROXY_LONG");

	return wanted != NULL && strcmp(wanted, "1") == 0;
}

#endif
