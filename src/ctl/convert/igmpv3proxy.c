/* SPDX-License-Identifier: BSD-2-Clause
 *
 * igmpv3proxy. Its manual and its parser spell some words differently; both are read.
 */
#include "ctl/convert/grammars.h"
#include "ctl/convert/net.h"

#include <stdio.h>
#include <stdlib.h>

/* Of a phyint; with `default` in front, of the file. */
static const struct number_setting numbers[] = {
	{"threshold", "ttl_threshold", 1, 255, false},
	{"robustness", "robustness", 1, 255, false},
	{"robustnessvalue", "robustness", 1, 255, false},
	{"queryinterval", "query_interval", 1, 31744, false},
	{"queryresponseinterval", "query_response_interval", 1, 3174, false},
	{"queryrepsonseinterval", "query_response_interval", 1, 3174, false},
	{"lastmemberinterval", "last_member_query_interval", 1, 31744, true},
	{"lastmembercount", "last_member_query_count", 1, 255, false},
	{"maxorigins", "sources_max", 1, 4096, false},
	{"ratelimit", NULL, 0, 4294967295, false},
	{"bwcontrol", NULL, 0, 3600, false},
	{0},
};

/* Words that mcproxy does not need, without a value and with one. */
static const char *const switches[] = {"rescanvifnl",    "cksumverify",     "disableipmrules",
                                       "noproxylocalmc", "nodefaultfilter", NULL};
static const char *const unneeded[] = {
	"hashtablesize", "rescanvif", "rescanconf",   "chroot",         "user",    "group",    "mctables",
	"kbufsize",      "pbufsize",  "reqqueuesize", "timerqueuesize", "logfile", "loglevel", NULL};
/* Words whose effect mcproxy does not have. */
static const char *const missing[] = {"nocksumverify", "proxylocalmc", NULL};

struct reading {
	struct scan *scan;
	struct output *output;
	struct instance *instance;
	struct link *link;     /* NULL: at the level of the file */
	struct lines defaults; /* filters for all links */
	enum role role;        /* of links that name none */
};

/* Where the settings and comments go. */
static struct lines *level(const struct reading *reading)
{
	return reading->link != NULL ? &reading->link->settings : &reading->output->settings;
}

static bool add_filter(struct reading *reading, const struct word *source_word, const struct word *group_word,
                       bool allow)
{
	struct lines *rules = reading->link != NULL ? &reading->link->in : &reading->defaults;
	char text[NET_TEXT_SIZE], from[NET_TEXT_SIZE + 8];
	struct net source = {.length = 0}, group;

	if ((source_word != NULL && !read_net(reading->output, source_word, &source)) ||
	    !read_net(reading->output, group_word, &group))
		return false;
	if (net_groups(&group) != NET_NO_GROUP)
		lines_add(reading->output, rules, "%s %s%s", allow ? "allow" : "deny",
		          net_groups(&group) == NET_ALL_GROUPS ? "all" : net_format(&group, text),
		          net_from(&source, from));
	return true;
}

/* SOURCE GROUP [DIRECTION] ACTION [BYTES], where 1 and 2 are a direction or an action. */
static bool read_filter(struct reading *reading)
{
	static const char *const directions[] = {"up", "down", "both", "1", "2", NULL};
	static const char *const allows[] = {"allow", "a", "1", NULL};
	static const char *const blocks[] = {"block", "b", "0", NULL};
	static const char *const limits[] = {"ratelimit", "r", "rl", "2", NULL};
	const struct word *source = scan_take(reading->scan), *group = scan_take(reading->scan);
	const struct word *action = scan_take(reading->scan), *next = scan_peek(reading->scan);

	if (text_is_in(action->text, directions) &&
	    (text_is_in(next->text, allows) || text_is_in(next->text, blocks) ||
	     text_is_in(next->text, limits))) {
		if (strcmp(action->text, "both") != 0)
			lines_differ(reading->output, level(reading), action->line,
			             "filter: the direction %s is not kept: the rule is for both",
			             action->text);
		action = scan_take(reading->scan);
	}
	if (text_is_in(action->text, limits)) {
		action = scan_take(reading->scan);
		lines_differ(reading->output, level(reading), action->line,
		             "filter: mcproxy limits no rates: allowed without the limit of %s bytes",
		             action->text);
		return add_filter(reading, source, group, true);
	}
	if (!text_is_in(action->text, allows) && !text_is_in(action->text, blocks))
		return output_fail(reading->output, action->line,
		                   "\"%.40s\": allow, block or ratelimit is expected", action->text);
	return add_filter(reading, source, group, text_is_in(action->text, allows));
}

