/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/convert/route_map.h"

#include "ctl/convert/net.h"

#include <stdlib.h>

#define ENTRIES_MAX 1024 /* of a route-map */

/* One side of a `match`: any address, a prefix, or a prefix-list. */
struct match {
	const struct word *prefix, *list;
};

struct entry {
	struct match group, source;
	bool permits, last;
};

/* An entry of a prefix-list. */
struct item {
	struct net net;
	bool any, permits;
};

struct items {
	struct item *item;
	size_t count;
};

struct reader {
	struct output *output;
	const struct scan *text;
	struct link *link;
	struct lines *rules;
};

static bool read_prefix(struct output *output, const struct word *word, struct item *item)
{
	item->any = word != NULL && strcmp(word->text, "any") == 0;
	return item->any || (word != NULL && net_parse(word->text, &item->net)) ||
	       output_fail(output, word != NULL ? word->line : 0, "\"%.40s\" is no prefix",
	                   word != NULL ? word->text : "");
}

/* Entries are expected in the order of their numbers, as FRR writes them. */
static bool check_order(struct output *output, const struct word *number, unsigned long *before)
{
	unsigned long now;

	if (!read_number(output, number, 0, 4294967295, &now))
		return false;
	if (now < *before)
		return output_fail(output, number->line, "entry %lu stands after entry %lu", now, *before);
	*before = now;
	return true;
}

static bool add_item(struct items *items, const struct item *item)
{
	struct item *grown = realloc(items->item, (items->count + 1) * sizeof *grown);

	if (grown == NULL)
		return false;
	items->item = grown;
	grown[items->count++] = *item;
	return true;
}

/* The rest of `ip prefix-list NAME`: [seq N] permit|deny PREFIX [ge N] [le N] */
static bool read_item(struct reader *reader, struct scan *scan, struct items *items, unsigned long *number)
{
	const struct word *verdict, *word;
	struct item item = {0};

	if (scan_skip(scan, "seq") && !check_order(reader->output, scan_take_same_line(scan), number))
		return false;
	verdict = scan_take_same_line(scan);
	if (verdict == NULL || (strcmp(verdict->text, "permit") != 0 && strcmp(verdict->text, "deny") != 0))
		return verdict != NULL && strcmp(verdict->text, "description") == 0
		               ? true
		               : output_fail(reader->output, scan_line(scan), "permit or deny is expected");
	item.permits = strcmp(verdict->text, "permit") == 0;
	if (!read_prefix(reader->output, scan_take_same_line(scan), &item))
		return false;
	while ((word = scan_take_same_line(scan)) != NULL) {
		const struct word *length = scan_take_same_line(scan);
		unsigned long bound;

		if ((strcmp(word->text, "ge") != 0 && strcmp(word->text, "le") != 0) ||
		    !read_number(reader->output, length, 0, 128, &bound))
			return output_fail(reader->output, word->line, "\"%.40s\": ge or le is expected",
			                   word->text);
		if (word->text[0] == 'g' || bound < 32)
			lines_leave_out(reader->output, &reader->link->settings, word->line,
			                "%s %lu: pimd compares whole addresses, which no length excludes",
			                word->text, bound);
	}
	return add_item(items, &item) || output_fail(reader->output, 0, "no memory");
}

static bool read_list(struct reader *reader, const struct word *name, struct items *items)
{
	struct scan scan = *reader->text;
	unsigned long number = 0;
	bool found = false;

	for (scan.at = 0; !scan_ended(&scan); scan_skip_line(&scan)) {
		const struct word *word = scan_take(&scan);

		if ((strcmp(word->text, "ip") != 0 && strcmp(word->text, "ipv6") != 0) ||
		    !scan_skip(&scan, "prefix-list") || (word = scan_take_same_line(&scan)) == NULL ||
		    strcmp(word->text, name->text) != 0)
			continue;
		found = true;
		if (!read_item(reader, &scan, items, &number))
			return false;
	}
	if (!found)
		lines_leave_out(reader->output, &reader->link->settings, name->line,
		                "prefix-list %s is not in this file, and matches nothing", name->text);
	return true;
}

/* What a match names, as the items of a list. */
static bool read_match(struct reader *reader, const struct match *match, struct items *items)
{
	struct item item = {.any = true, .permits = true};

	if (match->list != NULL)
		return read_list(reader, match->list, items);
	if (match->prefix != NULL && !read_prefix(reader->output, match->prefix, &item))
		return false;
	return add_item(items, &item) || output_fail(reader->output, 0, "no memory");
}

/* Entries after the last one that permits match nothing. */
static void drop_last_denials(struct items *items)
{
	while (items->count > 0 && !items->item[items->count - 1].permits)
		items->count--;
}

static void add_rule(struct reader *reader, bool allow, const struct item *group, const struct item *source)
{
	char text[NET_TEXT_SIZE], from[NET_TEXT_SIZE + 8] = "";
	bool all = group->any || net_groups(&group->net) == NET_ALL_GROUPS;

	if (!all && net_groups(&group->net) == NET_NO_GROUP)
		return;
	if (!source->any)
		net_from(&source->net, from);
	lines_add(reader->output, reader->rules, "%s %s%s", allow ? "allow" : "deny",
	          all ? "all" : net_format(&group->net, text), from);
}

