/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Allocations that fail on demand: the linker leads pool_take, calloc and realloc here (tests/CMakeLists.txt
 * names the programs). A scenario runs once to count its allocations, and then with a failure at each of
 * them.
 */
#ifndef MCPROXY_TESTS_FAIL_H
#define MCPROXY_TESTS_FAIL_H

#include "core/base/pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* Counts from 0; the allocations from `from` up to `to` fail. */
void fail_between(unsigned from, unsigned to);

/* No more fails; how many allocations there were. */
unsigned fail_end(void);

/* Runs a scenario, which returns fail_end(), with each allocation failing: alone, with the next ones, and
 * with all that follow. */
void fail_everywhere(unsigned (*scenario)(const void *context, unsigned from, unsigned to),
                     const void *context);

#endif
