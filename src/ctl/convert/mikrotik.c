/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An export of RouterOS, whose proxy is like igmpproxy.
 */
#include "ctl/convert/grammars.h"
#include "ctl/convert/phyint.h"

#include <stdlib.h>

/* 2m5s, 10s or 00:02:05 as seconds. */
static bool read_ros_time(struct output *output, const struct word *word, const char *text,
                          unsigned long *seconds)
{
	static const char units[] = "wdhms";
	static const unsigned long sizes[] = {604800, 86400, 3600, 60, 1};
	unsigned long sum = 0;
	const char *at = text;
	char *end;

	while (*at >= '0' && *at <= '9' && strlen(at) < 16) {
		unsigned long number = strtoul(at, &end, 10) % 1000000;
		const char *unit = *end != '\0' ? strchr(units, *end) : &units[4];

		if (*end == ':')
			sum = (sum + number) * 60;
		else if (unit != NULL)
			sum += number * sizes[unit - units];
		else
			break;
		at = end + (*end != '\0');
	}
	*seconds = sum;
	return (*text != '\0' && *at == '\0') ||
	       output_fail(output, word->line, "\"%.40s\" is no time", text);
}

/* KEY=VALUE after `set`. */
static bool read_ros_setting(struct output *output, struct instance *instance, const struct word *word,
                             const char *key, const char *value)
{
	bool interval = strcmp(key, "query-interval") == 0;
	unsigned long seconds;

	if (strcmp(key, "quick-leave") == 0) {
		if (strcmp(value, "yes") == 0)
			phyint_quickleave(output, instance, word->line);
	} else if (interval || strcmp(key, "query-response-interval") == 0) {
		if (!read_ros_time(output, word, value, &seconds))
			return false;
		lines_set_number(output, &instance->settings,
		                 interval ? "query_interval" : "query_response_interval", seconds);
	} else {
		lines_differ(output, &instance->settings, word->line, "%s has no counterpart", key);
	}
	return true;
}

struct ros_link {
	struct link *link;
	bool upstream, disabled;
};

/* KEY=VALUE after `add`. */
static bool read_ros_option(struct output *output, struct ros_link *ros, struct word *word, const char *key,
                            char *value)
{
	struct word rest = *word;
	bool yes = strcmp(value, "yes") == 0, known = true;

	rest.text = value;
	if (strcmp(key, "upstream") == 0) {
		ros->upstream = yes;
	} else if (strcmp(key, "disabled") == 0) {
		ros->disabled = yes;
	} else if (strcmp(key, "threshold") == 0) {
		return phyint_option(output, ros->link, "threshold", &rest, &known);
	} else if (strcmp(key, "alternative-subnets") == 0) {
		return phyint_altnets(output, ros->link, &rest);
	} else if (strcmp(key, "interface") != 0 && strcmp(key, "comment") != 0) {
		lines_differ(output, &ros->link->settings, word->line, "%s has no counterpart", key);
	}
	return true;
}

static const struct word *find_ros_interface(const struct scan *scan)
{
	for (size_t i = scan->at; i < scan->count && !scan->words[i].first; i++)
		if (strncmp(scan->words[i].text, "interface=", 10) == 0)
			return &scan->words[i];
	return NULL;
}

static bool read_ros_line(struct scan *scan, struct output *output, struct instance *instance)
{
	const struct word *first = scan_take(scan), *name = find_ros_interface(scan);
	bool add = strcmp(first->text, "add") == 0;
	struct ros_link ros = {0};

	if (!add && strcmp(first->text, "set") != 0)
		return output_fail(output, first->line, "\"%.40s\": add or set is expected", first->text);
	if (add && name == NULL)
		return output_fail(output, first->line, "add without interface=");
	if (add) {
		ros.link = output_link(output, instance, name->text + 10, name->line);
		if (ros.link == NULL)
			return false;
	}
	while (!scan_ended(scan) && !scan_peek(scan)->first) {
		struct word *word = &scan->words[scan->at];
		char *value = word->text + strcspn(word->text, "=");

		scan_take(scan);
		if (*value != '\0')
			*value++ = '\0';
		if (add ? !read_ros_option(output, &ros, word, word->text, value)
		        : !read_ros_setting(output, instance, word, word->text, value))
			return false;
	}
	if (add)
		ros.link->role = ros.disabled ? ROLE_NONE : ros.upstream ? ROLE_UPSTREAM : ROLE_DOWNSTREAM;
	return true;
}

bool read_mikrotik(struct scan *scan, struct output *output)
{
	struct instance *instance = phyint_begin(output);
	bool ours = false;

	while (instance != NULL && !scan_ended(scan)) {
		if (scan_peek(scan)->text[0] == '/') {
			ours = scan_skip(scan, "/routing") && scan_skip(scan, "igmp-proxy");
			scan_skip(scan, "interface");
			if (!ours || scan_peek(scan)->first) {
				if (!ours)
					scan_take(scan);
				scan_skip_line(scan);
				continue;
			}
		}
		if (ours && !read_ros_line(scan, output, instance))
			return false;
		if (!ours)
			scan_take(scan);
	}
	if (instance != NULL)
		lines_differ(output, &output->settings, 0,
		             "interfaces have names of RouterOS: write those that Linux has");
	return instance != NULL && phyint_finish(output, instance, false);
}