/* A denial in a list only ends the search in that list, so the route-map would go on; a rule cannot. */
static void add_rules(struct reader *reader, const struct entry *entry, const struct items *groups,
                      const struct items *sources)
{
	bool denies = false;

	for (size_t g = 0; g < groups->count && !output_has_failed(reader->output); g++)
		for (size_t s = 0; s < sources->count && !output_has_failed(reader->output); s++) {
			bool permits = groups->item[g].permits && sources->item[s].permits;

			denies = denies || !permits;
			add_rule(reader, entry->permits && permits, &groups->item[g], &sources->item[s]);
		}
	if (denies && (!entry->last || !entry->permits))
		lines_differ(
			reader->output, &reader->link->settings, reader->output->from,
			"route-map: what a prefix-list denies is denied, without a look at later entries");
}

static bool add_entry(struct reader *reader, const struct entry *entry)
{
	struct items groups = {0}, sources = {0};
	bool read =
		read_match(reader, &entry->group, &groups) && read_match(reader, &entry->source, &sources);

	if (read) {
		drop_last_denials(&groups);
		drop_last_denials(&sources);
		add_rules(reader, entry, &groups, &sources);
	}
	free(groups.item);
	free(sources.item);
	return read && !output_has_failed(reader->output);
}

/* `match ip multicast-group X`, `... prefix-list NAME`; false: mcproxy does not have this match. */
static bool read_match_line(struct scan *scan, struct entry *entry)
{
	const struct word *word = scan_take_same_line(scan), *value;
	struct match *match;

	if (word != NULL && (strcmp(word->text, "ip") == 0 || strcmp(word->text, "ipv6") == 0))
		word = scan_take_same_line(scan);
	if (word == NULL)
		return false;
	if (strncmp(word->text, "multicast-group", 15) == 0)
		match = &entry->group;
	else if (strncmp(word->text, "multicast-source", 16) == 0)
		match = &entry->source;
	else
		return false;
	value = scan_take_same_line(scan);
	if (value == NULL)
		return false;
	if (strstr(word->text, "-prefix-list") != NULL)
		match->list = value;
	else if (strcmp(value->text, "prefix-list") == 0)
		match->list = scan_take_same_line(scan);
	else
		match->prefix = value;
	return match->list != NULL || match->prefix != NULL;
}

/* The lines of an entry, after its first. Without one of its matches, an entry would take more than it did. */
static bool read_entry(struct reader *reader, struct scan *scan, struct entry *entry)
{
	bool known = true;

	for (; !scan_ended(scan) && (strcmp(scan_peek(scan)->text, "match") == 0 ||
	                             strcmp(scan_peek(scan)->text, "description") == 0);
	     scan_skip_line(scan)) {
		const struct word *word = scan_take(scan);

		if (strcmp(word->text, "match") != 0 || read_match_line(scan, entry))
			continue;
		lines_differ(reader->output, &reader->link->settings, word->line,
		             "route-map: a match that mcproxy does not have: the entry is left out");
		known = false;
	}
	return known;
}

static size_t count_entries(const struct scan *text, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i + 1 < text->count; i++)
		count += text->words[i].first && strcmp(text->words[i].text, "route-map") == 0 &&
		         strcmp(text->words[i + 1].text, name) == 0;
	return count;
}

bool route_map_add(struct output *output, const struct scan *text, const struct word *name, struct link *link,
                   struct lines *rules)
{
	struct reader reader = {output, text, link, rules};
	struct scan scan = *text;
	size_t left = count_entries(text, name->text);
	unsigned long number = 0;

	if (left == 0 || left > ENTRIES_MAX)
		return output_fail(output, name->line,
		                   left == 0 ? "no route-map %.40s in this file"
		                             : "route-map %.40s: more than 1024 entries",
		                   name->text);
	for (scan.at = 0; !scan_ended(&scan);) {
		const struct word *word = scan_take(&scan), *verdict;
		struct entry entry = {0};

		if (!word->first || strcmp(word->text, "route-map") != 0) {
			scan_skip_line(&scan);
			continue;
		}
		output->from = word->line;
		word = scan_take_same_line(&scan);
		verdict = word != NULL ? scan_take_same_line(&scan) : NULL;
		if (verdict == NULL || strcmp(word->text, name->text) != 0) {
			scan_skip_line(&scan);
			continue;
		}
		if (!check_order(output, scan_take_same_line(&scan), &number))
			return false;
		scan_skip_line(&scan);
		entry.last = --left == 0;
		entry.permits = strcmp(verdict->text, "permit") == 0;
		if (!read_entry(&reader, &scan, &entry))
			continue;
		if (!add_entry(&reader, &entry))
			return false;
	}
	output->from = name->line;
	lines_deny_rest(output, rules);
	return true;
}
