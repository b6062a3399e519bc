/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernel tables of multicast routing, one object for each family and table: its MRT socket, vifs and entries.
 * An instance has one table for each family that it serves; instances share tables by number. The number is
 * that of core/tables/links.h, the same for both families. Policy rules lead the packets of the vifs to tables that
 * are not the kernel's default. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_KERNEL_TABLE_H
#define MCPROXY_DAEMON_OWNER_KERNEL_TABLE_H

#include "daemon/owner/owner.h"

/* The numbers that the kernel knows own tables by; others take those that are left. */
#define TABLE_OWN_FIRST 46050
#define TABLE_OWN_LAST  46305
#define TABLE_NAME_SIZE 32

/* Removes the policy rules that runs which were killed have left behind; those of routers that run stay. To
 * be called before tables are opened. */
void tables_clean(void);
/* Gives an instance its tables, which are opened unless another instance has opened them. A family that
 * another multicast router holds waits for it to end (holder.h). One that cannot start for another reason is
 * left out, after a message, if it is only implied. 0, or the exit status after a message. */
int tables_open(struct owner *owner, struct instance_slot *instance);
/* The same for an instance that goes on with another configuration of the same kernel table. */
int tables_reopen(struct owner *owner, struct instance_slot *instance);
/* The same for one family that waits. */
void table_try_again(struct owner *owner, struct instance_slot *instance, enum family family);
/* Closes tables that no instance has any more, as soon as they have no vifs. */
void tables_close_unused(struct owner *owner);
/* The instances' route_timeout may be another: how often counters are read follows. */
void tables_set_reading_interval(struct owner *owner, mtime now);
/* Closes all of them; the kernel forgets their vifs and entries. */
void tables_close(struct owner *owner);

/* A family and the table that is configured: `IPv4`, `IPv6, table 100`. */
const char *table_name(enum family family, uint32_t configured, char text[TABLE_NAME_SIZE]);

/* NULL when there is none. Walks a list of few. */
struct table *table_find(const struct owner *owner, unsigned number, enum family family);

/* Makes an interface a vif, and listens there. 0 or -errno. */
int table_add_vif(struct owner *owner, struct table *table, unsigned vif, int ifindex, const char *name);
void table_del_vif(struct owner *owner, struct table *table, unsigned vif);
/* Makes the policy rules that lead a vif's packets to its table: how many were missing, or -errno. */
int table_lead(struct owner *owner, const struct vif *vif);

#endif
