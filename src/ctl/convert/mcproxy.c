/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of older releases of mcproxy: 0.1, and 1.1 with its tables and bindings.
 */
#include "ctl/convert/grammars.h"
#include "ctl/convert/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct table {
	struct table *next;
	char *name;
	struct lines rules; /* without their action */
	bool groups_only;   /* a rule has no sources */
};

struct old {
	struct scan *scan;
	struct output *output;
	struct table *tables;
	unsigned instances;
	bool numbered; /* an instance has a kernel table */
};

static bool skip(struct old *old, const char *keyword)
{
	const struct word *word = scan_peek(old->scan);

	if (scan_ended(old->scan) || word->quoted || strcasecmp(word->text, keyword) != 0)
		return false;
	scan_take(old->scan);
	return true;
}

static bool expect(struct old *old, const char *mark)
{
	return skip(old, mark) || output_fail(old->output, scan_peek(old->scan)->line,
	                                      "\"%.40s\": %s is expected", scan_peek(old->scan)->text, mark);
}

/* `*` and the unspecified address are every address. */
static bool read_one(struct old *old, const struct word **word, bool *all)
{
	struct addr addr;

	*word = scan_take(old->scan);
	*all = strcmp((*word)->text, "*") == 0;
	if (*all)
		return true;
	if (!addr_parse((*word)->text, &addr))
		return output_fail(old->output, (*word)->line, "\"%.40s\" is no address", (*word)->text);
	*all = addr_is_unspecified(&addr);
	return true;
}

