/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sysctl_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool setting_has_name(const char *name)
{
	return name[0] != '\0' && strlen(name) < SETTING_NAME_SIZE && strchr(name, '/') == NULL &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

struct setting *setting_find(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->list[i].name, name) == 0)
			return &settings->list[i];
	return NULL;
}

struct setting *setting_remember(struct settings *settings, const char *name, int old, int own)
{
	struct setting *setting = setting_find(settings, name), *list;

	/* If the interface still has the value that this run has set, the old value stays; otherwise the
	 * interface is new, or another program has changed it. */
	if (setting != NULL) {
		setting->old = setting->own == old ? setting->old : old;
		setting->own = own;
		return setting;
	}
	list = realloc(settings->list, (settings->count + 1) * sizeof *list);
	if (list == NULL)
		return NULL;
	settings->list = list;
	setting = &list[settings->count++];
	*setting = (struct setting){.old = old, .own = own};
	snprintf(setting->name, sizeof setting->name, "%s", name);
	return setting;
}

void setting_forget(struct settings *settings, struct setting *setting)
{
	size_t place = (size_t)(setting - settings->list);

	memmove(setting, setting + 1, (--settings->count - place) * sizeof *setting);
}
