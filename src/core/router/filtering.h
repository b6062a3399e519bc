/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Applies the filters of the links (filter_in, filter_out) to reports and streams. The names follow the direction of the
 * streams: a stream enters by one link and leaves by others, and the same rules apply to the reports for it. The instance's
 * thread.
 */
#ifndef MCPROXY_CORE_ROUTER_FILTERING_H
#define MCPROXY_CORE_ROUTER_FILTERING_H

#include "core/router/engine.h"

/* A link, its name or its filters changed. */
void filtering_refresh(struct instance *instance);

/* The sender of a report. */
struct reporting_host {
	struct addr address;
	struct addr mac; /* by addr_from_mac; unspecified: not known */
};

/* Narrows a record to what the filter_out of its link allows, for streams that enter by any other link. sources: those of the
 * record. False: nothing is left of a join; it was counted as a drop, and the record has no effect. */
bool filtering_admit(struct instance *instance, struct link *link, const struct reporting_host *host,
                     struct record *record, struct sources *sources, mtime now);

/* The same for an entry of an earlier run, whose hosts are not known: what some host may have remains. Counts nothing. */
bool filtering_admit_adopted(struct instance *instance, const struct link *link, struct record *record,
                             struct sources *sources);

/* Changes what a host wants of a group to what filter_out of its link leaves of it; false: nothing changes. */
bool filtering_narrow_host(struct instance *instance, const struct link *link, const struct addr *host,
                           const struct addr *group, struct filter *filter);

/* May packets of the stream that enter by the one link leave by the other? */
bool filtering_passes(const struct link *input, const struct link *output, const struct flow_key *key);

/* Counts the rules that decide on a stream, for the outputs that would get it without filters. */
void filtering_count_stream(struct instance *instance, struct link *input, uint64_t outputs,
                            const struct flow_key *key, mtime now);

/* Narrows the source filter that members on a downstream link want of a group to what may enter by the upstream link. */
void filtering_narrow(struct instance *instance, const struct link *downstream, const struct link *upstream,
                      const struct addr *group, struct filter *filter);
/* The same for what is requested of the upstream link: counts the rule of its filter_in that decides. */
void filtering_take(struct instance *instance, const struct link *downstream, const struct link *upstream,
                    const struct addr *group, struct filter *filter, mtime now);
/* The same as far as it does not depend on where the stream leaves. */
void filtering_take_entering(struct instance *instance, const struct link *upstream, const struct addr *group,
                             struct filter *filter, mtime now);
/* Could the filters deny some stream of the group from this input to this output? */
bool filtering_may_deny(const struct link *input, const struct link *output, const struct addr *group);

#endif
