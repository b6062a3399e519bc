/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The way of a stream: all is well, and in each row one thing stops it.
 */
#include "ctl/diagnosis/path_steps.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/quoted_json.h"

#include "support/craft.h"

#define UP_WITH(usable, up)                                                                                  \
	"{'instance': 'tv', 'link': 'eth0', 'role': 'upstream', 'family': 'IPv4', 'present': true, "         \
	"'up': " up ", 'usable': " usable "}"
#define UP UP_WITH("true", "true")
#define DOWN_WITH(name, querier)                                                                             \
	"{'instance': 'tv', 'link': '" name                                                                  \
	"', 'role': 'downstream', 'family': 'IPv4', 'present': true, 'up': true, "                           \
	"'usable': true, 'this_router_is_querier': " querier                                                 \
	", 'querier': '10.0.1.0', 'counters': {'reports': 3}, 'drops': {}}"
#define DOWN DOWN_WITH("eth1", "true")
#define MEMBER_WITH(link, mode, sources)                                                                     \
	"{'instance': 'tv', 'link': '" link "', 'family': 'IPv4', 'group': '239.1.2.3', 'mode': '" mode      \
	"', 'version': 'IGMPv3', 'sources': [" sources "]}"
#define MEMBER            MEMBER_WITH("eth1", "EXCLUDE", "")
#define UPLINK_WITH(more) "[{'link': 'eth0', 'family': 'IPv4', 'present': true, 'version': 'IGMPv3'" more "}]"

#define MEMBERSHIP_WITH(state, provider)                                                                     \
	"[{'link': 'eth0', 'family': 'IPv4', 'group': '239.1.2.3', 'state': '" state                         \
	"', 'kept_by': '" provider "'}]"

static struct interface_state list[] = {{.index = 2, .name = "eth0"},
                                        {.index = 3, .name = "eth1", .mtu = 1500},
                                        {.index = 4, .name = "eth2"}};
static const struct interfaces interfaces = {list, LENGTH(list)};
static struct mroute before, after;
static struct capture capture;
static struct firewall *firewall;
static struct trace trace;
static const char nft_drop[] =
	"{\"nftables\": [{\"chain\": {\"family\": \"inet\", \"table\": \"fw\", \"name\": "
	"\"forward\", \"type\": \"filter\", \"hook\": \"forward\", \"policy\": \"drop\"}}]}";
static bool joined;
static long rp_filter;
static int back;

static bool has_joined(const char *link, const struct addr *group)
{
	(void)group;
	return joined && strcmp(link, "eth0") == 0;
}

static long rp_filter_of(const char *link)
{
	(void)link;
	return rp_filter;
}

static int route_back(const struct addr *source)
{
	(void)source;
	return back;
}

static void see(size_t place, int interface, bool outgoing, unsigned ttl)
{
	capture.list[place] = (struct sighting){.source = addr_of("10.0.0.10"),
	                                        .interface = interface,
	                                        .outgoing = outgoing,
	                                        .packets = 20,
	                                        .ttl_min = ttl,
	                                        .ttl_max = ttl,
	                                        .port = 5001};
	capture.count = place + 1;
}

static void make_healthy(struct stream_facts *stream)
{
	joined = true;
	rp_filter = 1;
	back = 2;
	list[1].master = 0;
	before = (struct mroute){
		.resolved = true, .input = 2, .outputs = {3}, .output_count = 1, .packets = 100};
	after = before;
	after.packets = 120;
	capture = (struct capture){.group = addr_of("239.1.2.3")};
	see(0, 2, false, 8);
	see(1, 3, true, 7);
	firewall = firewall_new();
	*stream = (struct stream_facts){.group = addr_of("239.1.2.3"),
	                                .source = addr_of("10.0.0.10"),
	                                .has_source = true,
	                                .instance = "tv",
	                                .links = json("[" UP "," DOWN "]"),
	                                .groups = json("[" MEMBER "]"),
	                                .routes = json("[]"),
	                                .upstream = json(UPLINK_WITH("")),
	                                .memberships = json(MEMBERSHIP_WITH("joined", "kernel")),
	                                .interfaces = &interfaces,
	                                .has_joined = has_joined,
	                                .before = &before,
	                                .after = &after,
	                                .capture = &capture,
	                                .seconds = 2,
	                                .rp_filter = rp_filter_of,
	                                .route_back = route_back,
	                                .firewall = firewall};
}

