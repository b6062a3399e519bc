/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/clients.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

void address_read(const struct sockaddr *address, unsigned char bytes[16])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (address->sa_family == AF_INET6) {
		memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
	} else if (address->sa_family == AF_INET) {
		memcpy(bytes, mapped, sizeof mapped);
		memcpy(bytes + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	}
}

void address_print(const unsigned char bytes[16], char text[INET6_ADDRSTRLEN])
{
	bool mapped = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)bytes);

	inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? bytes + 12 : bytes, text, INET6_ADDRSTRLEN);
}

struct client *clients_add(struct clients *clients, const struct sockaddr *address, int fd)
{
	struct client *client = calloc(1, sizeof *client);

	if (client == NULL)
		return NULL;
	address_read(address, client->address);
	if (address->sa_family == AF_INET6)
		memset(client->address + 8, 0, 8);
	client->fd = fd;
	DL_APPEND(clients->list, client);
	clients->count++;
	return client;
}

void clients_remove(struct clients *clients, struct client *client)
{
	clients_set_receives(clients, client, false);
	DL_DELETE(clients->list, client);
	clients->count--;
	free(client);
}

void clients_set_receives(struct clients *clients, struct client *client, bool receives)
{
	clients->receiving += (size_t)receives - (size_t)client->receives;
	client->receives = receives;
}

/* The connections of an address without the one given. *victim: the one to drop first: the oldest without a request,
 * else the newest. */
static size_t count_of(const struct clients *clients, const unsigned char address[16],
                       const struct client *except, bool receives, struct client **victim)
{
	struct client *client;
	size_t count = 0;

	*victim = NULL;
	DL_FOREACH (clients->list, client) {
		if (client == except || (receives && !client->receives) ||
		    memcmp(client->address, address, sizeof client->address) != 0)
			continue;
		count++;
		if (*victim == NULL || (*victim)->exchange != NULL)
			*victim = client;
	}
	return count;
}

bool clients_admit(const struct clients *clients, const struct client *client, bool receives,
                   struct client **victim)
{
	struct client *other, *own, *first;
	size_t most;

	*victim = NULL;
	if (receives ? clients->receiving < CLIENTS_MAX : clients->count <= CONNECTIONS_MAX)
		return true;
	most = count_of(clients, client->address, client, receives, &own) + 1;
	DL_FOREACH (clients->list, other) {
		size_t count = count_of(clients, other->address, client, receives, &first);

		if (count <= most)
			continue;
		most = count;
		*victim = first;
	}
	if (*victim == NULL && own != NULL && own->exchange == NULL)
		*victim = own;
	return *victim != NULL;
}
