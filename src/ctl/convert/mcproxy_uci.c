/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The UCI file of mcproxy 1.1. Its init script writes statements from it; here they become the words of a scan, in the
 * order that the statements need, each with its line of the UCI file.
 */
#include "ctl/convert/grammars.h"
#include "ctl/convert/uci.h"

#include <stdlib.h>

/* Sections in the order in which their statements must stand. */
static const char *const types[] = {"mcproxy", "table", "instance", "behaviour", NULL};

/* The options of one section; a list has each of its values. */
struct section {
	const struct word *type; /* NULL: none */
	struct uci_line *lines;
	size_t count;
};

struct statements {
	struct scan scan;
	struct output *output;
	bool failed;
};

static void put_text(struct statements *statements, const char *text, unsigned line, bool quoted)
{
	struct scan *scan = &statements->scan;
	struct word *grown = realloc(scan->words, (scan->count + 2) * sizeof *grown);
	static char empty[1];
	char *copy = strdup(text);

	if (grown != NULL)
		scan->words = grown;
	if (grown == NULL || copy == NULL) {
		free(copy);
		statements->failed = true;
		return;
	}
	grown[scan->count++] = (struct word){.text = copy, .line = line, .quoted = quoted};
	grown[scan->count] = (struct word){.text = empty, .line = line, .first = true};
}

/* The value may be a whole text in the grammar of 1.1, such as a table. */
static void put_words(struct statements *statements, const struct word *value)
{
	static const struct scan_rules rules = {.marks = "(){}|;/-=>", .quotes = true};
	struct scan scan = scan_text(value->text, &rules);

	if (scan.problem_line > 0)
		output_fail(statements->output, value->line, "a quote does not end in its value");
	for (size_t i = 0; scan.problem_line == 0 && i < scan.count; i++)
		put_text(statements, scan.words[i].text, value->line, scan.words[i].quoted);
	scan_free(&scan);
}

static const struct word *find(const struct section *section, const char *key)
{
	for (size_t i = 0; i < section->count; i++)
		if (uci_is(&section->lines[i], key))
			return section->lines[i].value;
	return NULL;
}

/* A statement is a form: words, and options of the section after a mark. */
#define ONE   '$' /* its value as one word, which must be there */
#define WORDS '%' /* the same, as words of the grammar; a list has several values */
#define EACH  '@' /* each of its values as one word; there may be none */

#define BINDING "pinstance", "$instance", "%section", "$interface", "%direction"

static const char *const table_form[] = {"table", "$name", "{", "%entries", "}", ";", NULL};
static const char *const instance_form[] = {"pinstance", "$name", ":",           "@upstream", "=",
                                            "=",         ">",     "@downstream", ";",         NULL};
static const char *const matching_form[] = {BINDING, "rulematching", "%rulematching", ";", NULL};
static const char *const white_form[] = {BINDING, "whitelist", "table", "%table", ";", NULL};
static const char *const black_form[] = {BINDING, "blacklist", "table", "%table", ";", NULL};

static bool put_form(struct statements *statements, const struct section *section, const char *const form[])
{
	for (; *form != NULL; form++) {
		char mark = (*form)[0];
		const char *key = *form + 1;

		if (mark != ONE && mark != EACH && mark != WORDS)
			put_text(statements, *form, section->type->line, false);
		else if (mark != EACH && find(section, key) == NULL)
			return output_fail(statements->output, section->type->line, "a section %s without %s",
			                   section->type->text, key);
		for (size_t i = 0; i < section->count; i++) {
			const struct word *value = section->lines[i].value;

			if ((mark == ONE || mark == EACH) && uci_is(&section->lines[i], key))
				put_text(statements, value->text, value->line, true);
			else if (mark == WORDS && uci_is(&section->lines[i], key))
				put_words(statements, value);
		}
	}
	return true;
}

static const char *const *find_form(const struct section *section)
{
	const struct word *white = find(section, "whitelist");

	if (strcmp(section->type->text, "table") == 0)
		return table_form;
	if (strcmp(section->type->text, "instance") == 0)
		return instance_form;
	if (find(section, "rulematching") != NULL)
		return matching_form;
	return white != NULL && uci_is_true(white) ? white_form : black_form;
}

static void put_setting(struct statements *statements, const char *keyword, const struct uci_line *line)
{
	put_text(statements, keyword, line->key->line, false);
	put_words(statements, line->value);
	put_text(statements, ";", line->key->line, false);
}

