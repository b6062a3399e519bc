/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The second half of a stream's steps, from the arrival of packets to the downstream link. Functions that the files
 * of the steps share are declared here too.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_PATH_PACKETS_H
#define MCPROXY_CTL_DIAGNOSIS_PATH_PACKETS_H

#include "ctl/diagnosis/path_steps.h"

/* Where packets of the stream arrive, as far as that is known. */
struct arrival {
	int interface; /* index */
	const char *name;
	struct sighting seen; /* packets 0: known from the kernel's counters only */
};

/* Each adds its steps; false when one has failed. */
bool path_follow_links(const struct stream_facts *stream, struct steps *steps);
bool path_follow_rules(const struct stream_facts *stream, struct steps *steps);
bool path_follow_member(const struct stream_facts *stream, struct steps *steps);
bool path_follow_filter(const struct stream_facts *stream, struct steps *steps);
bool path_follow_upstream(const struct stream_facts *stream, struct steps *steps);
/* The steps of arrival; false when one has failed. */
bool path_follow_arrival(const struct stream_facts *stream, const struct arrival *arrival,
                         struct steps *steps);
/* Adds the failed step `arrival`: no packet of the stream arrives. */
void path_fail_arrival(const struct stream_facts *stream, struct steps *steps);
/* "eth0 or eth1", "none" */
void path_name_upstreams(const struct stream_facts *stream, char *text, size_t size);
/* The next upstream link that the instance uses; cursor starts at 0. */
const char *path_next_upstream(const struct stream_facts *stream, size_t *cursor);
/* False when no packet is seen. */
bool path_find_arrival(const struct stream_facts *stream, struct arrival *arrival);
/* NAT that moves the stream to another group. */
bool path_follow_dnat(const struct stream_facts *stream, const struct arrival *arrival, struct steps *steps);
/* NAT that gives the stream another source on its way to a link: adds a step. False when there is none. */
bool path_find_snat(const struct stream_facts *stream, const struct arrival *arrival, const char *link,
                    struct steps *steps);
/* A packet of the stream, as the firewall sees it; output NULL: before it is routed. */
struct firewall_packet path_probe(const struct stream_facts *stream, const struct arrival *arrival,
                                  const char *output);
/* All steps from the arrival on; false when one has failed. */
bool path_follow_packets(const struct stream_facts *stream, struct steps *steps);

__attribute__((format(printf, 4, 5))) struct step *step_add(struct steps *steps, const char *name,
                                                            enum step_result result, const char *format, ...);
/* Adds to the text of a step. */
__attribute__((format(printf, 2, 3))) void step_append(struct step *step, const char *format, ...);
__attribute__((format(printf, 2, 3))) void step_remedy(struct step *step, const char *format, ...);

/* Is this a link of the instance and the family, or an item on such a link? */
bool path_is_ours(const struct stream_facts *stream, struct json_object *link);
/* The daemon's object for a link of the instance and family; NULL: there is no such link. */
struct json_object *path_link(const struct stream_facts *stream, const char *name);
/* A link of the instance with that role that mcproxy does not use in this family; NULL: there is none. */
struct json_object *path_find_unusable(const struct stream_facts *stream, const char *role);
/* "does not exist": why mcproxy does not use the link, which may be NULL */
const char *path_unusable_text(struct json_object *link);
/* The next membership of the group in the instance, on the wanted link if there is one; cursor
 * starts at 0. */
struct json_object *path_next_member(const struct stream_facts *stream, size_t *cursor);
/* Does the membership let the source through? True when no source is named. */
bool path_member_wants(const struct stream_facts *stream, struct json_object *member);

/* "?" when there is no such interface. */
const char *path_interface_name(const struct stream_facts *stream, int index);
/* Is it a link of the instance and family with that role? */
bool path_has_role(const struct stream_facts *stream, const char *name, const char *role);
/* Packets that the kernel's entry has counted during the capture. */
uint64_t path_counted(const struct stream_facts *stream);
/* The source that was asked about, or the one that was seen; NULL: none. */
const struct addr *path_seen_source(const struct stream_facts *stream, const struct arrival *arrival);
/* Does the stream of a host downstream go upstream, because no member downstream wants it? */
bool path_is_upward(const struct stream_facts *stream, const struct arrival *arrival);
/* The next link with a member, or upstream link, that the stream must be forwarded to; cursor starts at 0. */
const char *path_next_target(const struct stream_facts *stream, const struct arrival *arrival,
                             size_t *cursor);
/* Does another router forward the stream to the link? */
bool path_is_yielded(const struct stream_facts *stream, const char *name);
/* The packets of the stream that have left by a link; false: none, or they were not captured. */
bool path_has_left(const struct stream_facts *stream, const char *name, struct sighting *sum);

#endif