/* addr: `*`, an address, ADDR/LENGTH, ADDR-ADDR, as a condition of a rule. */
static bool read_addr(struct old *old, bool group, char *text, size_t size)
{
	static const char *const lowest[2][2] = {{"0.0.0.1", "::1"}, {"224.0.0.0", "ff00::"}};
	static const char *const highest[2] = {"255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	const struct word *first, *last;
	bool all_below, all_above, ipv6;
	unsigned long length;

	if (!read_one(old, &first, &all_below))
		return false;
	if (skip(old, "/")) {
		if (!read_number(old->output, scan_take(old->scan), 0, 128, &length))
			return false;
		if (all_below || length == 0)
			snprintf(text, size, "all");
		else
			snprintf(text, size, "%s/%lu", first->text, length);
		return true;
	}
	if (!skip(old, "-")) {
		snprintf(text, size, "%s", all_below ? "all" : first->text);
		return true;
	}
	if (!read_one(old, &last, &all_above))
		return false;
	ipv6 = strchr(first->text, ':') != NULL || strchr(last->text, ':') != NULL;
	if (all_below && all_above)
		snprintf(text, size, "all");
	else
		snprintf(text, size, "%s-%s", all_below ? lowest[group][ipv6] : first->text,
		         !all_above       ? last->text
		         : group && !ipv6 ? "239.255.255.255"
		                          : highest[ipv6]);
	return true;
}

static bool read_table(struct old *old, struct table *table);

/* [IF] ( addr | addr ), or ( table ... ) */
static bool read_rule(struct old *old, struct table *table)
{
	const struct word *link = strcmp(scan_peek(old->scan)->text, "(") != 0 ? scan_take(old->scan) : NULL;
	char group[112], source[112];

	if (!expect(old, "("))
		return false;
	if (link != NULL && !link_name_is_valid(link->text))
		return output_fail(old->output, link->line, "\"%.40s\" is no name of an interface",
		                   link->text);
	if (skip(old, "table"))
		return read_table(old, table) && expect(old, ")");
	if (!read_addr(old, true, group, sizeof group) || !expect(old, "|") ||
	    !read_addr(old, false, source, sizeof source) || !expect(old, ")"))
		return false;
	table->groups_only = table->groups_only || strcmp(source, "all") == 0;
	lines_add(old->output, &table->rules, "%s%s%s%s%s", group, strcmp(source, "all") == 0 ? "" : " from ",
	          strcmp(source, "all") == 0 ? "" : source, link != NULL ? " in " : "",
	          link != NULL ? link->text : "");
	return !output_has_failed(old->output);
}

static bool read_rules(struct old *old, struct table *table)
{
	while (!skip(old, "}"))
		if (scan_ended(old->scan) ? !expect(old, "}") : !read_rule(old, table))
			return false;
	return true;
}

/* After `table`: adds the rules of a named table, or of one that stands here. */
static bool read_table(struct old *old, struct table *table)
{
	const struct word *name = strcmp(scan_peek(old->scan)->text, "{") != 0 ? scan_take(old->scan) : NULL;

	if (skip(old, "{"))
		return read_rules(old, table);
	for (const struct table *other = old->tables; other != NULL && name != NULL; other = other->next) {
		if (strcmp(other->name, name->text) != 0)
			continue;
		lines_append(old->output, &table->rules, "", &other->rules);
		table->groups_only = table->groups_only || other->groups_only;
		return !output_has_failed(old->output);
	}
	return output_fail(old->output, scan_line(old->scan), "no table \"%.40s\" above",
	                   name != NULL ? name->text : "");
}

static bool define_table(struct old *old)
{
	const struct word *name = scan_take(old->scan);
	struct table *table = calloc(1, sizeof *table);

	if (table == NULL || (table->name = strdup(name->text)) == NULL) {
		free(table);
		return output_fail(old->output, 0, "no memory");
	}
	table->next = old->tables;
	old->tables = table;
	return expect(old, "{") && read_rules(old, table);
}

static bool read_links(struct old *old, struct instance *instance)
{
	enum role role = ROLE_UPSTREAM;

	while (!scan_ended(old->scan) && strcmp(scan_peek(old->scan)->text, ";") != 0) {
		const struct word *word = scan_take(old->scan);

		if (strcmp(word->text, "=") == 0 && skip(old, "=") && skip(old, ">"))
			role = ROLE_DOWNSTREAM;
		else if (!output_link_role(old->output, instance, word, role))
			return false;
	}
	return output_finish_instance(old->output, instance);
}

static bool define_instance(struct old *old, const struct word *name)
{
	size_t size = strlen(name->text);
	bool colon = size > 1 && name->text[size - 1] == ':' && !name->quoted;
	struct instance *instance;
	unsigned long number;

	if (colon)
		name->text[size - 1] = '\0';
	for (const char *at = name->text; *at != '\0'; at++)
		if (*at < ' ' || *at == '"' || *at == '\\' || *at == 0x7f)
			return output_fail(old->output, name->line,
			                   "a name with a quote or a control character");
	instance = output_instance(old->output, name->text);
	if (instance == NULL || instance->links != NULL)
		return output_fail(old->output, name->line, "instance \"%.40s\" appears twice", name->text);
	old->instances++;
	if (skip(old, "(")) {
		if (!read_number(old->output, scan_take(old->scan), 0, 999999999, &number) ||
		    !expect(old, ")"))
			return false;
		old->numbered = true;
		if (number >= 253 && number <= 255)
			lines_differ(old->output, &instance->settings, name->line,
			             "table %lu belongs to the kernel: the default one is used", number);
		else if (number > 0)
			lines_set_number(old->output, &instance->settings, "table", number);
	}
	return (colon || expect(old, ":")) && read_links(old, instance);
}

static bool read_matching(struct old *old, struct instance *instance, bool in)
{
	const struct word *word = scan_take(old->scan);
	unsigned long time;
	char text[32];

	if (!in) {
		if (strcasecmp(word->text, "all") != 0)
			lines_differ(old->output, &instance->settings, word->line,
			             "rulematching out %s: mcproxy sends to all upstream links", word->text);
		if (strcasecmp(word->text, "mutex") == 0)
			scan_take(old->scan);
		return true;
	}
	if (strcasecmp(word->text, "mutex") == 0) {
		if (!read_number(old->output, scan_take(old->scan), 0, 3600000, &time))
			return false;
		lines_set(old->output, &instance->settings, "upstream_choice", "\"mutex\"");
		snprintf(text, sizeof text, "%.1f", time < 100 ? 0.1 : (double)time / 1000);
		lines_set(old->output, &instance->settings, "mutex_hold", text);
		lines_differ(old->output, &instance->settings, word->line,
		             "mutex: its time is used; 1.1 waited 20 s");
		return true;
	}
	if (strcasecmp(word->text, "all") != 0 && strcasecmp(word->text, "first") != 0)
		return output_fail(old->output, word->line, "\"%.40s\": all, first or mutex is expected",
		                   word->text);
	lines_set(old->output, &instance->settings, "upstream_choice",
	          strcasecmp(word->text, "all") == 0 ? "\"all\"" : "\"first\"");
	return true;
}

static bool read_filter(struct old *old, struct link *link, bool in, bool white)
{
	struct lines *rules = in ? &link->in : &link->out;
	struct table table = {0};
	unsigned line = scan_peek(old->scan)->line;
	bool read;

	if (rules->count > 0)
		return output_fail(old->output, line, "a second filter for %s", link->name);
	read = expect(old, "table") && read_table(old, &table);
	lines_append(old->output, rules, white ? "allow " : "deny ", &table.rules);
	if (white)
		lines_deny_rest(old->output, rules);
	if (table.groups_only)
		lines_differ(old->output, &link->settings, line,
		             "rules without sources apply to joins of all sources too, as 1.1 meant");
	lines_clear(&table.rules);
	return read;
}

static bool read_binding(struct old *old, const struct word *name)
{
	struct instance *instance = output_instance(old->output, name->text);
	const struct word *interface;
	struct link *link;
	bool in, white;

	scan_take(old->scan); /* upstream or downstream */
	interface = scan_take(old->scan);
	if (instance == NULL || instance->links == NULL)
		return output_fail(old->output, name->line, "no instance \"%.40s\" above", name->text);
	in = skip(old, "in");
	if (!in && !expect(old, "out"))
		return false;
	if (skip(old, "rulematching"))
		return read_matching(old, instance, in);
	white = skip(old, "whitelist");
	if (!white && !expect(old, "blacklist"))
		return false;
	link = link_find(instance, interface->text);
	return link != NULL ? read_filter(old, link, in, white)
	                    : output_fail(old->output, interface->line, "%.40s is no link of %s",
	                                  interface->text, name->text);
}

/* Statements that a router maker has added; 0 is the default. */
static bool read_setting(struct old *old, const struct word *word)
{
	static const struct number_setting settings[] = {
		{"qi", "query_interval", 1, 31744, false},
		{"qri", "query_response_interval", 1, 31744, true},
		{"lmqi", "last_member_query_interval", 1, 31744, true},
		{"rv", "robustness", 1, 255, false},
		{"max_groups", "groups_max", 1, 16777216, false},
		{0},
	};
	const struct number_setting *setting = number_setting_find(settings, word->text);
	struct output *output = old->output;
	const struct word *value = scan_take(old->scan);
	unsigned long number;

	if (strcmp(word->text, "fastleave") == 0) {
		if (!read_number(output, value, 0, 1, &number))
			return false;
		lines_set_bool(output, &output->settings, "fast_leave", number > 0);
		return true;
	}
	if (setting == NULL)
		return output_fail(output, word->line, "unknown statement \"%.40s\"", word->text);
	if (strcmp(value->text, "0") != 0)
		return read_number_setting(output, &output->settings, setting, value);
	lines_leave_out(output, &output->settings, word->line, "%s 0 is the default", word->text);
	return true;
}

static bool set_protocol(struct output *output, const struct word *word)
{
	static const char *const protocols[] = {"IGMPv1", "IGMPv2", "IGMPv3", "MLDv1", "MLDv2"};
	char text[16];

	for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
		if (strcasecmp(word->text, protocols[i]) != 0)
			continue;
		snprintf(text, sizeof text, "\"%s\"", protocols[i]);
		lines_set(output, &output->settings, "protocol", text);
		return true;
	}
	return output_fail(output, word->line, "\"%.40s\" is no protocol", word->text);
}

