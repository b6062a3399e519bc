/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/findings.h"

#include "ctl/client/columns.h"
#include "ctl/client/options.h"
#include "ctl/client/print.h"
#include "ctl/client/wrap.h"

#include <stdarg.h>
#include <string.h>

const char *severity_name(enum severity severity)
{
	return severity == SEVERITY_ERROR ? "error" : severity == SEVERITY_WARNING ? "warning" : "note";
}

/* The severity of what a check finds, unless it says otherwise. */
static enum severity severity_of(const char *check)
{
	static const struct {
		const char *check;
		enum severity severity;
	} rows[] = {
		{"owner", SEVERITY_ERROR}, {"file", SEVERITY_ERROR},      {"kernel", SEVERITY_ERROR},
		{"links", SEVERITY_ERROR}, {"rp-filter", SEVERITY_ERROR}, {"firewall", SEVERITY_ERROR},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].check, check) == 0)
			return rows[i].severity;
	return SEVERITY_WARNING;
}

struct finding *findings_add(struct findings *findings, const char *check, const char *subject,
                             const char *why)
{
	static struct finding nowhere;
	struct finding *finding = &nowhere;

	if (findings->count < FINDINGS_MAX)
		finding = &findings->list[findings->count++];
	else
		findings->dropped++;
	*finding = (struct finding){.severity = severity_of(check), .check = check, .why = why};
	snprintf(finding->subject, sizeof finding->subject, "%s", subject);
	return finding;
}

void finding_what(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding->what, sizeof finding->what, format, arguments);
	va_end(arguments);
}

void finding_remedy(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding->remedy, sizeof finding->remedy, format, arguments);
	va_end(arguments);
}

void findings_skip(struct findings *findings, const char *check, const char *why)
{
	if (findings->skipped_count == sizeof findings->skipped / sizeof findings->skipped[0])
		return;
	findings->skipped[findings->skipped_count] = check;
	findings->skipped_why[findings->skipped_count++] = why;
}

static bool is_same(const struct finding *a, const struct finding *b)
{
	return strcmp(a->check, b->check) == 0 && strcmp(a->subject, b->subject) == 0 &&
	       strcmp(a->what, b->what) == 0;
}

/* Instances that share a link have the same findings about it. */
static void remove_repeated(struct findings *findings)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++) {
		size_t earlier = 0;

		while (earlier < count && !is_same(&findings->list[earlier], &findings->list[i]))
			earlier++;
		if (earlier == count)
			findings->list[count++] = findings->list[i];
	}
	findings->count = count;
}

/* Few: by insertion, which keeps the order of equals. */
void findings_sort(struct findings *findings)
{
	remove_repeated(findings);
	for (size_t i = 1; i < findings->count; i++) {
		struct finding finding = findings->list[i];
		size_t at = i;

		for (; at > 0 && findings->list[at - 1].severity > finding.severity; at--)
			findings->list[at] = findings->list[at - 1];
		findings->list[at] = finding;
	}
}

static void print_what(const struct finding *finding, FILE *out, bool colour, unsigned width)
{
	char text[FINDING_TEXT_SIZE + sizeof finding->subject + 4];

	colour_print(out, colour, finding->severity == SEVERITY_NOTE ? COLOUR_NONE : COLOUR_BAD,
	             finding->check);
	fputs(": ", out);
	snprintf(text, sizeof text, "%s: %s", finding->subject, finding->what);
	wrap_print(out, width, text_width(finding->check) + 2, 4, text);
}

static void print_remedy(const struct finding *finding, FILE *out, unsigned width)
{
	fputs("    why: ", out);
	wrap_print(out, width, 9, 9, finding->why);
	fputs("    remedy: ", out);
	wrap_print(out, width, 12, 12, finding->remedy);
	fputc('\n', out);
}