static void end(struct stream_facts *stream)
{
	json_object_put(stream->links);
	json_object_put(stream->groups);
	json_object_put(stream->routes);
	json_object_put(stream->upstream);
	json_object_put(stream->memberships);
	firewall_free(firewall);
}

static void replace(struct json_object **object, const char *text)
{
	json_object_put(*object);
	*object = json(text);
}

/* What can stop it. */

static void link_scope(struct stream_facts *stream)
{
	stream->group = addr_of("224.0.0.251");
}

static void not_served(struct stream_facts *stream)
{
	stream->instance = NULL;
}

static void wrong_link(struct stream_facts *stream)
{
	stream->wanted_link = "eth0";
}

static void no_member(struct stream_facts *stream)
{
	replace(&stream->groups, "[]");
}

static void wrong_way_round(struct stream_facts *stream)
{
	replace(&stream->groups, "[]");
	replace(&stream->links,
	        "[{'instance': 'tv', 'link': 'eth0', 'role': 'downstream', 'family': 'IPv4', 'usable': true, "
	        "'counters': {'reports': 0}}]");
	replace(&stream->routes,
	        "[{'instance': 'tv', 'family': 'IPv4', 'group': '239.1.2.3', 'source': '10.0.0.10', "
	        "'input': 'eth0'}]");
}

static void no_reports(struct stream_facts *stream)
{
	replace(&stream->groups, "[]");
	replace(&stream->links,
	        "[" UP
	        ",{'instance': 'tv', 'link': 'eth1', 'role': 'downstream', 'family': 'IPv4', 'usable': true, "
	        "'counters': {'reports': 0}}]");
}

/* Reports of groups that need a source were refused on the link. */
static void refused_reports(struct stream_facts *stream)
{
	replace(&stream->groups, "[]");
	replace(&stream->links,
	        "[" UP
	        ",{'instance': 'tv', 'link': 'eth1', 'role': 'downstream', 'family': 'IPv4', 'usable': true, "
	        "'counters': {'reports': 9}, 'drops': {'not allowed in SSM range': 9}}]");
}

static void ssm_reports(struct stream_facts *stream)
{
	refused_reports(stream);
	stream->group = addr_of("232.1.2.3");
}

/* Links by which no host is heard; one that does not exist has no family. */
static void link_missing(struct stream_facts *stream)
{
	replace(&stream->groups, "[]");
	replace(&stream->links,
	        "[" UP "," DOWN ",{'instance': 'tv', 'link': 'lab9', 'role': 'downstream', 'present': false, "
	        "'usable': false}]");
}

static void wanted_link_missing(struct stream_facts *stream)
{
	link_missing(stream);
	stream->wanted_link = "lab9";
}

static void link_down(struct stream_facts *stream)
{
	replace(&stream->groups, "[]");
	replace(&stream->links,
	        "[" UP "," DOWN ",{'instance': 'tv', 'link': 'wg0', 'role': 'downstream', 'family': 'IPv4', "
	        "'present': true, 'up': false, 'usable': false}]");
}

static void other_instance_down(struct stream_facts *stream)
{
	replace(&stream->groups, "[]");
	replace(&stream->links,
	        "[" UP "," DOWN ",{'instance': 'radio', 'link': 'lab9', 'role': 'downstream', "
	        "'present': false, 'usable': false}]");
}

static void other_source(struct stream_facts *stream)
{
	replace(&stream->groups,
	        "[" MEMBER_WITH("eth1", "INCLUDE", "{'source': '10.0.0.11', 'blocked': false}") "]");
}

static void blocked_source(struct stream_facts *stream)
{
	replace(&stream->groups,
	        "[" MEMBER_WITH("eth1", "EXCLUDE", "{'source': '10.0.0.10', 'blocked': true}") "]");
}

static void refused_by_the_kernel(struct stream_facts *stream)
{
	replace(&stream->memberships, MEMBERSHIP_WITH("refused", "kernel"));
	replace(&stream->upstream, UPLINK_WITH(", 'last_error': 'No buffer space available'"));
}

