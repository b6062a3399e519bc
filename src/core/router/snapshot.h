/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Renders the state of an instance as pages of items (core/contract/snapshot_items.h). Each cursor is a walk
 * that continues where its last page ended. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_SNAPSHOT_H
#define MCPROXY_CORE_ROUTER_SNAPSHOT_H

#include "core/router/engine.h"

/* INPUT_SNAPSHOT: a page of a new walk or of the current one is wanted. */
void snapshot_input(struct instance *instance, const struct input *input);
/* Renders the next wanted page into the payload; false: none is wanted. */
bool snapshot_pull(struct instance *instance, mtime now, struct request *request, void *payload,
                   size_t *payload_size);

#endif
