/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packet filters: what rulesets of nft and iptables do to streams, IGMP and MLD. Rules are written as nft
 * prints them, by small macros.
 */
#include "ctl/firewall/firewall.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/craft.h"

#define RULESET(...) "{\"nftables\": [{\"metainfo\": {}}, " __VA_ARGS__ "]}"
#define CHAIN(name, hook, policy)                                                                            \
	"{\"chain\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"" name                             \
	"\", \"type\": \"filter\", \"hook\": \"" hook "\", \"prio\": 0, \"policy\": \"" policy "\"}}"
#define RULE(chain, ...)                                                                                     \
	", {\"rule\": {\"family\": \"inet\", \"table\": \"t\", \"chain\": \"" chain                          \
	"\", \"handle\": 7, \"expr\": [" __VA_ARGS__ "]}}"
#define META(op, key, right)                                                                                 \
	"{\"match\": {\"op\": \"" op "\", \"left\": {\"meta\": {\"key\": \"" key "\"}}, \"right\": " right   \
	"}}"
#define FIELD(op, protocol, field, right)                                                                    \
	"{\"match\": {\"op\": \"" op "\", \"left\": {\"payload\": {\"protocol\": \"" protocol                \
	"\", \"field\": \"" field "\"}}, \"right\": " right "}}"
#define CT(right)                                                                                            \
	"{\"match\": {\"op\": \"in\", \"left\": {\"ct\": {\"key\": \"state\"}}, \"right\": " right "}}"
#define DROP        "{\"drop\": null}"
#define ACCEPT      "{\"accept\": null}"
#define COUNTER     "{\"counter\": {\"packets\": 0, \"bytes\": 0}}"
#define FORWARD     CHAIN("f", "forward", "accept")
#define FORWARD_NOT CHAIN("f", "forward", "drop")

static struct firewall_packet stream(void)
{
	return (struct firewall_packet){.family = FAMILY_IPV4,
	                                .protocol = IPPROTO_UDP,
	                                .source = addr_of("10.0.0.10"),
	                                .source_known = true,
	                                .destination = addr_of("239.1.2.3"),
	                                .port = 5001,
	                                .input = "eth0",
	                                .output = "eth1"};
}

static struct firewall_packet igmp(void)
{
	return (struct firewall_packet){.family = FAMILY_IPV4,
	                                .protocol = IPPROTO_IGMP,
	                                .type = 0x11,
	                                .destination = addr_of("224.0.0.1"),
	                                .input = "eth0"};
}

static struct firewall_packet mld(void)
{
	return (struct firewall_packet){.family = FAMILY_IPV6,
	                                .protocol = IPPROTO_ICMPV6,
	                                .type = 130,
	                                .destination = addr_of("ff02::1"),
	                                .input = "eth0"};
}

static enum firewall_answer try_nft(const char *text, enum hook hook, const struct firewall_packet *packet,
                                    struct firewall_drop *drop)
{
	struct firewall *firewall = firewall_new();
	enum firewall_answer answer;

	assert_true(firewall_add_nft(firewall, text));
	answer = firewall_try(firewall, hook, packet, drop);
	firewall_free(firewall);
	return answer;
}

struct row {
	const char *text;
	enum firewall_answer answer;
};

static void check(const struct row *rows, size_t count, enum hook hook, const struct firewall_packet *packet)
{
	for (size_t i = 0; i < count; i++) {
		struct firewall_drop drop;
		enum firewall_answer answer = try_nft(rows[i].text, hook, packet, &drop);

		if (answer != rows[i].answer)
			fail_msg("%d, not %d: %s", answer, rows[i].answer, rows[i].text);
	}
}