static bool share_remedy(const struct finding *a, const struct finding *b)
{
	return a->severity == b->severity && strcmp(a->check, b->check) == 0 && strcmp(a->why, b->why) == 0 &&
	       strcmp(a->remedy, b->remedy) == 0;
}

/* One rule of a firewall stops the streams to each of many links: one remedy after them all. */
static void print_findings(const struct findings *findings, FILE *out, bool colour, unsigned width)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];

		print_what(finding, out, colour, width);
		if (i + 1 == findings->count || !share_remedy(finding, finding + 1))
			print_remedy(finding, out, width);
	}
}

/* Prints consecutive checks that were skipped for the same reason in one paragraph. */
static void print_skipped(const struct findings *findings, FILE *out, unsigned width)
{
	char text[1024];
	size_t used = 0;

	for (size_t i = 0; i < findings->skipped_count; i++) {
		const char *why = findings->skipped_why[i];
		bool first = i == 0 || strcmp(why, findings->skipped_why[i - 1]) != 0;
		bool last =
			i + 1 == findings->skipped_count || strcmp(why, findings->skipped_why[i + 1]) != 0;

		used = first ? 0 : used;
		if (first)
			used += (size_t)snprintf(text, sizeof text, "skipped, because %s: ", why);
		if (used < sizeof text)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
			                         findings->skipped[i], last ? "" : ", ");
		if (last)
			wrap_print(out, width, 0, 4, text);
	}
	if (findings->skipped_count > 0)
		fputc('\n', out);
}

size_t findings_problems(const struct findings *findings)
{
	size_t count = findings->dropped;

	for (size_t i = 0; i < findings->count; i++)
		count += findings->list[i].severity != SEVERITY_NOTE;
	return count;
}

/* "2 findings (13 checks, 1 skipped)", "All is well (12 checks)" */
static void print_end(const struct findings *findings, FILE *out)
{
	size_t problems = findings_problems(findings), notes = findings->count + findings->dropped - problems;
	char text[64];

	print_to(out, "%s (", problems > 0 ? format_count((double)problems, "finding", text) : "All is well");
	print_to(out, "%s", format_count((double)findings->checks, "check", text));
	if (notes > 0)
		print_to(out, ", %s", format_count((double)notes, "note", text));
	if (findings->skipped_count > 0)
		print_to(out, ", %zu skipped", findings->skipped_count);
	fputs(")\n", out);
}

void findings_print(const struct findings *findings, FILE *out, bool colour, unsigned width)
{
	print_findings(findings, out, colour, width);
	if (findings->dropped > 0)
		print_to(out, "%zu more findings are not shown\n\n", findings->dropped);
	print_skipped(findings, out, width);
	print_end(findings, out);
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static struct json_object *finding_object(const struct finding *finding)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "check", finding->check);
	add_text(object, "severity", severity_name(finding->severity));
	add_text(object, "subject", finding->subject);
	add_text(object, "what", finding->what);
	add_text(object, "why", finding->why);
	add_text(object, "remedy", finding->remedy);
	return object;
}

struct json_object *findings_list(const struct findings *findings)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < findings->count; i++)
		json_object_array_add(list, finding_object(&findings->list[i]));
	return list;
}

void findings_print_json(const struct findings *findings, FILE *out)
{
	struct json_object *root = json_object_new_object(), *skipped = json_object_new_array();

	for (size_t i = 0; i < findings->skipped_count; i++) {
		struct json_object *object = json_object_new_object();

		add_text(object, "check", findings->skipped[i]);
		add_text(object, "why", findings->skipped_why[i]);
		json_object_array_add(skipped, object);
	}
	json_object_object_add(root, "version", json_object_new_int(CTL_JSON_VERSION));
	json_object_object_add(root, "command", json_object_new_string("doctor"));
	json_object_object_add(root, "checks", json_object_new_int64((int64_t)findings->checks));
	json_object_object_add(root, "findings", findings_list(findings));
	json_object_object_add(root, "skipped", skipped);
	print_json(out, json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN));
	json_object_put(root);
}
