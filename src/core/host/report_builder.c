/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/report_builder.h"

#include "core/wire/igmp.h"
#include "core/wire/mld.h"

struct record_list {
	enum record_type type;
	struct sources sources;
};

size_t report_build_record_size(enum family family, size_t sources)
{
	return 4 + addr_wire_size(family) * (1 + sources);
}

size_t report_build_state_size(enum family family, const struct reporter_entry *entry)
{
	return reporter_entry_is_member(entry) ? report_build_record_size(family, entry->reported.count) : 0;
}

/* Adds the sources of a record that earlier packets did not carry; false when the packet is full. */
static bool write_sources(struct report_writer *writer, const struct addr *group,
                          const struct record_list *record, size_t done, uint16_t *offset)
{
	size_t left = record->sources.count - done;
	int written = report_writer_add(writer, record->type, group,
	                                left > 0 ? record->sources.list + done : NULL, left);

	if (written < 0)
		return false;
	*offset += (uint16_t)written;
	return (size_t)written == left;
}

static bool write_exclude(struct report_writer *writer, const struct addr *group,
                          const struct record_list *record)
{
	const struct sources *sources = &record->sources;

	/* It starts in a new packet if this one would cut it. */
	if (writer->records > 0 &&
	    writer->capacity - writer->size < report_build_record_size(writer->family, sources->count))
		return false;
	return report_writer_add(writer, record->type, group, sources->list, sources->count) >= 0;
}

static bool write_records(struct report_writer *writer, const struct addr *group,
                          const struct record_list *records, size_t count, uint16_t *offset)
{
	size_t before = 0; /* sources of the records up to here */

	for (size_t i = 0; i < count; i++) {
		size_t sources = records[i].sources.count;
		size_t done = *offset > before ? *offset - before : 0;

		if (records[i].type == IS_EX || records[i].type == TO_EX)
			return write_exclude(writer, group, &records[i]);
		if ((done == 0 || done < sources) && !write_sources(writer, group, &records[i], done, offset))
			return false;
		before += sources;
	}
	return true;
}

static struct record_list whole_state(const struct reporter_entry *entry, enum record_type include,
                                      enum record_type exclude)
{
	struct filter reported = stored_filter_view(&entry->reported);

	return (struct record_list){reported.mode == FILTER_EXCLUDE ? exclude : include, reported.sources};
}

/* RFC 9776 section 5.1: ALLOW all with retransmission state that must be forwarded, BLOCK all with
 * retransmission state that must be blocked. */
static size_t changes_of_sources(struct report_scratch *scratch, const struct reporter_entry *entry,
                                 struct record_list records[2])
{
	struct filter reported = stored_filter_view(&entry->reported);
	struct sources allow = sources_on(scratch->allow, REPORTER_SOURCES_MAX),
		       block = sources_on(scratch->block, REPORTER_SOURCES_MAX);
	size_t count = 0;

	for (uint16_t i = 0; i < entry->pending_count; i++)
		sources_append(filter_passes(&reported, &entry->pending[i].addr) ? &allow : &block,
		               &entry->pending[i].addr);
	if (allow.count > 0)
		records[count++] = (struct record_list){ALLOW, allow};
	if (block.count > 0)
		records[count++] = (struct record_list){BLOCK, block};
	return count;
}

bool report_build_change(struct report_scratch *scratch, const struct reporter_entry *entry,
                         struct report_writer *writer, uint16_t *offset)
{
	struct record_list records[2];
	size_t count = 1;

	if (entry->mode_left > 0)
		records[0] = whole_state(entry, TO_IN, TO_EX);
	else
		count = changes_of_sources(scratch, entry, records);
	return write_records(writer, &entry->group, records, count, offset);
}

bool report_build_state(const struct reporter_entry *entry, struct report_writer *writer, uint16_t *offset)
{
	struct record_list record = whole_state(entry, IS_IN, IS_EX);

	if (record.type == IS_IN && record.sources.count == 0)
		return true;
	return write_records(writer, &entry->group, &record, 1, offset);
}

/* RFC 9776 section 5.2, for a query about the sources B: in INCLUDE (A) IS_IN (A*B), in EXCLUDE (A)
 * IS_IN (B-A). */
bool report_build_answer(struct report_scratch *scratch, const struct reporter_entry *entry,
                         struct report_writer *writer, uint16_t *offset)
{
	struct filter reported = stored_filter_view(&entry->reported);
	struct record_list record = {IS_IN, sources_on(scratch->allow, REPORTER_SOURCES_MAX)};

	if (entry->asked_count == 0)
		return report_build_state(entry, writer, offset);
	for (uint16_t i = 0; i < entry->asked_count; i++)
		if (filter_passes(&reported, &entry->asked[i]))
			sources_append(&record.sources, &entry->asked[i]);
	return write_records(writer, &entry->group, &record, record.sources.count > 0, offset);
}

size_t report_build_end(struct report_writer *writer, const struct addr *source, struct addr *destination)
{
	if (writer->records == 0)
		return 0;
	if (writer->family == FAMILY_IPV4) {
		*destination = addr_from_ipv4_number(IGMP_V3_ROUTERS);
		return igmp_finish_report(writer);
	}
	*destination = mld_v2_routers;
	return mld_finish_report(writer, source);
}

size_t report_build_older_join(enum family family, enum version version, const struct addr *group,
                               uint8_t *message, const struct addr *source, struct addr *destination)
{
	*destination = *group;
	return family == FAMILY_IPV4 ? igmp_encode_report(message, version, group)
	                             : mld_encode_report(message, group, source);
}

size_t report_build_older_leave(enum family family, enum version version, const struct addr *group,
                                uint8_t *message, const struct addr *source, struct addr *destination)
{
	if (version == VERSION_1)
		return 0;
	*destination = family == FAMILY_IPV4 ? addr_from_ipv4_number(IGMP_ALL_ROUTERS) : mld_all_routers;
	return family == FAMILY_IPV4 ? igmp_encode_leave(message, group)
	                             : mld_encode_done(message, group, source);
}