static void streams_are_judged_rule_by_rule(void **state)
{
	static const struct row rows[] = {
		{RULESET(FORWARD), FIREWALL_PASSES},
		{RULESET(FORWARD_NOT), FIREWALL_DROPS},
		{RULESET(FORWARD RULE("f", COUNTER ", " DROP)), FIREWALL_DROPS},
		{RULESET(FORWARD RULE("f", "{\"reject\": {\"type\": \"icmpx\"}}")), FIREWALL_DROPS},
		/* Connection states. */
		{RULESET(FORWARD_NOT RULE("f", CT("[\"established\", \"related\"], \"x\": 0") ", " ACCEPT)),
	         FIREWALL_DROPS},
		{RULESET(FORWARD_NOT RULE("f", CT("[\"new\", \"established\"]") ", " ACCEPT)),
	         FIREWALL_PASSES},
		{RULESET(FORWARD RULE("f", CT("\"invalid\"") ", " DROP)), FIREWALL_PASSES},
		{RULESET(FORWARD RULE("f", "{\"match\": {\"op\": \"!\", \"left\": {\"ct\": {\"key\": "
	                                   "\"state\"}}, \"right\": \"established\"}}, " DROP)),
	         FIREWALL_DROPS},
		{RULESET(FORWARD_NOT RULE("f", "{\"match\": {\"op\": \"in\", \"left\": {\"ct\": {\"key\": "
	                                       "\"status\"}}, \"right\": \"dnat\"}}, " ACCEPT)),
	         FIREWALL_DROPS},
		/* A jump to a chain without a name, as nft lists it. */
		{RULESET(FORWARD RULE("f", "\"jump {\\n\\t\\tdrop\\n\\t}\"")), FIREWALL_MAY_DROP},
		/* Interfaces. */
		{RULESET(FORWARD_NOT RULE("f", META("==", "iifname", "\"eth0\"") ", " ACCEPT)),
	         FIREWALL_PASSES},
		{RULESET(FORWARD_NOT RULE("f", META("==", "iifname", "\"eth*\"") ", " ACCEPT)),
	         FIREWALL_PASSES},
		{RULESET(FORWARD_NOT RULE("f", META("!=", "iifname", "\"eth0\"") ", " ACCEPT)),
	         FIREWALL_DROPS},
		{RULESET(FORWARD RULE("f",
	                              META("==", "oifname", "{\"set\": [\"eth1\", \"eth2\"]}") ", " DROP)),
	         FIREWALL_DROPS},
		/* Addresses. */
		{RULESET(FORWARD RULE("f", FIELD("==", "ip", "daddr", "\"239.1.2.3\"") ", " DROP)),
	         FIREWALL_DROPS},
		{RULESET(FORWARD RULE("f", FIELD("==", "ip", "daddr", "\"239.1.2.4\"") ", " DROP)),
	         FIREWALL_PASSES},
		{RULESET(FORWARD RULE(
			 "f", FIELD("==", "ip", "daddr",
	                            "{\"prefix\": {\"addr\": \"224.0.0.0\", \"len\": 4}}") ", " DROP)),
	         FIREWALL_DROPS},
		{RULESET(FORWARD RULE(
			 "f", FIELD("==", "ip", "saddr",
	                            "{\"prefix\": {\"addr\": \"10.1.0.0\", \"len\": 16}}") ", " DROP)),
	         FIREWALL_PASSES},
		{RULESET(FORWARD RULE("f", FIELD("==", "ip", "saddr",
	                                         "{\"range\": [\"10.0.0.1\", \"10.0.0.20\"]}") ", " DROP)),
	         FIREWALL_DROPS},
		{RULESET(FORWARD RULE("f", FIELD("==", "ip6", "daddr", "\"ff02::1\"") ", " DROP)),
	         FIREWALL_PASSES},
		/* Protocols and ports. */
		{RULESET(FORWARD RULE("f", META("==", "l4proto", "\"igmp\"") ", " DROP)), FIREWALL_PASSES},
		{RULESET(FORWARD RULE("f", META("==", "l4proto", "17") ", " DROP)), FIREWALL_DROPS},
		{RULESET(FORWARD RULE("f",
	                              FIELD("==", "udp", "dport", "{\"range\": [5000, 5010]}") ", " DROP)),
	         FIREWALL_DROPS},
		{RULESET(FORWARD RULE("f", FIELD("==", "udp", "dport", "53") ", " DROP)), FIREWALL_PASSES},
		{RULESET(FORWARD RULE("f", FIELD("==", "tcp", "dport", "5001") ", " DROP)), FIREWALL_PASSES},
		/* Fields that are not known. */
		{RULESET(FORWARD RULE("f", FIELD("<", "ip", "ttl", "10") ", " DROP)), FIREWALL_MAY_DROP},
		/* Unknown properties. */
		{RULESET(FORWARD RULE("f", META("==", "mark", "1") ", " DROP)), FIREWALL_MAY_DROP},
		{RULESET(FORWARD RULE("f", "{\"limit\": {\"rate\": 10}}, " DROP)), FIREWALL_MAY_DROP},
		{RULESET(FORWARD_NOT RULE("f", META("==", "mark", "1") ", " ACCEPT)), FIREWALL_MAY_DROP},
		{RULESET(FORWARD RULE("f", META("==", "mark", "1") ", " DROP) RULE("f", DROP)),
	         FIREWALL_DROPS},
		{RULESET(FORWARD RULE("f", "{\"xt\": null}, " DROP)), FIREWALL_MAY_DROP},
		/* Order. */
		{RULESET(FORWARD RULE("f", ACCEPT) RULE("f", DROP)), FIREWALL_PASSES},
		/* Another hook or family. */
		{RULESET(CHAIN("i", "input", "drop")), FIREWALL_PASSES},
		{RULESET("{\"chain\": {\"family\": \"ip6\", \"table\": \"t\", \"name\": \"f\", \"hook\": "
	                 "\"forward\", \"policy\": \"drop\"}}"),
	         FIREWALL_PASSES},
		/* A packet that one table accepts can be dropped by the next one. */
		{RULESET(FORWARD RULE(
			 "f", ACCEPT) ", {\"chain\": {\"family\": \"ip\", \"table\": \"u\", \"name\": \"f\", "
	                              "\"hook\": \"forward\", \"policy\": \"drop\"}}"),
	         FIREWALL_DROPS},
	};
	struct firewall_packet packet = stream();

	(void)state;
	check(rows, LENGTH(rows), HOOK_FORWARD, &packet);
}

