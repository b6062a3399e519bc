/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/convert/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_MAX_SIZE 15
/* Far more than mcproxy accepts; they bound the time that a hostile file takes. */
#define LINES_MAX     32768
#define LINKS_MAX     256 /* of an instance */
#define INSTANCES_MAX 1024

/* The array doubles when its count is a power of two. */
static bool make_room(struct lines *lines)
{
	size_t count = lines->count;
	struct line *grown;

	if ((count & (count - 1)) != 0)
		return true;
	grown = realloc(lines->line, (count > 0 ? 2 * count : 1) * sizeof *grown);
	if (grown != NULL)
		lines->line = grown;
	return grown != NULL;
}

/* Takes the text, which may be NULL. */
static void add(struct output *output, struct lines *lines, char *text, unsigned from)
{
	bool few = output->line_count++ < LINES_MAX;

	if (!few)
		output_fail(output, from, "more than %d lines come from this file", LINES_MAX);
	if (!few || text == NULL || !make_room(lines)) {
		free(text);
		output->no_memory = true;
		return;
	}
	lines->line[lines->count++] = (struct line){text, from};
}

static unsigned origin(const struct output *output)
{
	return output->from > 0 || output->scan == NULL ? output->from : scan_line(output->scan);
}

void lines_add(struct output *output, struct lines *lines, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	add(output, lines, text, origin(output));
}

void lines_append(struct output *output, struct lines *lines, const char *prefix, const struct lines *more)
{
	char *text;

	for (size_t i = 0; i < more->count && !output_has_failed(output); i++) {
		if (asprintf(&text, "%s%s", prefix, more->line[i].text) < 0)
			text = NULL;
		add(output, lines, text, more->line[i].from);
	}
}

void lines_deny_rest(struct output *output, struct lines *rules)
{
	const char *last = rules->count > 0 ? rules->line[rules->count - 1].text : "";

	if (strcmp(last, "allow all") != 0 && strcmp(last, "deny all") != 0)
		lines_add(output, rules, "deny all");
}

void lines_clear(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->line[i].text);
	free(lines->line);
	*lines = (struct lines){0};
}

void lines_set(struct output *output, struct lines *lines, const char *key, const char *value)
{
	size_t size = strlen(key), count = lines->count;

	lines_add(output, lines, "%s = %s;", key, value);
	for (size_t i = 0; i < count && lines->count > count; i++) {
		if (strncmp(lines->line[i].text, key, size) != 0 || lines->line[i].text[size] != ' ')
			continue;
		free(lines->line[i].text);
		lines->line[i] = lines->line[--lines->count];
	}
}

void lines_set_bool(struct output *output, struct lines *lines, const char *key, bool value)
{
	lines_set(output, lines, key, value ? "true" : "false");
}

void lines_set_number(struct output *output, struct lines *lines, const char *key, unsigned long number)
{
	char text[24];

	snprintf(text, sizeof text, "%lu", number);
	lines_set(output, lines, key, text);
}

__attribute__((format(printf, 5, 0))) static void comment(struct output *output, struct lines *lines,
                                                          const char *title, unsigned line,
                                                          const char *format, va_list arguments)
{
	char *what = NULL, *text = NULL;

	if (vasprintf(&what, format, arguments) < 0)
		what = NULL;
	if (what != NULL && (line > 0 ? asprintf(&text, "# %s (line %u): %s", title, line, what)
	                              : asprintf(&text, "# %s: %s", title, what)) < 0)
		text = NULL;
	free(what);
	add(output, lines, text, line);
}

void lines_differ(struct output *output, struct lines *lines, unsigned line, const char *format, ...)
{
	va_list arguments;

	output->differs = true;
	va_start(arguments, format);
	comment(output, lines, "difference", line, format, arguments);
	va_end(arguments);
}

void lines_leave_out(struct output *output, struct lines *lines, unsigned line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	comment(output, lines, "not needed", line, format, arguments);
	va_end(arguments);
}

bool output_fail(struct output *output, unsigned line, const char *format, ...)
{
	va_list arguments;

	if (output_has_failed(output))
		return false;
	va_start(arguments, format);
	vsnprintf(output->problem, sizeof output->problem, format, arguments);
	va_end(arguments);
	output->line = line;
	return false;
}

bool output_has_failed(const struct output *output)
{
	return output->problem[0] != '\0';
}

struct instance *output_instance(struct output *output, const char *name)
{
	struct instance **at = &output->instances;
	size_t count = 0;

	for (; *at != NULL; at = &(*at)->next, count++)
		if (name != NULL && (*at)->name != NULL && strcmp((*at)->name, name) == 0)
			return *at;
	if (count >= INSTANCES_MAX) {
		output_fail(output, origin(output), "more than %d instances", INSTANCES_MAX);
		return NULL;
	}
	*at = calloc(1, sizeof **at);
	if (*at == NULL || (name != NULL && ((*at)->name = strdup(name)) == NULL)) {
		output_fail(output, 0, "no memory");
		free(*at);
		*at = NULL;
	}
	return *at;
}

