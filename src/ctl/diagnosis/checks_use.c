/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checks of how mcproxy is used: its configuration file while it does not run, and groups that need no proxy.
 */
#include "core/base/shell.h"
#include "ctl/client/answer.h"
#include "ctl/diagnosis/checks.h"
#include "ctl/diagnosis/discovery_groups.h"

#include <string.h>

#define NOTE "note: "

/* A note of `mcproxy -t`, "note: eth9: text". */
static void add_note(const char *line, struct findings *findings)
{
	const char *text = line + strlen(NOTE);
	size_t size = strcspn(text, "\n"), name = strcspn(text, ":\n");
	char subject[64];
	struct finding *finding;

	snprintf(subject, sizeof subject, "%.*s", (int)name, text);
	text += name < size ? name + 2 : 0;
	finding = findings_add(findings, "file", subject, "no stream passes there until then");
	finding_what(finding, "%.*s", (int)strcspn(text, "\n"), text);
	finding_remedy(finding,
	               "create the interface, or correct its name in the configuration (ip link lists all "
	               "interfaces)");
}

static void add_invalid(const struct config_file *file, struct findings *findings)
{
	struct finding *finding = findings_add(findings, "file", file->path,
	                                       "mcproxy neither starts nor reloads without a valid file");
	size_t size = strlen(file->path);
	const char *text = file->text;

	/* The subject names the file already; its line stays. */
	if (strncmp(text, file->path, size) == 0 && strncmp(text + size, ": ", 2) == 0)
		text += size + 2;
	finding_what(finding, "%.*s", (int)strcspn(text, "\n"), text);
	finding_remedy(finding,
	               "correct or write the file, check it with mcproxy -t -c %s, then start mcproxy",
	               shell_word(file->path).text);
}

void check_file(const struct machine *machine, struct findings *findings)
{
	const struct config_file *file = &machine->file;
	const char *line;

	if (file->text == NULL) {
		findings_skip(findings, "file", file->why);
		return;
	}
	if (!file->valid) {
		add_invalid(file, findings);
		return;
	}
	for (line = file->text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, NOTE, strlen(NOTE)) == 0)
			add_note(line, findings);
	}
}

void check_discovery(const struct machine *machine, struct findings *findings)
{
	struct json_object *memberships = machine->daemon.memberships;

	for (size_t i = 0; i < view_count(memberships); i++) {
		struct json_object *membership = json_object_array_get_idx(memberships, i);
		const char *text = answer_text(membership, "group");
		struct finding *finding;
		struct addr group;

		if (!addr_parse(text, &group) || discovery_group_name(&group) == NULL)
			continue;
		finding = findings_add(
			findings, "discovery", answer_text(membership, "link"),
			"devices of one network find each other by it, so few networks need it upstream, "
			"where others see these devices");
		finding->severity = SEVERITY_NOTE;
		finding_what(finding, "%s is joined upstream: %s", text, discovery_group_name(&group));
		finding_remedy(
			finding,
			"none is needed; to end it, turn it off in the hosts that mcproxyctl show groups --group "
			"%s --details lists",
			text);
	}
}
