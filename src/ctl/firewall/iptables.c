/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/firewall/iptables.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX 128
#define RULE_SIZE 256 /* of a rule's text, for people */

struct conversion {
	const char *family; /* "ip", "ip6" */
	const char *program;
	struct json_object *ruleset;
	char table[64];
	char chain[64]; /* of the previous rule */
	long number;    /* of the rule in its chain */
	bool legacy;    /* not stored in nftables */
};

static struct json_object *object_with(const char *key, struct json_object *value)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, key, value);
	return object;
}

/* A statement {match: {op, left: {kind: {key: name, ...}}, right}}. */
static struct json_object *match_statement(bool negated, struct json_object *left, struct json_object *right)
{
	struct json_object *match = json_object_new_object();

	json_object_object_add(match, "op", json_object_new_string(negated ? "!=" : "=="));
	json_object_object_add(match, "left", left);
	json_object_object_add(match, "right", right);
	return object_with("match", match);
}

static struct json_object *meta_left(const char *key)
{
	return object_with("meta", object_with("key", json_object_new_string(key)));
}

static struct json_object *payload_left(const char *protocol, const char *field)
{
	struct json_object *payload = object_with("protocol", json_object_new_string(protocol));

	json_object_object_add(payload, "field", json_object_new_string(field));
	return object_with("payload", payload);
}

/* Interface patterns end in "+" here, and in "*" in nft. */
static struct json_object *interface_right(const char *name)
{
	char text[32];
	size_t length = strlen(name);

	snprintf(text, sizeof text, "%s", name);
	if (length > 0 && length < sizeof text && text[length - 1] == '+')
		text[length - 1] = '*';
	return json_object_new_string(text);
}

static struct json_object *prefix_right(const char *text)
{
	char address[64];
	const char *slash = strchr(text, '/');
	struct json_object *prefix;

	if (slash == NULL)
		return json_object_new_string(text);
	snprintf(address, sizeof address, "%.*s", (int)(slash - text), text);
	prefix = object_with("addr", json_object_new_string(address));
	/* A mask that is not a prefix length stays unknown. */
	if (strpbrk(slash + 1, ".:") == NULL)
		json_object_object_add(prefix, "len", json_object_new_int(atoi(slash + 1)));
	return object_with("prefix", prefix);
}

/* "5000", or "5000:5010". */
static struct json_object *port_right(const char *text)
{
	const char *colon = strchr(text, ':');
	struct json_object *range;

	if (colon == NULL)
		return json_object_new_string(text);
	range = json_object_new_array();
	json_object_array_add(range, json_object_new_int(atoi(text)));
	json_object_array_add(range, json_object_new_int(atoi(colon + 1)));
	return object_with("range", range);
}

/* "NEW,ESTABLISHED" in small letters, as a list. */
static struct json_object *list_right(const char *text)
{
	struct json_object *list = json_object_new_array();
	char copy[128], *rest = copy, *word;

	snprintf(copy, sizeof copy, "%s", text);
	for (char *letter = copy; *letter != '\0'; letter++)
		*letter = *letter >= 'A' && *letter <= 'Z' ? (char)(*letter - 'A' + 'a') : *letter;
	while ((word = strsep(&rest, ",")) != NULL)
		json_object_array_add(list, json_object_new_string(word));
	return list;
}

static struct json_object *fib_left(void)
{
	struct json_object *flags = json_object_new_array(), *fib;

	json_object_array_add(flags, json_object_new_string("daddr"));
	fib = object_with("result", json_object_new_string("type"));
	json_object_object_add(fib, "flags", flags);
	return object_with("fib", fib);
}

static struct json_object *protocol_right(const char *name)
{
	return json_object_new_string(strcmp(name, "icmpv6") == 0 ? "ipv6-icmp" : name);
}

