/* SPDX-License-Identifier: BSD-2-Clause
 *
 * igmpproxy's own file. An unknown word ends a phyint, and is then a keyword of the file.
 */
#include "ctl/convert/grammars.h"
#include "ctl/convert/phyint.h"

#include <stdlib.h>

static struct link *begin_link(struct output *output, struct instance *instance, const struct word *word,
                               bool default_down)
{
	char *name = strdup(word->text);
	bool alias = name != NULL && strchr(name, ':') != NULL;
	struct link *link;

	if (name == NULL)
		return NULL;
	name[strcspn(name, ":")] = '\0';
	if (link_find(instance, name) != NULL && !alias) {
		output_fail(output, word->line, "%s appears twice", name);
		free(name);
		return NULL;
	}
	link = output_link(output, instance, name, word->line);
	free(name);
	if (link == NULL)
		return NULL;
	if (default_down)
		link->role = ROLE_DOWNSTREAM;
	if (alias)
		lines_differ(output, &link->settings, word->line, "%s is an alias, not a link of its own",
		             word->text);
	return link;
}

static bool read_phyint(struct scan *scan, struct output *output, struct instance *instance,
                        bool default_down)
{
	const struct word *name = scan_take(scan);
	struct link *link;

	if (name->text[0] == '\0')
		return output_fail(output, name->line, "phyint without an interface");
	link = begin_link(output, instance, name, default_down);
	while (link != NULL && !scan_ended(scan)) {
		bool known;
		size_t at = scan->at;
		const struct word *word = scan_take(scan);

		if (role_parse(word->text, &link->role))
			continue;
		if (!phyint_option(output, link, word->text, scan_peek(scan), &known))
			return false;
		if (!known) {
			scan->at = at;
			break;
		}
		scan_take(scan);
	}
	return link != NULL;
}

/* A pattern takes all other interfaces, but not those that the input excludes. */
static bool add_others(struct output *output, struct instance *instance, unsigned line)
{
	struct link *others = output_link(output, instance, "*", line);

	if (others == NULL)
		return false;
	others->role = ROLE_DOWNSTREAM;
	if (!phyint_finish(output, instance, true))
		return false;
	for (struct link *link = instance->links; link != NULL; link = link->next) {
		if (link->role != ROLE_NONE)
			continue;
		link->role = ROLE_DOWNSTREAM;
		lines_clear(&link->in);
		lines_add(output, &link->in, "deny all");
		lines_add(output, &link->out, "deny all");
		lines_differ(output, &link->settings, link->line,
		             "disabled: its filters deny everything, but mcproxy sends queries there");
	}
	return true;
}

static bool read_global(struct scan *scan, struct output *output, struct instance *instance,
                        const struct word *word)
{
	unsigned long number;

	if (strcmp(word->text, "quickleave") == 0) {
		phyint_quickleave(output, instance, word->line);
	} else if (strcmp(word->text, "hashtablesize") == 0) {
		if (!read_number(output, scan_take(scan), 1, 536870912, &number))
			return false;
		lines_leave_out(output, &output->settings, word->line, "hashtablesize %lu: tables grow",
		                number);
	} else if (strcmp(word->text, "chroot") == 0 || strcmp(word->text, "user") == 0) {
		lines_differ(output, &output->settings, word->line,
		             "%s %s: mcproxy confines itself; see user in mcproxy.conf(5)", word->text,
		             scan_peek(scan)->text);
		scan_take(scan);
	} else if (strcmp(word->text, "rescanvif") == 0) {
		lines_leave_out(output, &output->settings, word->line,
		                "rescanvif: mcproxy always follows the interfaces");
	} else {
		return output_fail(output, word->line, "unknown keyword \"%.40s\"", word->text);
	}
	return true;
}

bool read_igmpproxy(struct scan *scan, struct output *output)
{
	struct instance *instance = phyint_begin(output);
	unsigned default_down = 0;

	while (instance != NULL && !scan_ended(scan)) {
		const struct word *word = scan_take(scan);
		bool read = true;

		if (strcmp(word->text, "phyint") == 0)
			read = read_phyint(scan, output, instance, default_down > 0);
		else if (strcmp(word->text, "defaultdown") == 0)
			default_down = word->line;
		else
			read = read_global(scan, output, instance, word);
		if (!read)
			return false;
	}
	if (instance != NULL && default_down > 0)
		return add_others(output, instance, default_down);
	return instance != NULL && phyint_finish(output, instance, true);
}