#define JUMP(chain) "{\"jump\": {\"target\": \"" chain "\"}}"
#define GOTO(chain) "{\"goto\": {\"target\": \"" chain "\"}}"

static void jumps_sets_and_maps_are_followed(void **state)
{
	static const struct row rows[] = {
		{RULESET(FORWARD RULE("f", JUMP("g")) RULE("g", DROP)), FIREWALL_DROPS},
		{RULESET(FORWARD RULE("f", JUMP("g")) RULE("g", "{\"return\": null}") RULE("g", DROP)),
	         FIREWALL_PASSES},
		{RULESET(FORWARD RULE("f", JUMP("g")) RULE("f", DROP) RULE("g", "{\"return\": null}")),
	         FIREWALL_DROPS},
		{RULESET(FORWARD RULE("f", GOTO("g")) RULE("f", DROP) RULE("g", COUNTER)), FIREWALL_PASSES},
		{RULESET(FORWARD RULE("f", META("==", "mark", "1") ", " JUMP("g")) RULE("g", DROP)),
	         FIREWALL_MAY_DROP},
		{RULESET(FORWARD RULE("f", JUMP("g"))
	                         RULE("g", META("==", "mark", "1") ", {\"return\": null}") RULE("g", DROP)),
	         FIREWALL_MAY_DROP},
		{RULESET(FORWARD RULE("f", JUMP("f")) RULE("f", DROP)), FIREWALL_DROPS},
		{RULESET("{\"set\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"s\", \"elem\": "
	                 "[{\"prefix\": {\"addr\": \"239.0.0.0\", \"len\": 8}}]}}, " FORWARD RULE(
				 "f", FIELD("==", "ip", "daddr", "\"@s\"") ", " DROP)),
	         FIREWALL_DROPS},
		{RULESET("{\"set\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"s\", \"elem\": "
	                 "[{\"elem\": {\"val\": \"10.0.0.10\", \"timeout\": 9}}]}}, " FORWARD RULE(
				 "f", FIELD("!=", "ip", "saddr", "\"@s\"") ", " DROP)),
	         FIREWALL_PASSES},
		/* An interface may have that name. */
		{RULESET("{\"set\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"s\", \"elem\": "
	                 "[\"@s\", {\"elem\": {\"val\": \"@s\"}}]}}, " FORWARD RULE(
				 "f", META("==", "iifname", "\"@s\"") ", " DROP)),
	         FIREWALL_PASSES},
		{RULESET(FORWARD_NOT RULE(
			 "f", "{\"vmap\": {\"key\": {\"ct\": {\"key\": \"state\"}}, \"data\": {\"set\": "
			      "[[\"established\", " ACCEPT "], [\"invalid\", " DROP "]]}}}")),
	         FIREWALL_DROPS},
		{RULESET(FORWARD_NOT RULE(
			 "f", "{\"vmap\": {\"key\": {\"meta\": {\"key\": \"iifname\"}}, \"data\": "
			      "{\"set\": [[\"lo\", " DROP "], [\"eth0\", " JUMP("g") "]]}}}")
	                         RULE("g", ACCEPT)),
	         FIREWALL_PASSES},
		{RULESET("{\"map\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"m\", \"elem\": "
	                 "[[\"eth0\", " DROP
	                 "]]}}, " FORWARD RULE("f", "{\"vmap\": {\"key\": {\"meta\": {\"key\": "
	                                            "\"iifname\"}}, \"data\": \"@m\"}}")),
	         FIREWALL_DROPS},
		{RULESET(FORWARD RULE("f", "{\"match\": {\"op\": \"==\", \"left\": {\"concat\": "
	                                   "[{\"meta\": {\"key\": \"iifname\"}}, {\"payload\": "
	                                   "{\"protocol\": \"udp\", \"field\": \"dport\"}}]}, \"right\": "
	                                   "{\"set\": [{\"concat\": [\"eth0\", 5001]}]}}}, " DROP)),
	         FIREWALL_MAY_DROP},
		{RULESET(FORWARD RULE("f", "{\"match\": {\"op\": \"!=\", \"left\": {\"fib\": {\"result\": "
	                                   "\"type\", \"flags\": [\"daddr\"]}}, "
	                                   "\"right\": \"local\"}}, " DROP)),
	         FIREWALL_DROPS},
	};
	struct firewall_packet packet = stream();

	(void)state;
	check(rows, LENGTH(rows), HOOK_FORWARD, &packet);
}

