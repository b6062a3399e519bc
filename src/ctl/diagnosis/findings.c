/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/findings.h"

#include "ctl/client/columns.h"
#include "ctl/client/print.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>

struct finding *findings_add(struct findings *findings, const char *check, const char *subject,
                             const char *why)
{
	static struct finding nowhere;
	struct finding *finding = &nowhere;

	if (findings->count < FINDINGS_MAX)
		finding = &findings->list[findings->count++];
	else
		findings->dropped++;
	*finding = (struct finding){.check = check, .why = why};
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

/* Prints consecutive checks that were skipped for the same reason on one line. */
static void print_skipped(const struct findings *findings, FILE *out)
{
	for (size_t i = 0; i < findings->skipped_count; i++) {
		const char *why = findings->skipped_why[i];

		if (i == 0 || strcmp(why, findings->skipped_why[i - 1]) != 0)
			print_to(out, "%sskipped, because %s: ", i > 0 ? "\n" : "", why);
		else
			fputs(", ", out);
		print_to(out, "%s", findings->skipped[i]);
	}
	if (findings->skipped_count > 0)
		fputc('\n', out);
}

void findings_print(const struct findings *findings, FILE *out, bool colour)
{
	size_t count = findings->count + findings->dropped;

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];

		colour_print(out, colour, COLOUR_BAD, finding->check);
		print_to(out, ": %s: %s\n    why: %s\n    remedy: %s\n", finding->subject, finding->what,
		         finding->why, finding->remedy);
	}
	print_skipped(findings, out);
	if (findings->dropped > 0)
		print_to(out, "%zu more findings are not shown\n", findings->dropped);
	print_to(out, "%zu check%s made, %zu skipped, %zu finding%s\n", findings->checks,
	         findings->checks == 1 ? "" : "s", findings->skipped_count, count, count == 1 ? "" : "s");
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static struct json_object *finding_object(const struct finding *finding)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "check", finding->check);
	add_text(object, "subject", finding->subject);
	add_text(object, "what", finding->what);
	add_text(object, "why", finding->why);
	add_text(object, "remedy", finding->remedy);
	return object;
}

void findings_print_json(const struct findings *findings, FILE *out)
{
	struct json_object *root = json_object_new_object(), *list = json_object_new_array(),
			   *skipped = json_object_new_array();

	for (size_t i = 0; i < findings->count; i++)
		json_object_array_add(list, finding_object(&findings->list[i]));
	for (size_t i = 0; i < findings->skipped_count; i++) {
		struct json_object *object = json_object_new_object();

		add_text(object, "check", findings->skipped[i]);
		add_text(object, "why", findings->skipped_why[i]);
		json_object_array_add(skipped, object);
	}
	json_object_object_add(root, "checks", json_object_new_int64((int64_t)findings->checks));
	json_object_object_add(root, "findings", list);
	json_object_object_add(root, "skipped", skipped);
	print_json(out, json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN));
	json_object_put(root);
}
