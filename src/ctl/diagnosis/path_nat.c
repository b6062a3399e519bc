/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Address translation: it hides a stream behind another source (snat, masquerade) or moves it to another group
 * (dnat, redirect). An exception from connection tracking ends both, whatever program made the rule, and also for
 * connections that the kernel knows already.
 */
#include "core/base/shell.h"
#include "ctl/client/answer.h"
#include "ctl/diagnosis/gather.h"
#include "ctl/diagnosis/path_packets.h"

#include <stdio.h>

static bool find_rule(const struct stream_facts *stream, enum hook hook, const struct firewall_packet *packet,
                      char *name, size_t size)
{
	struct firewall_drop rule;

	if (stream->firewall == NULL || !firewall_rewrites(stream->firewall, hook, packet, &rule))
		return false;
	firewall_drop_name(&rule, name, size);
	return true;
}

static void remedy_nat(const struct stream_facts *stream, struct step *step)
{
	const char *family = addr_family(&stream->group) == FAMILY_IPV4 ? "ip" : "ip6";
	char group[ADDR_TEXT_SIZE], rules[SHELL_WORD_SIZE];

	snprintf(
		rules, sizeof rules,
		"table %s mcproxy_nat { chain except { type filter hook prerouting priority raw; %s daddr %s "
		"notrack; }; }",
		family, family, addr_format(&stream->group, group));
	step_remedy(step, "nft %s, or let the rule leave out multicast", shell_word(rules).text);
}

bool path_follow_dnat(const struct stream_facts *stream, const struct arrival *arrival, struct steps *steps)
{
	struct firewall_packet packet = path_probe(stream, arrival, NULL);
	char name[FIREWALL_TEXT_SIZE], group[ADDR_TEXT_SIZE];

	/* The entry counts packets that are not translated. */
	if (path_counted(stream) > 0 || !find_rule(stream, HOOK_PREROUTING, &packet, name, sizeof name))
		return true;
	remedy_nat(stream,
	           step_add(steps, "nat", STEP_FAIL, "NAT rewrites the group %s before it is routed: %s",
	                    addr_format(&stream->group, group), name));
	return false;
}

/* Packets to the group that leave by the link from a source that arrives nowhere. */
static const struct sighting *find_rewritten(const struct stream_facts *stream, int interface)
{
	for (size_t i = 0; stream->capture != NULL && i < stream->capture->count; i++) {
		const struct sighting *left = &stream->capture->list[i];
		struct sighting sum;

		if (left->outgoing && left->interface == interface &&
		    !capture_sum(stream->capture, &left->source, 0, false, &sum))
			return left;
	}
	return NULL;
}

/* Does the membership on the link take packets of any source? */
static bool takes_any_source(const struct stream_facts *stream, const char *link)
{
	struct json_object *member;
	size_t cursor = 0;

	while ((member = path_next_member(stream, &cursor)) != NULL)
		if (strcmp(answer_text(member, "link"), link) == 0)
			return strcmp(answer_text(member, "mode"), "EXCLUDE") == 0;
	return true;
}

bool path_find_snat(const struct stream_facts *stream, const struct arrival *arrival, const char *link,
                    struct steps *steps)
{
	const struct interface_state *interface = interfaces_by_name(stream->interfaces, link);
	struct firewall_packet packet = path_probe(stream, arrival, link);
	const struct sighting *left = interface != NULL ? find_rewritten(stream, interface->index) : NULL;
	char rule[256], source[ADDR_TEXT_SIZE];
	struct step *step;

	if (left == NULL || !find_rule(stream, HOOK_POSTROUTING, &packet, rule, sizeof rule))
		return false;
	addr_format(&left->source, source);
	if (takes_any_source(stream, link)) {
		step_add(
			steps, "forwarded", STEP_OK,
			"%llu packets have left by %s, from %s: NAT rewrites the source (%s); hosts that name "
			"a source would not get them",
			(unsigned long long)left->packets, link, source, rule);
		return true;
	}
	step = step_add(
		steps, "nat", STEP_FAIL,
		"the packets leave by %s from %s, which its members do not want: NAT rewrites the source "
		"(%s)",
		link, source, rule);
	remedy_nat(stream, step);
	return true;
}