#define INPUT_NOT CHAIN("i", "input", "drop")

static void igmp_and_mld_are_distinguished(void **state)
{
	static const struct row igmp_rows[] = {
		{RULESET(INPUT_NOT), FIREWALL_DROPS},
		{RULESET(INPUT_NOT RULE("i", META("==", "l4proto", "\"igmp\"") ", " ACCEPT)),
	         FIREWALL_PASSES},
		{RULESET(INPUT_NOT RULE("i", FIELD("==", "ip", "protocol", "\"igmp\"") ", " ACCEPT)),
	         FIREWALL_PASSES},
		{RULESET(INPUT_NOT RULE("i",
	                                FIELD("==", "igmp", "type", "\"membership-query\"") ", " ACCEPT)),
	         FIREWALL_PASSES},
		{RULESET(INPUT_NOT RULE("i", META("==", "pkttype", "\"multicast\"") ", " ACCEPT)),
	         FIREWALL_PASSES},
		{RULESET(INPUT_NOT RULE("i", FIELD("==", "icmpv6", "type", "130") ", " ACCEPT)),
	         FIREWALL_DROPS},
		{RULESET(INPUT_NOT RULE("i", META("!=", "oifname", "\"lo\"") ", " ACCEPT)), FIREWALL_PASSES},
	};
	static const struct row mld_rows[] = {
		{RULESET(INPUT_NOT RULE("i", META("==", "l4proto", "\"igmp\"") ", " ACCEPT)), FIREWALL_DROPS},
		{RULESET(INPUT_NOT RULE("i", META("==", "l4proto", "\"ipv6-icmp\"") ", " ACCEPT)),
	         FIREWALL_PASSES},
		/* The next header of MLD is hop-by-hop options. */
		{RULESET(INPUT_NOT RULE("i", FIELD("==", "ip6", "nexthdr", "\"ipv6-icmp\"") ", " ACCEPT)),
	         FIREWALL_DROPS},
		{RULESET(INPUT_NOT RULE(
			 "i",
			 FIELD("==", "icmpv6", "type",
	                       "{\"set\": [\"mld-listener-query\", \"mld2-listener-report\"]}") ", " ACCEPT)),
	         FIREWALL_PASSES},
		{RULESET(INPUT_NOT RULE("i", FIELD("==", "icmpv6", "type",
	                                           "{\"set\": [\"nd-neighbor-solicit\"]}") ", " ACCEPT)),
	         FIREWALL_DROPS},
		{RULESET(INPUT_NOT RULE("i", META("==", "nfproto", "\"ipv6\"") ", " ACCEPT)),
	         FIREWALL_PASSES},
	};
	struct firewall_packet query = igmp(), query6 = mld();

	(void)state;
	check(igmp_rows, LENGTH(igmp_rows), HOOK_INPUT, &query);
	check(mld_rows, LENGTH(mld_rows), HOOK_INPUT, &query6);
}

