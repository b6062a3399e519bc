/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/diff.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct config_link *find_link(const struct config_link *links, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(links[i].name, name) == 0)
			return &links[i];
	return NULL;
}

/* The same set of names. No name occurs twice in a list. */
static bool same_names(const struct config_link *a, size_t a_count, const struct config_link *b,
                       size_t b_count)
{
	for (size_t i = 0; i < a_count; i++)
		if (find_link(b, b_count, a[i].name) == NULL)
			return false;
	return a_count == b_count;
}

static bool have_common_name(const struct config_link *a, size_t a_count, const struct config_link *b,
                             size_t b_count)
{
	for (size_t i = 0; i < a_count; i++)
		if (find_link(b, b_count, a[i].name) != NULL)
			return true;
	return false;
}

/* In the same order, which matters for patterns. */
static bool same_links(const struct config_link *a, size_t a_count, const struct config_link *b,
                       size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (strcmp(a[i].name, b[i].name) != 0 || !link_settings_equal(&a[i].settings, &b[i].settings))
			return false;
	return true;
}

static bool is_unchanged(const struct config_instance *a, const struct config_instance *b)
{
	return strcmp(a->name, b->name) == 0 && instance_settings_equal(&a->settings, &b->settings) &&
	       same_links(a->upstream, a->upstream_count, b->upstream, b->upstream_count) &&
	       same_links(a->downstream, a->downstream_count, b->downstream, b->downstream_count);
}

/* From the most to the least certain match. Several instances may share an upstream link, and be named
 * after it. */
enum likeness { LIKE_ALL, LIKE_NAME, LIKE_UPSTREAM, LIKE_DOWNSTREAM, LIKENESSES };

static bool is_like(enum likeness likeness, const struct config_instance *a, const struct config_instance *b)
{
	bool name = strcmp(a->name, b->name) == 0;
	bool upstream = a->upstream_count > 0 &&
	                same_names(a->upstream, a->upstream_count, b->upstream, b->upstream_count);

	if (a->table != b->table)
		return false;
	switch (likeness) {
	case LIKE_ALL:
		return name && upstream &&
		       same_names(a->downstream, a->downstream_count, b->downstream, b->downstream_count);
	case LIKE_NAME:
		return name;
	case LIKE_UPSTREAM:
		return upstream;
	case LIKE_DOWNSTREAM:
		return have_common_name(a->downstream, a->downstream_count, b->downstream,
		                        b->downstream_count);
	case LIKENESSES:
		break;
	}
	return false;
}

/* The slot of a running instance that the new one can continue, among those not yet matched; -1: none. */
static int find_running(const struct config_instance *const running[CONFIG_INSTANCES_MAX], uint64_t left,
                        enum likeness likeness, const struct config_instance *instance)
{
	for (int slot = 0; slot < CONFIG_INSTANCES_MAX; slot++)
		if ((left >> slot & 1) != 0 && is_like(likeness, running[slot], instance))
			return slot;
	return -1;
}

static void match(struct config_diff *diff, const struct config_instance *const running[CONFIG_INSTANCES_MAX],
                  const struct config *config, enum likeness likeness, uint64_t *left)
{
	for (size_t i = 0; i < config->instance_count; i++) {
		const struct config_instance *instance = &config->instances[i];
		int slot = diff->kinds[i] == DIFF_ADD ? find_running(running, *left, likeness, instance) : -1;

		if (slot < 0)
			continue;
		*left &= ~((uint64_t)1 << slot);
		diff->slots[i] = (uint8_t)slot;
		diff->kinds[i] = is_unchanged(running[slot], instance) ? DIFF_KEEP : DIFF_CHANGE;
	}
}

bool config_diff_plan(struct config_diff *diff,
                      const struct config_instance *const running[CONFIG_INSTANCES_MAX],
                      const struct config *config)
{
	uint64_t left = 0, unused;

	for (int slot = 0; slot < CONFIG_INSTANCES_MAX; slot++)
		if (running[slot] != NULL)
			left |= (uint64_t)1 << slot;
	unused = ~left;
	memset(diff->kinds, DIFF_ADD, sizeof diff->kinds);
	for (enum likeness likeness = LIKE_ALL; likeness < LIKENESSES; likeness++)
		match(diff, running, config, likeness, &left);
	diff->removed = left;
	for (size_t i = 0; i < config->instance_count; i++) {
		if (diff->kinds[i] != DIFF_ADD)
			continue;
		if (unused == 0)
			return false;
		diff->slots[i] = (uint8_t)__builtin_ctzll(unused);
		unused &= unused - 1;
	}
	return true;
}

/* A text that grows until it is full. */
struct writer {
	char *text;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void add(struct writer *writer, const char *format, ...)
{
	va_list arguments;
	int length;

	if (writer->used > 0 && writer->used + 2 < writer->size)
		writer->text[writer->used++] = ' ';
	va_start(arguments, format);
	length = vsnprintf(writer->text + writer->used, writer->size - writer->used, format, arguments);
	va_end(arguments);
	if (length > 0)
		writer->used += (size_t)length;
	if (writer->used >= writer->size)
		writer->used = writer->size - 1;
}

static void describe_links(struct writer *writer, const struct config_link *before, size_t before_count,
                           const struct config_link *after, size_t after_count)
{
	for (size_t i = 0; i < before_count; i++)
		if (find_link(after, after_count, before[i].name) == NULL)
			add(writer, "-%s", before[i].name);
	for (size_t i = 0; i < after_count; i++) {
		const struct config_link *old = find_link(before, before_count, after[i].name);

		if (old == NULL)
			add(writer, "+%s", after[i].name);
		else if (!link_settings_equal(&old->settings, &after[i].settings))
			add(writer, "%s: settings", after[i].name);
	}
}

void config_diff_describe(const struct config_instance *before, const struct config_instance *after,
                          char *text, size_t size)
{
	struct writer writer = {.text = text, .size = size};

	*text = '\0';
	if (strcmp(before->name, after->name) != 0)
		add(&writer, "named %s before", before->name);
	describe_links(&writer, before->upstream, before->upstream_count, after->upstream,
	               after->upstream_count);
	describe_links(&writer, before->downstream, before->downstream_count, after->downstream,
	               after->downstream_count);
	if (!instance_settings_equal(&before->settings, &after->settings))
		add(&writer, "limits");
	if (writer.used == 0)
		add(&writer, "order of links");
}
