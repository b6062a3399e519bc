/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `top` shows: streams and links with their rates since the previous answers, sorted. Its input is the
 * answers to `show links` and `show routes`. It knows no screen.
 */
#ifndef MCPROXY_CTL_TOP_MODEL_H
#define MCPROXY_CTL_TOP_MODEL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

struct top_stream {
	char instance[64];
	char group[48];
	char source[48];
	char input[16];
	char outputs[64]; /* the first ones, if there are many */
	unsigned output_count;
	double hosts; /* members, if they are tracked */
	double age;   /* seconds */
	double packets, bytes, wrong;
	double bit_rate, packet_rate; /* per second */
};

struct top_link {
	char instance[64];
	char link[16];
	char role[16];
	char version[16];
	bool usable;
	bool served; /* false: another program holds the family's multicast routing */
	double groups, reports, drops;
	double report_rate, drop_rate; /* per second */
};

enum top_order { TOP_BY_RATE, TOP_BY_PACKETS, TOP_BY_GROUP, TOP_BY_AGE, TOP_BY_MEMBERS, TOP_ORDERS };
const char *top_order_name(enum top_order order);

struct top_list {
	void *items;
	size_t count, capacity;
};

struct top_model {
	enum top_order order;
	struct top_list streams, links;         /* current; streams are sorted */
	struct top_list old_streams, old_links; /* previous, sorted by name */
	double uptime, old_uptime;              /* of the daemon at these times; 0: never */
	double bit_rate;                        /* of all streams */
	size_t unwanted;
	bool failed; /* memory is short */
};

void top_model_fini(struct top_model *model);
/* Before and after the two answers of each round. */
void top_model_begin(struct top_model *model);
void top_model_take(void *model, const char *key, struct json_object *value);
void top_model_end(struct top_model *model);
void top_model_sort(struct top_model *model);

static inline const struct top_stream *top_model_stream(const struct top_model *model, size_t i)
{
	return (const struct top_stream *)model->streams.items + i;
}

static inline const struct top_link *top_model_link(const struct top_model *model, size_t i)
{
	return (const struct top_link *)model->links.items + i;
}

#endif