static void rules_that_make_no_sense_do_no_harm(void **state)
{
	static const struct row rows[] = {
		{RULESET(FORWARD RULE("f", "3, " DROP)), FIREWALL_MAY_DROP},
		{RULESET(FORWARD RULE("f", "null")), FIREWALL_PASSES},
		{RULESET(FORWARD RULE("f", "{\"match\": 3}, " DROP)), FIREWALL_MAY_DROP},
		{RULESET(FORWARD RULE(
			 "f",
			 "{\"match\": {\"op\": \"==\", \"left\": {\"meta\": 3}, \"right\": null}}, " DROP)),
	         FIREWALL_MAY_DROP},
		{RULESET(FORWARD RULE(
			 "f", FIELD("==", "ip", "daddr",
	                            "{\"prefix\": {\"addr\": \"239.0.0.0\", \"len\": 4000}}") ", " DROP)),
	         FIREWALL_MAY_DROP},
		{RULESET(FORWARD RULE("f",
	                              FIELD("==", "ip", "daddr", "{\"range\": [null, null]}") ", " DROP)),
	         FIREWALL_MAY_DROP},
		{RULESET(FORWARD RULE("f", "{\"vmap\": {\"key\": 3, \"data\": {\"set\": [3, [1]]}}}")),
	         FIREWALL_PASSES},
		{RULESET(FORWARD ", 5, {\"rule\": 5}, {\"chain\": 5}, {\"rule\": {\"chain\": null}}"),
	         FIREWALL_PASSES},
	};
	static const char *const not_rulesets[] = {"", "nft: command not found", "[]", "{\"nftables\": 3}",
	                                           "{"};
	struct firewall_packet packet = stream();

	(void)state;
	check(rows, LENGTH(rows), HOOK_FORWARD, &packet);
	for (size_t i = 0; i < LENGTH(not_rulesets); i++) {
		struct firewall *firewall = firewall_new();

		assert_false(firewall_add_nft(firewall, not_rulesets[i]));
		firewall_free(firewall);
	}
}

/* Chains that jump to each other many times, or endlessly, which the kernel rejects. */
static void endless_jumps_come_to_an_end(void **state)
{
	struct firewall_packet packet = stream();
	struct firewall_drop drop;

	(void)state;
	assert_int_equal(
		try_nft(RULESET(FORWARD RULE("f", JUMP("f")) RULE("f", JUMP("f")) RULE("f", JUMP("f"))),
	                HOOK_FORWARD, &packet, &drop),
		FIREWALL_MAY_DROP);
}

static void iptables_is_read_as_well(void **state)
{
	static const struct row rows[] = {
		{"*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n", FIREWALL_PASSES},
		{"*filter\n:FORWARD DROP [0:0]\nCOMMIT\n", FIREWALL_DROPS},
		{"*filter\n:FORWARD DROP [0:0]\n-A FORWARD -d 224.0.0.0/4 -j ACCEPT\nCOMMIT\n",
	         FIREWALL_PASSES},
		{"*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i eth0 -o eth1 -p udp -m udp --dport 5000:5010 "
	         "-j ACCEPT\n",
	         FIREWALL_PASSES},
		{"*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j "
	         "ACCEPT\n",
	         FIREWALL_DROPS},
		{"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD ! -i eth+ -j DROP\n", FIREWALL_PASSES},
		{"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m pkttype --pkt-type multicast -j REJECT "
	         "--reject-with icmp-port-unreachable\n",
	         FIREWALL_DROPS},
		{"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m addrtype --dst-type MULTICAST -m comment "
	         "--comment \"no -j TV\" -j DROP\n",
	         FIREWALL_DROPS},
		{"*filter\n:FORWARD ACCEPT [0:0]\n:tv - [0:0]\n-A FORWARD -j tv\n-A tv -d 239.0.0.0/8 -j "
	         "DROP\n",
	         FIREWALL_DROPS},
		{"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j LOG --log-prefix \"x\"\n", FIREWALL_PASSES},
		{"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m set --match-set bad src -j DROP\n",
	         FIREWALL_MAY_DROP},
		{"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m mark --mark 0x1 -j DROP\n",
	         FIREWALL_MAY_DROP},
		{"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p tcp -j DROP\n", FIREWALL_PASSES},
		{"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD\n-A\n:\n*\n", FIREWALL_PASSES},
		{"*nat\n:PREROUTING DROP [0:0]\nCOMMIT\n", FIREWALL_PASSES},
	};
	struct firewall_packet packet = stream();

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct firewall *firewall = firewall_new();
		struct firewall_drop drop;

		assert_true(firewall_add_iptables(firewall, FAMILY_IPV4, "iptables", rows[i].text));
		if (firewall_try(firewall, HOOK_FORWARD, &packet, &drop) != rows[i].answer)
			fail_msg("not %d: %s", rows[i].answer, rows[i].text);
		firewall_free(firewall);
	}
}

