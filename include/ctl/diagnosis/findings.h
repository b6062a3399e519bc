/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `doctor` finds: the problem, why it matters, and the remedy, as lines for people or as JSON.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_FINDINGS_H
#define MCPROXY_CTL_DIAGNOSIS_FINDINGS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define FINDING_TEXT_SIZE 512
#define FINDINGS_MAX      64

/* How much a finding matters; the most severe come first. */
enum severity {
	SEVERITY_ERROR,   /* streams do not flow */
	SEVERITY_WARNING, /* they may stop, or for some hosts */
	SEVERITY_NOTE,    /* nothing is wrong, but worth knowing */
};

struct finding {
	enum severity severity; /* findings_add sets that of the check; the check may change it */
	const char *check;      /* such as "rp-filter" */
	char subject[64];       /* usually a link */
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
/* "error", "warning", "note" */
const char *severity_name(enum severity severity);
/* The number of findings that are no notes. */
size_t findings_problems(const struct findings *findings);
/* The most severe first, otherwise in the order of the checks; repeated ones are removed. */
void findings_sort(struct findings *findings);
/* Records a check that could not be made. Both texts must outlive the findings. */
void findings_skip(struct findings *findings, const char *check, const char *why);

/* In lines of so many columns. */
void findings_print(const struct findings *findings, FILE *out, bool colour, unsigned width);
/* The findings as objects; the caller frees the list. */
struct json_object *findings_list(const struct findings *findings);
void findings_print_json(const struct findings *findings, FILE *out);

#endif
