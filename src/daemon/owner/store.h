/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Descriptors that outlive this process. While a process holds them, the kernel keeps vifs, entries, memberships and what
 * waits in the sockets. The service manager does (sd_notify(3): FDSTORE, FDSTOREREMOVE), and passes them to the next
 * run (LISTEN_FDS, LISTEN_FDNAMES). Each has a name: kind, family, object, and the number of its socket, which makes it
 * unique, because the manager removes by name. Without a manager every call does nothing. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_STORE_H
#define MCPROXY_DAEMON_OWNER_STORE_H

#include "core/base/addr.h"
#include "core/base/mtime.h"

enum store_kind {
	STORE_MRT,  /* object: the kernel table (store_table) */
	STORE_JOIN, /* object: the interface */
	STORE_LINK, /* a packet socket; object: the interface */
	STORE_KINDS
};

#define STORE_OBJECT_SIZE 32
/* The object of a table: "default", or its number; for an own table also a hash of its instance's name. Instance: NULL if it
 * is no own table. */
const char *store_table(uint32_t table, const char *instance, char text[STORE_OBJECT_SIZE]);

/* Takes what the manager passes, and its variables out of the environment. With adopt false, and for what is not known, it
 * closes and removes all. After notify_open. */
void store_open(bool adopt);
/* Sends what waits, for a second at most. */
void store_flush(void);
/* Closes and removes what is not taken, and forgets what cannot be sent. */
void store_close(void);

/* The next received descriptor of that kind and object, which now belongs to the caller; it stays in the store. -1: there
 * is none. */
int store_take(enum store_kind kind, enum family family, const char *object);
/* Walks over the own tables among those received: start with *cursor = 0. Their numbers; 0: no more. */
uint32_t store_next_own(enum family family, size_t *cursor, const char **object);
/* Has a descriptor of the kind been received that no table, link or uplink has taken? */
bool store_has(enum store_kind kind);
/* Ends the received tables that are not taken, at once: the manager may hold their sockets for a moment. */
void store_end_tables(void);
/* Closes and removes the received descriptors of a kind that are not taken; returns how many. */
unsigned store_drop(enum store_kind kind);

/* A manager can hold descriptors. */
bool store_is_open(void);
/* Call it when the descriptor has been opened, and before it is closed. What cannot be sent now follows in a later turn. */
void store_add(enum store_kind kind, enum family family, const char *object, int fd);
void store_remove(enum store_kind kind, enum family family, const char *object, int fd);
/* Sends what could not be sent. */
void store_turn(mtime now);
/* When store_turn is due; MTIME_NEVER. */
mtime store_deadline(void);

#endif