static void rule_and_remedy_are_named(void **state)
{
	struct firewall *firewall = firewall_new();
	struct firewall_packet packet = stream(), query = igmp();
	struct firewall_drop drop;
	char text[512];

	(void)state;
	assert_int_equal(
		try_nft(RULESET(FORWARD RULE("f", JUMP("g")) RULE("g", DROP)), HOOK_FORWARD, &packet, &drop),
		FIREWALL_DROPS);
	firewall_drop_name(&drop, text, sizeof text);
	assert_string_equal(text, "rule with handle 7 of chain g in table inet t");
	firewall_remedy(&drop, &packet, text, sizeof text);
	assert_string_equal(text, "nft insert rule inet t g handle 7 ip daddr 239.1.2.3 accept");

	assert_int_equal(try_nft(RULESET(INPUT_NOT), HOOK_INPUT, &query, &drop), FIREWALL_DROPS);
	firewall_drop_name(&drop, text, sizeof text);
	assert_string_equal(text, "the policy of chain i in table inet t");
	firewall_remedy(&drop, &query, text, sizeof text);
	assert_string_equal(text, "nft insert rule inet t i meta l4proto igmp accept");

	assert_true(firewall_add_iptables(firewall, FAMILY_IPV4, "iptables",
	                                  "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -i lo -j ACCEPT\n"
	                                  "-A FORWARD -j DROP\n"));
	assert_int_equal(firewall_try(firewall, HOOK_FORWARD, &packet, &drop), FIREWALL_DROPS);
	firewall_drop_name(&drop, text, sizeof text);
	assert_string_equal(text, "iptables: rule 2 of FORWARD in table filter (-A FORWARD -j DROP)");
	firewall_remedy(&drop, &packet, text, sizeof text);
	assert_string_equal(text, "iptables -t filter -I FORWARD 2 -d 239.1.2.3 -j ACCEPT");
	firewall_free(firewall);
}

/* What nft lists of the tables of iptables-nft, with rules that it cannot express, and of others. */
#define COMPAT_CHAIN(name, policy)                                                                           \
	"{\"chain\": {\"family\": \"ip\", \"table\": \"filter\", \"name\": \"" name                          \
	"\", \"type\": \"filter\", \"hook\": \"forward\", \"prio\": 0, \"policy\": \"" policy "\"}}"
#define COMPAT_RULE(chain, handle, ...)                                                                      \
	", {\"rule\": {\"family\": \"ip\", \"table\": \"filter\", \"chain\": \"" chain                       \
	"\", \"handle\": " handle ", \"expr\": [" __VA_ARGS__ "]}}"
#define XT "{\"xt\": {\"type\": \"match\", \"name\": \"conntrack\"}}, "
static const char nft_of_iptables[] =
	RULESET(COMPAT_CHAIN("FORWARD", "drop") ", " COMPAT_CHAIN("forward", "accept")
                        COMPAT_RULE("FORWARD", "4", XT ACCEPT) COMPAT_RULE("FORWARD", "9", XT DROP)
                                COMPAT_RULE("forward", "11", COUNTER));
static const char save_of_iptables[] =
	"# Generated by iptables-save v1.8.9 (nf_tables) on a day\n*filter\n:FORWARD DROP [0:0]\n"
	"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
	"-A FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n";

static struct firewall *iptables_nft(void)
{
	struct firewall *firewall = firewall_new();

	assert_true(firewall_add_iptables(firewall, FAMILY_IPV4, "iptables", save_of_iptables));
	assert_true(firewall_add_nft(firewall, nft_of_iptables));
	return firewall;
}

static void tables_of_iptables_nft_are_read_once(void **state)
{
	struct firewall *firewall = iptables_nft();
	struct firewall_packet packet = stream();
	struct firewall_drop drop;
	char text[FIREWALL_TEXT_SIZE];

	(void)state;
	assert_int_equal(firewall_try(firewall, HOOK_FORWARD, &packet, &drop), FIREWALL_DROPS);
	firewall_drop_name(&drop, text, sizeof text);
	assert_string_equal(text, "iptables: the policy of FORWARD in table filter");
	firewall_free(firewall);
}

