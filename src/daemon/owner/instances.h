/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The instances of the owner: a slot for each with its worker, its tables and its names of links. Owner
 * thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_INSTANCES_H
#define MCPROXY_DAEMON_OWNER_INSTANCES_H

#include "daemon/owner/owner.h"

/* Makes a slot for each instance of the configuration. False when memory is short. */
bool instances_make(struct owner *owner);
/* Opens their tables; 0, or the exit status after a message. */
int instances_open(struct owner *owner);
/* Starts their workers. False, after a message, when memory or threads are short. */
bool instances_start(struct owner *owner);
/* Gives a slot, free or not, its configuration. Slots that never had one are not touched, lest they take
 * memory. */
void instance_take_slot(struct owner *owner, unsigned number, const struct config_instance *config);
/* For a reload: one slot's links, worker and end. */
bool instance_name_links(struct owner *owner, const struct instance_slot *slot);
bool instance_start(struct owner *owner, struct instance_slot *slot);
void instance_stop(struct owner *owner, struct instance_slot *slot);
/* Does its configuration name an interface in a role, for that family? */
bool instance_names_link(const struct instance_slot *slot, enum link_role role, enum family family,
                         const char *interface);
/* Tells settings that are to be logged to the workers that have room; once a turn. */
void instances_announce_settings(struct owner *owner);
/* Has all workers end and waits for them. */
void instances_stop(struct owner *owner);

#endif
