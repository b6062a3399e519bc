/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/firewall/firewall.h"

#include "ctl/firewall/iptables.h"
#include "ctl/firewall/match.h"
#include "ctl/firewall/rule_texts.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>

#define JUMPS_MAX 16      /* the kernel's own limit of nested chains */
#define WORK_MAX  1000000 /* for one packet; the result of a longer walk is uncertain */
#define WORK_RULE 10      /* of a rule; an element of a set is 1 */

struct firewall {
	struct json_object *ruleset; /* array of nft's objects */
	struct json_object *index;   /* see firewall_key */
	size_t indexed;              /* this many objects are in the index */
};

/* What happens to the packet in a base chain. */
struct firewall_walk {
	struct firewall_lookup lookup;
	enum { GOES_ON, RETURNS, ACCEPTED, DROPPED } fate;
	bool may_be_accepted; /* by an earlier rule */
	bool may_be_dropped;
	bool may_have_returned;       /* from the current chain */
	struct json_object *dropper;  /* the rule that drops, or may */
	struct json_object *rewriter; /* the first rule that translates addresses, or may */
};

static const char *const hook_names[HOOKS] = {"prerouting", "input", "forward", "output", "postrouting"};

struct firewall *firewall_new(void)
{
	struct firewall *firewall = calloc(1, sizeof *firewall);

	if (firewall == NULL)
		return NULL;
	firewall->ruleset = json_object_new_array();
	firewall->index = json_object_new_object();
	return firewall;
}

void firewall_free(struct firewall *firewall)
{
	if (firewall == NULL)
		return;
	json_object_put(firewall->index);
	json_object_put(firewall->ruleset);
	free(firewall);
}

/* An object of the same table as `object`; NULL when there is none. */
static struct json_object *find(const struct firewall *firewall, struct json_object *object, char kind,
                                const char *name)
{
	char key[FIREWALL_KEY_SIZE];
	struct json_object *found = NULL;

	if (firewall == NULL)
		return NULL;
	firewall_key(object, kind, name, key);
	json_object_object_get_ex(firewall->index, key, &found);
	return found;
}

static void index_add(struct firewall *firewall, struct json_object *object, char kind, const char *name,
                      struct json_object *value)
{
	char key[FIREWALL_KEY_SIZE];

	firewall_key(object, kind, name, key);
	json_object_object_add(firewall->index, key, value);
}

/* Adds a rule to the rules of its chain. */
static void index_rule(struct firewall *firewall, struct json_object *rule)
{
	const char *chain = firewall_member(rule, "chain");
	struct json_object *rules = find(firewall, rule, 'c', chain);

	if (rules == NULL) {
		rules = json_object_new_array();
		index_add(firewall, rule, 'c', chain, rules);
	}
	json_object_array_add(rules, json_object_get(rule));
}

static void index_set(struct firewall *firewall, struct json_object *set)
{
	struct json_object *elements;

	if (json_object_is_type(set, json_type_object) && json_object_object_get_ex(set, "elem", &elements))
		index_add(firewall, set, 's', firewall_member(set, "name"), json_object_get(elements));
}

static void index_new_objects(struct firewall *firewall)
{
	size_t count = json_object_array_length(firewall->ruleset);

	for (; firewall->indexed < count; firewall->indexed++) {
		struct json_object *entry = json_object_array_get_idx(firewall->ruleset, firewall->indexed),
				   *inner;

		if (json_object_object_get_ex(entry, "rule", &inner))
			index_rule(firewall, inner);
		else if (json_object_object_get_ex(entry, "chain", &inner))
			index_add(firewall, inner, 'h', firewall_member(inner, "name"),
			          json_object_get(inner));
		else if (json_object_object_get_ex(entry, "set", &inner) ||
		         json_object_object_get_ex(entry, "map", &inner))
			index_set(firewall, inner);
	}
}

/* Is this a chain of iptables-nft, or a rule in one? nft cannot express its rules, and iptables-save has listed
 * them. */
static bool is_of_iptables(const struct firewall *firewall, struct json_object *entry)
{
	struct json_object *inner;
	const char *name;

	if (json_object_object_get_ex(entry, "rule", &inner))
		name = firewall_member(inner, "chain");
	else if (json_object_object_get_ex(entry, "chain", &inner))
		name = firewall_member(inner, "name");
	else
		return false;
	return *firewall_member(find(firewall, inner, 'h', name), "program") != '\0';
}

