/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A filter names an instance and a link that the configuration has; otherwise the answer lists those.
 */
#include "daemon/control/names.h"

#include "core/tables/links.h"
#include "daemon/owner/instances.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct config_instance tv = {.name = "tv",
                                    .upstream = {{.name = "eth0"}},
                                    .upstream_count = 1,
                                    .downstream = {{.name = "eth1"}, {.name = "tun*"}},
                                    .downstream_count = 2};
static struct config_instance lab = {.name = "lab",
                                     .upstream = {{.name = "eth0"}},
                                     .upstream_count = 1,
                                     .downstream = {{.name = "eth2"}},
                                     .downstream_count = 1};
/* The slot between them is free. */
static struct instance_slot slots[] = {{.config = &tv}, {.config = NULL}, {.config = &lab}};
static struct owner owner = {.instances = slots, .instance_count = 3};

static void names_of_the_configuration_are_accepted(void **state)
{
	static const struct {
		const char *instance, *link, *error;
	} rows[] = {
		{"", "", NULL},
		{"tv", "", NULL},
		{"lab", "eth2", NULL},
		{"", "eth0", NULL},
		{"", "tun7", NULL},
		{"", "tun*", NULL},
		{"radio", "", "instance radio: no such instance; the instances are: tv, lab"},
		{"", "eth9", "link eth9: no instance uses it; the links are: eth0, eth1, tun*, eth2"},
		{"", "eth", "link eth: no instance uses it; the links are: eth0, eth1, tun*, eth2"},
		{"radio", "eth9", "instance radio: no such instance; the instances are: tv, lab"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct client *client = calloc(1, sizeof *client);
		char expected[256];

		assert_non_null(client);
		client->owner = &owner;
		strcpy(client->request.instance, rows[i].instance);
		strcpy(client->request.link, rows[i].link);
		assert_int_equal(names_check(client), rows[i].error == NULL);
		if (rows[i].error == NULL) {
			assert_int_equal(client->out.size, 0);
		} else {
			snprintf(expected, sizeof expected, "{\"version\":1,\"error\":\"%s\"}\n",
			         rows[i].error);
			assert_int_equal(client->out.size, strlen(expected));
			assert_memory_equal(client->out.text, expected, client->out.size);
		}
		json_fini(&client->out);
		free(client);
	}
}

/* As many as there can be, longer than an answer may be. */
static void a_long_list_is_cut(void **state)
{
	static struct config_instance many = {.name = "many", .downstream_count = CONFIG_LINKS_MAX};
	struct instance_slot slot = {.config = &many};
	struct owner large = {.instances = &slot, .instance_count = 1};
	struct client *client = calloc(1, sizeof *client);

	(void)state;
	for (size_t i = 0; i < CONFIG_LINKS_MAX; i++)
		snprintf(many.downstream[i].name, sizeof many.downstream[i].name, "interface-%05zu",
		         i % 100000);
	large.links = owner.links;
	client->owner = &large;
	strcpy(client->request.link, "nosuch");
	assert_false(names_check(client));
	assert_true(client->out.size < 4 * CONTROL_ERROR_SIZE && !client->out.failed);
	json_fini(&client->out);
	free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_the_configuration_are_accepted),
		cmocka_unit_test(a_long_list_is_cut),
	};
	int failed;

	owner.links = links_new();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	links_free(owner.links);
	return failed;
}
