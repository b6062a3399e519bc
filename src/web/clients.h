/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The connections of the clients, and how many places each address may have. While there is room, one address may take
 * all of it; when there is none, the address with the most makes room for one that has fewer, and a connection without
 * a request for a new one of its address. A /64 network of IPv6 counts as one address. Pure but for memory.
 */
#ifndef MCPROXY_WEB_CLIENTS_H
#define MCPROXY_WEB_CLIENTS_H

#include "core/base/mtime.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define CLIENTS_MAX     16 /* that receive events */
#define CONNECTIONS_MAX 64

/* What a client has a place for, beside its connection. The places of each use are shared on their own. */
enum use {
	USE_NONE,
	USE_EVENTS,
	USE_SHOW,
	USE_CHECK, /* doctor, metrics */
	USE_EXPLAIN,
	USE_DROPPED, /* for nothing: the connection ends */
};

struct exchange;

struct client {
	struct client *prev, *next;
	unsigned char address[16]; /* IPv4: mapped; IPv6: the /64 network */
	int fd;                    /* of the connection */
	struct exchange *exchange; /* the request at hand; NULL: none */
	bool has_ended;            /* it sends no more */
	enum use use;
	mtime expires_at; /* then it is dropped */
};

struct clients {
	struct client *list; /* the oldest first */
};

/* The bytes of an address, IPv4 mapped to IPv6; and their text. */
void address_read(const struct sockaddr *address, unsigned char bytes[16]);
void address_print(const unsigned char bytes[16], char text[INET6_ADDRSTRLEN]);

/* NULL when memory is short. */
struct client *clients_add(struct clients *clients, const struct sockaddr *address, int fd);
void clients_remove(struct clients *clients, struct client *client);
size_t clients_count(const struct clients *clients, enum use use);

/* Whether there is a place of this use for a client, which has none yet. USE_NONE: for its connection.
 * *victim: the one to drop for it; NULL: none. */
bool clients_admit(const struct clients *clients, const struct client *client, enum use use,
                   struct client **victim);

#endif