/* The settings that a router maker has added, by the names of the statements and by long ones. */
static void put_settings(struct statements *statements, const struct section *section)
{
	static const char *const names[][2] = {
		{"qi", "query_interval"},
		{"qri", "query_response_interval"},
		{"lmqi", "last_member_query_interval"},
		{"rv", "robustness"},
		{"fastleave", "fast_leave"},
		{"max_groups", "max_groups"},
	};

	for (size_t i = 0; i < section->count; i++) {
		const struct uci_line *line = &section->lines[i];
		size_t n = 0;

		while (n < sizeof names / sizeof names[0] && !uci_is(line, names[n][0]) &&
		       !uci_is(line, names[n][1]))
			n++;
		if (n < sizeof names / sizeof names[0]) {
			put_setting(statements, names[n][0], line);
			if ((n == 1 || n == 2) && uci_is(line, names[n][1]))
				lines_differ(statements->output, &statements->output->settings,
				             line->key->line, "%s is taken for tenths of a second",
				             line->key->text);
		} else if (uci_is(line, "protocol")) {
			put_setting(statements, "protocol", line);
		} else if (uci_is(line, "file")) {
			lines_differ(statements->output, &statements->output->settings, line->key->line,
			             "file %s: convert that file, too", line->value->text);
		} else if (!uci_is(line, "disabled")) {
			uci_leave_out(statements->output, line);
		}
	}
}

static bool put_section(struct statements *statements, const struct section *section)
{
	static const char *const known[] = {
		"disabled",  "name",  "upstream",  "downstream", "entries",      "instance", "section",
		"interface", "table", "direction", "whitelist",  "rulematching", NULL};
	const char *type = section->type->text;
	const struct word *disabled = find(section, "disabled");

	if (strcmp(type, "mcproxy") == 0) {
		if (disabled == NULL || !uci_is_true(disabled))
			put_settings(statements, section);
		else
			lines_leave_out(statements->output, &statements->output->settings, disabled->line,
			                "this section is disabled");
		return true;
	}
	if (disabled != NULL && uci_is_true(disabled)) {
		lines_leave_out(statements->output, &statements->output->settings, section->type->line,
		                "this %s is disabled", type);
		return true;
	}
	for (size_t i = 0; i < section->count; i++)
		if (!text_is_in(section->lines[i].key->text, known))
			uci_leave_out(statements->output, &section->lines[i]);
	return put_form(statements, section, find_form(section));
}

/* Reads all sections; puts those of the type, or names those of a type that means nothing. */
static bool put_sections(struct statements *statements, struct scan *scan, const char *type)
{
	struct section section = {0};
	struct uci_line line;
	bool more, good = true;

	scan->at = 0;
	do {
		more = uci_read(scan, statements->output, &line);
		if ((!more || line.section) && section.type != NULL) {
			good = put_section(statements, &section);
			free(section.lines);
			section = (struct section){0};
		}
		if (more && line.section) {
			if (type != NULL && strcmp(line.key->text, type) == 0)
				section.type = line.key;
			else if (type == NULL && !text_is_in(line.key->text, types))
				lines_differ(statements->output, &statements->output->settings,
				             line.key->line, "a section %s has no counterpart",
				             line.key->text);
		} else if (more && section.type != NULL) {
			struct uci_line *grown = realloc(section.lines, (section.count + 1) * sizeof *grown);

			good = grown != NULL;
			if (good) {
				section.lines = grown;
				grown[section.count++] = line;
			}
		}
	} while (more && good);
	free(section.lines);
	return good && !output_has_failed(statements->output);
}

bool read_uci_mcproxy(struct scan *scan, struct output *output)
{
	struct statements statements = {.output = output};
	bool read = true;

	for (size_t i = 0; read && i < sizeof types / sizeof types[0]; i++)
		read = put_sections(&statements, scan, types[i]);
	read = read && !statements.failed;
	if (read && statements.scan.count == 0)
		read = output_fail(output, 0, "no section that is in use");
	output->scan = &statements.scan;
	read = read && read_mcproxy_1_1(&statements.scan, output);
	output->scan = scan;
	for (size_t i = 0; i < statements.scan.count; i++)
		free(statements.scan.words[i].text);
	free(statements.scan.words);
	return read;
}
