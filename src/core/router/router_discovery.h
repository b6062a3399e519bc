/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Multicast Router Discovery in the engine: starts and stops it as settings and election require, and turns what
 * discovery.h makes due into requests. A switch knows the querier's port by its queries, and another router's
 * port only by these advertisements. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_ROUTER_DISCOVERY_H
#define MCPROXY_CORE_ROUTER_ROUTER_DISCOVERY_H

#include "core/contract/request.h"
#include "core/router/engine.h"
#include "core/wire/packet.h"

/* Settings, election or the state of the link have changed: starts or stops to advertise. */
void router_discovery_refresh(struct instance *instance, struct link *link, enum family family, mtime now);
/* Marks what is due. The caller arms the link's deadline. */
void router_discovery_expire(struct instance *instance, struct link *link, enum family family, mtime now);
/* A message of router discovery arrived: only a solicitation on a link that advertises has an effect. */
void router_discovery_receive(struct instance *instance, struct link *link, mtime now,
                              const struct packet *packet);
/* The instance stops: marks the terminations of all links. */
void router_discovery_stop(struct instance *instance, mtime now);
/* The request to send the next message; false when none is due. */
bool router_discovery_pull(struct instance *instance, mtime now, struct request *request, uint8_t *payload,
                           size_t *payload_size);

#endif
