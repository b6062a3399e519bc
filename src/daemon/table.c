/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/table.h"

#include "daemon/log.h"
#include "kernel/mrt_owner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define ROUTES_MEMORY_MAX ((size_t)64 << 20)

struct table *table_find(const struct owner *owner, unsigned number, enum family family)
{
	struct table *table;

	LL_FOREACH (owner->tables, table)
		if (table->number == number && table->family == family)
			return table;
	return NULL;
}

static int open_vif(struct owner *owner, struct table *table, unsigned number, int ifindex)
{
	struct vif *vif = calloc(1, sizeof *vif);
	int result;

	if (vif == NULL)
		return -ENOMEM;
	result = link_socket_open(&vif->socket, ifindex, table->family);
	if (result != 0) {
		free(vif);
		return result;
	}
	vif->table = table;
	vif->number = number;
	vif->source = (struct loop_source){.fd = link_socket_fd(vif->socket), .ready = intake_packets};
	if (!owner_watch(owner, &vif->source)) {
		link_socket_close(vif->socket);
		free(vif);
		return -ENOMEM;
	}
	table->vifs[number] = vif;
	return 0;
}

static void close_vif(struct owner *owner, struct table *table, unsigned number)
{
	struct vif *vif = table->vifs[number];

	if (vif == NULL)
		return;
	table->vifs[number] = NULL;
	owner_unwatch(owner, &vif->source);
	link_socket_close(vif->socket);
	vif->source.next_removed = owner->removed;
	owner->removed = &vif->source;
}

int table_add_vif(struct owner *owner, struct table *table, unsigned vif, int ifindex)
{
	/* Who sees the vif may rely on being heard there. */
	int result = open_vif(owner, table, vif, ifindex);

	if (result != 0)
		return result;
	result = mrt_add_vif(table->mrt, vif, ifindex);
	if (result != 0)
		close_vif(owner, table, vif);
	return result;
}

void table_del_vif(struct owner *owner, struct table *table, unsigned vif)
{
	close_vif(owner, table, vif);
	/* Of an interface that is gone the kernel has removed the vif itself. */
	mrt_del_vif(table->mrt, vif);
}

/* Why a family cannot start, and what to do about it. */
static void explain(enum family family, int result, char *text, size_t size)
{
	const char *name = family == FAMILY_IPV4 ? "IPv4" : "IPv6";
	char process[MRT_OWNER_NAME_SIZE];
	pid_t pid;

	errno = -result;
	if (result == -EADDRINUSE && mrt_owner_find(family, &pid, process))
		snprintf(text, size, "%s: another multicast router is running: %s (pid %d); stop it first",
		         name, process, (int)pid);
	else if (result == -EADDRINUSE)
		snprintf(text, size,
		         "%s: another multicast router is running (smcroute, igmpproxy, pimd, mcproxy?); "
		         "stop it first",
		         name);
	else if (result == -EPERM || result == -EACCES)
		snprintf(text, size,
		         "%s: not permitted: start mcproxy as root, or with CAP_NET_ADMIN and CAP_NET_RAW",
		         name);
	else if (result == -ENOPROTOOPT || result == -EAFNOSUPPORT || result == -EPROTONOSUPPORT)
		snprintf(text, size, "%s: the kernel has no multicast routing for it (%s)", name,
		         family == FAMILY_IPV4 ? "CONFIG_IP_MROUTE" : "CONFIG_IPV6_MROUTE, or IPv6 is off");
	else
		snprintf(text, size, "%s: multicast routing cannot start: %s", name, strerror(-result));
}

static mtime reading_interval(const struct owner *owner)
{
	mtime interval = MTIME_NEVER;

	for (size_t i = 0; i < owner->config->instance_count; i++)
		interval = mtime_min(interval, owner->config->instances[i].settings.route_timeout / 2);
	return interval;
}

static void table_free(struct owner *owner, struct table *table)
{
	for (unsigned vif = 0; vif < MRT_VIFS; vif++)
		close_vif(owner, table, vif);
	if (table->mrt != NULL)
		mrt_close(table->mrt);
	routes_free(table->routes);
	free(table);
}

static int table_open(struct owner *owner, unsigned number, uint32_t id, enum family family,
                      struct table **opened)
{
	struct table *table = calloc(1, sizeof *table);
	int result = table ? mrt_open(&table->mrt, family, id) : -ENOMEM;

	if (result != 0) {
		free(table);
		return result;
	}
	table->number = number;
	table->family = family;
	table->routes = routes_new(ROUTES_MEMORY_MAX, reading_interval(owner), owner_random());
	table->source =
		(struct loop_source){.fd = mrt_fd(table->mrt), .urgent = true, .ready = intake_upcalls};
	if (table->routes == NULL || !owner_watch(owner, &table->source)) {
		table_free(owner, table);
		return -ENOMEM;
	}
	LL_APPEND(owner->tables, table);
	links_enable_table(owner->links, number, family);
	*opened = table;
	return 0;
}

static bool serves(const struct config_instance *config, enum family family)
{
	for (size_t i = 0; i < config->downstream_count; i++)
		if (config->downstream[i].settings.version[family] != VERSION_NONE)
			return true;
	return false;
}

/* An instance before this one has met the same failure, and it was told. */
static bool was_told(const struct owner *owner, const struct instance_slot *instance, enum family family)
{
	for (const struct instance_slot *other = owner->instances; other < instance; other++)
		if (other->table == instance->table && serves(other->config, family))
			return true;
	return false;
}

static int open_family(struct owner *owner, struct instance_slot *instance, enum family family)
{
	struct table **table = &instance->tables[family];
	char text[256];
	int result;

	*table = table_find(owner, instance->table, family);
	if (*table != NULL)
		return 0;
	result = table_open(owner, instance->table, MRT_TABLE_DEFAULT, family, table);
	if (result == 0)
		return 0;
	explain(family, result, text, sizeof text);
	if (instance->config->family_named[family]) {
		warnx("%s", text);
		return 1;
	}
	if (!was_told(owner, instance, family))
		warnx("%s; %s is left out", text, family == FAMILY_IPV4 ? "IPv4" : "IPv6");
	return 0;
}

int tables_open(struct owner *owner, struct instance_slot *instance)
{
	links_set_table(owner->links, instance->number, instance->table);
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		int result = serves(instance->config, family) ? open_family(owner, instance, family) : 0;

		if (result != 0)
			return result;
	}
	return 0;
}

void tables_close(struct owner *owner)
{
	struct table *table, *next;

	LL_FOREACH_SAFE (owner->tables, table, next)
		table_free(owner, table);
	owner->tables = NULL;
}
