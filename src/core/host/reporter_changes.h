/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The part of a reporter that turns a new state of a group into state-change reports and their repetitions
 * (RFC 9776 section 5.1). Pure; owner thread.
 */
#ifndef MCPROXY_CORE_HOST_REPORTER_CHANGES_H
#define MCPROXY_CORE_HOST_REPORTER_CHANGES_H

#include "core/host/reporter_entries.h"

/* The state of a group is now `filter`. The difference to the reported state goes out at once and then
 * copies - 1 times more, merged with the changes that are still going out. When memory is short, the reporter
 * reports EXCLUDE{} instead and returns false: call it again later. */
bool reporter_change(struct reporter *reporter, mtime now, struct reporter_entry *entry,
                     const struct filter *filter);
/* Takes a state as reported, without a report. */
void reporter_assume(struct reporter *reporter, struct reporter_entry *entry, const struct filter *filter);

/* A state-change report is out: counts down, and schedules the next one. A report of the whole state also
 * counts as a copy of every source's change. */
void reporter_change_reported(struct reporter *reporter, mtime now, struct reporter_entry *entry);

#endif
