/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The records of the control socket's answers: what one instance, link, group, route or uplink looks like as
 * JSON (docs/control.md). Owner thread.
 */
#ifndef MCPROXY_DAEMON_CONTROL_RENDER_H
#define MCPROXY_DAEMON_CONTROL_RENDER_H

#include "daemon/control/json.h"
#include "daemon/owner/owner.h"

void record_put_daemon(struct json *json, struct owner *owner, mtime now);
void record_put_instance(struct json *json, const struct instance_slot *instance,
                         const struct snapshot_instance *record);
void record_put_link(struct json *json, struct owner *owner, const struct instance_slot *instance,
                     const struct snapshot_link *record);
/* A name of the configuration that no interface bears now. */
void record_put_missing_link(struct json *json, const struct instance_slot *instance, const char *name);
/* Opens a group with its list of sources; record_open_members follows, then record_close_group. */
void record_open_group(struct json *json, struct owner *owner, const struct instance_slot *instance,
                       const struct snapshot_group *record);
void record_put_source(struct json *json, const struct snapshot_source *record);
void record_open_members(struct json *json);
void record_put_member(struct json *json, const struct snapshot_host *record);
void record_close_group(struct json *json);
void record_put_route(struct json *json, struct owner *owner, const struct instance_slot *instance,
                      const struct snapshot_flow *record);
void record_put_uplink(struct json *json, struct owner *owner, const struct uplink *uplink, mtime now);
/* A group that is joined there. */
void record_put_membership(struct json *json, const struct uplink *uplink, const struct host_group *group);

#endif
