/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The path of a packet: IP header, message, and then to the querier or, record by record, to the groups. The
 * instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_RECEIVE_H
#define MCPROXY_CORE_ROUTER_RECEIVE_H

#include "core/router/engine.h"

/* A packet that arrived on a usable link; mac: its sender's (addr_from_mac), or unspecified. */
void receive_packet(struct instance *instance, struct link *link, mtime now, enum family family,
                    const struct addr *mac, const uint8_t *data, size_t size);

#endif
