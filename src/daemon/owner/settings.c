/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/settings.h"

#include "core/tables/links.h"
#include "daemon/log/log.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/owner.h"
#include "kernel/file.h"
#include "kernel/sysctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOOK_INTERVAL (1 * MTIME_SECOND)  /* at least: another program may set them all the time */
#define READ_INTERVAL (10 * MTIME_SECOND) /* of what the kernel does not announce */

static const char *const version_leaf[FAMILIES] = {"force_igmp_version", "force_mld_version"};

/* Puts back the values that a killed run left behind, whether or not this run will change them. */
static struct sysctl *open_sysctl(const char *directory, const char *leaf, bool keep)
{
	struct sysctl *kept;
	unsigned restored;
	char path[128];

	snprintf(path, sizeof path, RUN_DIRECTORY "/%s", leaf);
	kept = sysctl_new(directory, leaf, path, keep, &restored);
	if (restored > 0)
		info("%s: %u values of a run that was killed are restored", leaf, restored);
	return kept;
}

/* Does an instance want rp_filter 0 on the interface, or (NULL) on any link? It exists for IPv4 only. */
static bool links_reset(const struct owner *owner, const struct config_link *links, size_t count, bool option,
                        const char *interface)
{
	for (size_t i = 0; i < count; i++)
		if ((option || links[i].settings.reset_rp_filter) &&
		    links[i].settings.version[FAMILY_IPV4] != VERSION_NONE &&
		    (interface == NULL || links_match(owner->links, links[i].name, interface)))
			return true;
	return false;
}

static bool is_reset(const struct owner *owner, const char *interface)
{
	bool option = owner->options->reset_rp_filter;

	for (size_t i = 0; i < owner->instance_count; i++) {
		const struct config_instance *config = owner->instances[i].config;

		if (config != NULL &&
		    (links_reset(owner, config->upstream, config->upstream_count, option, interface) ||
		     links_reset(owner, config->downstream, config->downstream_count, false, interface)))
			return true;
	}
	return false;
}

/* No interface loses protection by the new value of `all` alone. */
static void lower_all(struct owner *owner, struct sysctl *rpfilter)
{
	int result = rpfilter ? sysctl_lower_all(rpfilter, 0) : -ENOMEM;

	owner->settings.rp_filter = rpfilter;
	if (result != 0)
		warnx("all: rp_filter cannot be set to 0 (net.ipv4.conf.all.rp_filter): %s",
		      strerror(-result));
	else if (sysctl_state_result(rpfilter) != 0)
		warnx("rp_filter: old values cannot be kept in " RUN_DIRECTORY ": %s; a kill would lose them",
		      file_problem(sysctl_state_result(rpfilter)));
}

void settings_open(struct owner *owner)
{
	struct sysctl *rpfilter = open_sysctl(SYSCTL_IPV4, SYSCTL_RP_FILTER, owner->adoption != NULL);

	owner->settings.forced_version[FAMILY_IPV4] =
		open_sysctl(SYSCTL_IPV4, version_leaf[FAMILY_IPV4], false);
	owner->settings.forced_version[FAMILY_IPV6] =
		open_sysctl(SYSCTL_IPV6, version_leaf[FAMILY_IPV6], false);
	if (is_reset(owner, NULL))
		lower_all(owner, rpfilter);
	else
		sysctl_free(rpfilter);
}

void settings_link_left(struct owner *owner)
{
	struct sysctl *rpfilter = owner->settings.rp_filter;
	const char *name;

	for (size_t n = 0; rpfilter != NULL && (name = sysctl_nth_set(rpfilter, n)) != NULL;) {
		if (strcmp(name, "all") == 0 || is_reset(owner, name))
			n++;
		else
			sysctl_hold(rpfilter, name);
	}
}

void settings_reload(struct owner *owner)
{
	struct sysctl *rpfilter = owner->settings.rp_filter;

	if (!is_reset(owner, NULL)) {
		sysctl_free(rpfilter);
		owner->settings.rp_filter = NULL;
		return;
	}
	if (rpfilter == NULL) {
		lower_all(owner, open_sysctl(SYSCTL_IPV4, SYSCTL_RP_FILTER, false));
		return;
	}
	settings_link_left(owner);
}

void settings_close(struct owner *owner)
{
	sysctl_free(owner->settings.rp_filter);
	for (int family = 0; family < FAMILIES; family++)
		sysctl_free(owner->settings.forced_version[family]);
}

void settings_link(struct owner *owner, const char *interface)
{
	int result;

	if (!is_reset(owner, interface))
		return;
	result = sysctl_set(owner->settings.rp_filter, interface, 0);
	if (result == 0 || owner->settings.logged_rp_filter)
		return;
	owner->settings.logged_rp_filter = true;
	errno = -result;
	warn("%s: rp_filter cannot be set to 0 (net.ipv4.conf.%s.rp_filter)", interface, interface);
}

void settings_interface(struct owner *owner, const char *name, bool gone)
{
	if (owner->settings.rp_filter == NULL)
		return;
	if (gone)
		sysctl_forget(owner->settings.rp_filter, name);
	else if (!sysctl_knows(owner->settings.rp_filter, name))
		owner->settings.hold_due = true;
}

void settings_look(struct owner *owner, mtime now)
{
	owner->settings.check_at =
		mtime_min(owner->settings.check_at, owner->settings.checked_at + LOOK_INTERVAL > now
	                                                    ? owner->settings.checked_at + LOOK_INTERVAL
	                                                    : now);
}

/* The handler of sysctl_check. */
static void log_found(void *context, const char *name, int found, int wanted, int result)
{
	const char *leaf = *(const char *const *)context;

	if (result == -EBUSY)
		warnx("%s: another mcproxy needs %s = %d, this one needs %d: it stays %d", name, leaf, found,
		      wanted, found);
	else if (result != 0)
		warnx("%s: another program has set %s to %d, and it cannot be set to %d again: %s", name,
		      leaf, found, wanted, strerror(-result));
	else
		warnx("%s: another program has set %s to %d: set to %d again; %d comes back at the exit",
		      name, leaf, found, wanted, found);
}

static void check(struct sysctl *kept, const char *leaf)
{
	if (kept != NULL)
		sysctl_check(kept, log_found, &leaf);
}

static bool has_forced_versions(const struct owner *owner)
{
	for (int family = 0; family < FAMILIES; family++)
		if (owner->settings.forced_version[family] != NULL &&
		    !sysctl_is_empty(owner->settings.forced_version[family]))
			return true;
	return false;
}

void settings_apply(struct owner *owner, mtime now)
{
	if (owner->settings.hold_due && owner->settings.rp_filter != NULL)
		sysctl_hold_rest(owner->settings.rp_filter);
	owner->settings.hold_due = false;
	if (owner->settings.check_at <= now) {
		owner->settings.checked_at = now;
		owner->settings.check_at = MTIME_NEVER;
		check(owner->settings.rp_filter, SYSCTL_RP_FILTER);
		for (int family = 0; family < FAMILIES; family++)
			check(owner->settings.forced_version[family], version_leaf[family]);
	}
	if (owner->settings.check_at == MTIME_NEVER && has_forced_versions(owner))
		owner->settings.check_at = now + READ_INTERVAL;
}

mtime settings_deadline(const struct owner *owner)
{
	return owner->settings.check_at;
}