bool firewall_add_nft(struct firewall *firewall, const char *text)
{
	struct json_object *root = json_tokener_parse(text), *list;
	bool valid = root != NULL && json_object_is_type(root, json_type_object) &&
	             json_object_object_get_ex(root, "nftables", &list) &&
	             json_object_is_type(list, json_type_array);

	for (size_t i = 0; valid && i < json_object_array_length(list); i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);

		if (json_object_is_type(entry, json_type_object) && !is_of_iptables(firewall, entry))
			json_object_array_add(firewall->ruleset, json_object_get(entry));
	}
	json_object_put(root);
	index_new_objects(firewall);
	return valid;
}

bool firewall_add_iptables(struct firewall *firewall, enum family family, const char *program,
                           const char *text)
{
	bool valid = iptables_convert(family, program, text, firewall->ruleset);

	index_new_objects(firewall);
	return valid;
}

void firewall_add_rule_texts(struct firewall *firewall, const char *text)
{
	rule_texts_read(text, firewall->index);
}

static bool has_family(struct json_object *chain, enum family family)
{
	const char *name = firewall_member(chain, "family");

	return strcmp(name, "inet") == 0 || strcmp(name, family == FAMILY_IPV4 ? "ip" : "ip6") == 0;
}

static void walk_chain(struct firewall_walk *walk, struct json_object *of, const char *chain, unsigned depth,
                       bool certain);

static void note_drop(struct firewall_walk *walk, struct json_object *rule, bool certain)
{
	if (walk->dropper == NULL || certain)
		walk->dropper = rule;
	if (certain && !walk->may_be_accepted)
		walk->fate = DROPPED;
	else
		walk->may_be_dropped = true;
	/* The packet was perhaps accepted earlier, and is dropped here otherwise: later rules do not
	 * matter. */
	if (certain && walk->fate != DROPPED)
		walk->fate = ACCEPTED;
}

static void accept_packet(struct firewall_walk *walk, bool certain)
{
	if (certain)
		walk->fate = ACCEPTED;
	else
		walk->may_be_accepted = true;
}

/* Applies a verdict of a rule or of a verdict map; false when the object is not a verdict. */
static bool take_verdict(struct firewall_walk *walk, struct json_object *rule, struct json_object *verdict,
                         unsigned depth, bool certain)
{
	struct json_object *inner;

	if (json_object_object_get_ex(verdict, "accept", NULL))
		accept_packet(walk, certain);
	else if (json_object_object_get_ex(verdict, "drop", NULL) ||
	         json_object_object_get_ex(verdict, "reject", NULL))
		note_drop(walk, rule, certain);
	else if (json_object_object_get_ex(verdict, "queue", NULL))
		note_drop(walk, rule, false);
	else if (json_object_object_get_ex(verdict, "return", NULL)) {
		if (certain)
			walk->fate = RETURNS;
		else
			walk->may_have_returned = true;
	} else if (json_object_object_get_ex(verdict, "jump", &inner)) {
		walk_chain(walk, rule, firewall_member(inner, "target"), depth + 1, certain);
		if (walk->fate == RETURNS)
			walk->fate = GOES_ON;
	} else if (json_object_object_get_ex(verdict, "goto", &inner)) {
		walk_chain(walk, rule, firewall_member(inner, "target"), depth + 1, certain);
		if (walk->fate == GOES_ON && certain)
			walk->fate = RETURNS;
	} else {
		return false;
	}
	return true;
}