static void not_in_the_kernel(struct stream_facts *stream)
{
	(void)stream;
	joined = false;
}

static void not_wanted_upstream(struct stream_facts *stream)
{
	replace(&stream->memberships, "[]");
}

static void upstream_down(struct stream_facts *stream)
{
	replace(&stream->links, "[" UP_WITH("false", "false") "," DOWN "]");
}

static void upstream_without_address(struct stream_facts *stream)
{
	replace(&stream->links, "[" UP_WITH("false", "true") "," DOWN "]");
}

static void upstream_missing(struct stream_facts *stream)
{
	replace(&stream->links, "[{'instance': 'tv', 'link': 'ppp0', 'role': 'upstream', 'present': false, "
	                        "'usable': false}," DOWN "]");
	replace(&stream->upstream, "[]");
}

static void silence(struct stream_facts *stream)
{
	(void)stream;
	capture.count = 0;
	after.packets = before.packets;
}

static void silence_unseen(struct stream_facts *stream)
{
	silence(stream);
	stream->capture = NULL;
	stream->capture_why = "only root may";
}

static void elsewhere(struct stream_facts *stream)
{
	(void)stream;
	see(0, 4, false, 8);
}

/* The packets of one provider, and the group joined at another one. */
static void other_provider(struct stream_facts *stream)
{
	replace(&stream->links,
	        "[" UP "," DOWN ",{'instance': 'tv', 'link': 'eth2', 'role': 'upstream', 'family': "
	        "'IPv4', 'present': true, 'up': true, 'usable': true}]");
	see(0, 4, false, 8);
	back = 4;
}

static void both_providers(struct stream_facts *stream)
{
	other_provider(stream);
	see(0, 4, false, 8);
	see(1, 2, false, 8);
	see(2, 3, true, 7);
	back = 2;
}

static void last_hop(struct stream_facts *stream)
{
	(void)stream;
	see(0, 2, false, 1);
}

static void filtered(struct stream_facts *stream)
{
	(void)stream;
	see(0, 2, false, 8);
	after.packets = before.packets;
	back = 3;
}

static void filtered_and_counted(struct stream_facts *stream)
{
	filtered(stream);
	stream->rp_drops = 20;
}

static void filtered_loosely(struct stream_facts *stream)
{
	filtered(stream);
	rp_filter = 2;
	back = -ENETUNREACH;
}

/* -r has no effect on a downstream link. */
static void filtered_downstream(struct stream_facts *stream)
{
	filtered(stream);
	see(0, 3, false, 8);
	back = 2;
}

static void firewalled(struct stream_facts *stream)
{
	see(0, 2, false, 8);
	firewall_add_iptables(firewall, FAMILY_IPV4, "iptables", "*filter\n:FORWARD DROP [0:0]\n");
	(void)stream;
}

static void no_entry(struct stream_facts *stream)
{
	see(0, 2, false, 8);
	stream->before = stream->after = NULL;
}

static void held(struct stream_facts *stream)
{
	replace(&stream->links, "[{'instance': 'tv', 'link': 'eth0', 'role': 'upstream', 'family': 'IPv4', "
	                        "'present': true, 'up': true, 'usable': false, "
	                        "'not_served': 'igmpproxy (pid 12)'}]");
}

static void left_out(struct stream_facts *stream)
{
	replace(&stream->groups, "[" MEMBER "," MEMBER_WITH("eth2", "EXCLUDE", "") "]");
	replace(&stream->links, "[" UP "," DOWN "," DOWN_WITH("eth2", "false") "]");
}

static void left_out_by_others(struct stream_facts *stream)
{
	(void)stream;
	see(0, 2, false, 8);
	after.output_count = 0;
}

static void stuck(struct stream_facts *stream)
{
	(void)stream;
	see(0, 2, false, 8);
}

static void too_large(struct stream_facts *stream)
{
	stuck(stream);
	capture.list[0].size_max = 1600;
}

static void perhaps_firewalled(struct stream_facts *stream)
{
	stuck(stream);
	firewall_add_iptables(firewall, FAMILY_IPV4, "iptables",
	                      "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m mark --mark 0x1 -j DROP\n");
}

