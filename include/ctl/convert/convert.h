/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Turns the configuration of another multicast proxy into one that mcproxy accepts. Text in, text out.
 */
#ifndef MCPROXY_CTL_CONVERT_CONVERT_H
#define MCPROXY_CTL_CONVERT_CONVERT_H

#include <stdbool.h>
#include <stddef.h>

#define CONVERT_PROBLEM_SIZE 256

struct converted {
	char *text;       /* the whole configuration; NULL on failure; the caller frees it */
	const char *kind; /* what the input was taken for; NULL if that cannot be guessed */
	bool differs;     /* the text has a comment for each difference */
	unsigned line;    /* of the problem; 0: it is about the whole input */
	char problem[CONVERT_PROBLEM_SIZE];
};

/* The names of the kinds, the last one NULL. */
const char *convert_kind_name(size_t index);

/* kind: a name, or NULL to guess it from the text. strict: also make rules of what would make the result refuse
 * streams that mcproxy need not refuse. */
struct converted convert(const char *text, const char *kind, bool strict);

#endif
