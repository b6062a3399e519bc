/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/families.h"

#include "core/tables/links.h"
#include "daemon/log/log.h"
#include "daemon/owner/holder.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Why a family cannot start, and what to do about it. */
static void explain(enum family family, uint32_t table, int result, char *text, size_t size)
{
	char name[TABLE_NAME_SIZE];

	table_name(family, table, name);
	if (result == -EPERM || result == -EACCES)
		snprintf(text, size,
		         "%s: not permitted: start mcproxy as root, or with CAP_NET_ADMIN and CAP_NET_RAW",
		         name);
	else if (result == -ENOPROTOOPT || result == -EAFNOSUPPORT || result == -EPROTONOSUPPORT)
		snprintf(text, size, "%s: the kernel has no multicast routing for it (CONFIG_%s%s)", name,
		         family == FAMILY_IPV4 ? "IP_MROUTE" : "IPV6_MROUTE",
		         table != CONFIG_TABLE_DEFAULT ? "_MULTIPLE_TABLES"
		         : family == FAMILY_IPV6       ? ", or IPv6 is off"
		                                       : "");
	else
		snprintf(text, size, "%s: multicast routing cannot start: %s", name, strerror(-result));
}

/* An instance before this one has met the same failure, and it was logged. */
static bool was_logged(const struct owner *owner, const struct instance_slot *instance, enum family family)
{
	for (const struct instance_slot *other = owner->instances; other < instance; other++)
		if (other->config != NULL && other->table == instance->table &&
		    config_instance_wants(other->config, family))
			return true;
	return false;
}

/* Waiting does not help where no other program holds the family. */
static int refuse_family(const struct owner *owner, const struct instance_slot *instance, enum family family,
                         int result)
{
	char text[256];

	explain(family, instance->config->table, result, text, sizeof text);
	if (instance->config->family_named[family]) {
		warnx("%s", text);
		return 1;
	}
	if (!was_logged(owner, instance, family))
		warnx("%s; %s is left out", text, family_name(family));
	return 0;
}

static int open_family(struct owner *owner, struct instance_slot *instance, enum family family,
                       loop_handler *upcalls)
{
	struct table **table = &instance->tables[family];
	int result = 0;

	*table = table_find(owner, instance->table, family);
	if (*table == NULL && holder_share(owner, instance, family))
		return 0;
	if (*table == NULL)
		result = table_open(owner, instance->config, instance->table, family, upcalls, table);
	if (result == -EADDRINUSE) {
		holder_found(owner, instance, family);
		return 0;
	}
	if (result != 0)
		return refuse_family(owner, instance, family, result);
	holder_gone(owner, instance, family);
	return 0;
}

/* The default table is 0; instances that name the same number share a table. */
static unsigned choose_number(const struct owner *owner, const struct instance_slot *instance)
{
	uint32_t wanted = instance->config->table;
	bool taken[LINKS_TABLES] = {true};
	unsigned number = 0;

	if (wanted == CONFIG_TABLE_DEFAULT)
		return 0;
	for (size_t i = 0; i < owner->instance_count; i++) {
		const struct instance_slot *other = &owner->instances[i];

		if (other == instance || other->config == NULL)
			continue;
		if (wanted != CONFIG_TABLE_OWN && other->config->table == wanted && other->table != 0)
			return other->table;
		taken[other->table] = true;
	}
	while (taken[number])
		number++;
	return number;
}

int families_reopen(struct owner *owner, struct instance_slot *instance, loop_handler *upcalls)
{
	links_set_table(owner->links, instance->number, instance->table);
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		int result = 0;

		if (config_instance_wants(instance->config, family)) {
			result = open_family(owner, instance, family, upcalls);
		} else {
			instance->tables[family] = NULL;
			holder_forget(owner, instance, family);
		}
		if (result != 0)
			return result;
	}
	return 0;
}

int families_open(struct owner *owner, struct instance_slot *instance, loop_handler *upcalls)
{
	instance->table = choose_number(owner, instance);
	return families_reopen(owner, instance, upcalls);
}

void families_retry(struct owner *owner, mtime now, loop_handler *upcalls)
{
	if (now < owner->holders_at)
		return;
	owner->holders_at = MTIME_NEVER;
	owner->holders_tried_at = now;
	for (size_t i = 0; i < owner->instance_count; i++) {
		struct instance_slot *instance = &owner->instances[i];

		for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
			if (instance->config == NULL || !instance->holders[family].there)
				continue;
			open_family(owner, instance, family, upcalls);
			if (instance->holders[family].there)
				holders_wait(owner, now);
		}
	}
}