/* `ct state vmap { established : accept, ... }`, or a named map. */
static void take_map(struct firewall_walk *walk, struct json_object *rule, struct json_object *map,
                     unsigned depth, bool certain)
{
	struct json_object *key, *data, *elements = NULL;

	if (!json_object_object_get_ex(map, "key", &key) || !json_object_object_get_ex(map, "data", &data))
		return;
	if (json_object_is_type(data, json_type_object))
		json_object_object_get_ex(data, "set", &elements);
	else if (json_object_get_string(data) != NULL && json_object_get_string(data)[0] == '@')
		elements = firewall_named(&walk->lookup, json_object_get_string(data) + 1);
	if (!json_object_is_type(elements, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(elements) && walk->fate == GOES_ON; i++) {
		struct json_object *pair = json_object_array_get_idx(elements, i);
		enum match match;

		if (!json_object_is_type(pair, json_type_array) || json_object_array_length(pair) != 2)
			continue;
		match = firewall_equals(&walk->lookup, key, json_object_array_get_idx(pair, 0));
		if (match == MATCH_NO)
			continue;
		take_verdict(walk, rule, json_object_array_get_idx(pair, 1), depth,
		             certain && match == MATCH_YES);
		if (match == MATCH_YES)
			return;
	}
}

static bool is_translation(struct json_object *statement)
{
	static const char *const names[] = {"snat", "masquerade", "dnat", "redirect"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (json_object_object_get_ex(statement, names[i], NULL))
			return true;
	return false;
}

/* Statements that do not affect where the packet goes. */
static bool changes_nothing(struct json_object *statement)
{
	static const char *const names[] = {"counter", "log", "mangle", "notrack", "comment"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (json_object_object_get_ex(statement, names[i], NULL))
			return true;
	return false;
}

static void walk_rule(struct firewall_walk *walk, struct json_object *rule, unsigned depth, bool certain)
{
	struct json_object *list, *inner;

	*walk->lookup.work += WORK_RULE;
	if (*walk->lookup.work > WORK_MAX) {
		walk->may_be_dropped = true;
		walk->fate = ACCEPTED;
		return;
	}
	walk->lookup.rule = rule;
	if (!json_object_object_get_ex(rule, "expr", &list) || !json_object_is_type(list, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(list) && walk->fate == GOES_ON; i++) {
		struct json_object *statement = json_object_array_get_idx(list, i);

		if (!json_object_is_type(statement, json_type_object)) {
			/* nft cannot express a jump to a chain without a name: this is its text. */
			if (json_object_is_type(statement, json_type_string))
				note_drop(walk, rule, false);
			certain = false;
		} else if (json_object_object_get_ex(statement, "match", &inner)) {
			enum match match = firewall_match(&walk->lookup, inner);

			if (match == MATCH_NO)
				return;
			certain = certain && match == MATCH_YES;
		} else if (json_object_object_get_ex(statement, "vmap", &inner)) {
			take_map(walk, rule, inner, depth, certain);
		} else if (is_translation(statement)) {
			walk->rewriter = rule;
			walk->fate = ACCEPTED;
		} else if (take_verdict(walk, rule, statement, depth, certain)) {
			return;
		} else if (!changes_nothing(statement)) {
			certain = false;
		}
	}
}

/* Walks the rules of a chain in order; `of` is an object of the same table. */
static void walk_chain(struct firewall_walk *walk, struct json_object *of, const char *chain, unsigned depth,
                       bool certain)
{
	bool returned_before = walk->may_have_returned;
	char key[FIREWALL_KEY_SIZE];
	struct json_object *rules;

	firewall_key(of, 'c', chain, key);
	if (depth > JUMPS_MAX || !json_object_object_get_ex(walk->lookup.index, key, &rules))
		return;
	walk->may_have_returned = false;
	for (size_t i = 0; i < json_object_array_length(rules) && walk->fate == GOES_ON; i++)
		walk_rule(walk, json_object_array_get_idx(rules, i), depth,
		          certain && !walk->may_have_returned);
	walk->may_have_returned = returned_before;
}

/* rule: NULL for the policy of the chain. */
static void describe(const struct firewall *firewall, struct json_object *chain, struct json_object *rule,
                     struct firewall_drop *drop)
{
	struct json_object *member = NULL;

	*drop = (struct firewall_drop){.handle = -1};
	snprintf(drop->family, sizeof drop->family, "%s", firewall_member(chain, "family"));
	snprintf(drop->table, sizeof drop->table, "%s", firewall_member(chain, "table"));
	snprintf(drop->base, sizeof drop->base, "%s", firewall_member(chain, "name"));
	snprintf(drop->program, sizeof drop->program, "%s", firewall_member(chain, "program"));
	if (rule == NULL)
		return;
	snprintf(drop->chain, sizeof drop->chain, "%s", firewall_member(rule, "chain"));
	if (json_object_object_get_ex(rule, "number", &member)) {
		snprintf(drop->text, sizeof drop->text, "%s", firewall_member(rule, "text"));
	} else if (drop->program[0] == '\0' && json_object_object_get_ex(rule, "handle", &member)) {
		struct json_object *text = find(firewall, rule, 'x', firewall_member(rule, "handle"));

		if (text != NULL)
			snprintf(drop->text, sizeof drop->text, "%s", json_object_get_string(text));
	}
	drop->handle = member != NULL ? json_object_get_int(member) : 0;
}

static enum firewall_answer walk_base(const struct firewall *firewall, struct json_object *chain,
                                      const struct firewall_packet *packet, enum hook hook,
                                      unsigned long *work, struct firewall_drop *drop)
{
	struct firewall_walk walk = {.lookup = {packet, hook, firewall->index, work, chain}};

	walk_chain(&walk, chain, firewall_member(chain, "name"), 0, true);
	if (walk.fate != ACCEPTED && walk.fate != DROPPED &&
	    strcmp(firewall_member(chain, "policy"), "drop") == 0) {
		if (walk.may_be_accepted)
			walk.may_be_dropped = true;
		else
			walk.fate = DROPPED;
		if (!walk.may_be_dropped || walk.fate == DROPPED)
			walk.dropper = NULL;
	}
	if (walk.fate != DROPPED && !walk.may_be_dropped)
		return FIREWALL_PASSES;
	describe(firewall, chain, walk.dropper, drop);
	return walk.fate == DROPPED ? FIREWALL_DROPS : FIREWALL_MAY_DROP;
}

static bool is_base_chain(struct json_object *chain, enum hook hook, enum family family)
{
	return has_family(chain, family) && strcmp(firewall_member(chain, "hook"), hook_names[hook]) == 0;
}

static bool is_nat_chain(struct json_object *chain)
{
	return strcmp(firewall_member(chain, "type"), "nat") == 0;
}

bool firewall_rewrites(const struct firewall *firewall, enum hook hook, const struct firewall_packet *packet,
                       struct firewall_drop *rule)
{
	unsigned long work = 0;
	struct json_object *chain;

	for (size_t i = 0; i < json_object_array_length(firewall->ruleset); i++) {
		struct firewall_walk walk = {.lookup = {packet, hook, firewall->index, &work, NULL}};

		if (!json_object_object_get_ex(json_object_array_get_idx(firewall->ruleset, i), "chain",
		                               &chain) ||
		    !is_base_chain(chain, hook, packet->family) || !is_nat_chain(chain))
			continue;
		walk.lookup.rule = chain;
		walk_chain(&walk, chain, firewall_member(chain, "name"), 0, true);
		if (walk.rewriter == NULL)
			continue;
		describe(firewall, chain, walk.rewriter, rule);
		return true;
	}
	return false;
}

enum firewall_answer firewall_try(const struct firewall *firewall, enum hook hook,
                                  const struct firewall_packet *packet, struct firewall_drop *drop)
{
	enum firewall_answer worst = FIREWALL_PASSES;
	struct json_object *chain;
	unsigned long work = 0;

	for (size_t i = 0; i < json_object_array_length(firewall->ruleset); i++) {
		struct firewall_drop here;
		enum firewall_answer answer;

		if (!json_object_object_get_ex(json_object_array_get_idx(firewall->ruleset, i), "chain",
		                               &chain) ||
		    !is_base_chain(chain, hook, packet->family) ||
		    (packet->traced && *firewall_member(chain, "legacy") == '\0'))
			continue;
		/* Only the first packet of a connection passes through the address translation. */
		if (is_nat_chain(chain))
			continue;
		answer = walk_base(firewall, chain, packet, hook, &work, &here);
		if (answer <= worst)
			continue;
		worst = answer;
		*drop = here;
	}
	return worst;
}

static const char *family_of_table(uint8_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_BRIDGE:
		return "bridge";
	default:
		return "netdev";
	}
}

void firewall_identify(const struct firewall *firewall, const struct trace_stop *stop,
                       struct firewall_drop *drop)
{
	struct json_object *table = json_object_new_object(), *chain, *rules, *rule = NULL;

	json_object_object_add(table, "family", json_object_new_string(family_of_table(stop->family)));
	json_object_object_add(table, "table", json_object_new_string(stop->table));
	json_object_object_add(table, "name", json_object_new_string(stop->base));
	json_object_object_add(table, "chain", json_object_new_string(stop->chain));
	json_object_object_add(table, "handle", json_object_new_int64((int64_t)stop->handle));
	chain = find(firewall, table, 'h', stop->base);
	rules = find(firewall, table, 'c', stop->chain);
	if (stop->handle != 0)
		rule = table;
	if (rule != NULL && *firewall_member(chain, "program") != '\0' && rules != NULL &&
	    stop->position > 0 && stop->position <= json_object_array_length(rules))
		rule = json_object_array_get_idx(rules, stop->position - 1);
	describe(firewall, chain != NULL ? chain : table, rule, drop);
	json_object_put(table);
}
