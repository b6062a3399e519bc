/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernel tables of multicast routing, one object for each family and table: its MRT socket, vifs and entries.
 * Instances share tables by number. The number is that of core/tables/links.h, the same for both families.
 * Policy rules lead the packets of the vifs to tables that are not the kernel's default. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_KERNEL_TABLE_H
#define MCPROXY_DAEMON_OWNER_KERNEL_TABLE_H

#include "core/contract/link_change.h"
#include "core/tables/routes.h"
#include "core/tables/wrong_vif.h"
#include "core/tables/yield.h"
#include "daemon/owner/loop.h"
#include "kernel/link_socket.h"
#include "kernel/mrt.h"

#include <limits.h>

struct owner;
struct config_instance;

/* The numbers that the kernel knows own tables by; others take those that are left. */
#define TABLE_OWN_FIRST 46050
#define TABLE_OWN_LAST  46305
#define TABLE_NAME_SIZE 32

/* Which worker reads a vif's packets; see link_readers.h. */
struct link_reader {
	unsigned instance;
	uint8_t link; /* id, as that instance knows it */
};
#define LINK_READER_NONE ((struct link_reader){.instance = UINT_MAX}) /* no worker reads the link */

/* Where IGMP or MLD packets of a vif's interface arrive and leave. */
struct vif {
	struct table *table;
	unsigned number;
	int ifindex;
	char name[LINK_NAME_SIZE]; /* of the interface when it became a vif */
	struct link_socket *socket;
	struct link_reader reader;
	bool unread; /* a turn has ended without a reader */
	bool logged_reading;
	struct loop_source *copies; /* on the heap; NULL: no socket for copies yet (yields.c) */
	uint64_t sends_failed;
	uint64_t kernel_drops; /* up to the last link_readers_lost */
};

struct table {
	struct loop_source source; /* upcalls */
	struct table *next;
	unsigned number; /* as links_set_table knows it */
	uint32_t id;     /* as the kernel knows it; MRT_TABLE_DEFAULT */
	enum family family;
	char stored[TABLE_NAME_SIZE]; /* its name for the next run */
	struct mrt *mrt;
	struct routes *routes;
	struct wrong_vif *wrong_vif;
	struct yield *yield;
	uint64_t upcalls;
	uint64_t upcalls_deferred; /* the worker's channel was full: the kernel is made to ask again */
	uint64_t moves;            /* streams that arrive by another vif than before */
	int logged_error;          /* the last failure of an entry that was logged */
	int logged_vif_ifindex;    /* the last failure of a vif that was logged: its interface, and why */
	int logged_vif_error;
	uint64_t logged_restored; /* restored entries, as far as they were logged */
	mtime members_read_at;    /* members of IPv6 groups on this machine; see copies.c */
	mtime copies_logged_at;   /* streams that arrive twice: when the first of those below was logged */
	unsigned copies_logged;   /* how many were logged since */
	mtime yields_logged_at;   /* the same for yielded streams */
	unsigned yields_logged;
	bool inherited; /* from an earlier run, and its vifs and entries are not taken over yet (adoption.h) */
	bool numbers_freed; /* its entries name no vif that is gone (inherited.h) */
	int inherited_vifs
		[MRT_VIFS]; /* the interfaces that have these numbers since then; 0: none, or taken over */
	struct vif *vifs[MRT_VIFS];
};

/* Removes the policy rules that killed runs have left behind: those to tables that no router has, and to open tables
 * those of interfaces that are no vif there. */
void tables_clean(const struct owner *owner);
/* Opens the table of a family for an instance, and adds it to the owner's. 0 or -errno (-EADDRINUSE: another
 * multicast router holds it). */
int table_open(struct owner *owner, const struct config_instance *config, unsigned number, enum family family,
               loop_handler *upcalls, struct table **opened);
/* Takes a table out of the owner's that no instance has and that has no vif; NULL: there is none. The caller
 * drops what points to it, then frees it. */
struct table *tables_take_unused(struct owner *owner);
void table_free(struct owner *owner, struct table *table);
/* Closes all tables; the kernel forgets their vifs and entries. */
void tables_close(struct owner *owner);
/* Follows the instances' route_timeout, which decides how often counters are read, and their routes_max, which
 * limits the memory of the table of routes. */
void tables_reconfigure(struct owner *owner, mtime now);

/* A family and the table that is configured: `IPv4`, `IPv6, table 100`. */
const char *table_name(enum family family, uint32_t configured, char text[TABLE_NAME_SIZE]);

/* NULL when there is none. Walks a short list. */
struct table *table_find(const struct owner *owner, unsigned number, enum family family);
/* The vif of an interface; MRT_VIFS when it has none in this table. */
unsigned table_find_vif(const struct table *table, int ifindex);

/* Makes an interface a vif, and opens its packet socket. 0 or -errno. */
int table_add_vif(struct owner *owner, struct table *table, unsigned vif, int ifindex, const char *name);
void table_del_vif(struct owner *owner, struct table *table, unsigned vif);
/* Makes the policy rules that lead a vif's packets to its table: how many were missing, or -errno. */
int table_lead(struct owner *owner, const struct vif *vif);

#endif
