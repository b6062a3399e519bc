/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/firewall/match.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* What the packet has in the field that a rule examines. */
enum value_kind {
	VALUE_UNKNOWN,
	VALUE_NONE, /* the packet has no such field: nothing equals it */
	VALUE_NUMBER,
	VALUE_ADDR,
	VALUE_TEXT, /* any of names, and also a number if there is one */
};
struct value {
	enum value_kind kind;
	long number; /* -1: none */
	struct addr addr;
	const char *names[3];
};

static struct value unknown(void)
{
	return (struct value){.kind = VALUE_UNKNOWN};
}

static struct value none(void)
{
	return (struct value){.kind = VALUE_NONE};
}

static struct value number(long n)
{
	return (struct value){.kind = VALUE_NUMBER, .number = n};
}

static struct value text(const char *first, const char *second, long n)
{
	return (struct value){.kind = VALUE_TEXT, .number = n, .names = {first, second}};
}

static struct value interface_name(const char *name)
{
	return text(name != NULL ? name : "", NULL, -1); /* as the kernel has it on output */
}

const char *firewall_member(struct json_object *object, const char *key)
{
	struct json_object *member;
	const char *word = NULL;

	if (json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, key, &member))
		word = json_object_get_string(member);
	return word != NULL ? word : "";
}

static struct value protocol_value(const struct firewall_packet *packet)
{
	switch (packet->protocol) {
	case IPPROTO_IGMP:
		return text("igmp", NULL, IPPROTO_IGMP);
	case IPPROTO_ICMPV6:
		return text("ipv6-icmp", "icmpv6", IPPROTO_ICMPV6);
	default:
		return text("udp", NULL, IPPROTO_UDP);
	}
}

static struct value meta_value(const struct firewall_lookup *lookup, const char *key)
{
	const struct firewall_packet *packet = lookup->packet;
	bool ipv4 = packet->family == FAMILY_IPV4;

	if (strcmp(key, "iifname") == 0 || strcmp(key, "iif") == 0)
		return interface_name(packet->input);
	if (strcmp(key, "oifname") == 0 || strcmp(key, "oif") == 0)
		return interface_name(packet->output);
	if (strcmp(key, "l4proto") == 0)
		return protocol_value(packet);
	if (strcmp(key, "nfproto") == 0)
		return ipv4 ? text("ipv4", NULL, 2) : text("ipv6", NULL, 10);
	if (strcmp(key, "protocol") == 0)
		return ipv4 ? text("ip", NULL, 0x0800) : text("ip6", NULL, 0x86dd);
	if (strcmp(key, "pkttype") == 0 && packet->input != NULL)
		return text("multicast", NULL, 2);
	return unknown();
}

static const char *igmp_name(uint8_t type)
{
	switch (type) {
	case 0x11:
		return "membership-query";
	case 0x12:
		return "membership-report-v1";
	case 0x16:
		return "membership-report-v2";
	case 0x17:
		return "leave-group";
	default:
		return "membership-report-v3";
	}
}

static struct value icmpv6_type(uint8_t type)
{
	switch (type) {
	case 130:
		return text("mld-listener-query", NULL, type);
	case 131:
		return text("mld-listener-report", NULL, type);
	case 132:
		return text("mld-listener-done", "mld-listener-reduction", type);
	default:
		return text("mld2-listener-report", NULL, type);
	}
}

static struct value ip_value(const struct firewall_packet *packet, const char *field)
{
	if (strcmp(field, "daddr") == 0)
		return (struct value){.kind = VALUE_ADDR, .addr = packet->destination};
	if (strcmp(field, "saddr") == 0)
		return packet->source_known ? (struct value){.kind = VALUE_ADDR, .addr = packet->source}
		                            : unknown();
	if (strcmp(field, "protocol") == 0)
		return protocol_value(packet);
	/* MLD always has the Router Alert option, so that its next header is the hop-by-hop options. */
	if (strcmp(field, "nexthdr") == 0)
		return packet->protocol == IPPROTO_ICMPV6 ? text("hopopt", "ip", 0) : protocol_value(packet);
	if (strcmp(field, "version") == 0)
		return number(packet->family == FAMILY_IPV4 ? 4 : 6);
	return unknown();
}