static struct json_object *option_statement(const struct conversion *conversion, const char *option,
                                            const char *value, bool negated)
{
	if (strcmp(option, "-i") == 0)
		return match_statement(negated, meta_left("iifname"), interface_right(value));
	if (strcmp(option, "-o") == 0)
		return match_statement(negated, meta_left("oifname"), interface_right(value));
	if (strcmp(option, "-p") == 0)
		return strcmp(value, "all") == 0
		               ? NULL
		               : match_statement(negated, meta_left("l4proto"), protocol_right(value));
	if (strcmp(option, "-d") == 0 || strcmp(option, "-s") == 0)
		return match_statement(negated,
		                       payload_left(conversion->family, option[1] == 'd' ? "daddr" : "saddr"),
		                       prefix_right(value));
	if (strcmp(option, "--dport") == 0)
		return match_statement(negated, payload_left("th", "dport"), port_right(value));
	if (strcmp(option, "--ctstate") == 0 || strcmp(option, "--state") == 0)
		return match_statement(negated,
		                       object_with("ct", object_with("key", json_object_new_string("state"))),
		                       list_right(value));
	if (strcmp(option, "--icmpv6-type") == 0)
		return match_statement(negated, payload_left("icmpv6", "type"),
		                       json_object_new_string(value));
	if (strcmp(option, "--pkt-type") == 0)
		return match_statement(negated, meta_left("pkttype"), json_object_new_string(value));
	if (strcmp(option, "--dst-type") == 0)
		return match_statement(negated, fib_left(), list_right(value));
	return object_with("xt", NULL);
}

static struct json_object *target_statement(const char *option, const char *target)
{
	if (strcmp(option, "-g") == 0)
		return object_with("goto", object_with("target", json_object_new_string(target)));
	if (strcmp(target, "ACCEPT") == 0)
		return object_with("accept", NULL);
	if (strcmp(target, "DROP") == 0 || strcmp(target, "REJECT") == 0)
		return object_with("drop", NULL);
	if (strcmp(target, "RETURN") == 0)
		return object_with("return", NULL);
	if (strcmp(target, "NFQUEUE") == 0)
		return object_with("queue", NULL);
	if (strcmp(target, "MASQUERADE") == 0 || strcmp(target, "SNAT") == 0)
		return object_with("snat", NULL);
	if (strcmp(target, "DNAT") == 0 || strcmp(target, "REDIRECT") == 0 || strcmp(target, "NETMAP") == 0)
		return object_with("dnat", NULL);
	/* The name of an extension is in capitals, and the extension changes the packet; other targets are
	 * chains. */
	if (target[strcspn(target, "abcdefghijklmnopqrstuvwxyz")] == '\0')
		return object_with("counter", NULL);
	return object_with("jump", object_with("target", json_object_new_string(target)));
}

/* Splits a line into words, and keeps "quoted ones" whole; returns their number. */
static size_t split(char *line, char *words[WORDS_MAX])
{
	size_t count = 0;

	while (count < WORDS_MAX) {
		line += strspn(line, " ");
		if (*line == '\0')
			break;
		if (*line == '"') {
			words[count++] = ++line;
			while (*line != '\0' && *line != '"')
				line += *line == '\\' && line[1] != '\0' ? 2 : 1;
		} else {
			words[count++] = line;
			line += strcspn(line, " ");
		}
		if (*line != '\0')
			*line++ = '\0';
	}
	return count;
}

/* Options without effect on the packet: their values are skipped. */
static bool is_remark(const char *option)
{
	return strcmp(option, "-m") == 0 || strcmp(option, "--comment") == 0 ||
	       strcmp(option, "--reject-with") == 0 || strcmp(option, "--log-prefix") == 0 ||
	       strcmp(option, "--log-level") == 0;
}

static struct json_object *convert_options(const struct conversion *conversion, char **words, size_t count)
{
	struct json_object *list = json_object_new_array(), *statement, *verdict = NULL;
	bool negated = false;