/* The kernel has traced packets of the stream; a rule may have stopped them. */
static void traced(struct stream_facts *stream, const char *base, int input, int output)
{
	trace = (struct trace){.sources = {addr_of("10.0.0.10")}, .source_count = 1};
	stream->trace = &trace;
	if (base == NULL)
		return;
	trace.list[0] = (struct trace_stop){.family = 2,
	                                    .table = "fw",
	                                    .source = addr_of("10.0.0.10"),
	                                    .input = input,
	                                    .output = output,
	                                    .packets = 20};
	snprintf(trace.list[0].base, sizeof trace.list[0].base, "%s", base);
	trace.count = 1;
}

static void traced_forward(struct stream_facts *stream)
{
	stuck(stream);
	traced(stream, "forward", 2, 3);
}

/* With IPv6, the kernel has set the input to the output there. */
static void traced_postrouting(struct stream_facts *stream)
{
	stuck(stream);
	traced(stream, "post", 3, 3);
}

static void traced_prerouting(struct stream_facts *stream)
{
	stuck(stream);
	traced(stream, "pre", 2, 0);
}

/* The router's own copy is dropped, copies to another link are, and so is another source. */
static void traced_elsewhere(struct stream_facts *stream)
{
	stuck(stream);
	traced(stream, "input", 2, 0);
	trace.list[0].is_local = true;
	trace.list[1] = trace.list[0];
	trace.list[1].is_local = false;
	snprintf(trace.list[1].base, sizeof trace.list[1].base, "forward");
	trace.list[1].output = 4;
	trace.list[2] = trace.list[1];
	trace.list[2].output = 3;
	trace.list[2].source = addr_of("10.0.0.11");
	trace.count = 3;
}

/* A rule that is certain to drop, as far as the static walk knows, but did not. */
static void traced_and_passed(struct stream_facts *stream)
{
	stuck(stream);
	firewall_add_nft(firewall, nft_drop);
	traced(stream, NULL, 0, 0);
}

static void link_local_source(struct stream_facts *stream)
{
	stream->source = addr_of("169.254.1.2");
}

static void bridge_port(struct stream_facts *stream)
{
	(void)stream;
	list[1].master = 4;
	strcpy(list[1].master_kind, "bridge");
}

static void another_source_sends(struct stream_facts *stream)
{
	silence(stream);
	see(0, 2, false, 8);
	capture.list[0].source = addr_of("10.0.0.11");
}

/* One of two providers is silent, and the link to the other one is down. */
static void silence_and_down(struct stream_facts *stream)
{
	silence(stream);
	replace(&stream->links,
	        "[" UP "," DOWN ",{'instance': 'tv', 'link': 'ppp0', 'role': 'upstream', 'family': "
	        "'IPv4', 'present': true, 'up': false, 'usable': false}]");
}

static void already_older(struct stream_facts *stream)
{
	silence(stream);
	replace(&stream->upstream, "[{'link': 'eth0', 'family': 'IPv4', 'version': 'IGMPv2'}]");
}

static void tagged(struct stream_facts *stream)
{
	silence(stream);
	see(0, 2, false, 8);
	capture.list[0].vlan = 4;
}

static void copied(struct stream_facts *stream)
{
	(void)stream;
	see(2, 3, false, 7);
	memcpy(capture.list[2].sender, (uint8_t[]){2, 0, 0, 0, 0, 0x1f}, 6);
}

static void rewritten(struct stream_facts *stream)
{
	(void)stream;
	capture.list[1].source = addr_of("10.0.1.1");
	firewall_add_iptables(firewall, FAMILY_IPV4, "iptables",
	                      "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth1 -j MASQUERADE\n");
}

static void rewritten_for_named_sources(struct stream_facts *stream)
{
	rewritten(stream);
	replace(&stream->groups,
	        "[" MEMBER_WITH("eth1", "INCLUDE", "{'source': '10.0.0.10', 'blocked': false}") "]");
}

static void moved(struct stream_facts *stream)
{
	(void)stream;
	capture.count = 1;
	after.packets = before.packets;
	firewall_add_iptables(firewall, FAMILY_IPV4, "iptables",
	                      "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 239.1.2.3 -j DNAT "
	                      "--to-destination 239.9.9.9\n");
}

