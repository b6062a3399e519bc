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
	return client;
}

void clients_remove(struct clients *clients, struct client *client)
{
	DL_DELETE(clients->list, client);
	free(client);
}

/* The places of an address (NULL: of all) without those of one client. *victim: which to drop first: the oldest
 * connection without a request, else the newest. */
static size_t count_places(const struct clients *clients, enum use use, const unsigned char *address,
                           const struct client *except, struct client **victim)
{
	struct client *client;
	size_t count = 0;

	*victim = NULL;
	DL_FOREACH (clients->list, client) {
		if (client == except || client->use == USE_DROPPED ||
		    (use != USE_NONE && client->use != use) ||
		    (address != NULL && memcmp(client->address, address, sizeof client->address) != 0))
			continue;
		count++;
		if (*victim == NULL || (*victim)->exchange != NULL)
			*victim = client;
	}
	return count;
}

size_t clients_count(const struct clients *clients, enum use use)
{
	struct client *victim;

	return count_places(clients, use, NULL, NULL, &victim);
}

bool clients_admit(const struct clients *clients, const struct client *client, enum use use,
                   struct client **victim)
{
	static const size_t limits[] = {[USE_NONE] = CONNECTIONS_MAX,
	                                [USE_EVENTS] = CLIENTS_MAX,
	                                [USE_SHOW] = 8,
	                                [USE_CHECK] = 4,
	                                [USE_EXPLAIN] = 4};
	struct client *other, *own, *first;
	size_t most = count_places(clients, use, NULL, client, victim);

	*victim = NULL;
	if (most < limits[use])
		return true;
	most = count_places(clients, use, client->address, client, &own) + 1;
	DL_FOREACH (clients->list, other) {
		size_t count = count_places(clients, use, other->address, client, &first);

		if (count <= most)
			continue;
		most = count;
		*victim = first;
	}
	if (*victim == NULL && own != NULL && own->exchange == NULL)
		*victim = own;
	return *victim != NULL;
}
