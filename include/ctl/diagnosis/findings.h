/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `doctor` finds: the problem, why it matters, and the remedy, as lines for people or as JSON.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_FINDINGS_H
#define MCPROXY_CTL_DIAGNOSIS_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define FINDING_TEXT_SIZE 512
#define FINDINGS_MAX      64

struct finding {
	const char *check; /* such as "rp-filter" */
	char subject[64];  /* usually a link */
	char what[FINDING_TEXT_SIZE];
	const char *why;
	char remedy[FINDING_TEXT_SIZE];
};

struct findings {
	struct finding list[FINDINGS_MAX];
	size_t count;
	size_t checks;  /* made */
	size_t dropped; /* did not fit */
	const char *skipped[16];
	const char *skipped_why[16];
	size_t skipped_count;
};

/* The next finding, to be filled in. Never NULL. check and why must outlive the findings. */
struct finding *findings_add(struct findings *findings, const char *check, const char *subject,
                             const char *why);
__attribute__((format(printf, 2, 3))) void finding_what(struct finding *finding, const char *format, ...);
__attribute__((format(printf, 2, 3))) void finding_remedy(struct finding *finding, const char *format, ...);
/* Records a check that could not be made. Both texts must outlive the findings. */
void findings_skip(struct findings *findings, const char *check, const char *why);

void findings_print(const struct findings *findings, FILE *out, bool colour);
void findings_print_json(const struct findings *findings, FILE *out);

#endif
