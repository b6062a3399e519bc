/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Evaluates one statement of a rule for one packet. Pure; the JSON is nft's (libnftables-json(5)).
 */
#ifndef MCPROXY_CTL_FIREWALL_MATCH_H
#define MCPROXY_CTL_FIREWALL_MATCH_H

#include "ctl/firewall/firewall.h"

#include <json-c/json.h>

/* MAYBE: the rule examines something that is not known. */
enum match { MATCH_NO, MATCH_MAYBE, MATCH_YES };

struct firewall_lookup {
	const struct firewall_packet *packet;
	enum hook hook;
	struct json_object *index; /* by firewall_key */
	unsigned long *work;       /* counts compared elements of sets, and other work of the caller */
	struct json_object *rule;  /* names in it belong to its family and table */
};

/* A `match` statement: { op, left, right }. */
enum match firewall_match(const struct firewall_lookup *lookup, struct json_object *match);
/* Is the packet's `left` (an expression) equal to `right`, or an element of it? */
enum match firewall_equals(const struct firewall_lookup *lookup, struct json_object *left,
                           struct json_object *right);
/* A member of an object as text; "" when there is none. Valid as long as the object. */
const char *firewall_member(struct json_object *object, const char *key);
#define FIREWALL_KEY_SIZE 384
/* The key of an object in the same table as `object`. kind: 'c' the rules of a chain, 'h' the chain itself, 's' the
 * elements of a set or map, 'x' the text of the rule with a handle. iptables-legacy has tables of its own,
 * with the names of those of nftables. */
void firewall_key(struct json_object *object, char kind, const char *name, char key[FIREWALL_KEY_SIZE]);
/* The elements of the named set or map; NULL when there is none. */
struct json_object *firewall_named(const struct firewall_lookup *lookup, const char *name);

#endif
