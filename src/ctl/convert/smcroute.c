/* SPDX-License-Identifier: BSD-2-Clause
 *
 * smcroute: joins and routes that always exist. Links between which routes lead become an instance: those that are
 * only inputs are upstream.
 */
#include "ctl/convert/grammars.h"
#include "ctl/convert/net.h"

#include <stdio.h>
#include <stdlib.h>

#define STATIC_BITS 12 /* a link has at most 4096 static groups */

struct route {
	struct net source, group;
	char text[2 * NET_TEXT_SIZE + 8]; /* GROUP [from SOURCE] */
};

static bool read_prefix(struct scan *scan, struct output *output, struct net *net)
{
	const struct word *word = scan_take_same_line(scan);

	return (word != NULL && net_parse(word->text, net)) ||
	       output_fail(output, word != NULL ? word->line : 0, "\"%.40s\" is no address",
	                   word != NULL ? word->text : "");
}

/* [source S] group G */
static bool read_stream(struct scan *scan, struct output *output, struct route *route)
{
	char group[NET_TEXT_SIZE], from[NET_TEXT_SIZE + 8];
	const struct word *word = scan_peek(scan);

	route->source = (struct net){.length = 0};
	if (scan_skip(scan, "source") && !read_prefix(scan, output, &route->source))
		return false;
	if (!scan_skip(scan, "group"))
		return output_fail(output, word->line, "\"%.40s\": group is expected", scan_peek(scan)->text);
	if (!read_prefix(scan, output, &route->group))
		return false;
	if (net_groups(&route->group) == NET_NO_GROUP)
		return output_fail(output, word->line, "%s is no group", net_format(&route->group, group));
	snprintf(route->text, sizeof route->text, "%s%s", net_format(&route->group, group),
	         net_from(&route->source, from));
	return true;
}

static void add_static(struct output *output, struct link *link, const struct route *route, unsigned line)
{
	unsigned bits = (addr_family(&route->group.addr) == FAMILY_IPV4 ? 32 : 128) - route->group.length;
	bool one_source =
		route->source.length == 0 || route->source.length == 32 || route->source.length == 128;

	if (bits > STATIC_BITS)
		lines_differ(output, &link->settings, line,
		             "%s: too many groups for static: only hosts start them", route->text);
	else if (!one_source)
		lines_differ(output, &link->settings, line,
		             "%s: a static group has one source: only hosts start it", route->text);
	else
		lines_add(output, &link->statics, "%s", route->text);
}

/* Moves all links of the other instance to this one. */
static void merge(struct output *output, struct instance *into, struct instance *other)
{
	struct link **end = &into->links;

	if (into == other)
		return;
	while (*end != NULL)
		end = &(*end)->next;
	*end = other->links;
	other->links = NULL;
	for (struct instance **at = &output->instances; *at != NULL; at = &(*at)->next) {
		if (*at != other)
			continue;
		*at = other->next;
		free(other);
		return;
	}
}

/* The link, in whatever instance; found: that instance. The wildcard eth+ becomes the pattern eth*. */
static struct link *find_link(struct output *output, const struct word *word, struct instance **found)
{
	size_t size = strlen(word->text);

	if (size > 0 && word->text[size - 1] == '+')
		word->text[size - 1] = '*';
	for (struct instance *at = output->instances; at != NULL; at = at->next) {
		struct link *link = link_find(at, word->text);

		*found = at;
		if (link != NULL)
			return link;
	}
	*found = output_instance(output, NULL);
	return output_link(output, *found, word->text, word->line);
}

static bool read_mroute(struct scan *scan, struct output *output, struct link *from,
                        struct instance *instance)
{
	unsigned line = scan_peek(scan)->line;
	struct route route;
	const struct word *word;

	if (!read_stream(scan, output, &route))
		return false;
	if (!scan_skip(scan, "to"))
		return output_fail(output, line, "\"%.40s\": to is expected", scan_peek(scan)->text);
	if (from->role == ROLE_NONE)
		from->role = ROLE_UPSTREAM;
	while ((word = scan_take_same_line(scan)) != NULL) {
		struct instance *other;
		struct link *to = find_link(output, word, &other);

		if (to == NULL)
			return false;
		to->role = ROLE_DOWNSTREAM;
		merge(output, instance, other);
		add_static(output, to, &route, line);
		lines_add(output, &to->out, "allow %s in %s", route.text, from->name);
	}
	return !output_has_failed(output);
}

/* A phyint matters only for links that routes name, so these lines are read last. */
static bool read_phyint(struct scan *scan, struct output *output)
{
	const struct word *name = scan_take_same_line(scan), *word;
	struct link *link = NULL;
	unsigned long number;

	for (struct instance *at = output->instances; at != NULL && link == NULL && name != NULL;
	     at = at->next)
		link = link_find(at, name->text);
	while ((word = scan_take_same_line(scan)) != NULL) {
		struct lines *lines = link != NULL ? &link->settings : &output->settings;

		if (strcmp(word->text, "mrdisc") == 0)
			lines_leave_out(output, lines, word->line,
			                "mrdisc: router_discovery = \"auto\" announces this router");
		if (strcmp(word->text, "ttl-threshold") != 0)
			continue;
		if (!read_number(output, scan_take_same_line(scan), 1, 255, &number))
			return false;
		if (link != NULL)
			lines_set_number(output, lines, "ttl_threshold", number);
	}
	if (link == NULL && name != NULL)
		lines_leave_out(output, &output->settings, name->line, "no route uses %s", name->text);
	return true;
}

static bool read_line(struct scan *scan, struct output *output, bool phyints)
{
	const struct word *word = scan_take(scan), *name;
	bool join = strcmp(word->text, "mgroup") == 0, phyint = strcmp(word->text, "phyint") == 0;
	struct instance *instance;
	struct route route;
	struct link *link;

	if (phyint || phyints)
		return phyint != phyints || read_phyint(scan, output);
	if (strcmp(word->text, "include") == 0)
		return output_fail(output, word->line, "include: convert these files too, or put them here");
	if (!join && strcmp(word->text, "mroute") != 0)
		return output_fail(output, word->line, "unknown keyword \"%.40s\"", word->text);
	name = scan_skip(scan, "from") ? scan_take_same_line(scan) : NULL;
	if (name == NULL)
		return output_fail(output, word->line, "%s without from and an interface", word->text);
	link = find_link(output, name, &instance);
	if (link == NULL)
		return false;
	if (!join)
		return read_mroute(scan, output, link, instance);
	if (!read_stream(scan, output, &route))
		return false;
	add_static(output, link, &route, word->line);
	return true;
}

static bool finish(struct output *output, struct instance *instance)
{
	for (struct link *link = instance->links; link != NULL; link = link->next) {
		if (link->role == ROLE_NONE)
			return output_fail(output, link->line,
			                   "%s only joins: without a route, mcproxy has no use for it",
			                   link->name);
		output->from = link->line;
		lines_add(output, &link->out, "deny all");
	}
	output_choose_all(output, instance);
	lines_differ(output, &instance->settings, 0,
	             "mcproxy joins routed groups upstream, and sends queries downstream");
	return output_finish_instance(output, instance);
}

bool read_smcroute(struct scan *scan, struct output *output)
{
	for (int phyints = 0; phyints < 2; phyints++) {
		for (scan->at = 0; !scan_ended(scan); scan_skip_line(scan))
			if (!read_line(scan, output, phyints != 0))
				return false;
	}
	for (struct instance *instance = output->instances; instance != NULL; instance = instance->next)
		if (!finish(output, instance))
			return false;
	return true;
}