static struct value payload_value(const struct firewall_packet *packet, struct json_object *payload)
{
	const char *protocol = firewall_member(payload, "protocol"),
		   *field = firewall_member(payload, "field");
	bool is_udp = packet->protocol == IPPROTO_UDP;

	if (strcmp(protocol, "ip") == 0)
		return packet->family == FAMILY_IPV4 ? ip_value(packet, field) : none();
	if (strcmp(protocol, "ip6") == 0)
		return packet->family == FAMILY_IPV6 ? ip_value(packet, field) : none();
	if (strcmp(protocol, "udp") == 0 || strcmp(protocol, "th") == 0) {
		if (!is_udp)
			return none();
		return strcmp(field, "dport") == 0 && packet->port != 0 ? number(packet->port) : unknown();
	}
	if (strcmp(protocol, "igmp") == 0) {
		if (packet->protocol != IPPROTO_IGMP)
			return none();
		return strcmp(field, "type") == 0 ? text(igmp_name(packet->type), NULL, packet->type)
		                                  : unknown();
	}
	if (strcmp(protocol, "icmpv6") == 0) {
		if (packet->protocol != IPPROTO_ICMPV6)
			return none();
		return strcmp(field, "type") == 0 ? icmpv6_type(packet->type) : unknown();
	}
	if (strcmp(protocol, "ether") == 0 || strcmp(protocol, "vlan") == 0)
		return unknown();
	return none(); /* tcp, icmp, sctp, ... */
}

/* Streams and reports have no answers: each packet is a new connection, and MLD is not tracked. Their addresses
 * are not translated. */
static struct value ct_value(const struct firewall_packet *packet, const char *key)
{
	if (strcmp(key, "status") == 0)
		return text("confirmed", NULL, -1);
	if (strcmp(key, "state") != 0)
		return unknown();
	return packet->protocol == IPPROTO_ICMPV6 ? text("untracked", NULL, -1) : text("new", NULL, -1);
}

static struct value fib_value(struct json_object *fib)
{
	struct json_object *flags;

	if (strcmp(firewall_member(fib, "result"), "type") != 0 ||
	    !json_object_object_get_ex(fib, "flags", &flags))
		return unknown();
	if (json_object_is_type(flags, json_type_array))
		flags = json_object_array_length(flags) == 1 ? json_object_array_get_idx(flags, 0) : NULL;
	if (flags == NULL || !json_object_is_type(flags, json_type_string) ||
	    strcmp(json_object_get_string(flags), "daddr") != 0)
		return unknown();
	return text("multicast", NULL, -1);
}

static struct value left_value(const struct firewall_lookup *lookup, struct json_object *left)
{
	struct json_object *inner;

	if (json_object_object_get_ex(left, "meta", &inner))
		return meta_value(lookup, firewall_member(inner, "key"));
	if (json_object_object_get_ex(left, "payload", &inner))
		return payload_value(lookup->packet, inner);
	if (json_object_object_get_ex(left, "ct", &inner))
		return ct_value(lookup->packet, firewall_member(inner, "key"));
	if (json_object_object_get_ex(left, "fib", &inner))
		return fib_value(inner);
	return unknown();
}

static enum match truth(bool is_so)
{
	return is_so ? MATCH_YES : MATCH_NO;
}

/* Names of interfaces may end in "*". */
static bool name_fits(const char *name, const char *pattern)
{
	size_t length = strlen(pattern);

	if (length > 0 && pattern[length - 1] == '*')
		return strncmp(name, pattern, length - 1) == 0;
	return strcmp(name, pattern) == 0;
}

static enum match equals_number(long have, struct json_object *right)
{
	const char *word = json_object_get_string(right);
	char *end;
	long wanted = strtol(word, &end, 0);

