/* SPDX-License-Identifier: BSD-2-Clause
 *
 * omcproxy, by its command line and by UCI; improxy, which has as few settings.
 */
#include "ctl/convert/grammars.h"
#include "ctl/convert/uci.h"

#include <stdlib.h>

static bool set_scope(struct output *output, struct instance *instance, const struct word *word,
                      const char *scope)
{
	static const char *const scopes[] = {"realm", "admin", "site", "organization", "global"};
	/* What each scope leaves out, beyond what the one before it does: 239.255.0.0/16 counts as realm. */
	static const char *const denied[][5] = {
		{NULL},
		{"239.255.0.0/16", "ff03::/16", "ff13::/16", "ff33::/16", "ff73::/16"},
		{"scope-admin"},
		{"scope-site"},
		{"scope-organization"},
	};
	size_t wanted = 0;

	while (wanted < 5 && strcmp(scopes[wanted], scope) != 0)
		wanted++;
	if (wanted == 5)
		return output_fail(output, word->line, "\"%.40s\" is no scope", scope);
	for (struct link *link = instance->links; link != NULL; link = link->next)
		for (size_t i = 1; link->role == ROLE_UPSTREAM && i <= wanted; i++)
			for (size_t n = 0; n < 5 && denied[i][n] != NULL; n++) {
				lines_add(output, &link->in, "deny %s", denied[i][n]);
				lines_add(output, &link->out, "deny %s", denied[i][n]);
			}
	return true;
}

/* UPLINK,DOWNLINK...[,scope=SCOPE] */
static bool read_proxy(struct output *output, const struct word *word)
{
	struct instance *instance = output_instance(output, NULL);
	char *copy = strdup(word->text), *rest = NULL, *scope = NULL;
	bool read = instance != NULL && copy != NULL;

	for (char *name = read ? strtok_r(copy, ",", &rest) : NULL; name != NULL && read;
	     name = strtok_r(NULL, ",", &rest)) {
		struct word part = *word;

		if (strncmp(name, "scope=", 6) == 0) {
			scope = name + 6;
			continue;
		}
		part.text = name;
		read = output_link_role(output, instance, &part,
		                        instance->links == NULL ? ROLE_UPSTREAM : ROLE_DOWNSTREAM);
	}
	read = read && set_scope(output, instance, word, scope != NULL ? scope : "global") &&
	       output_finish_instance(output, instance);
	free(copy);
	return read;
}

bool read_omcproxy(struct scan *scan, struct output *output)
{
	while (!scan_ended(scan)) {
		const struct word *word = scan_take(scan);

		size_t size = strlen(word->text);

		if (strchr(word->text, ',') == NULL) {
			if (size < 8 || strcmp(word->text + size - 8, "omcproxy") != 0)
				lines_leave_out(output, &output->settings, word->line, "%s", word->text);
		} else if (!read_proxy(output, word)) {
			return false;
		}
	}
	return true;
}

bool read_uci_omcproxy(struct scan *scan, struct output *output)
{
	static char global[] = "global";
	struct word scope = {.text = global};
	struct instance *instance = NULL;
	struct uci_line line;

	for (;;) {
		bool more = uci_read(scan, output, &line);

		if ((!more || line.section) && instance != NULL &&
		    (!set_scope(output, instance, &scope, scope.text) ||
		     !output_finish_instance(output, instance)))
			return false;
		if (!more)
			break;
		if (line.section) {
			instance =
				strcmp(line.key->text, "proxy") == 0 ? output_instance(output, NULL) : NULL;
			scope.text = global;
		} else if (instance != NULL && uci_is(&line, "scope")) {
			scope = *line.value;
		} else if (instance != NULL && (uci_is(&line, "uplink") || uci_is(&line, "downlink"))) {
			if (uci_link(output, instance, line.value) == NULL ||
			    !output_link_role(output, instance, line.value,
			                      uci_is(&line, "uplink") ? ROLE_UPSTREAM : ROLE_DOWNSTREAM))
				return false;
		} else {
			uci_leave_out(output, &line);
		}
	}
	return !output_has_failed(output);
}

struct improxy {
	int igmp, mld; /* versions; 0: off */
	bool one_way;
};

static bool read_improxy_family(struct scan *scan, struct output *output, const struct word *value,
                                int highest, int *version)
{
	unsigned long number = (unsigned long)highest;

	*version = strcmp(value->text, "enable") == 0 ? highest : 0;
	if (!scan_peek(scan)->first && scan_skip(scan, "version") &&
	    !read_number(output, scan_take_same_line(scan), 1, (unsigned long)highest, &number))
		return false;
	if (*version > 0)
		*version = (int)number;
	return true;
}

static bool read_improxy_line(struct scan *scan, struct output *output, struct instance *instance,
                              struct improxy *improxy)
{
	const struct word *key = scan_take(scan), *value = scan_take_same_line(scan);
	bool up = strcmp(key->text, "upstream") == 0, enable;

	if (value == NULL)
		return output_fail(output, key->line, "%.40s without a value", key->text);
	if (up || strcmp(key->text, "downstream") == 0)
		return output_link_role(output, instance, value, up ? ROLE_UPSTREAM : ROLE_DOWNSTREAM);
	enable = strcmp(value->text, "enable") == 0;
	if (!enable && strcmp(value->text, "disable") != 0)
		return output_fail(output, value->line, "\"%.40s\": enable or disable is expected",
		                   value->text);
	if (strcmp(key->text, "igmp") == 0)
		return read_improxy_family(scan, output, value, 3, &improxy->igmp);
	if (strcmp(key->text, "mld") == 0)
		return read_improxy_family(scan, output, value, 2, &improxy->mld);
	if (strcmp(key->text, "down_to_up") == 0) {
		improxy->one_way = !enable;
	} else if (strcmp(key->text, "quickleave") == 0) {
		lines_set_bool(output, &instance->settings, "fast_leave", enable);
		if (enable)
			lines_differ(
				output, &instance->settings, key->line,
				"quickleave: mcproxy stops a stream only when no host wants it any more");
	} else {
		return output_fail(output, key->line, "unknown keyword \"%.40s\"", key->text);
	}
	return true;
}

bool read_improxy(struct scan *scan, struct output *output)
{
	struct instance *instance = output_instance(output, NULL);
	struct improxy improxy = {0};

	while (instance != NULL && !scan_ended(scan)) {
		if (!read_improxy_line(scan, output, instance, &improxy))
			return false;
		scan_skip_line(scan);
	}
	if (improxy.igmp == 0 && improxy.mld == 0)
		return output_fail(output, 0, "neither igmp enable nor mld enable");
	if (improxy.igmp > 0 && improxy.mld > 0)
		lines_add(output, &output->settings, "protocol = [ \"IGMPv%d\", \"MLDv%d\" ];", improxy.igmp,
		          improxy.mld);
	else
		lines_add(output, &output->settings, "protocol = \"%sv%d\";",
		          improxy.igmp > 0 ? "IGMP" : "MLD", improxy.igmp + improxy.mld);
	if (instance != NULL && instance_count_role(instance, ROLE_UPSTREAM) == 0)
		return output_fail(output, 0, "no upstream interface");
	for (struct link *link = instance != NULL ? instance->links : NULL; link != NULL; link = link->next)
		if (link->role == ROLE_UPSTREAM && improxy.one_way)
			lines_add(output, &link->out, "deny all");
	return output_finish_instance(output, instance);
}
