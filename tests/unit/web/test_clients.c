/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How many connections each address may have.
 */
#include "web/clients.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct clients clients;

static int begin(void **state)
{
	(void)state;
	clients = (struct clients){0};
	return 0;
}

static int end(void **state)
{
	(void)state;
	while (clients.list != NULL)
		clients_remove(&clients, clients.list);
	return 0;
}

static struct client *connect_from(uint32_t address)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};

	return clients_add(&clients, (struct sockaddr *)&from, (int)address);
}

/* A request is in progress. */
static struct client *busy(struct client *client)
{
	client->exchange = (struct exchange *)(void *)client;
	return client;
}

/* Whether one more client of the address may receive events; the address that makes room: 0 none. */
static bool receive_from(uint32_t address, uint32_t *loser)
{
	struct client *client = busy(connect_from(address)), *victim;
	bool admitted = clients_admit(&clients, client, USE_EVENTS, &victim);

	*loser = victim != NULL ? (uint32_t)victim->fd : 0;
	if (victim != NULL)
		clients_remove(&clients, victim);
	client->use = USE_EVENTS;
	if (!admitted)
		clients_remove(&clients, client);
	return admitted;
}

static void one_address_gives_places_to_others(void **state)
{
	uint32_t loser;

	(void)state;
	for (int i = 0; i < CLIENTS_MAX; i++)
		assert_true(receive_from(1, &loser) && loser == 0);
	assert_false(receive_from(1, &loser));
	for (int i = 0; i < CLIENTS_MAX / 2; i++)
		assert_true(receive_from(2, &loser) && loser == 1);
	assert_false(receive_from(2, &loser));
	assert_false(receive_from(1, &loser));
	assert_true(receive_from(3, &loser) && (loser == 1 || loser == 2));
	assert_int_equal(clients_count(&clients, USE_EVENTS), CLIENTS_MAX);
	assert_int_equal(clients_count(&clients, USE_NONE), CLIENTS_MAX);
}

static void addresses_with_one_place_each_keep_it(void **state)
{
	uint32_t loser;

	(void)state;
	for (uint32_t i = 1; i <= CLIENTS_MAX; i++)
		assert_true(receive_from(i, &loser));
	assert_false(receive_from(99, &loser));
	assert_int_equal(loser, 0);
}

static void connections_are_shared_too(void **state)
{
	struct client *client, *victim;

	(void)state;
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		assert_true(clients_admit(&clients, busy(connect_from(1)), USE_NONE, &victim) &&
		            victim == NULL);
	client = connect_from(1);
	assert_false(clients_admit(&clients, client, USE_NONE, &victim));
	clients_remove(&clients, client);
	client = connect_from(2);
	assert_true(clients_admit(&clients, client, USE_NONE, &victim));
	assert_int_equal(victim->fd, 1);
	assert_ptr_equal(victim, client->prev);
}

/* Connections that end take no place, and are not dropped twice. */
static void dropped_connections_count_no_more(void **state)
{
	struct client *victim, *first = connect_from(1), *second = connect_from(1);

	(void)state;
	for (int i = 2; i < CONNECTIONS_MAX; i++)
		connect_from(1);
	assert_true(clients_admit(&clients, connect_from(1), USE_NONE, &victim));
	assert_ptr_equal(victim, first);
	first->use = USE_DROPPED;
	assert_true(clients_admit(&clients, connect_from(2), USE_NONE, &victim));
	assert_ptr_equal(victim, second);
	assert_int_equal(clients_count(&clients, USE_NONE), CONNECTIONS_MAX + 1);
}

static void uses_have_places_of_their_own(void **state)
{
	struct client *victim;

	(void)state;
	for (enum use use = USE_EVENTS; use < USE_DROPPED; use++) {
		struct client *first = busy(connect_from(1));

		for (first->use = use; clients_admit(&clients, connect_from(1), use, &victim);)
			busy(connect_from(1))->use = use;
		assert_null(victim);
		assert_true(clients_admit(&clients, connect_from(2), use, &victim));
		assert_int_equal(victim->use, use);
		assert_int_equal(victim->fd, 1);
	}
}

static void idle_connections_make_way_first(void **state)
{
	struct client *idle = NULL, *victim;

	(void)state;
	for (int i = 0; i < CONNECTIONS_MAX; i++) {
		struct client *client = connect_from(1);

		if (i == 20)
			idle = client;
		else if (i < 30)
			busy(client);
	}
	assert_true(clients_admit(&clients, connect_from(1), USE_NONE, &victim));
	assert_ptr_equal(victim, idle);
	assert_true(clients_admit(&clients, connect_from(2), USE_NONE, &victim));
	assert_ptr_equal(victim, idle);
}

static void families_are_told_apart(void **state)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr.s6_addr = {[15] = 1}};
	struct client *four = connect_from(1), *other = clients_add(&clients, (struct sockaddr *)&six, 6);

	(void)state;
	assert_memory_not_equal(four->address, other->address, sizeof four->address);
}

/* A host can take each address of its network. */
static void an_ipv6_network_counts_as_one_address(void **state)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6,
	                           .sin6_addr.s6_addr = {0x20, 1, [7] = 1, [15] = 1}};
	struct client *first = clients_add(&clients, (struct sockaddr *)&six, 1), *same, *other;

	(void)state;
	six.sin6_addr.s6_addr[8] = 9;
	same = clients_add(&clients, (struct sockaddr *)&six, 2);
	six.sin6_addr.s6_addr[7] = 2;
	other = clients_add(&clients, (struct sockaddr *)&six, 3);
	assert_memory_equal(first->address, same->address, sizeof first->address);
	assert_memory_not_equal(first->address, other->address, sizeof first->address);
}

static void addresses_have_their_text(void **state)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000102)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr.s6_addr = {0x20, 1, [15] = 1}};
	unsigned char bytes[16];
	char text[INET6_ADDRSTRLEN];

	(void)state;
	address_read((struct sockaddr *)&four, bytes);
	address_print(bytes, text);
	assert_string_equal(text, "10.0.1.2");
	address_read((struct sockaddr *)&six, bytes);
	address_print(bytes, text);
	assert_string_equal(text, "2001::1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_address_gives_places_to_others, begin, end),
		cmocka_unit_test_setup_teardown(addresses_with_one_place_each_keep_it, begin, end),
		cmocka_unit_test_setup_teardown(connections_are_shared_too, begin, end),
		cmocka_unit_test_setup_teardown(dropped_connections_count_no_more, begin, end),
		cmocka_unit_test_setup_teardown(uses_have_places_of_their_own, begin, end),
		cmocka_unit_test_setup_teardown(idle_connections_make_way_first, begin, end),
		cmocka_unit_test_setup_teardown(families_are_told_apart, begin, end),
		cmocka_unit_test_setup_teardown(an_ipv6_network_counts_as_one_address, begin, end),
		cmocka_unit_test_setup_teardown(addresses_have_their_text, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
