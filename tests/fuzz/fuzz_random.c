/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz_random.h"

static struct wire input;

void fuzz_random_open(const uint8_t *data, size_t size)
{
	input = (struct wire){data, size};
}

bool fuzz_random_is_over(void)
{
	return input.left == 0;
}

/* The low 16 bits: no test uses more. */
uint64_t random_next(struct random *random)
{
	(void)random;
	return fuzz_two_bytes(&input);
}

uint32_t random_below(struct random *random, uint32_t n)
{
	(void)random;
	if (n < 2)
		return 0;
	return (n <= 256 ? fuzz_byte(&input) : fuzz_two_bytes(&input)) % n;
}

uint32_t random_between(struct random *random, uint32_t low, uint32_t high)
{
	return low + random_below(random, high - low + 1);
}

bool random_percent(struct random *random, uint32_t percent)
{
	return percent > 0 && random_below(random, 100) < percent;
}
