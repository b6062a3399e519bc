/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of the daemon, as mcproxy-web reads them: the first byte of the input is the size of the pieces, the second
 * the list. However the bytes are cut, the same items come out; and events made of valid items are valid.
 */
#include "web/items.h"
#include "web/model.h"

#include "fuzz.h"

#include <json-c/json.h>
#include <stdio.h>

struct taker {
	enum list list;
	struct model *model;
	size_t items, bytes;
	uint32_t sum;
};

static bool is_valid(const char *text, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;
	char *copy = malloc(size + 1);
	bool valid;

	memcpy(copy, text, size);
	copy[size] = '\0';
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, copy, (int)size + 1);
	valid = object != NULL && json_object_is_type(object, json_type_object);
	json_object_put(object);
	json_tokener_free(tokener);
	free(copy);
	return valid;
}

static void take(void *context, const char *name, const char *text, size_t size)
{
	struct taker *taker = context;
	char *copy = malloc(size), *settled = malloc(size), key[KEY_SIZE];

	assert(size > 0 && strlen(name) < ITEM_KEY_SIZE);
	memcpy(copy, text, size);
	taker->items++;
	taker->bytes += size;
	for (size_t i = 0; i < size; i++) {
		assert((unsigned char)text[i] >= ' ');
		taker->sum = taker->sum * 31 + (unsigned char)text[i];
	}
	assert(item_settle(copy, size, settled) <= size);
	model_key(taker->list, copy, size, key);
	item_is(copy, size, "group", "239.1.1.1");
	if (taker->model != NULL && is_valid(copy, size))
		model_take(taker->model, taker->list, copy, size);
	free(settled);
	free(copy);
}

static enum items_state feed(struct taker *taker, const uint8_t *data, size_t size, size_t piece)
{
	enum items_state state = ITEMS_OPEN;
	struct items items = {0};

	items_begin(&items, take, taker);
	for (size_t at = 0; at < size; at += piece) {
		size_t count = size - at < piece ? size - at : piece;
		uint8_t *copy = fuzz_copy(data + at, count);

		state = items_feed(&items, (const char *)copy, count);
		free(copy);
	}
	items_end(&items);
	return state;
}

static void check_event(char *text, size_t size)
{
	assert(text != NULL && strlen(text) == size && memchr(text, '\n', size) == NULL);
	assert(is_valid(text, size));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct taker whole = {0}, parts = {0};
	size_t text_size;

	if (size < 2)
		return 0;
	whole.list = parts.list = (enum list)(data[1] % LISTS);
	parts.model = model_new();
	model_begin(parts.model, parts.list);
	assert(feed(&parts, data + 2, size - 2, data[0] % 32 + 1U) == feed(&whole, data + 2, size - 2, size));
	model_end(parts.model, parts.list);
	assert(parts.items == whole.items && parts.bytes == whole.bytes && parts.sum == whole.sum);
	check_event(model_snapshot(parts.model, 1, &text_size), text_size);
	check_event(model_changes(parts.model, 1, &text_size), text_size);
	model_begin(parts.model, parts.list);
	model_end(parts.model, parts.list);
	check_event(model_changes(parts.model, 1, &text_size), text_size);
	model_free(parts.model);
	return 0;
}
