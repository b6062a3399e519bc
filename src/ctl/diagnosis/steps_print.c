/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/steps_print.h"

#include "ctl/client/columns.h"
#include "ctl/client/print.h"

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

void steps_print(const struct stream_facts *stream, const struct steps *steps, bool colour)
{
	char group[ADDR_TEXT_SIZE], text[ADDR_TEXT_SIZE];
	const char *source = source_text(stream, text);

	print("%s from %s\n", addr_format(&stream->group, group), source != NULL ? source : "any source");
	for (size_t i = 0; i < steps->count; i++) {
		const struct step *step = &steps->list[i];
		const char *result = result_name(step->result);

		print("%3zu. ", i + 1);
		colour_print(stdout, colour, result_colour(step->result), result);
		print("%*s %s: %s\n", 7 - (int)strlen(result), "", step->name, step->text);
		if (step->remedy[0] != '\0')
			print("     remedy: %s\n", step->remedy);
	}
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
