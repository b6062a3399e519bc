/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the fuzzers share: reading the input as a stream of small choices, and reading all of a decoded
 * message.
 */
#ifndef MCPROXY_TESTS_FUZZ_H
#define MCPROXY_TESTS_FUZZ_H

#include "core/wire/igmp.h"
#include "core/wire/mld.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* At the end of the input every choice is 0. */
static inline uint8_t fuzz_byte(struct wire *stream)
{
	const uint8_t *at = wire_take(stream, 1);

	return at ? *at : 0;
}

static inline uint16_t fuzz_two_bytes(struct wire *stream)
{
	uint16_t high = fuzz_byte(stream);

	return (uint16_t)(high << 8 | fuzz_byte(stream));
}

/* A copy of exactly this size, so that a read past its end is seen. */
static inline uint8_t *fuzz_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	assert(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

/* Reads every byte that the message points to, in a way that the compiler cannot leave out. */
static inline void fuzz_read(const uint8_t *at, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += at[i];
	assert(sum != UINT32_MAX);
}

/* The sources of a record or query as addresses; the caller frees them. */
static inline struct addr *fuzz_sources(const uint8_t *at, size_t count, enum family family)
{
	struct addr *list = malloc((count + 1) * sizeof *list);

	assert(list != NULL);
	for (size_t i = 0; i < count; i++)
		list[i] = wire_get_addr(at + i * addr_wire_size(family), family);
	return list;
}

/* Decoded again after it was encoded, a report has the same records. */
static inline void fuzz_compare_reports(struct message first, struct message second)
{
	struct record a, b;

	while (message_next_record(&first, &a)) {
		assert(message_next_record(&second, &b));
		assert(a.type == b.type && addr_equal(&a.group, &b.group) &&
		       a.source_count == b.source_count);
		assert(a.source_count == 0 ||
		       memcmp(a.sources, b.sources, a.source_count * addr_wire_size(first.family)) == 0);
	}
	assert(!message_next_record(&second, &b));
}

static inline void fuzz_compare_queries(const struct query *a, const struct query *b, enum family family)
{
	assert(a->version == b->version && addr_equal(&a->group, &b->group));
	assert(a->max_response == b->max_response && a->suppress == b->suppress);
	assert(a->robustness == b->robustness && a->query_interval == b->query_interval);
	assert(a->source_count == b->source_count);
	assert(a->source_count == 0 ||
	       memcmp(a->sources, b->sources, a->source_count * addr_wire_size(family)) == 0);
}

/* Writes the records of a report of the newest version again. */
static inline void fuzz_rewrite(struct message message, uint8_t *buffer, size_t capacity,
                                struct report_writer *writer)
{
	struct record record;

	report_writer_open(writer, message.family, buffer, capacity);
	while (message_next_record(&message, &record)) {
		struct addr *sources = fuzz_sources(record.sources, record.source_count, message.family);
		int added =
			report_writer_add(writer, record.type, &record.group, sources, record.source_count);

		free(sources);
		assert(added == (int)record.source_count);
	}
}

/* Reads all that a decoder handed out. */
static inline void fuzz_walk(struct message message)
{
	size_t addr_size = addr_wire_size(message.family);
	struct record record;

	if (message.kind == MESSAGE_QUERY)
		fuzz_read(message.query.sources, message.query.source_count * addr_size);
	while (message.kind == MESSAGE_REPORT && message_next_record(&message, &record))
		fuzz_read(record.sources, record.source_count * addr_size);
}

#endif
