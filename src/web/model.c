/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/model.h"

#include "core/base/index.h"
#include "web/items.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* An object of a list. */
struct object {
	struct index_node node;
	enum list list;
	unsigned taken_at; /* the number of the answer */
	bool changed;      /* it is among the changed ones */
	bool gone;
	char *key;
	char *text;
	size_t size;
	char *settled; /* the text without what changes as time passes */
	size_t settled_size;
};

struct objects {
	struct object **list;
	size_t count, room;
};

struct model {
	struct index lists[LISTS];
	struct objects changed[LISTS];
	unsigned answers[LISTS]; /* the number of the last one */
	uint32_t seed;
	bool status_changed;
	struct object status;
	char *scratch; /* for settled texts */
	size_t scratch_size;
};

/* The members that make the key of an object. */
static const struct {
	const char *name;
	const char *members[4];
} lists[LISTS] = {
	[LIST_INSTANCES] = {"instances", {"instance"}},
	[LIST_LINKS] = {"links", {"instance", "link", "family"}},
	[LIST_GROUPS] = {"groups", {"instance", "link", "group"}},
	[LIST_ROUTES] = {"routes", {"instance", "group", "source"}},
	[LIST_UPSTREAM] = {"upstream", {"link", "family"}},
	[LIST_FILTERS] = {"filters", {"instance", "link", "direction", "number"}},
	[LIST_FINDINGS] = {"findings", {"check", "subject", "what"}},
};

const char *list_name(enum list list)
{
	return lists[list].name;
}

/* Names of links and addresses have no space, so the key stays unique if the first member has some. */
bool model_key(enum list list, const char *text, size_t size, char key[KEY_SIZE])
{
	size_t used = 0;

	for (size_t i = 0; i < 4 && lists[list].members[i] != NULL; i++) {
		const char *value = "";
		size_t length = 0;

		/* A key is a string: what has quotes of its own is no name and no number. */
		if (item_member(text, size, lists[list].members[i], &value, &length) && value[-1] != '"' &&
		    memchr(value, '"', length) != NULL)
			length = 0;
		if (used + length + 2 > KEY_SIZE)
			return false;
		if (i > 0)
			key[used++] = ' ';
		memcpy(key + used, value, length);
		used += length;
	}
	key[used] = '\0';
	return true;
}

struct model *model_new(void)
{
	struct model *model = calloc(1, sizeof *model);

	if (model != NULL && getrandom(&model->seed, sizeof model->seed, 0) < 0)
		model->seed = 0;
	return model;
}

static void free_object(struct object *object)
{
	free(object->key);
	free(object->text);
	free(object->settled);
	free(object);
}

void model_clear(struct model *model)
{
	for (enum list list = 0; list < LISTS; list++) {
		struct index_node *node = model->lists[list].oldest;

		while (node != NULL) {
			struct index_node *next = node->newer;

			free_object((struct object *)node);
			node = next;
		}
		index_fini(&model->lists[list]);
		model->lists[list] = (struct index){0};
		model->changed[list].count = 0;
	}
	free(model->status.text);
	free(model->status.settled);
	model->status = (struct object){0};
	model->status_changed = false;
}

void model_free(struct model *model)
{
	if (model == NULL)
		return;
	model_clear(model);
	for (enum list list = 0; list < LISTS; list++)
		free(model->changed[list].list);
	free(model->scratch);
	free(model);
}

