/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration that a conversion makes: what all grammars fill. Each line of it remembers the line of the input
 * that it comes from.
 */
#ifndef MCPROXY_CTL_CONVERT_OUTPUT_H
#define MCPROXY_CTL_CONVERT_OUTPUT_H

#include "ctl/convert/convert.h"
#include "ctl/convert/scan.h"

#include <stdint.h>
#include <string.h>

struct line {
	char *text;
	unsigned from; /* line of the input; 0: none */
};

struct lines {
	struct line *line;
	size_t count;
};

enum role { ROLE_NONE, ROLE_UPSTREAM, ROLE_DOWNSTREAM };

struct link {
	struct link *next;
	char *name;
	enum role role;
	unsigned line;                 /* where the input names it */
	struct lines settings;         /* settings and comments */
	struct lines in, out, statics; /* rules of filters, static groups */
	struct lines sources;          /* for phyint_finish: subnets of sources that the old proxy accepted */
	const struct word *list;       /* for FRR: the name of the route-map that filters */
	bool has_own_rules;            /* the default ones do not apply */
};

struct instance {
	struct instance *next;
	char *name; /* NULL: the default */
	struct lines settings;
	struct link *links; /* in the order of the input */
};

struct output {
	const char *kind;
	struct lines settings; /* of the top level */
	struct instance *instances;
	const struct scan *scan; /* what is read: lines come from its last word, unless `from` is set */
	unsigned from;           /* where lines come from that are added after reading; 0: from the scan */
	size_t line_count;       /* of all lines ever added, which has a limit */
	bool strict;
	bool differs;
	bool no_memory;
	unsigned line;
	char problem[CONVERT_PROBLEM_SIZE];
};

/* Reads all of a grammar into the output. False: output_fail has told why. */
typedef bool read_grammar(struct scan *scan, struct output *output);

__attribute__((format(printf, 3, 4))) void lines_add(struct output *output, struct lines *lines,
                                                     const char *format, ...);
/* Adds all lines of another list, each with its origin; prefix stands before each. */
void lines_append(struct output *output, struct lines *lines, const char *prefix, const struct lines *more);
/* Ends rules that allow something: the rest is denied, unless the last rule already takes all. */
void lines_deny_rest(struct output *output, struct lines *rules);
/* `key = value;`, in the place of an earlier line of that key. */
void lines_set(struct output *output, struct lines *lines, const char *key, const char *value);
void lines_set_bool(struct output *output, struct lines *lines, const char *key, bool value);
void lines_set_number(struct output *output, struct lines *lines, const char *key, unsigned long number);
void lines_clear(struct lines *lines);
/* A comment that names a difference. line 0: of no single line. */
__attribute__((format(printf, 4, 5))) void lines_differ(struct output *output, struct lines *lines,
                                                        unsigned line, const char *format, ...);
/* A comment that names what is left out, because mcproxy does the same without it. */
__attribute__((format(printf, 4, 5))) void lines_leave_out(struct output *output, struct lines *lines,
                                                           unsigned line, const char *format, ...);
/* Keeps the first problem. Always false. */
__attribute__((format(printf, 3, 4))) bool output_fail(struct output *output, unsigned line,
                                                       const char *format, ...);
bool output_has_failed(const struct output *output);

/* name: NULL for one without; then always a new one. NULL: output_fail has told why. */
struct instance *output_instance(struct output *output, const char *name);
/* Finds the link or adds one. NULL: the name cannot be one; output_fail has told why. */
struct link *output_link(struct output *output, struct instance *instance, const char *name, unsigned line);
/* The same, and gives it the role. False if it has the other one already: mcproxy gives a link one role. */
bool output_link_role(struct output *output, struct instance *instance, const struct word *name,
                      enum role role);
bool link_name_is_valid(const char *name);
struct link *link_find(const struct instance *instance, const char *name);
/* upstream, downstream or disabled. */
bool role_parse(const char *text, enum role *role);
size_t instance_count_role(const struct instance *instance, enum role role);
/* Several upstream links are used together; a comment names the difference. */
void output_choose_all(struct output *output, struct instance *instance);
/* Needs an instance with a downstream link. */
bool output_finish_instance(struct output *output, struct instance *instance);

/* A number in a range, in whole; fails otherwise. */
bool read_number(struct output *output, const struct word *word, unsigned long lowest, unsigned long highest,
                 unsigned long *number);

/* A word of the input with a number, and the key that takes it. */
struct number_setting {
	const char *word; /* NULL ends a table */
	const char *key;  /* NULL: mcproxy has nothing like it */
	unsigned long lowest, highest;
	bool tenths; /* of a second */
};

const struct number_setting *number_setting_find(const struct number_setting table[], const char *word);
bool read_number_setting(struct output *output, struct lines *lines, const struct number_setting *setting,
                         const struct word *value);

#endif
