/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Inputs and requests of an engine as text: one line each, a snapshot as one line per record. Every field
 * that means something is in it, so that equal text means equal requests, whatever stands in the padding
 * between the fields.
 */
#ifndef MCPROXY_SIM_TELL_H
#define MCPROXY_SIM_TELL_H

#include "core/router/instance.h"

#include <stdio.h>

/* Payloads may stand at any alignment and hold anything. */
void tell_input(FILE *to, const struct input *input, const void *payload, size_t size);
void tell_request(FILE *to, const struct request *request, const void *payload, size_t size);
/* An IGMP or MLD packet from its IP header on. */
void tell_packet(FILE *to, enum family family, const uint8_t *data, size_t size);

#endif
