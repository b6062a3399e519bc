/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/spelling.h"

#include <limits.h>
#include <string.h>

#define WORD_MAX 40 /* letters; longer words are near to none */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/* The Levenshtein distance: the number of letters to add, drop or change. */
static unsigned distance(const char *a, const char *b)
{
	size_t length = strlen(b);
	unsigned row[WORD_MAX + 1]; /* row[j]: distance of the letters of a so far from the first j of b */

	if (strlen(a) > WORD_MAX || length > WORD_MAX)
		return UINT_MAX;
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

struct spelling spelling_begin(const char *word)
{
	return (struct spelling){.word = word, .distance = (unsigned)strlen(word) / 4 + 2};
}

void spelling_compare(struct spelling *spelling, const char *known)
{
	unsigned letters = distance(spelling->word, known);

	if (letters >= spelling->distance)
		return;
	spelling->distance = letters;
	spelling->nearest = known;
}
