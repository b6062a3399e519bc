/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Builds packets from what remains to be sent about a group: the records of a version 3 report (RFC 9776
 * sections 5.1 and 5.2), or a message of an older version. Reads the entry, and changes only the scratch
 * lists and *offset. Owner thread.
 *
 * A list may be longer than a packet. *offset counts the sources that earlier packets carried. A function
 * that returns false has filled the packet: call it again with the next packet, until it returns true. An
 * EXCLUDE list cannot be spread over packets (RFC 9776 section 4.2.16): what does not fit is left out.
 */
#ifndef MCPROXY_CORE_HOST_REPORT_BUILDER_H
#define MCPROXY_CORE_HOST_REPORT_BUILDER_H

#include "core/host/reporter_entry.h"
#include "core/wire/message.h"

#define REPORTER_SOURCES_MAX 4096 /* of a filter */

/* Lists of sources for the length of one call. */
struct report_scratch {
	struct addr allow[REPORTER_SOURCES_MAX];
	struct addr block[REPORTER_SOURCES_MAX];
};

/* Bytes of a record with that many sources. */
size_t report_build_record_size(enum family family, size_t sources);
/* Bytes of the record of the whole state; 0: no record is needed. */
size_t report_build_state_size(enum family family, const struct reporter_entry *entry);

/* The state-change report: TO_IN or TO_EX, or else ALLOW and BLOCK of the sources with copies left. */
bool report_build_change(struct report_scratch *scratch, const struct reporter_entry *entry,
                         struct report_writer *writer, uint16_t *offset);
/* The answer to a query about the group or some of its sources. */
bool report_build_answer(struct report_scratch *scratch, const struct reporter_entry *entry,
                         struct report_writer *writer, uint16_t *offset);
/* The whole state: IS_IN or IS_EX; nothing for a group without members. */
bool report_build_state(const struct reporter_entry *entry, struct report_writer *writer, uint16_t *offset);

/* Completes a version 3 report; returns its size, 0 when it holds no record. */
size_t report_build_end(struct report_writer *writer, const struct addr *source, struct addr *destination);

/* Messages of an older version about one group; return the size, 0 when the version has no such message. */
size_t report_build_older_join(enum family family, enum version version, const struct addr *group,
                               uint8_t *message, const struct addr *source, struct addr *destination);
size_t report_build_older_leave(enum family family, enum version version, const struct addr *group,
                                uint8_t *message, const struct addr *source, struct addr *destination);

#endif