	return *word == '\0' || *end != '\0' ? MATCH_MAYBE : truth(have == wanted);
}

static enum match equals_scalar(const struct value *value, struct json_object *right)
{
	const char *word = json_object_get_string(right);
	struct addr addr;

	switch (value->kind) {
	case VALUE_NUMBER:
		return equals_number(value->number, right);
	case VALUE_ADDR:
		return addr_parse(word, &addr) ? truth(addr_equal(&value->addr, &addr)) : MATCH_MAYBE;
	case VALUE_TEXT:
		for (size_t i = 0; i < LENGTH(value->names) && value->names[i] != NULL; i++)
			if (name_fits(value->names[i], word))
				return MATCH_YES;
		return truth(value->number >= 0 && equals_number(value->number, right) == MATCH_YES);
	case VALUE_UNKNOWN:
		return MATCH_MAYBE;
	case VALUE_NONE:
		return MATCH_NO;
	}
	return MATCH_MAYBE;
}

static enum match in_prefix(const struct value *value, struct json_object *prefix)
{
	struct json_object *length;
	struct addr addr;
	int bits;

	if (value->kind != VALUE_ADDR || !addr_parse(firewall_member(prefix, "addr"), &addr) ||
	    !json_object_object_get_ex(prefix, "len", &length))
		return MATCH_MAYBE;
	bits = json_object_get_int(length) + (addr_family(&addr) == FAMILY_IPV4 ? 96 : 0);
	if (bits < 0 || bits > 128)
		return MATCH_MAYBE;
	return truth(addr_family(&addr) == addr_family(&value->addr) &&
	             addr_in_prefix(&value->addr, &addr, (unsigned)bits));
}

static enum match in_range(const struct value *value, struct json_object *range)
{
	struct json_object *low, *high;
	struct addr first, last;

	if (!json_object_is_type(range, json_type_array) || json_object_array_length(range) != 2)
		return MATCH_MAYBE;
	low = json_object_array_get_idx(range, 0);
	high = json_object_array_get_idx(range, 1);
	if (low == NULL || high == NULL)
		return MATCH_MAYBE;
	if (value->kind == VALUE_ADDR && addr_parse(json_object_get_string(low), &first) &&
	    addr_parse(json_object_get_string(high), &last))
		return truth(addr_compare(&value->addr, &first) >= 0 &&
		             addr_compare(&value->addr, &last) <= 0);
	if (value->kind == VALUE_ADDR || value->number < 0)
		return MATCH_MAYBE;
	return truth(value->number >= json_object_get_int(low) && value->number <= json_object_get_int(high));
}

static enum match equals_value(const struct firewall_lookup *lookup, const struct value *value,
                               struct json_object *right);

/* Sets contain no sets: a text that begins with "@" is a name, such as that of an interface. */
static enum match equals_element(const struct firewall_lookup *lookup, const struct value *value,
                                 struct json_object *element)
{
	return json_object_is_type(element, json_type_string) ? equals_scalar(value, element)
	                                                      : equals_value(lookup, value, element);
}

static enum match equals_any(const struct firewall_lookup *lookup, const struct value *value,
                             struct json_object *list)
{
	enum match best = MATCH_NO;

	if (!json_object_is_type(list, json_type_array))
		return equals_value(lookup, value, list);
	for (size_t i = 0; i < json_object_array_length(list) && best != MATCH_YES; i++, ++*lookup->work) {
		enum match match = equals_element(lookup, value, json_object_array_get_idx(list, i));

		best = match > best ? match : best;
	}
	return best;
}

static enum match equals_object(const struct firewall_lookup *lookup, const struct value *value,
                                struct json_object *right)
{
	struct json_object *inner;