/* GROUP or NET, once or more. */
static bool read_lists(struct reading *reading, const char *name)
{
	bool allow = strcmp(name, "whitelist") == 0 || strcmp(name, "allowednet") == 0;
	bool sources = strcmp(name, "altnet") == 0;
	struct net net;

	if (!read_net(reading->output, scan_peek(reading->scan), &net))
		return false;
	while (net_parse(scan_peek(reading->scan)->text, &net)) {
		const struct word *value = scan_take(reading->scan);

		if (sources)
			lines_leave_out(reading->output, level(reading), value->line,
			                "altnet %s has no effect in igmpv3proxy either", value->text);
		else if (!add_filter(reading, NULL, value, allow))
			return false;
	}
	return true;
}

static bool read_table(struct reading *reading)
{
	const struct word *value = scan_take(reading->scan);
	unsigned long number;

	if (!read_number(reading->output, value, 0, 999999999, &number))
		return false;
	if (number == 0)
		lines_leave_out(reading->output, level(reading), value->line, "table 0 is the default");
	else if (reading->link == NULL)
		lines_set_number(reading->output, &reading->instance->settings, "table", number);
	else
		lines_differ(reading->output, level(reading), value->line,
		             "table %lu: links with tables of their own need an instance each", number);
	return true;
}

static bool read_quoted(struct reading *reading, const char *key)
{
	const struct word *value = scan_take(reading->scan);
	char text[64];
	struct net net;

	if (!read_net(reading->output, value, &net))
		return false;
	snprintf(text, sizeof text, "\"%s\"", value->text);
	lines_set(reading->output, level(reading), key, text);
	return true;
}

static bool read_querier_version(struct reading *reading)
{
	const struct word *value = scan_take(reading->scan);
	unsigned long number;

	if (!read_number(reading->output, value, 1, 3, &number))
		return false;
	if (number < 3)
		lines_differ(reading->output, level(reading), value->line,
		             "querierver %lu: write protocol = \"IGMPv%lu\" if no host needs IGMPv3", number,
		             number);
	return true;
}

/* *known: false if the word is none of a link's, or of the defaults for links. */
static bool read_setting(struct reading *reading, const struct word *word, const char *name, bool *known)
{
	static const char *const lists[] = {"whitelist", "blacklist", "allowednet",
	                                    "deniednet", "altnet",    NULL};
	const struct number_setting *number = number_setting_find(numbers, name);
	struct output *output = reading->output;

	*known = true;
	if (number != NULL)
		return read_number_setting(output, level(reading), number, scan_take(reading->scan));
	if (strcmp(name, "filter") == 0)
		return read_filter(reading);
	if (text_is_in(name, lists))
		return read_lists(reading, name);
	if (strcmp(name, "table") == 0)
		return read_table(reading);
	if (strcmp(name, "querierver") == 0)
		return read_querier_version(reading);
	if (strcmp(name, "querierip") == 0)
		return read_quoted(reading, "source_address");
	if (strcmp(name, "ssmrange") == 0)
		return read_quoted(reading, "ssm_range");
	if (strcmp(name, "filterany") == 0) {
		lines_add(output, &reading->defaults, "allow all");
	} else if (text_is_in(name, switches)) {
		lines_leave_out(output, level(reading), word->line, "%s", word->text);
		if (strcmp(name, "nodefaultfilter") == 0 && reading->link != NULL)
			reading->link->has_own_rules = true;
	} else if (text_is_in(name, missing)) {
		lines_differ(output, level(reading), word->line, "%s has no counterpart", word->text);
	} else if (text_is_in(name, unneeded)) {
		lines_leave_out(output, level(reading), word->line, "%s %s", word->text,
		                scan_take(reading->scan)->text);
	} else if (strcmp(name, "quickleave") == 0 || strcmp(name, "noquickleave") == 0) {
		lines_set_bool(output, level(reading), "fast_leave", name[0] == 'q');
		if (name[0] == 'q')
			lines_differ(output, level(reading), word->line,
			             "quickleave: mcproxy still queries where a host may be unknown");
	} else if (strcmp(name, "querierelection") == 0 || strcmp(name, "noquerierelection") == 0) {
		lines_set_bool(output, level(reading), "querier_election", name[0] == 'q');
	} else {
		*known = false;
	}
	return true;
}