/* Interface names have neither blanks nor slashes; controls and quotes do not occur in practice. */
bool link_name_is_valid(const char *name)
{
	if (*name == '\0' || strlen(name) > NAME_MAX_SIZE || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return false;
	for (; *name != '\0'; name++)
		if (*name <= ' ' || *name >= 0x7f || strchr("/\"'\\@=:;,(){}", *name) != NULL)
			return false;
	return true;
}

struct link *link_find(const struct instance *instance, const char *name)
{
	for (struct link *link = instance->links; link != NULL; link = link->next)
		if (strcmp(link->name, name) == 0)
			return link;
	return NULL;
}

struct link *output_link(struct output *output, struct instance *instance, const char *name, unsigned line)
{
	struct link *link = instance != NULL ? link_find(instance, name) : NULL, **at;
	size_t count = 0;

	if (link != NULL || instance == NULL)
		return link;
	for (at = &instance->links; *at != NULL; at = &(*at)->next)
		count++;
	if (!link_name_is_valid(name) || count >= LINKS_MAX) {
		output_fail(output, line,
		            count >= LINKS_MAX
		                    ? "\"%.40s\": too many interfaces"
		                    : "\"%.40s\" is no name of an interface (at most 15 characters)",
		            name);
		return NULL;
	}
	link = calloc(1, sizeof *link);
	if (link == NULL || (link->name = strdup(name)) == NULL) {
		free(link);
		output_fail(output, 0, "no memory");
		return NULL;
	}
	link->line = line;
	*at = link;
	return link;
}

bool output_link_role(struct output *output, struct instance *instance, const struct word *name,
                      enum role role)
{
	struct link *link = output_link(output, instance, name->text, name->line);

	if (link == NULL)
		return false;
	if (link->role != ROLE_NONE && link->role != role)
		return output_fail(output, name->line,
		                   "%s is upstream and downstream: with mcproxy, a link has one role",
		                   name->text);
	link->role = role;
	return true;
}

bool role_parse(const char *text, enum role *role)
{
	static const char *const names[] = {
		[ROLE_NONE] = "disabled", [ROLE_UPSTREAM] = "upstream", [ROLE_DOWNSTREAM] = "downstream"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(names[i], text) != 0)
			continue;
		*role = (enum role)i;
		return true;
	}
	return false;
}

size_t instance_count_role(const struct instance *instance, enum role role)
{
	size_t count = 0;

	for (const struct link *link = instance->links; link != NULL; link = link->next)
		count += link->role == role;
	return count;
}

void output_choose_all(struct output *output, struct instance *instance)
{
	if (instance == NULL || instance_count_role(instance, ROLE_UPSTREAM) < 2)
		return;
	lines_set(output, &instance->settings, "upstream_choice", "\"all\"");
	lines_differ(output, &instance->settings, 0,
	             "several upstreams: each stream comes from the one where it arrived first");
}

bool output_finish_instance(struct output *output, struct instance *instance)
{
	if (instance == NULL || output_has_failed(output))
		return false;
	if (instance_count_role(instance, ROLE_DOWNSTREAM) == 0)
		return output_fail(output, instance->links != NULL ? instance->links->line : 0,
		                   "no downstream interface: there is nothing to serve");
	return true;
}

bool read_number(struct output *output, const struct word *word, unsigned long lowest, unsigned long highest,
                 unsigned long *number)
{
	char *end = NULL;

	if (word != NULL && word->text[0] >= '0' && word->text[0] <= '9') {
		*number = strtoul(word->text, &end, 10);
		if (*end == '\0' && *number >= lowest && *number <= highest)
			return true;
	}
	return output_fail(output, word != NULL ? word->line : origin(output),
	                   "\"%.40s\" is no number from %lu to %lu", word != NULL ? word->text : "", lowest,
	                   highest);
}

const struct number_setting *number_setting_find(const struct number_setting table[], const char *word)
{
	for (; table->word != NULL; table++)
		if (strcmp(table->word, word) == 0)
			return table;
	return NULL;
}

bool read_number_setting(struct output *output, struct lines *lines, const struct number_setting *setting,
                         const struct word *value)
{
	unsigned long number;
	char text[32];

	if (!read_number(output, value, setting->lowest, setting->highest, &number))
		return false;
	if (setting->key == NULL && number == 0) {
		lines_leave_out(output, lines, value->line, "%s 0", setting->word);
	} else if (setting->key == NULL) {
		lines_differ(output, lines, value->line, "%s %lu has no counterpart", setting->word, number);
	} else if (setting->tenths) {
		snprintf(text, sizeof text, "%lu.%lu", number / 10, number % 10);
		lines_set(output, lines, setting->key, text);
	} else {
		lines_set_number(output, lines, setting->key, number);
	}
	return true;
}
