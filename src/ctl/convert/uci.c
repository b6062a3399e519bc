/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/convert/uci.h"

bool uci_read(struct scan *scan, struct output *output, struct uci_line *line)
{
	static char empty[1];
	static const struct word none = {.text = empty};
	const struct word *word;

	while (scan_skip(scan, "package"))
		scan_skip_line(scan);
	if (scan_ended(scan))
		return false;
	word = scan_take(scan);
	line->section = strcmp(word->text, "config") == 0;
	if (!line->section && strcmp(word->text, "option") != 0 && strcmp(word->text, "list") != 0)
		return output_fail(output, word->line, "\"%.40s\": config, option or list is expected",
		                   word->text);
	line->key = scan_take_same_line(scan);
	line->value = line->key != NULL ? scan_take_same_line(scan) : NULL;
	if (line->key == NULL || (line->value == NULL && !line->section))
		return output_fail(output, word->line, "%s without a %s", word->text,
		                   line->section ? "type" : "key and a value");
	if (line->value == NULL)
		line->value = &none;
	scan_skip_line(scan);
	return true;
}

bool uci_is(const struct uci_line *line, const char *key)
{
	return strcmp(line->key->text, key) == 0;
}

bool uci_is_true(const struct word *value)
{
	static const char *const words[] = {"1", "true", "yes", "on", "enabled", NULL};

	return text_is_in(value->text, words);
}

void uci_leave_out(struct output *output, const struct uci_line *line)
{
	lines_leave_out(output, &output->settings, line->key->line, "%s %s", line->key->text,
	                line->value->text);
}

struct link *uci_link(struct output *output, struct instance *instance, const struct word *network)
{
	bool known = instance != NULL && link_find(instance, network->text) != NULL;
	struct link *link = output_link(output, instance, network->text, network->line);

	if (link != NULL && !known)
		lines_differ(output, &link->settings, network->line,
		             "%s is a network of OpenWrt: write the l3_device that `ifstatus %s` prints",
		             link->name, link->name);
	return link;
}
