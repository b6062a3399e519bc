/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How far two words are from each other, to guess what was meant by a misspelt one.
 */
#ifndef MCPROXY_DAEMON_CONFIG_SPELLING_H
#define MCPROXY_DAEMON_CONFIG_SPELLING_H

#define DISTANCE_WORD_MAX 40 /* letters; longer words are DISTANCE_WORD_MAX away from all others */

/* Levenshtein's spelling_distance: the number of letters to add, drop or change. */
unsigned spelling_distance(const char *a, const char *b);

#endif
