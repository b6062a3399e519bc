/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Inputs and requests of an engine as text: one line each, a snapshot as one line per record. Every field
 * that has a meaning is in it. So equal text means equal requests, whatever the padding between the fields
 * holds.
 */
#ifndef MCPROXY_SIM_NARRATION_H
#define MCPROXY_SIM_NARRATION_H

#include "core/router/instance.h"

#include <stdio.h>

/* Payloads may stand at any alignment and hold anything. */
void narrate_input(FILE *to, const struct input *input, const void *payload, size_t size);
void narrate_request(FILE *to, const struct request *request, const void *payload, size_t size);
/* An IGMP or MLD packet from its IP header on. */
void narrate_packet(FILE *to, enum family family, const uint8_t *data, size_t size);

#endif
