/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an earlier run has left in the kernel, as it is read back: MRT sockets come from the store, vifs and entries from
 * the kernel, memberships from its lists. adoption.h takes it over. A build without notifications to a service manager
 * leaves this out. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_INHERITED_H
#define MCPROXY_DAEMON_OWNER_INHERITED_H

#include "core/contract/request.h"
#include "core/host/host.h"
#include "core/tables/routes.h"
#include "kernel/mrt.h"

#define HELD_UPCALLS_MAX 16

struct config;
struct config_instance;
struct owner;
struct table;

struct adopted_entry {
	struct table *table;
	struct route_key key;
	unsigned input;
	uint32_t outputs;
	uint64_t bytes;
};

/* The kernel asks about a stream whose members are not known yet, and keeps its first packets. */
struct held_upcall {
	struct table *table;
	struct mrt_upcall upcall;
	mtime until;
};

struct adoption {
	struct adopted_entry *entries;
	size_t count, capacity;
	size_t announced;           /* those that the instances know */
	bool begun;                 /* the interfaces are known: vifs and entries are taken over */
	bool asked;                 /* all have got INPUT_ALL_ADOPTED that must answer it */
	uint64_t asking, answering; /* sets of instances: those to get it, and those to answer */
	/* adopted_wants.c: some wants of the earlier run have been added since they were narrowed to that configuration */
	bool wants_widened;
	const struct config *narrowed_to;
	struct addr scratch[4][REQUEST_SOURCES_MAX];
	bool joined; /* the sockets of the earlier run are closed */
	mtime until; /* hosts have had time to answer */
	struct held_upcall held[HELD_UPCALLS_MAX];
	size_t held_count;
	mtime control_at; /* the earlier run may have given up the control socket */
};

/* Makes owner->adoption if the store has passed MRT sockets. */
void inherited_open(struct owner *owner);
void inherited_close(struct owner *owner);

/* The table goes on with a socket of the store; false: there is none. table->id of an own table is set. */
bool inherited_take_mrt(struct owner *owner, struct table *table, const struct config_instance *config);
/* Reads its vifs and entries; 0 or -errno. */
int inherited_read(struct owner *owner, struct table *table);
/* May the interface get the number? One that an interface had before waits for it. */
bool inherited_allows_vif(const struct table *table, unsigned vif, int ifindex);
/* Before a vif is added: the kernel's entries keep the numbers of vifs that went in the gap, and would forward to whatever
 * gets one of these numbers. Writes the entries again, once. */
void inherited_free_numbers(struct owner *owner, struct table *table);
/* Adds an entry of the table; false when memory is short. */
bool inherited_add(struct adoption *adoption, struct table *table, const struct adopted_entry *entry);
/* The table is about to be freed. */
void inherited_forget_table(struct owner *owner, const struct table *table);
/* What the kernel reports on an upstream interface stays wanted (host_adopt). False when it cannot be read. */
bool inherited_join(const struct owner *owner, enum family family, int ifindex, struct host *host, mtime now);

#endif
