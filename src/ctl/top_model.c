/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/top_model.h"

#include "core/base/grow.h"
#include "ctl/client/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *top_order_name(enum top_order order)
{
	static const char *const names[TOP_ORDERS] = {
		[TOP_BY_RATE] = "bit rate", [TOP_BY_PACKETS] = "packets", [TOP_BY_GROUP] = "group",
		[TOP_BY_AGE] = "age",       [TOP_BY_MEMBERS] = "members",
	};

	return names[order];
}

static void list_fini(struct top_list *list)
{
	free(list->items);
	*list = (struct top_list){0};
}

void top_model_fini(struct top_model *model)
{
	list_fini(&model->streams);
	list_fini(&model->links);
	list_fini(&model->old_streams);
	list_fini(&model->old_links);
}

/* Adds a zeroed item at the end; NULL when memory is short. */
static void *list_add(struct top_list *list, size_t size)
{
	void *items = grow(list->items, list->count, &list->capacity, size);

	if (items == NULL)
		return NULL;
	list->items = items;
	return memset((char *)items + list->count++ * size, 0, size);
}

static int compare_names(const void *a, const void *b)
{
	const struct top_stream *one = a, *other = b;
	int order = strcmp(one->instance, other->instance);

	if (order == 0)
		order = strcmp(one->group, other->group);
	return order != 0 ? order : strcmp(one->source, other->source);
}

static int compare_links(const void *a, const void *b)
{
	const struct top_link *one = a, *other = b;
	int order = strcmp(one->instance, other->instance);

	if (order == 0)
		order = strcmp(one->link, other->link);
	return order != 0 ? order : strcmp(one->version, other->version);
}

/* The larger one comes first. */
static int compare_numbers(double a, double b)
{
	return (a < b) - (a > b);
}

static int by_rate(const void *a, const void *b)
{
	int order = compare_numbers(((const struct top_stream *)a)->bit_rate,
	                            ((const struct top_stream *)b)->bit_rate);

	return order != 0 ? order : compare_names(a, b);
}

static int by_packets(const void *a, const void *b)
{
	int order = compare_numbers(((const struct top_stream *)a)->packets,
	                            ((const struct top_stream *)b)->packets);

	return order != 0 ? order : compare_names(a, b);
}

static int by_age(const void *a, const void *b)
{
	int order = compare_numbers(((const struct top_stream *)a)->age, ((const struct top_stream *)b)->age);

	return order != 0 ? order : compare_names(a, b);
}

/* By hosts, or by links if hosts are not known. */
static int by_members(const void *a, const void *b)
{
	const struct top_stream *one = a, *other = b;
	int order = compare_numbers(one->hosts, other->hosts);

	if (order == 0)
		order = compare_numbers(one->output_count, other->output_count);
	return order != 0 ? order : compare_names(a, b);
}

void top_model_sort(struct top_model *model)
{
	static int (*const orders[TOP_ORDERS])(const void *, const void *) = {
		[TOP_BY_RATE] = by_rate, [TOP_BY_PACKETS] = by_packets, [TOP_BY_GROUP] = compare_names,
		[TOP_BY_AGE] = by_age,   [TOP_BY_MEMBERS] = by_members,
	};

	if (model->streams.count > 0)
		qsort(model->streams.items, model->streams.count, sizeof(struct top_stream),
		      orders[model->order]);
}

static void swap(struct top_list *list, struct top_list *old)
{
	struct top_list kept = *old;

	*old = *list;
	*list = kept;
	list->count = 0;
}

void top_model_begin(struct top_model *model)
{
	swap(&model->streams, &model->old_streams);
	swap(&model->links, &model->old_links);
	model->old_uptime = model->uptime;
	if (model->old_streams.count > 0)
		qsort(model->old_streams.items, model->old_streams.count, sizeof(struct top_stream),
		      compare_names);
	if (model->old_links.count > 0)
		qsort(model->old_links.items, model->old_links.count, sizeof(struct top_link), compare_links);
	model->bit_rate = 0;
	model->unwanted = 0;
}