/* From a host downstream to receivers upstream. */
static void upward(struct stream_facts *stream)
{
	replace(&stream->groups, "[]");
	replace(&stream->memberships, "[]");
	after.input = 3;
	after.outputs[0] = 2;
	back = 3;
	see(0, 3, false, 8);
	see(1, 2, true, 7);
}

static void upward_left_out(struct stream_facts *stream)
{
	upward(stream);
	after.output_count = 0;
}

static void upward_to_a_named_link(struct stream_facts *stream)
{
	upward(stream);
	stream->wanted_link = "eth1";
}

static void the_first_step_that_fails_is_named(void **state)
{
	static const struct {
		void (*spoil)(struct stream_facts *stream);
		const char *step, *text, *remedy;
	} rows[] = {
		{link_scope, "group", "224.0.0.251 has link-local scope", "mDNS"},
		{not_served, "group", "no instance of mcproxy serves IPv4", "IGMPv3"},
		{held, "group", "IPv4 is not served: igmpproxy (pid 12)", "stop igmpproxy (pid 12)"},
		{link_local_source, "source", "169.254.1.2 is a link-local address",
	         "an address of its network"},
		{bridge_port, "link", "eth1 is a port of bridge eth2: use eth2",
	         "name eth2 in place of eth1"},
		{wrong_link, "link", "eth0 is not a downstream link of instance tv", "mcproxyctl show links"},
		{wanted_link_missing, "link", "lab9 is not usable: it does not exist", "mcproxyctl doctor"},
		{no_member, "member", "no member of 239.1.2.3", "other reports arrive"},
		{no_reports, "member", "no member of 239.1.2.3", "no report arrived there"},
		{wrong_way_round, "member", "no member of 239.1.2.3",
	         "arrives on eth0, which is a downstream link"},
		{refused_reports, "member", "no member of 239.1.2.3", "other reports arrive"},
		{ssm_reports, "member", "no member of 232.1.2.3", "ssm_range"},
		{link_missing, "member",
	         "no member of 239.1.2.3 on any downstream link, and lab9 does not exist",
	         "if the host is on lab9: mcproxyctl doctor"},
		{link_down, "member",
	         "no member of 239.1.2.3 on any downstream link, and wg0 is down or has no carrier",
	         "if the host is on wg0"},
		{other_instance_down, "member", "no member of 239.1.2.3", "other reports arrive"},
		{other_source, "filter", "the members do not want source 10.0.0.10", "correct the source"},
		{blocked_source, "filter", "the members do not want source 10.0.0.10", "exclude this one"},
		{refused_by_the_kernel, "upstream", "the kernel refuses: No buffer space available",
	         "upstream_membership"},
		{not_in_the_kernel, "upstream", "the group is not joined upstream on eth0", "log"},
		{not_wanted_upstream, "upstream", "the group is not joined upstream on eth0", "log"},
		{upstream_down, "upstream", "eth0 is down or has no carrier", "bring eth0 up"},
		{upstream_without_address, "upstream", "eth0 has no address", "doctor"},
		{upstream_missing, "upstream", "ppp0 does not exist", "bring ppp0 up"},
		{silence, "arrival",
	         "the group is joined, but no packet of 239.1.2.3 arrived on any link in 2.0 s",
	         "look beyond eth0"},
		{another_source_sends, "arrival",
	         "no packet of 239.1.2.3 from 10.0.0.10 arrived on any link in 2.0 s: packets come from "
	         "10.0.0.11 on eth0",
	         "hosts that name 10.0.0.10"},
		{silence_and_down, "arrival",
	         "no packet of 239.1.2.3 arrived on any link in 2.0 s, and ppp0 is down or has no carrier",
	         "if it should come by ppp0: mcproxyctl doctor"},
		{already_older, "arrival", "no packet of 239.1.2.3 arrived", "look beyond eth0"},
		{tagged, "arrival",
	         "that arrive on eth0 belong to VLAN 4, which has no interface: configure eth0.4",
	         "ip link add link eth0 name eth0.4 up type vlan id 4"},
		{copied, "copies", "a second router (02:00:00:00:00:1f) forwards them to eth1 too",
	         "let only one of the two forward to eth1"},
		{rewritten_for_named_sources, "nat",
	         "leave by eth1 from 10.0.1.1, which its members do not want: NAT rewrites the source (iptables: "
	         "rule 1 of POSTROUTING in table nat (-A POSTROUTING -o eth1 -j MASQUERADE))",
	         "ip daddr 239.1.2.3 notrack"},
		{moved, "nat",
	         "NAT rewrites the group 239.1.2.3 before it is routed: iptables: rule 1 of PREROUTING",
	         "notrack"},
		{upward_left_out, "route", "the forwarding entry lacks eth0, an upstream link",
	         "ip mroute show"},
		{upward_to_a_named_link, "member", "no member of 239.1.2.3 on eth1", "other reports arrive"},
		{silence_unseen, "arrival", "the kernel counted no packet", "as root"},
		{elsewhere, "arrival", "arrives on eth2, which is not a link of instance tv; expected: eth0",
	         "make eth2 an upstream link"},
		{last_hop, "ttl", "the packets arrive with TTL 1", "ip ttl set 8"},
		{filtered, "rp_filter",
	         "rp_filter (1) drops them: they arrive on eth0, but the route back to 10.0.0.10 leaves by "
	         "eth1",
	         "net.ipv4.conf.eth0.rp_filter=0"},
		{filtered_and_counted, "rp_filter",
	         "leaves by eth1; the kernel dropped 20 packets for that reason during the check", "sysctl"},
		{filtered_loosely, "rp_filter", "rp_filter (2) drops them: there is no route back",
	         "set reset_rp_filter = true in the configuration (or start mcproxy with -r)"},
		{filtered_downstream, "rp_filter", "rp_filter (1) drops them: they arrive on eth1",
	         "set reset_rp_filter = true in that link"},
		{firewalled, "firewall", "on the way to eth1: iptables: the policy of FORWARD",
	         "iptables -t filter -I FORWARD -d 239.1.2.3 -j ACCEPT"},
		{traced_forward, "firewall", "on the way to eth1: the policy of chain forward in table ip fw",
	         "nft insert rule ip fw forward ip daddr 239.1.2.3 accept"},
		{traced_postrouting, "firewall", "on the way to eth1: the policy of chain post", "accept"},
		{traced_prerouting, "firewall", "on the way to eth1: the policy of chain pre", "accept"},
		{traced_elsewhere, "forwarded", "no packet leaves by eth1", "ip -s link show dev eth1"},
		{traced_and_passed, "forwarded", "no packet leaves by eth1", "ip -s link show dev eth1"},
		{other_provider, "route",
	         "mcproxy takes the stream from eth0, but its packets arrive on eth2",
	         "let filter_in of eth2 allow it, and either let that of eth0 deny it"},
		{no_entry, "route", "there is no forwarding entry, although packets arrive on eth0",
	         "routes_max"},
		{left_out, "route", "lacks eth2", "another router (10.0.1.0) is the querier on eth2"},
		{left_out_by_others, "route", "lacks eth1", "ip mroute show"},
		{stuck, "forwarded", "no packet leaves by eth1", "ip -s link show dev eth1"},
		{too_large, "forwarded",
	         "no packet leaves by eth1: they have 1600 bytes, which is more than its MTU",
	         "ip link set dev eth1 mtu 1600"},
		{perhaps_firewalled, "forwarded", "no packet leaves by eth1",
	         "rule 1 of FORWARD in table filter (-A FORWARD -m mark --mark 0x1 -j DROP), which may drop"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct stream_facts stream;
		struct steps steps;
		const struct step *last;

		make_healthy(&stream);
		rows[i].spoil(&stream);
		assert_int_equal(path_follow(&stream, &steps), STEP_FAIL);
		last = &steps.list[steps.count - 1];
		if (last->result != STEP_FAIL || strcmp(last->name, rows[i].step) != 0 ||
		    strstr(last->text, rows[i].text) == NULL || strstr(last->remedy, rows[i].remedy) == NULL)
			fail_msg("row %zu: %s: %s; %s", i, last->name, last->text, last->remedy);
		for (size_t j = 0; j + 1 < steps.count; j++)
			assert_int_not_equal(steps.list[j].result, STEP_FAIL);
		end(&stream);
	}
}

static void unseen(struct stream_facts *stream)
{
	stream->capture = NULL;
	stream->capture_why = "only root may";
}

static void tracked_hosts(struct stream_facts *stream)
{
	json_object_object_add(json_object_array_get_idx(stream->groups, 0), "hosts", json_object_new_int(2));
}

static void kept_on_both_sides(struct stream_facts *stream)
{
	replace(&stream->groups, "[" MEMBER_WITH("eth0", "EXCLUDE", "") "," MEMBER "]");
	json_object_object_add(json_object_array_get_idx(stream->groups, 1), "static",
	                       json_object_new_boolean(true));
}

static void joined_by_ourselves(struct stream_facts *stream)
{
	joined = false;
	replace(&stream->memberships, MEMBERSHIP_WITH("joined", "mcproxy"));
}

static void querier_only(struct stream_facts *stream)
{
	replace(&stream->links, "[" DOWN "," DOWN_WITH("eth2", "true") "]");
	see(0, 4, false, 8);
	see(1, 3, true, 7);
}

static void raised_on_the_way(struct stream_facts *stream)
{
	last_hop(stream);
	see(1, 3, true, 7);
}

static void accepted_after_all(struct stream_facts *stream)
{
	filtered(stream);
	after.packets = before.packets + 1;
	see(1, 3, true, 7);
}

static void local_stream(struct stream_facts *stream)
{
	(void)stream;
	capture.count = 0;
	see(0, 3, false, 8);
	after.packets = before.packets;
	back = 3;
}

static void traced_well(struct stream_facts *stream)
{
	traced(stream, NULL, 0, 0);
}

static void not_traced(struct stream_facts *stream)
{
	stream->trace_why = "only root may trace packets";
}

static void nothing(struct stream_facts *stream)
{
	(void)stream;
}

static void working_steps_are_reported(void **state)
{
	static const struct {
		void (*vary)(struct stream_facts *stream);
		const char *step, *text;
	} rows[] = {
		{nothing, "forwarded", "20 packets have left by eth1"},
		{nothing, "member", "there is a member on eth1 (IGMPv3, any source)"},
		{tracked_hosts, "member", "there is a member on eth1 (IGMPv3, any source, 2 hosts)"},
		{kept_on_both_sides, "member", "there is a member on eth1 (IGMPv3, any source, static)"},
		{nothing, "firewall", "no firewall rule is certain to drop them"},
		{not_traced, "firewall",
	         "no firewall rule is certain to drop them (no trace: only root may trace packets)"},
		{traced_well, "firewall", "no firewall rule drops them, as the kernel's trace shows"},
		{unseen, "capture", "only root may"},
		{unseen, "arrival", "the kernel counted 20 packets from eth0 in 2.0 s"},
		{joined_by_ourselves, "upstream", "eth0 has joined 239.1.2.3 with IGMPv3"},
		{querier_only, "upstream", "only a querier"},
		{raised_on_the_way, "ttl", "the packets arrive with TTL 1, and the router raises it"},
		{accepted_after_all, "rp_filter", "accepts them"},
		{upward, "member", "it comes from eth1, a downstream link, and goes upstream"},
		{upward, "route", "from eth1 to every link upstream"},
		{upward, "forwarded", "20 packets have left by eth0"},
		{rewritten, "forwarded",
	         "have left by eth1, from 10.0.1.1: NAT rewrites the source (iptables: rule 1 of POSTROUTING"},
		{both_providers, "route", "forwards them from eth0 to every link with a member"},
		{local_stream, "forwarded", "the members are on eth1, where the stream arrives"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct stream_facts stream;
		struct steps steps;
		bool found = false;

		make_healthy(&stream);
		rows[i].vary(&stream);
		if (path_follow(&stream, &steps) != STEP_OK)
			fail_msg("row %zu: %s", i, steps.list[steps.count - 1].text);
		for (size_t j = 0; j < steps.count; j++)
			found |= strcmp(steps.list[j].name, rows[i].step) == 0 &&
			         strstr(steps.list[j].text, rows[i].text) != NULL;
		if (!found)
			fail_msg("row %zu: no %s: %s", i, rows[i].step, rows[i].text);
		end(&stream);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_step_that_fails_is_named),
		cmocka_unit_test(working_steps_are_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