/* Keyed, so that nobody chooses addresses that collide. */
static uint32_t hash_key(const struct model *model, const char *key)
{
	uint64_t hash = model->seed ^ UINT64_C(0xcbf29ce484222325);

	for (; *key != '\0'; key++) {
		hash = (hash ^ (unsigned char)*key) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return (uint32_t)(hash >> 32 ^ model->seed);
}

static struct object *find(const struct model *model, enum list list, const char *key)
{
	const struct index *index = &model->lists[list];

	for (struct index_node *node = index_find(index, hash_key(model, key)); node != NULL;
	     node = index_find_next(index, node))
		if (strcmp(((struct object *)node)->key, key) == 0)
			return (struct object *)node;
	return NULL;
}

static struct object *find_or_add(struct model *model, enum list list, const char *key)
{
	struct object *object = find(model, list, key);

	if (object != NULL)
		return object;
	object = calloc(1, sizeof *object);
	if (object == NULL)
		return NULL;
	object->list = list;
	object->key = strdup(key);
	if (object->key != NULL && index_add(&model->lists[list], &object->node, hash_key(model, key)))
		return object;
	free_object(object);
	return NULL;
}

/* An object that cannot be marked is announced with its next change. */
static void mark(struct model *model, struct object *object)
{
	struct objects *changed = &model->changed[object->list];
	size_t room = changed->room > 0 ? changed->room : 64;
	struct object **list = changed->list;

	if (object->changed)
		return;
	if (changed->count == changed->room) {
		room = changed->room > 0 ? 2 * room : room;
		list = realloc(changed->list, room * sizeof(struct object *));
		if (list == NULL)
			return;
		changed->list = list;
		changed->room = room;
	}
	list[changed->count++] = object;
	object->changed = true;
}

static bool reserve(struct model *model, size_t size)
{
	char *larger = size > model->scratch_size ? realloc(model->scratch, 2 * size) : model->scratch;

	if (larger == NULL)
		return false;
	model->scratch_size = size > model->scratch_size ? 2 * size : model->scratch_size;
	model->scratch = larger;
	return true;
}

/* Keeps the text; true if it differs from the kept one in more than times. */
static bool set_text(struct model *model, struct object *object, const char *text, size_t size)
{
	size_t settled_size;
	char *larger;
	bool same;

	if (!reserve(model, size))
		return false;
	settled_size = item_settle(text, size, model->scratch);
	same = settled_size == object->settled_size && object->settled != NULL &&
	       memcmp(model->scratch, object->settled, settled_size) == 0;
	if (size != object->size || object->text == NULL) {
		larger = realloc(object->text, size);
		if (larger == NULL)
			return false;
		object->text = larger;
		object->size = size;
	}
	memcpy(object->text, text, size);
	if (same)
		return false;
	larger = realloc(object->settled, settled_size + 1);
	if (larger == NULL)
		return false;
	object->settled = larger;
	object->settled_size = settled_size;
	memcpy(object->settled, model->scratch, settled_size);
	return true;
}

void model_begin(struct model *model, enum list list)
{
	model->answers[list]++;
}

void model_take(struct model *model, enum list list, const char *text, size_t size)
{
	struct object *object;
	char key[KEY_SIZE];

	if (size < 2 || text[0] != '{' || !model_key(list, text, size, key))
		return;
	object = find_or_add(model, list, key);
	if (object == NULL)
		return;
	object->taken_at = model->answers[list];
	if (set_text(model, object, text, size) || object->gone)
		mark(model, object);
	object->gone = false;
	if (object->text == NULL)
		object->gone = true;
}

static void lose(struct model *model, struct object *object)
{
	if (object->taken_at == model->answers[object->list] || object->gone)
		return;
	object->gone = true;
	mark(model, object);
}

void model_end(struct model *model, enum list list)
{
	for (struct index_node *node = model->lists[list].oldest; node != NULL; node = node->newer)
		lose(model, (struct object *)node);
}

void model_end_one(struct model *model, enum list list, const char *key)
{
	struct object *object = find(model, list, key);

	if (object != NULL)
		lose(model, object);
}

void model_set_status(struct model *model, const char *text, size_t size)
{
	model->status_changed |= set_text(model, &model->status, text, size);
}

bool model_has_changed(const struct model *model)
{
	bool changed = model->status_changed;

	for (enum list list = 0; list < LISTS; list++)
		changed |= model->changed[list].count > 0;
	return changed;
}

static void put(FILE *out, const char *text, size_t size)
{
	fwrite(text, 1, size, out);
}

/* The object with its key: `{"key":"tv eth1 239.1.1.1","instance":...}`. Its members were JSON, so the key is. */
static void put_object(FILE *out, const struct object *object, bool first)
{
	size_t at = 1;

	while (at + 1 < object->size && object->text[at] == ' ')
		at++;
	fprintf(out, "%s{\"key\":\"%s\"%s", first ? "" : ",", object->key,
	        object->text[at] != '}' ? "," : "");
	put(out, object->text + at, object->size - at);
}

static void put_set(FILE *out, const struct objects *changed)
{
	bool first = true;

	fputs("\"set\":[", out);
	for (size_t i = 0; i < changed->count; i++) {
		if (changed->list[i]->gone)
			continue;
		put_object(out, changed->list[i], first);
		first = false;
	}
	fputs("],\"gone\":[", out);
	first = true;
	for (size_t i = 0; i < changed->count; i++) {
		if (!changed->list[i]->gone)
			continue;
		fprintf(out, "%s\"%s\"", first ? "" : ",", changed->list[i]->key);
		first = false;
	}
	putc(']', out);
}

/* The changes of the list are announced. */
static void forget_changes(struct model *model, enum list list)
{
	struct objects *changed = &model->changed[list];

	for (size_t i = 0; i < changed->count; i++) {
		struct object *object = changed->list[i];

		object->changed = false;
		if (!object->gone)
			continue;
		index_remove(&model->lists[list], &object->node);
		free_object(object);
	}
	changed->count = 0;
}

/* NULL, with nothing kept, if the text is not complete. */
static char *finish(FILE *out, char **text)
{
	bool good = !ferror(out);

	if (fclose(out) == 0 && good)
		return *text;
	free(*text);
	return NULL;
}

char *model_changes(struct model *model, double time, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (out == NULL)
		return NULL;
	fprintf(out, "{\"time\":%.3f", time);
	if (model->status_changed && model->status.text != NULL) {
		fputs(",\"status\":", out);
		put(out, model->status.text, model->status.size);
	}
	model->status_changed = false;
	for (enum list list = 0; list < LISTS; list++) {
		if (model->changed[list].count == 0)
			continue;
		fprintf(out, ",\"%s\":{", list_name(list));
		put_set(out, &model->changed[list]);
		putc('}', out);
		forget_changes(model, list);
	}
	putc('}', out);
	return finish(out, &text);
}

char *model_snapshot(const struct model *model, double time, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (out == NULL)
		return NULL;
	fprintf(out, "{\"time\":%.3f,\"status\":", time);
	if (model->status.text != NULL)
		put(out, model->status.text, model->status.size);
	else
		fputs("{}", out);
	for (enum list list = 0; list < LISTS; list++) {
		bool first = true;

		fprintf(out, ",\"%s\":[", list_name(list));
		for (const struct index_node *node = model->lists[list].oldest; node != NULL;
		     node = node->newer) {
			const struct object *object = (const struct object *)node;

			if (object->gone)
				continue;
			put_object(out, object, first);
			first = false;
		}
		putc(']', out);
	}
	putc('}', out);
	return finish(out, &text);
}