/* updownstream: mcproxy has one role for a link. */
static bool read_role(struct reading *reading, const struct word *word, const char *name)
{
	enum role *role = reading->link != NULL ? &reading->link->role : &reading->role;

	if (strcmp(name, "updownstream") == 0 || strcmp(name, "updown") == 0) {
		*role = ROLE_UPSTREAM;
		lines_differ(reading->output, level(reading), word->line,
		             "%s: mcproxy has one role for a link: upstream", name);
		return true;
	}
	if (strcmp(name, "up") == 0 || strcmp(name, "down") == 0) {
		*role = name[0] == 'u' ? ROLE_UPSTREAM : ROLE_DOWNSTREAM;
		return true;
	}
	return role_parse(name, role);
}

static bool read_word(struct reading *reading)
{
	static const char *const global[] = {"logfile",      "loglevel",       "rescanvif", "rescanconf",
	                                     "rescanvifnl",  "user",           "group",     "chroot",
	                                     "mctables",     "kbufsize",       "pbufsize",  "include",
	                                     "reqqueuesize", "timerqueuesize", NULL};
	const struct word *word = scan_take(reading->scan);
	bool prefixed = strncmp(word->text, "default", 7) == 0, known;
	const char *name = word->text + (prefixed ? 7 : 0);

	if (strcmp(word->text, "phyint") == 0) {
		word = scan_take(reading->scan);
		reading->link = output_link(reading->output, reading->instance, word->text, word->line);
		if (reading->link != NULL)
			reading->link->role = reading->role;
		return reading->link != NULL;
	}
	if (prefixed || text_is_in(name, global))
		reading->link = NULL;
	if (strcmp(name, "include") == 0)
		return output_fail(reading->output, word->line, "include: convert %s too, or put it here",
		                   scan_peek(reading->scan)->text);
	if (read_role(reading, word, name))
		return true;
	if (!read_setting(reading, word, name, &known) || known)
		return known && !output_has_failed(reading->output);
	return output_fail(reading->output, word->line, "unknown keyword \"%.40s\"", word->text);
}

/* Each link has its own rules, then the default ones; what none of them allows is denied. */
static void finish_link(struct reading *reading, struct link *link)
{
	struct lines *rules = link->role == ROLE_DOWNSTREAM ? &link->out : &link->in;

	reading->output->from = link->line;
	if (link->role == ROLE_NONE)
		lines_leave_out(reading->output, &reading->instance->settings, link->line, "%s is disabled",
		                link->name);
	if (rules != &link->in) {
		*rules = link->in;
		link->in = (struct lines){0};
	}
	if (!link->has_own_rules)
		lines_append(reading->output, rules, "", &reading->defaults);
	if (rules->count > 0)
		lines_deny_rest(reading->output, rules);
}

bool read_igmpv3proxy(struct scan *scan, struct output *output)
{
	struct reading reading = {.scan = scan, .output = output};
	bool read = true;

	lines_set(output, &output->settings, "protocol", "\"IGMPv3\"");
	reading.instance = output_instance(output, NULL);
	while (read && reading.instance != NULL && !scan_ended(scan))
		read = read_word(&reading);
	for (struct link *link = read ? reading.instance->links : NULL; link != NULL; link = link->next)
		finish_link(&reading, link);
	lines_clear(&reading.defaults);
	if (read)
		output_choose_all(output, reading.instance);
	return read && output_finish_instance(output, reading.instance);
}