/* Both kinds of iptables have a table filter with a chain FORWARD. */
static void legacy_rules_are_those_of_another_table(void **state)
{
	struct firewall *firewall = firewall_new();
	struct firewall_packet packet = stream();
	struct firewall_drop drop;

	(void)state;
	assert_true(firewall_add_iptables(
		firewall, FAMILY_IPV4, "iptables-legacy",
		"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -d 224.0.0.0/4 -j ACCEPT\n"));
	assert_true(firewall_add_iptables(firewall, FAMILY_IPV4, "iptables", save_of_iptables));
	assert_true(firewall_add_nft(firewall, nft_of_iptables));
	assert_int_equal(firewall_try(firewall, HOOK_FORWARD, &packet, &drop), FIREWALL_DROPS);
	assert_string_equal(drop.program, "iptables");
	packet.traced = true;
	assert_int_equal(firewall_try(firewall, HOOK_FORWARD, &packet, &drop), FIREWALL_PASSES);
	firewall_free(firewall);
}

static void check_name(const struct firewall *firewall, const struct trace_stop *stop, const char *name)
{
	struct firewall_drop drop;
	char text[FIREWALL_TEXT_SIZE];

	firewall_identify(firewall, stop, &drop);
	firewall_drop_name(&drop, text, sizeof text);
	assert_string_equal(text, name);
}

static void what_the_kernel_traced_is_named(void **state)
{
	static const char listing[] =
		"table inet t { # handle 3\n\tset s { # handle 1\n\t\ttype ifname\n\t}\n\n"
		"\tchain f { # handle 2\n\t\ttype filter hook forward priority 0; policy accept;\n"
		"\t\tudp dport 1 accept comment \"# handle 7\" # handle 6\n"
		"\t\tjump {\n\t\t\tdrop\n\t\t} # handle 7\n\t}\n"
		"\n\tchain g { # handle 8\n\t\tcomment \"TV\"\n\t\tdrop # handle 9\n\t}\n}\n";
	struct firewall *firewall = iptables_nft();
	struct trace_stop stop = {.family = 2, .table = "filter", .base = "FORWARD", .chain = "FORWARD"};

	(void)state;
	assert_true(firewall_add_nft(firewall,
	                             RULESET(FORWARD ", " CHAIN("i", "input", "drop") RULE("f", DROP))));
	firewall_add_rule_texts(firewall, listing);
	check_name(firewall, &stop, "iptables: the policy of FORWARD in table filter");
	stop.handle = 9;
	stop.position = 2;
	check_name(
		firewall, &stop,
		"iptables: rule 2 of FORWARD in table filter (-A FORWARD -m conntrack --ctstate INVALID -j DROP)");
	stop.position = 3; /* added in the meantime */
	check_name(firewall, &stop, "iptables: a rule of FORWARD in table filter");
	stop = (struct trace_stop){.family = 1, .table = "t", .base = "f", .chain = "f", .handle = 7};
	check_name(firewall, &stop, "rule with handle 7 of chain f in table inet t (jump { drop })");
	snprintf(stop.chain, sizeof stop.chain, "g");
	stop.handle = 9;
	check_name(firewall, &stop, "rule with handle 9 of chain g in table inet t (drop)");
	stop = (struct trace_stop){.family = 1, .table = "t", .base = "i", .chain = "i"};
	check_name(firewall, &stop, "the policy of chain i in table inet t");
	stop = (struct trace_stop){.family = 7, .table = "b", .base = "c", .chain = "c"};
	check_name(NULL, &stop, "the policy of chain c in table bridge b");
	firewall_free(firewall);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_are_judged_rule_by_rule),
		cmocka_unit_test(jumps_sets_and_maps_are_followed),
		cmocka_unit_test(igmp_and_mld_are_distinguished),
		cmocka_unit_test(rules_that_make_no_sense_do_no_harm),
		cmocka_unit_test(endless_jumps_come_to_an_end),
		cmocka_unit_test(iptables_is_read_as_well),
		cmocka_unit_test(rule_and_remedy_are_named),
		cmocka_unit_test(tables_of_iptables_nft_are_read_once),
		cmocka_unit_test(legacy_rules_are_those_of_another_table),
		cmocka_unit_test(what_the_kernel_traced_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
