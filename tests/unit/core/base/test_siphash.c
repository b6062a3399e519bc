/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SipHash-1-3 against the reference.
 */
#include "core/base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* The reference vectors of SipHash-1-3: key and input are 00 01 02 ... The last byte of each input is its
 * length without that byte, as in the words that the reference makes of 7, 15, 23 and 31 bytes. */
static void results_are_those_of_the_reference(void **state)
{
	static const struct {
		unsigned words;
		uint32_t low; /* half of the result */
	} rows[] = {{1, 0x9bb11140}, {2, 0x2a519956}, {3, 0xdae6c123}, {4, 0x8c21d1bc}};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct siphash hash = siphash_begin(0x0706050403020100, 0x0f0e0d0c0b0a0908);

		for (unsigned word = 0; word < rows[i].words; word++)
			siphash_add(&hash, 0x0706050403020100 + word * UINT64_C(0x0808080808080808));
		assert_int_equal((uint32_t)siphash_end(&hash), rows[i].low);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_are_those_of_the_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
