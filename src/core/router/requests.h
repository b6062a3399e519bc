/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Turns dirty state into requests, one at a time, the most urgent first. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_REQUESTS_H
#define MCPROXY_CORE_ROUTER_REQUESTS_H

#include "core/router/engine.h"

/* As instance_pull. */
bool requests_pull(struct instance *instance, mtime now, struct request *request, void *payload,
                   size_t *payload_size);

#endif
