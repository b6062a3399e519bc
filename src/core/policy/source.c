/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/policy/source.h"

#include <stdio.h>
#include <stdlib.h>

struct text {
	char *bytes;
	size_t size, capacity;
	bool failed;
};

static void put(struct text *text, const char *piece)
{
	size_t size = strlen(piece), capacity = text->capacity ? text->capacity : 64;
	char *bytes;

	while (capacity < text->size + size + 1)
		capacity *= 2;
	if (capacity != text->capacity && !text->failed) {
		bytes = realloc(text->bytes, capacity);
		text->failed = bytes == NULL;
		if (bytes != NULL) {
			text->bytes = bytes;
			text->capacity = capacity;
		}
	}
	if (text->failed)
		return;
	memcpy(text->bytes + text->size, piece, size + 1);
	text->size += size;
}

static void put_range(struct text *text, const struct range *range)
{
	char piece[RANGE_TEXT_SIZE];

	put(text, " ");
	put(text, range_format(range, piece));
}

static void put_set(struct text *text, const struct policy_set *set)
{
	put(text, set->name);
	put(text, " =");
	for (size_t i = 0; i < set->ranges.count; i++)
		put_range(text, &set->ranges.list[i]);
	put(text, "\n");
}

/* Has an earlier rule, or an earlier part of this one, named the set? */
static bool is_written(const struct policy_rule *rules, size_t count, const struct policy_set *set)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].what == set || rules[i].from == set || rules[i].by == set)
			return true;
	return false;
}

static void put_sets(struct text *text, const struct policy_rule *rules, size_t count)
{
	const struct policy_rule *rule = &rules[count];
	const struct policy_set *sets[] = {rule->what, rule->from, rule->by};

	for (size_t i = 0; i < 3; i++) {
		bool again = (i > 0 && sets[i] == sets[0]) || (i > 1 && sets[i] == sets[1]);

		if (sets[i] != NULL && sets[i]->name[0] != '\0' && !sets[i]->builtin && !again &&
		    !is_written(rules, count, sets[i]))
			put_set(text, sets[i]);
	}
}

char *source_write(const struct policy_rule *rules, size_t count)
{
	struct text text = {0};
	char line[16];

	put(&text, "");
	for (size_t i = 0; i < count; i++) {
		put_sets(&text, rules, i);
		snprintf(line, sizeof line, "%u ", rules[i].line);
		put(&text, line);
		put(&text, rules[i].text);
		put(&text, "\n");
	}
	if (!text.failed)
		return text.bytes;
	free(text.bytes);
	return NULL;
}
