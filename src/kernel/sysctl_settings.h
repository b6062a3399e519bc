/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The settings that a run has changed, or another one: a list. Private to sysctl.c and sysctl_state.c.
 */
#ifndef MCPROXY_KERNEL_SYSCTL_SETTINGS_H
#define MCPROXY_KERNEL_SYSCTL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#define SETTING_NAME_SIZE 16

struct setting {
	char name[SETTING_NAME_SIZE];
	int old;        /* the value before; may equal own */
	int own;        /* the value that this run sets */
	bool contested; /* another live run has set its own value */
	bool held;      /* own is the old value, or that of `all` if it is higher */
};

struct settings {
	struct setting *list;
	size_t count;
};

/* Is the name safe as a part of a path? */
bool setting_has_name(const char *name);
/* NULL when it is not in the list. */
struct setting *setting_find(const struct settings *settings, const char *name);
/* Adds a setting, or changes it. NULL when memory is short. */
struct setting *setting_remember(struct settings *settings, const char *name, int old, int own);
void setting_forget(struct settings *settings, struct setting *setting);

#endif
