/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An engine: router discovery (RFC 4286) follows settings, election, links and the end, in both families.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/contract/snapshot_items.h"
#include "core/wire/mrd.h"
#include "support/engine.h"

static const struct query other_query = {
	.version = VERSION_3, .max_response = 5000, .robustness = 3, .query_interval = 60000};

static const char *const lower[FAMILIES] = {"10.0.1.0", "fe80::0"};

/* Messages of a type that were sent on a link since the last forget. */
static unsigned sent(uint8_t link, enum family family, enum mrd_type wanted)
{
	unsigned count = 0;

	for (size_t i = 0; i < engine.kept_count; i++) {
		const struct kept_request *kept = &engine.kept[i];
		struct packet packet;
		enum mrd_type type;

		if (kept->request.kind != REQUEST_SEND || kept->request.link != link ||
		    kept->request.family != family)
			continue;
		assert_int_equal(packet_parse(family, kept->payload, kept->payload_size, &packet), DROP_NONE);
		if (!mrd_is_message(&packet))
			continue;
		assert_int_equal(mrd_decode(&packet, &type), DROP_NONE);
		assert_true(addr_equal(&packet.destination, &mrd_all_snoopers[family]));
		assert_true(addr_equal(&kept->request.group, &mrd_all_snoopers[family]));
		assert_true(addr_equal(&packet.source, &engine.links[link].family[family].address));
		count += type == wanted;
	}
	return count;
}

/* The last advertisement's query interval and robustness. */
static void assert_fields(uint8_t link, enum family family, unsigned query_interval, unsigned robustness)
{
	const struct kept_request *last = NULL;
	struct packet packet;

	for (size_t i = 0; i < engine.kept_count; i++)
		if (engine.kept[i].request.kind == REQUEST_SEND && engine.kept[i].request.link == link &&
		    engine.kept[i].request.family == family)
			last = &engine.kept[i];
	assert_non_null(last);
	assert_int_equal(packet_parse(family, last->payload, last->payload_size, &packet), DROP_NONE);
	assert_int_equal(packet.payload[1], 20);
	assert_int_equal(wire_get16(packet.payload + 4), query_interval);
	assert_int_equal(wire_get16(packet.payload + 6), robustness);
}

static void set_discovery(uint8_t link, enum router_discovery discovery)
{
	engine.links[link].settings.router_discovery = (uint8_t)discovery;
	give_link(link);
	turn();
}

static void hear_querier(enum family family)
{
	receive(DOWN1, craft_query(lower[family], other_query, NULL, NULL));
}

/* A message of router discovery from a host on the link. */
static void receive_message(uint8_t link, enum family family, enum mrd_type type)
{
	struct addr source = addr_of(family == FAMILY_IPV4 ? "10.0.1.99" : "fe80::99");
	struct mrd_advertisement advertisement = {.advertisement_interval = 20};
	struct craft craft;
	uint8_t *message = craft.bytes + packet_header_size(family);
	size_t size = type == MRD_ADVERTISEMENT ? mrd_encode_advertisement(message, &source, &advertisement)
	                                        : mrd_encode_termination(message, &source);

	message[0] = (uint8_t)((family == FAMILY_IPV4 ? 0x30 : 151) + type);
	craft.size = packet_finish(family, craft.bytes, &source, &mrd_all_snoopers[family], size);
	craft_resize(&craft, family, size); /* the checksum */
	give_packet(link, family, &craft);
	turn();
}

static void auto_is_silent_while_querier(void **state)
{
	(void)state;
	set_discovery(DOWN1, ROUTER_DISCOVERY_AUTO);
	forget();
	pass(300000);
	for (int family = 0; family < FAMILIES; family++) {
		receive_message(DOWN1, family, MRD_SOLICITATION);
		pass(5000);
		assert_int_equal(sent(DOWN1, family, MRD_ADVERTISEMENT), 0);
		assert_int_equal(sent(DOWN1, family, MRD_TERMINATION), 0);
	}
}

static void auto_follows_the_election(void **state)
{
	(void)state;
	for (int family = 0; family < FAMILIES; family++) {
		enum family other = family == FAMILY_IPV4 ? FAMILY_IPV6 : FAMILY_IPV4;

		set_discovery(DOWN1, ROUTER_DISCOVERY_AUTO);
		forget();
		hear_querier(family);
		pass(6000);
		assert_int_equal(sent(DOWN1, family, MRD_ADVERTISEMENT), 3);
		assert_fields(DOWN1, family, 60, 3); /* the querier's, which are in force */
		pass(61500);
		assert_int_equal(sent(DOWN1, family, MRD_ADVERTISEMENT), 6);
		assert_int_equal(sent(DOWN1, family, MRD_TERMINATION), 0);
		/* The querier falls silent: other querier present is 3 * 60 s + 2.5 s. */
		pass(185000 - 67500 - 1);
		assert_int_equal(sent(DOWN1, family, MRD_TERMINATION), 0);
		pass(1);
		assert_int_equal(sent(DOWN1, family, MRD_TERMINATION), 1);
		forget();
		pass(60000);
		assert_int_equal(sent(DOWN1, family, MRD_ADVERTISEMENT), 0);
		assert_int_equal(sent(DOWN1, family, MRD_TERMINATION), 0);
		/* The other family and the other link have their own election. */
		assert_int_equal(sent(DOWN1, other, MRD_ADVERTISEMENT), 0);
		assert_int_equal(sent(DOWN2, family, MRD_ADVERTISEMENT), 0);
	}
}

