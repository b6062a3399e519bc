/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parts of the control socket's answers: what one instance, link, group, route or uplink looks like as
 * JSON (docs/control.md). Owner thread.
 */
#ifndef MCPROXY_DAEMON_CONTROL_RENDER_H
#define MCPROXY_DAEMON_CONTROL_RENDER_H

#include "daemon/control/json.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/uplink.h"

void render_daemon(struct json *json, struct owner *owner, mtime now);
void render_instance(struct json *json, const struct instance_slot *instance,
                     const struct snapshot_instance *record);
void render_link(struct json *json, struct owner *owner, const struct instance_slot *instance,
                 const struct snapshot_link *record);
/* A name of the configuration that no interface has now. */
void render_missing_link(struct json *json, const struct instance_slot *instance, const char *name);
/* Opens a group with its list of sources; render_open_members follows, then render_close_group. */
void render_open_group(struct json *json, struct owner *owner, const struct instance_slot *instance,
                       const struct snapshot_group *record);
void render_source(struct json *json, const struct snapshot_source *record);
void render_open_members(struct json *json);
void render_member(struct json *json, const struct snapshot_host *record);
void render_close_group(struct json *json);
void render_route(struct json *json, struct owner *owner, const struct instance_slot *instance,
                  const struct snapshot_flow *record);
void render_uplink(struct json *json, struct owner *owner, const struct uplink *uplink, mtime now);
/* A group that is joined there. */
void render_membership(struct json *json, const struct uplink *uplink, const struct host_group *group);

#endif
