/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/steps_print.h"

#include "ctl/client/answer.h"
#include "ctl/client/print.h"
#include "ctl/client/wrap.h"

#include <string.h>

static const char *result_name(enum step_result result)
{
	return result == STEP_OK ? "ok" : result == STEP_FAIL ? "FAIL" : "skipped";
}

static enum colour result_colour(enum step_result result)
{
	return result == STEP_OK ? COLOUR_GOOD : result == STEP_FAIL ? COLOUR_BAD : COLOUR_FAINT;
}

/* "10.0.0.10"; NULL when no source is known. */
static const char *source_text(const struct stream_facts *stream, char text[ADDR_TEXT_SIZE])
{
	return stream->has_source ? addr_format(&stream->source, text) : NULL;
}

#define TEXT_COLUMN 13 /* where the text of a step begins */

static void print_step(size_t number, const struct step *step, bool colour, unsigned width)
{
	const char *result = result_name(step->result);
	char text[STEP_TEXT_SIZE + 64];

	print("%3zu. ", number);
	colour_print(stdout, colour, result_colour(step->result), result);
	print("%*s ", 7 - (int)strlen(result), "");
	snprintf(text, sizeof text, "%s: %s", step->name, step->text);
	wrap_print(stdout, width, TEXT_COLUMN, TEXT_COLUMN, text);
	if (step->remedy[0] == '\0')
		return;
	fputs("     remedy: ", stdout);
	wrap_print(stdout, width, TEXT_COLUMN, TEXT_COLUMN, step->remedy);
}

/* The links where members receive the stream: the wanted one, or those with members. */
static void describe_end(const struct stream_facts *stream, char *text, size_t size)
{
	size_t count = answer_length(stream->groups), used = 0;

	text[0] = '\0';
	if (stream->wanted_link != NULL)
		snprintf(text, size, " up to %s", stream->wanted_link);
	for (size_t i = 0; stream->wanted_link == NULL && i < count && used < size; i++) {
		struct json_object *group = json_object_array_get_idx(stream->groups, i);

		if (stream->instance == NULL || strcmp(answer_text(group, "instance"), stream->instance) == 0)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
			                         used > 0 ? ", " : " up to ", answer_text(group, "link"));
	}
}

static size_t skipped_steps(const struct steps *steps)
{
	size_t skipped = 0;

	for (size_t i = 0; i < steps->count; i++)
		skipped += steps->list[i].result == STEP_SKIPPED;
	return skipped;
}

/* "All well up to br-lan", or "Stops at step 7: rp_filter" */
static void print_end(const struct stream_facts *stream, const struct steps *steps, bool colour)
{
	const struct step *last = &steps->list[steps->count - 1];
	bool failed = last->result == STEP_FAIL;
	size_t skipped = skipped_steps(steps);
	char text[512], links[256];

	describe_end(stream, links, sizeof links);
	if (failed)
		snprintf(text, sizeof text, "Stops at step %zu: %s", steps->count, last->name);
	else if (skipped > 0)
		snprintf(text, sizeof text, "All well%s (%zu step%s skipped)", links, skipped,
		         skipped == 1 ? "" : "s");
	else
		snprintf(text, sizeof text, "All well%s", links);
	colour_print(stdout, colour, failed ? COLOUR_BAD : COLOUR_GOOD, text);
	putchar('\n');
}

void steps_print(const struct stream_facts *stream, const struct steps *steps, bool colour)
{
	char group[ADDR_TEXT_SIZE], text[ADDR_TEXT_SIZE];
	const char *source = source_text(stream, text);
	unsigned width = screen_width();

	print("%s from %s\n", addr_format(&stream->group, group), source != NULL ? source : "any source");
	for (size_t i = 0; i < steps->count; i++)
		print_step(i + 1, &steps->list[i], colour, width);
	print_end(stream, steps, colour);
}

static struct json_object *text_object(const char *text)
{
	return text != NULL && *text != '\0' ? json_object_new_string(text) : NULL;
}

static struct json_object *step_object(const struct step *step)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "step", text_object(step->name));
	json_object_object_add(object, "result",
	                       text_object(step->result == STEP_FAIL ? "fail" : result_name(step->result)));
	json_object_object_add(object, "text", text_object(step->text));
	json_object_object_add(object, "remedy", text_object(step->remedy));
	return object;
}

struct json_object *steps_object(const struct stream_facts *stream, const struct steps *steps)
{
	const struct step *last = &steps->list[steps->count - 1];
	bool failed = last->result == STEP_FAIL;
	struct json_object *object = json_object_new_object(), *list = json_object_new_array();
	char group[ADDR_TEXT_SIZE], source[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < steps->count; i++)
		json_object_array_add(list, step_object(&steps->list[i]));
	json_object_object_add(object, "group", text_object(addr_format(&stream->group, group)));
	json_object_object_add(object, "source", text_object(source_text(stream, source)));
	json_object_object_add(object, "instance", text_object(stream->instance));
	json_object_object_add(object, "result", text_object(failed ? "fail" : "ok"));
	json_object_object_add(object, "failed", text_object(failed ? last->name : NULL));
	json_object_object_add(object, "steps", list);
	return object;
}