static void settings_decide(void **state)
{
	(void)state;
	set_discovery(DOWN1, ROUTER_DISCOVERY_ON);
	set_discovery(UP, ROUTER_DISCOVERY_ON); /* downstream links only */
	forget();
	pass(6000);
	for (int family = 0; family < FAMILIES; family++) {
		assert_int_equal(sent(DOWN1, family, MRD_ADVERTISEMENT), 3);
		assert_fields(DOWN1, family, 125, 2);
		assert_int_equal(sent(UP, family, MRD_ADVERTISEMENT), 0);
	}
	/* The election does not matter. */
	for (int family = 0; family < FAMILIES; family++) {
		forget();
		hear_querier(family);
		pass(21000);
		assert_in_range(sent(DOWN1, family, MRD_ADVERTISEMENT), 1, 2);
		assert_int_equal(sent(DOWN1, family, MRD_TERMINATION), 0);
	}
	set_discovery(DOWN1, ROUTER_DISCOVERY_OFF);
	for (int family = 0; family < FAMILIES; family++)
		assert_int_equal(sent(DOWN1, family, MRD_TERMINATION), 1);
	forget();
	pass(60000);
	for (int family = 0; family < FAMILIES; family++) {
		assert_int_equal(sent(DOWN1, family, MRD_ADVERTISEMENT), 0);
		hear_querier(family);
		pass(60000);
		assert_int_equal(sent(DOWN1, family, MRD_ADVERTISEMENT), 0);
	}
}

static void solicitations_are_answered(void **state)
{
	(void)state;
	set_discovery(DOWN1, ROUTER_DISCOVERY_ON);
	pass(10000);
	want_events(true);
	for (int family = 0; family < FAMILIES; family++) {
		forget();
		receive_message(DOWN1, family, MRD_SOLICITATION);
		assert_int_equal(events_of(EVENT_DROP), 0);
		receive_message(DOWN1, family, MRD_SOLICITATION); /* while the answer is pending */
		assert_int_equal(events_of(EVENT_DROP), 1);
		assert_int_equal(newest_event(EVENT_DROP)->before, DROP_DISCOVERY);
		pass(1999);
		assert_int_equal(sent(DOWN1, family, MRD_ADVERTISEMENT), 1);
		pass(5000);
	}
}

/* Messages of other routers and those that arrive upstream cost a counter. */
static void other_messages_have_no_effect(void **state)
{
	(void)state;
	set_discovery(DOWN1, ROUTER_DISCOVERY_ON);
	pass(10000);
	want_events(true);
	for (int family = 0; family < FAMILIES; family++) {
		static const struct {
			uint8_t link;
			enum mrd_type type;
		} rows[] = {{DOWN1, MRD_ADVERTISEMENT},
		            {DOWN1, MRD_TERMINATION},
		            {UP, MRD_SOLICITATION},
		            {UP, MRD_ADVERTISEMENT}};

		for (size_t i = 0; i < LENGTH(rows); i++) {
			mtime before = instance_deadline(engine.instance);

			forget();
			/* Counts are reported at powers of two. */
			for (int n = 0; n < 4; n++)
				receive_message(rows[i].link, (enum family)family, rows[i].type);
			assert_true(events_of(EVENT_DROP) > 0);
			assert_int_equal(newest_event(EVENT_DROP)->before, DROP_DISCOVERY);
			assert_int_equal(requests_of(REQUEST_SEND), 0);
			assert_true(instance_deadline(engine.instance) == before);
		}
	}
}

static void the_end_terminates(void **state)
{
	static const struct input stop = {.kind = INPUT_STOP};

	(void)state;
	set_discovery(DOWN1, ROUTER_DISCOVERY_ON);
	set_discovery(DOWN2, ROUTER_DISCOVERY_AUTO);
	pass(10000);
	forget();
	give(&stop, NULL, 0);
	turn();
	for (int family = 0; family < FAMILIES; family++) {
		assert_int_equal(sent(DOWN1, family, MRD_TERMINATION), 1);
		assert_int_equal(sent(DOWN2, family, MRD_TERMINATION), 0); /* never advertised */
	}
	assert_int_equal(engine.kept[engine.kept_count - 1].request.kind, REQUEST_STOPPED);
	assert_int_equal(requests_of(REQUEST_STOPPED), 1);
}

static void a_link_that_goes_down_and_up_begins_again(void **state)
{
	(void)state;
	set_discovery(DOWN1, ROUTER_DISCOVERY_ON);
	pass(10000);
	forget();
	link_down(DOWN1);
	pass(60000);
	for (int family = 0; family < FAMILIES; family++) {
		assert_int_equal(sent(DOWN1, family, MRD_ADVERTISEMENT), 0);
		assert_int_equal(sent(DOWN1, family, MRD_TERMINATION), 0);
	}
	for (int family = 0; family < FAMILIES; family++)
		engine.links[DOWN1].family[family].usable = true;
	engine.links[DOWN1].present = true;
	give_link(DOWN1);
	pass(6000);
	for (int family = 0; family < FAMILIES; family++)
		assert_int_equal(sent(DOWN1, family, MRD_ADVERTISEMENT), 3);
	forget();
	link_gone(DOWN1);
	pass(60000);
	assert_int_equal(requests_of(REQUEST_LINK_FREE), 1);
	assert_int_equal(sent(DOWN1, FAMILY_IPV4, MRD_ADVERTISEMENT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(auto_is_silent_while_querier),
		engine_test(auto_follows_the_election),
		engine_test(settings_decide),
		engine_test(solicitations_are_answered),
		engine_test(other_messages_have_no_effect),
		engine_test(the_end_terminates),
		engine_test(a_link_that_goes_down_and_up_begins_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
