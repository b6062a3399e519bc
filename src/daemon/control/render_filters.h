/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parts of the control socket's answers about filters: rules with their hits, and sets. Owner thread.
 */
#ifndef MCPROXY_DAEMON_CONTROL_RENDER_FILTERS_H
#define MCPROXY_DAEMON_CONTROL_RENDER_FILTERS_H

#include "daemon/control/client.h"

void render_rule(struct json *json, struct owner *owner, const struct instance_slot *instance,
                 const struct snapshot_rule *record);
/* Writes as much of the list of sets as the turn allows; true: all of it is written. */
bool render_sets(struct client *client);

#endif