static void copy(char *to, size_t size, struct json_object *object, const char *key)
{
	snprintf(to, size, "%s", answer_text(object, key));
}

static void *find_old(const struct top_list *old, const void *item, size_t size,
                      int (*compare)(const void *, const void *))
{
	return old->count > 0 ? bsearch(item, old->items, old->count, size, compare) : NULL;
}

/* Growth per second. A counter that went back has restarted. */
static double rate(const struct top_model *model, double now, double before)
{
	double elapsed = model->uptime - model->old_uptime;

	return model->old_uptime > 0 && elapsed > 0 && now >= before ? (now - before) / elapsed : 0;
}

static void take_link(struct top_model *model, struct json_object *value)
{
	struct top_link *link = list_add(&model->links, sizeof *link);
	const struct top_link *old;

	if (link == NULL) {
		model->failed = true;
		return;
	}
	copy(link->instance, sizeof link->instance, value, "instance");
	copy(link->link, sizeof link->link, value, "link");
	copy(link->role, sizeof link->role, value, "role");
	copy(link->version, sizeof link->version, value, "version");
	link->usable = answer_bool(value, "usable");
	link->served = !answer_has(value, "not_served");
	link->groups = answer_number(value, "groups");
	link->reports = answer_number(answer_member(value, "counters"), "reports");
	link->drops = answer_drops(value);
	old = find_old(&model->old_links, link, sizeof *link, compare_links);
	if (old == NULL)
		return;
	link->report_rate = rate(model, link->reports, old->reports);
	link->drop_rate = rate(model, link->drops, old->drops);
}

static void copy_outputs(struct top_stream *stream, struct json_object *outputs)
{
	size_t count = answer_length(outputs);
	size_t used = 0;

	stream->output_count = (unsigned)count;
	for (size_t i = 0; i < count && used < sizeof stream->outputs; i++)
		used += (size_t)snprintf(stream->outputs + used, sizeof stream->outputs - used, "%s%s",
		                         i > 0 ? " " : "",
		                         json_object_get_string(json_object_array_get_idx(outputs, i)));
}

static void take_stream(struct top_model *model, struct json_object *value)
{
	struct top_stream *stream = list_add(&model->streams, sizeof *stream);
	const struct top_stream *old;

	if (stream == NULL) {
		model->failed = true;
		return;
	}
	copy(stream->instance, sizeof stream->instance, value, "instance");
	copy(stream->group, sizeof stream->group, value, "group");
	copy(stream->source, sizeof stream->source, value, "source");
	copy(stream->input, sizeof stream->input, value, "input");
	copy_outputs(stream, answer_member(value, "outputs"));
	stream->hosts = answer_number(value, "hosts");
	stream->age = answer_number(value, "age");
	stream->packets = answer_number(value, "packets");
	stream->bytes = answer_number(value, "bytes");
	stream->wrong = answer_number(value, "wrong_interface");
	stream->bit_rate = answer_number(value, "bit_rate");
	old = find_old(&model->old_streams, stream, sizeof *stream, compare_names);
	if (old != NULL) {
		stream->bit_rate = 8 * rate(model, stream->bytes, old->bytes);
		stream->packet_rate = rate(model, stream->packets, old->packets);
	}
	model->bit_rate += stream->bit_rate;
	model->unwanted += stream->output_count == 0;
}

void top_model_take(void *context, const char *key, struct json_object *value)
{
	struct top_model *model = context;

	if (strcmp(key, "uptime") == 0)
		model->uptime = json_object_get_double(value);
	else if (strcmp(key, "links") == 0)
		take_link(model, value);
	else if (strcmp(key, "routes") == 0)
		take_stream(model, value);
}

void top_model_end(struct top_model *model)
{
	top_model_sort(model);
}