	for (size_t i = 0; i < count; i++) {
		const char *option = words[i];
		bool has_value = i + 1 < count && words[i + 1][0] != '-';

		if (strcmp(option, "!") == 0) {
			negated = true;
			continue;
		}
		if ((strcmp(option, "-j") == 0 || strcmp(option, "-g") == 0) && has_value) {
			json_object_put(verdict);
			verdict = target_statement(option, words[i + 1]);
		} else if (!is_remark(option)) {
			statement =
				option_statement(conversion, option, has_value ? words[i + 1] : "", negated);
			if (statement != NULL)
				json_object_array_add(list, statement);
		}
		i += has_value;
		negated = false;
	}
	if (verdict != NULL)
		json_object_array_add(list, verdict);
	return list;
}

static struct json_object *new_entry(const struct conversion *conversion)
{
	struct json_object *entry = object_with("family", json_object_new_string(conversion->family));

	json_object_object_add(entry, "table", json_object_new_string(conversion->table));
	json_object_object_add(entry, "program", json_object_new_string(conversion->program));
	if (conversion->legacy)
		json_object_object_add(entry, "legacy", json_object_new_boolean(true));
	return entry;
}

/* ":FORWARD DROP [0:0]": the capital letters name the hook of a built-in chain. */
static void convert_chain(struct conversion *conversion, char **words, size_t count)
{
	static const char *const hooks[][2] = {{"PREROUTING", "prerouting"},
	                                       {"INPUT", "input"},
	                                       {"FORWARD", "forward"},
	                                       {"OUTPUT", "output"},
	                                       {"POSTROUTING", "postrouting"}};
	struct json_object *chain = new_entry(conversion);
	const char *name = words[0] + 1;

	json_object_object_add(chain, "name", json_object_new_string(name));
	json_object_object_add(
		chain, "type",
		json_object_new_string(strcmp(conversion->table, "nat") == 0 ? "nat" : "filter"));
	for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++)
		if (strcmp(hooks[i][0], name) == 0)
			json_object_object_add(chain, "hook", json_object_new_string(hooks[i][1]));
	if (count > 1 && strcmp(words[1], "DROP") == 0)
		json_object_object_add(chain, "policy", json_object_new_string("drop"));
	json_object_array_add(conversion->ruleset, object_with("chain", chain));
}

static void convert_rule(struct conversion *conversion, const char *text, char **words, size_t count)
{
	struct json_object *rule = new_entry(conversion);

	conversion->number = strcmp(conversion->chain, words[1]) == 0 ? conversion->number + 1 : 1;
	snprintf(conversion->chain, sizeof conversion->chain, "%s", words[1]);
	json_object_object_add(rule, "chain", json_object_new_string(words[1]));
	json_object_object_add(rule, "number", json_object_new_int64(conversion->number));
	json_object_object_add(rule, "text", json_object_new_string(text));
	json_object_object_add(rule, "expr", convert_options(conversion, words + 2, count - 2));
	json_object_array_add(conversion->ruleset, object_with("rule", rule));
}

bool iptables_convert(enum family family, const char *program, const char *text, struct json_object *ruleset)
{
	struct conversion conversion = {.family = family == FAMILY_IPV4 ? "ip" : "ip6",
	                                .program = program,
	                                .ruleset = ruleset,
	                                .legacy = strstr(text, "(nf_tables)") == NULL};
	char *copy = strdup(text), *rest = copy, *line, *words[WORDS_MAX];
	bool valid = false;

	while (copy != NULL && (line = strsep(&rest, "\n")) != NULL) {
		char rule[RULE_SIZE];
		size_t count;

		snprintf(rule, sizeof rule, "%s", line);
		count = split(line, words);

		if (count == 0 || words[0][0] == '#')
			continue;
		if (words[0][0] == '*') {
			valid = true;
			conversion.chain[0] = '\0';
			snprintf(conversion.table, sizeof conversion.table, "%s", words[0] + 1);
		} else if (valid && words[0][0] == ':') {
			convert_chain(&conversion, words, count);
		} else if (valid && count > 2 && strcmp(words[0], "-A") == 0) {
			convert_rule(&conversion, rule, words, count);
		}
	}
	free(copy);
	return valid;
}
