/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The second half of a stream's steps, from the arrival of packets to the downstream link. Functions that
 * path_steps.c shares with it are declared here too.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_PATH_PACKETS_H
#define MCPROXY_CTL_DIAGNOSIS_PATH_PACKETS_H

#include "ctl/diagnosis/path_steps.h"

/* False when a step has failed. */
bool path_follow_packets(const struct stream_facts *stream, struct steps *steps);

__attribute__((format(printf, 4, 5))) struct step *step_add(struct steps *steps, const char *name,
                                                            enum step_result result, const char *format, ...);
/* Adds to the text of a step. */
__attribute__((format(printf, 2, 3))) void step_append(struct step *step, const char *format, ...);
__attribute__((format(printf, 2, 3))) void step_remedy(struct step *step, const char *format, ...);

/* The daemon's object for a link of the instance and family; NULL: there is no such link. */
struct json_object *path_link(const struct stream_facts *stream, const char *name);
/* The next membership of the group in the instance, on the wanted link if there is one; cursor
 * starts at 0. */
struct json_object *path_next_member(const struct stream_facts *stream, size_t *cursor);
/* Does the membership let the source through? True when no source is named. */
bool path_member_wants(const struct stream_facts *stream, struct json_object *member);

#endif
