/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the machine's packet filter would do to a given packet. The rules are read (nft's JSON, or what
 * iptables-save prints), never changed, and walked in the order of the kernel. If a rule examines something
 * that is not known here (a mark, a rate, an extension), the answer is "may drop", not "drops". Where the kernel
 * has traced packets, its answer replaces this one, and the rules only give it a name.
 */
#ifndef MCPROXY_CTL_FIREWALL_FIREWALL_H
#define MCPROXY_CTL_FIREWALL_FIREWALL_H

#include "core/base/addr.h"
#include "ctl/machine/trace.h"

#include <stddef.h>

enum hook { HOOK_PREROUTING, HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT, HOOK_POSTROUTING };
#define HOOKS 5

/* The packet to be tested. */
struct firewall_packet {
	enum family family;
	uint8_t protocol; /* IPPROTO_UDP, IPPROTO_IGMP, IPPROTO_ICMPV6 */
	uint8_t type;     /* of the IGMP or ICMPv6 message */
	struct addr source;
	struct addr destination;
	bool source_known;
	bool any_group;     /* the remedy is for all groups */
	bool traced;        /* nftables has answered: only rules of iptables-legacy are walked */
	unsigned port;      /* destination port of a stream; 0: not known */
	const char *input;  /* interface names; NULL: none, as on output */
	const char *output; /* NULL: none, as on input */
};

enum firewall_answer { FIREWALL_PASSES, FIREWALL_MAY_DROP, FIREWALL_DROPS };

/* The rule that drops. */
struct firewall_drop {
	char family[16]; /* of the table: "ip", "ip6", "inet" */
	char table[TRACE_NAME_SIZE];
	char base[TRACE_NAME_SIZE];  /* the chain at the hook, where a remedy must be inserted */
	char chain[TRACE_NAME_SIZE]; /* of the rule */
	long handle;    /* of the rule, or its number in a chain of iptables (0: not known); -1: the policy */
	char text[192]; /* of the rule, as the program lists it; "": not known */
	char program[24]; /* the program that listed it, such as "iptables-legacy"; "": nft */
};

struct firewall; /* opaque */

/* A filter without rules: all packets pass. NULL when memory is short. */
struct firewall *firewall_new(void);
void firewall_free(struct firewall *firewall);
/* Adds the output of a save program of iptables; false when the text is not in that format. program: the
 * one that changes these rules ("iptables", "ip6tables-legacy", ...). */
bool firewall_add_iptables(struct firewall *firewall, enum family family, const char *program,
                           const char *text);
/* Adds the rules of `nft -j list ruleset`; false when the text is not in that format. Those that iptables lists
 * too must be added before: they are left out. */
bool firewall_add_nft(struct firewall *firewall, const char *text);
/* Adds the texts of the rules, from `nft -a -s -t list ruleset`. */
void firewall_add_rule_texts(struct firewall *firewall, const char *text);

enum firewall_answer firewall_try(const struct firewall *firewall, enum hook hook,
                                  const struct firewall_packet *packet, struct firewall_drop *drop);

/* Does the address translation at the hook rewrite such a stream, perhaps? Then the rule. HOOK_PREROUTING rewrites
 * destinations, HOOK_POSTROUTING sources. */
bool firewall_rewrites(const struct firewall *firewall, enum hook hook, const struct firewall_packet *packet,
                       struct firewall_drop *rule);

/* Describes what the kernel's trace has reported. firewall: NULL when the rules are not known. */
void firewall_identify(const struct firewall *firewall, const struct trace_stop *stop,
                       struct firewall_drop *drop);

#define FIREWALL_TEXT_SIZE 384
/* Texts for people: the name of the rule, and the command that lets such packets pass. */
void firewall_drop_name(const struct firewall_drop *drop, char *text, size_t size);
void firewall_remedy(const struct firewall_drop *drop, const struct firewall_packet *packet, char *text,
                     size_t size);

#endif
