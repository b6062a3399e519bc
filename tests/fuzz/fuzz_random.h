/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lets the worlds of the unit tests run as fuzzers: their random numbers come from the fuzzer's input. It replaces
 * tests/support/random.c. At the end of the input every number is 0.
 */
#ifndef MCPROXY_TESTS_FUZZ_RANDOM_H
#define MCPROXY_TESTS_FUZZ_RANDOM_H

#include "fuzz.h"

#include "support/random.h"

void fuzz_random_open(const uint8_t *data, size_t size);
bool fuzz_random_is_over(void);

#endif
