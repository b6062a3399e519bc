/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/spelling.h"

#include <string.h>

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

unsigned spelling_distance(const char *a, const char *b)
{
	size_t length = strlen(b);
	unsigned row[DISTANCE_WORD_MAX + 1]; /* row[j]: from the letters of a so far to the first j of b */

	if (strlen(a) > DISTANCE_WORD_MAX || length > DISTANCE_WORD_MAX)
		return DISTANCE_WORD_MAX;
	for (size_t j = 0; j <= length; j++)
		row[j] = (unsigned)j;
	for (unsigned i = 0; a[i] != '\0'; i++) {
		unsigned diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 1; j <= length; j++) {
			unsigned above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[length];
}
