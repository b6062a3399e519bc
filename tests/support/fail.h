/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Allocations that fail on demand. The linker replaces pool_take, calloc and realloc in programs that include this
 * (tests/CMakeLists.txt). A scenario runs once to count its allocations, and then with a failure at each of them.
 */
#ifndef MCPROXY_TESTS_FAIL_H
#define MCPROXY_TESTS_FAIL_H

#include "core/base/pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* Begins to count at 0; the allocations from number `from` to before `to` fail. */
void fail_between(unsigned from, unsigned to);

/* Ends the failures; returns how many allocations there were. */
unsigned fail_end(void);

/* Runs a scenario, which returns fail_end(), for each allocation: that one fails, it and the next three fail, it and
 * all that follow fail. */
void fail_everywhere(unsigned (*scenario)(const void *context, unsigned from, unsigned to),
                     const void *context);

#endif
