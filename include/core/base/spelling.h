/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The nearest known word, for a misspelt one.
 */
#ifndef MCPROXY_CORE_BASE_SPELLING_H
#define MCPROXY_CORE_BASE_SPELLING_H

/* A search for the known word that is most like `word`. */
struct spelling {
	const char *word;
	const char *nearest; /* so far; NULL: no word is near */
	unsigned distance;   /* of the nearest word; before one is found, the first that is too far */
};

/* Words are near if about a quarter of their letters differ. */
struct spelling spelling_begin(const char *word);
/* Compares one known word, which must outlive the search. */
void spelling_compare(struct spelling *spelling, const char *known);

#endif