static bool read_statement(struct old *old)
{
	const struct word *word;

	if (skip(old, ";"))
		return true;
	if (skip(old, "disable")) {
		lines_differ(old->output, &old->output->settings, scan_line(old->scan),
		             "disable: do not start mcproxy instead");
		return true;
	}
	if (skip(old, "protocol"))
		return set_protocol(old->output, scan_take(old->scan));
	if (skip(old, "table"))
		return define_table(old);
	word = scan_take(old->scan);
	if (strcasecmp(word->text, "pinstance") != 0)
		return read_setting(old, word);
	word = scan_take(old->scan);
	if (!scan_peek(old->scan)->quoted && (strcasecmp(scan_peek(old->scan)->text, "upstream") == 0 ||
	                                      strcasecmp(scan_peek(old->scan)->text, "downstream") == 0))
		return read_binding(old, word);
	return define_instance(old, word);
}

/* Without numbers, several instances have the tables 1, 2, 3... */
static void number_tables(struct old *old)
{
	unsigned long number = 1;

	if (old->numbered || old->instances < 2)
		return;
	for (struct instance *instance = old->output->instances; instance != NULL; instance = instance->next)
		lines_set_number(old->output, &instance->settings, "table", number++);
}

bool read_mcproxy_1_1(struct scan *scan, struct output *output)
{
	struct old old = {.scan = scan, .output = output};
	bool read = true;

	lines_set(output, &output->settings, "protocol", "\"IGMPv3\"");
	while (read && !scan_ended(scan))
		read = read_statement(&old) && (scan_ended(scan) || expect(&old, ";"));
	number_tables(&old);
	for (struct table *table = old.tables, *next; table != NULL; table = next) {
		next = table->next;
		lines_clear(&table->rules);
		free(table->name);
		free(table);
	}
	return read;
}

bool read_mcproxy_0_1(struct scan *scan, struct output *output)
{
	lines_set(output, &output->settings, "protocol", "\"IGMPv2\"");
	while (!scan_ended(scan)) {
		struct instance *instance = NULL;
		enum role role = ROLE_UPSTREAM;

		if (scan_skip(scan, "protocol")) {
			if (!set_protocol(output, scan_take(scan)))
				return false;
			continue;
		}
		instance = output_instance(output, NULL);
		do {
			const struct word *word = scan_take(scan);

			if (strcmp(word->text, "==>") == 0)
				role = ROLE_DOWNSTREAM;
			else if (!output_link_role(output, instance, word, role))
				return false;
		} while (!scan_ended(scan) && !scan_peek(scan)->first);
		if (!output_finish_instance(output, instance))
			return false;
	}
	for (struct instance *instance = output->instances;
	     instance != NULL && output->instances->next != NULL; instance = instance->next)
		lines_set(output, &instance->settings, "table", "\"own\"");
	return true;
}
