/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a group has to say, in the form of packets: the records of a version 3 report (RFC 9776 sections 5.1
 * and 5.2), or a message of an older version. Reads the entry and changes nothing but the reporter's scratch
 * lists and *offset. Owner thread.
 *
 * A list may be longer than a packet. *offset counts the sources that went out with earlier packets;
 * functions that return false have filled the packet and are called again with the next one, until they
 * return true. EXCLUDE lists cannot be spread (RFC 9776 section 4.2.16): what does not fit is left out.
 */
#ifndef MCPROXY_CORE_HOST_REPORT_BUILDER_H
#define MCPROXY_CORE_HOST_REPORT_BUILDER_H

#include "core/host/reporter.h"

/* Bytes of a record with that many sources. */
size_t report_build_record_size(enum family family, size_t sources);

/* The state-change report: TO_IN or TO_EX, or else ALLOW and BLOCK of the sources with copies left. */
bool report_build_change(struct reporter *reporter, const struct reporter_entry *entry,
                         struct report_writer *writer, uint16_t *offset);
/* The answer to a query about the group or some of its sources. */
bool report_build_answer(struct reporter *reporter, const struct reporter_entry *entry,
                         struct report_writer *writer, uint16_t *offset);
/* The whole state: IS_IN or IS_EX; nothing of a group without members. */
bool report_build_state(const struct reporter_entry *entry, struct report_writer *writer, uint16_t *offset);

/* Completes a version 3 report; its size, 0 when it holds no record. */
size_t report_build_end(struct report_writer *writer, const struct addr *source, struct addr *destination);

/* Messages of an older version about one group; their size, 0 when the version has none such. */
size_t report_build_older_join(enum family family, enum version version, const struct addr *group,
                               uint8_t *message, const struct addr *source, struct addr *destination);
size_t report_build_older_leave(enum family family, enum version version, const struct addr *group,
                                uint8_t *message, const struct addr *source, struct addr *destination);

#endif