	if (json_object_object_get_ex(right, "set", &inner))
		return equals_any(lookup, value, inner);
	if (json_object_object_get_ex(right, "prefix", &inner))
		return in_prefix(value, inner);
	if (json_object_object_get_ex(right, "range", &inner))
		return in_range(value, inner);
	if (json_object_object_get_ex(right, "elem", &inner) &&
	    json_object_object_get_ex(inner, "val", &inner))
		return equals_element(lookup, value, inner);
	return MATCH_MAYBE;
}

static enum match equals_value(const struct firewall_lookup *lookup, const struct value *value,
                               struct json_object *right)
{
	const char *word;

	if (value->kind == VALUE_UNKNOWN)
		return MATCH_MAYBE;
	if (value->kind == VALUE_NONE)
		return MATCH_NO;
	if (json_object_is_type(right, json_type_array))
		return equals_any(lookup, value, right);
	if (json_object_is_type(right, json_type_object))
		return equals_object(lookup, value, right);
	word = json_object_get_string(right);
	if (word == NULL)
		return MATCH_MAYBE;
	if (word[0] == '@') {
		struct json_object *elements = firewall_named(lookup, word + 1);

		return elements != NULL ? equals_any(lookup, value, elements) : MATCH_NO;
	}
	return equals_scalar(value, right);
}

void firewall_key(struct json_object *object, char kind, const char *name, char key[FIREWALL_KEY_SIZE])
{
	snprintf(key, FIREWALL_KEY_SIZE, "%c%s %s %s %s", kind, firewall_member(object, "legacy"),
	         firewall_member(object, "family"), firewall_member(object, "table"), name);
}

struct json_object *firewall_named(const struct firewall_lookup *lookup, const char *name)
{
	char key[FIREWALL_KEY_SIZE];
	struct json_object *elements;

	firewall_key(lookup->rule, 's', name, key);
	return json_object_object_get_ex(lookup->index, key, &elements) ? elements : NULL;
}

/* Several fields at once: `iifname . ip daddr`, compared with one list of values. */
static enum match equals_concat(const struct firewall_lookup *lookup, struct json_object *fields,
                                struct json_object *right)
{
	struct json_object *values;
	enum match worst = MATCH_YES;

	if (!json_object_is_type(right, json_type_object) ||
	    !json_object_object_get_ex(right, "concat", &values) ||
	    !json_object_is_type(values, json_type_array) || !json_object_is_type(fields, json_type_array) ||
	    json_object_array_length(values) != json_object_array_length(fields))
		return MATCH_MAYBE;
	for (size_t i = 0; i < json_object_array_length(fields); i++) {
		enum match match = firewall_equals(lookup, json_object_array_get_idx(fields, i),
		                                   json_object_array_get_idx(values, i));

		worst = match < worst ? match : worst;
	}
	return worst;
}

enum match firewall_equals(const struct firewall_lookup *lookup, struct json_object *left,
                           struct json_object *right)
{
	struct json_object *fields;
	struct value value;

	if (json_object_is_type(left, json_type_object) && json_object_object_get_ex(left, "concat", &fields))
		return equals_concat(lookup, fields, right);
	value = left_value(lookup, left);
	return equals_value(lookup, &value, right);
}

enum match firewall_match(const struct firewall_lookup *lookup, struct json_object *match)
{
	struct json_object *left, *right;
	const char *op = firewall_member(match, "op");

	if (!json_object_object_get_ex(match, "left", &left) ||
	    !json_object_object_get_ex(match, "right", &right) ||
	    !json_object_is_type(left, json_type_object))
		return MATCH_MAYBE;
	if (op[0] == '<' || op[0] == '>')
		return MATCH_MAYBE;
	/* `!` negates the test of a bit, as of `ct state`. */
	if (op[0] == '!') {
		struct value value = left_value(lookup, left);

		/* A packet without the field matches neither way: the dependency of the rule fails
		 * first. */
		if (value.kind == VALUE_NONE)
			return MATCH_NO;
		return (enum match)(MATCH_YES - firewall_equals(lookup, left, right));
	}
	return firewall_equals(lookup, left, right);
}
