/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log.h"
#include "daemon/owner.h"
#include "daemon/uplink.h"
#include "kernel/mrt_owner.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define OPERATIONS_PER_TURN                                                                                  \
	512 /* of one kind; the rest comes with the next turn, so that nobody waits long */
#define ROUTES_MEMORY_MAX ((size_t)64 << 20)

/* Vifs: the links' operations. */

static bool vif_is_free(void *context, enum family family, unsigned vif)
{
	const struct owner *owner = context;

	return !routes_vif_is_named(owner->tables[family].routes, vif);
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
	vif->family = table->family;
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

/* Once per interface and cause: it is tried again every few seconds. */
static void log_vif_failure(struct table *table, const struct link_op *op, int result)
{
	if (result == 0 || result == -ENODEV ||
	    (table->told_vif_ifindex == op->ifindex && table->told_vif_error == -result))
		return;
	table->told_vif_ifindex = op->ifindex;
	table->told_vif_error = errno = -result;
	warn("%s: cannot be made a vif; trying again", op->name);
}

static int add_vif(struct owner *owner, const struct link_op *op)
{
	struct table *table = &owner->tables[op->family];
	/* Who sees the vif may rely on being heard there. */
	int result = open_vif(owner, table, op->vif, op->ifindex);

	if (result == 0) {
		result = mrt_add_vif(table->mrt, op->vif, op->ifindex);
		if (result != 0)
			close_vif(owner, table, op->vif);
	}
	log_vif_failure(table, op, result);
	return result;
}

static void del_vif(struct owner *owner, const struct link_op *op)
{
	struct table *table = &owner->tables[op->family];

	close_vif(owner, table, op->vif);
	/* Of an interface that is gone the kernel has removed the vif itself. */
	mrt_del_vif(table->mrt, op->vif);
}

static enum link_word link_word(const struct owner *owner, const struct link_op *op, enum family family)
{
	size_t cursor = (size_t)op->instance * LINKS_MAX + op->id;
	struct links_port port;

	if (op->change.settings.version[family] == VERSION_NONE || !owner->tables[family].open)
		return WORD_NONE;
	if (op->change.family[family].usable)
		return WORD_USED;
	if (links_next_port(owner->links, &cursor, &port) && !port.up)
		return WORD_DOWN;
	return family == FAMILY_IPV6 ? WORD_NO_ADDRESS : WORD_NONE;
}

static void log_word(const struct owner *owner, const struct link_op *op, enum family family,
                     enum link_word word)
{
	const char *instance = owner->instances[op->instance].config->name;
	const char *role = op->change.role == ROLE_UPSTREAM ? "upstream" : "downstream";
	const struct addr *address = &op->change.family[family].address;
	char text[ADDR_TEXT_SIZE];

	switch (word) {
	case WORD_USED:
		info("%s: %s: %s link in use, vif %u, %s %s", instance, op->name, role,
		     links_vif(owner->links, op->instance, op->id, family),
		     addr_is_unspecified(address) ? "no IPv4 address, so queries come from" : "address",
		     addr_format(address, text));
		break;
	case WORD_DOWN:
		info("%s: %s: %s interface is down or has no carrier; waiting for it", instance, op->name,
		     role);
		break;
	case WORD_NO_ADDRESS:
		info("%s: %s: no IPv6 link-local address (net.ipv6.conf.%s.disable_ipv6?); IPv6 waits for it",
		     instance, op->name, op->name);
		break;
	case WORD_NONE:
		break;
	}
}

static void log_link(struct owner *owner, const struct link_op *op)
{
	struct instance_slot *slot = &owner->instances[op->instance];

	if (!op->change.present) {
		info("%s: %s: %s interface is gone; waiting for it", slot->config->name, op->name,
		     op->change.role == ROLE_UPSTREAM ? "upstream" : "downstream");
		memset(slot->told[op->id], 0, sizeof slot->told[op->id]);
		return;
	}
	for (int family = 0; family < FAMILIES; family++) {
		struct link_told *told = &slot->told[op->id][family];
		enum link_word word = link_word(owner, op, family);

		if (told->word == word && addr_equal(&told->address, &op->change.family[family].address))
			continue;
		/* Down is down, for both families. */
		if (word != WORD_DOWN || family == FAMILY_IPV4 ||
		    slot->told[op->id][FAMILY_IPV4].word != WORD_DOWN)
			log_word(owner, op, family, word);
		*told = (struct link_told){.word = (uint8_t)word,
		                           .address = op->change.family[family].address};
	}
}

static void disable_rp_filter(struct owner *owner, const char *name)
{
	int result = kept_settings_set(owner->rpfilter, name, 0);

	if (result == 0 || owner->told_rpfilter)
		return;
	owner->told_rpfilter = true;
	errno = -result;
	warn("%s: rp_filter cannot be set to 0 (net.ipv4.conf.%s.rp_filter)", name, name);
}

/* Without -r: a filter that drops what does not come the way that leads back is told, with the remedy. */
static void check_rp_filter(const struct link_op *op)
{
	int value = rpfilter_effective(SETTINGS_IPV4, op->name);

	if (value == 1 && op->change.role == ROLE_UPSTREAM && op->change.family[FAMILY_IPV4].usable)
		info("%s: rp_filter is 1: streams whose source is not reached by this link are dropped; -r "
		     "turns it off, or "
		     "sysctl net.ipv4.conf.{all,%s}.rp_filter=0",
		     op->name, op->name);
}

/* -EAGAIN when the worker's channel is full: it rings when it has made room. */
static int tell_link(struct owner *owner, const struct link_op *op, mtime now)
{
	struct input input = {.kind = INPUT_LINK, .link = op->id};

	if (!intake_tell(&owner->instances[op->instance], &input, &op->change, sizeof op->change))
		return -EAGAIN;
	log_link(owner, op);
	if (owner->rpfilter != NULL && op->change.present)
		disable_rp_filter(owner, op->name);
	else if (owner->rpfilter == NULL)
		check_rp_filter(op);
	for (int family = 0; family < FAMILIES && op->change.role == ROLE_UPSTREAM; family++)
		uplink_tell(owner, op, family, now);
	return 0;
}

static void apply_links(struct owner *owner, mtime now)
{
	struct link_op op;

	while (links_pull(owner->links, now, vif_is_free, owner, &op)) {
		int result = 0;

		switch (op.kind) {
		case LINK_ADD_VIF:
			result = add_vif(owner, &op);
			break;
		case LINK_DEL_VIF:
			del_vif(owner, &op);
			break;
		case LINK_TELL:
			result = tell_link(owner, &op, now);
			break;
		}
		links_done(owner->links, now, &op, result);
	}
}

/* Routes. */

static int perform_route(struct table *table, const struct route_op *op)
{
	if (op->kind == ROUTE_DELETE)
		return mrt_del_route(table->mrt, &op->key.source, &op->key.group);
	return mrt_set_route(table->mrt, &op->key.source, &op->key.group, op->input, op->outputs);
}

static void log_route_failure(struct table *table, const struct route_op *op, int result)
{
	char source[ADDR_TEXT_SIZE], group[ADDR_TEXT_SIZE];

	if (result == 0 || op->kind == ROUTE_DELETE || table->told_error == -result)
		return;
	table->told_error = errno = -result;
	warn("route (%s, %s) is refused by the kernel; trying again", addr_format(&op->key.source, source),
	     addr_format(&op->key.group, group));
}

static void apply_routes(struct owner *owner, struct table *table, mtime now)
{
	struct route_op op;
	int count = 0;

	while (routes_pull(table->routes, now, &op)) {
		int result = perform_route(table, &op);

		log_route_failure(table, &op, result);
		routes_done(table->routes, now, &op, result);
		if (++count == OPERATIONS_PER_TURN) {
			owner->again = true;
			break;
		}
	}
}

void edge_apply(struct owner *owner, mtime now)
{
	struct uplink *uplink;

	apply_links(owner, now);
	for (int family = 0; family < FAMILIES; family++)
		if (owner->tables[family].open)
			apply_routes(owner, &owner->tables[family], now);
	LL_FOREACH (owner->uplinks, uplink)
		uplink_apply(owner, uplink, now);
	for (int family = 0; family < FAMILIES; family++)
		if (owner->tables[family].open) {
			intake_suspects(owner, &owner->tables[family], now);
			intake_counters(owner, &owner->tables[family], now);
		}
}

mtime edge_deadline(const struct owner *owner)
{
	const struct uplink *uplink;
	mtime at = links_deadline(owner->links);

	for (int family = 0; family < FAMILIES; family++)
		if (owner->tables[family].open)
			at = mtime_min(at, routes_deadline(owner->tables[family].routes));
	LL_FOREACH (owner->uplinks, uplink)
		at = mtime_min(at, host_deadline(uplink->host));
	return at;
}

static bool is_configured(const struct owner *owner, enum family family, bool *named)
{
	bool wanted = false;

	*named = false;
	for (size_t i = 0; i < owner->config->instance_count; i++) {
		const struct config_instance *instance = &owner->config->instances[i];

		for (size_t j = 0; j < instance->downstream_count; j++)
			wanted |= instance->downstream[j].settings.version[family] != VERSION_NONE;
		*named |= instance->family_named[family];
	}
	return wanted;
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

static int open_table(struct owner *owner, struct table *table)
{
	int result = mrt_open(&table->mrt, table->family, MRT_TABLE_DEFAULT);

	if (result != 0)
		return result;
	table->routes = routes_new(ROUTES_MEMORY_MAX, reading_interval(owner), owner_random());
	table->source =
		(struct loop_source){.fd = mrt_fd(table->mrt), .urgent = true, .ready = intake_upcalls};
	if (table->routes == NULL || !owner_watch(owner, &table->source))
		return -ENOMEM;
	table->open = true;
	links_enable_family(owner->links, table->family);
	return 0;
}

int edge_open(struct owner *owner)
{
	bool any = false;

	for (int family = 0; family < FAMILIES; family++) {
		struct table *table = &owner->tables[family];
		char text[256];
		bool named;
		int result;

		table->family = family;
		if (!is_configured(owner, family, &named))
			continue;
		result = open_table(owner, table);
		if (result == 0) {
			any = true;
			continue;
		}
		explain(family, result, text, sizeof text);
		if (named) {
			warnx("%s", text);
			return 1;
		}
		warnx("%s; %s is left out", text, family == FAMILY_IPV4 ? "IPv4" : "IPv6");
	}
	if (!any)
		warnx("nothing is left to serve");
	return any ? 0 : 1;
}

static void close_table(struct owner *owner, struct table *table)
{
	for (unsigned vif = 0; vif < MRT_VIFS; vif++)
		close_vif(owner, table, vif);
	if (table->mrt != NULL)
		mrt_close(table->mrt);
	routes_free(table->routes);
	*table = (struct table){.family = table->family};
}

void edge_close(struct owner *owner)
{
	/* First leave upstream, so that the streams stop at their source. */
	uplinks_free(owner);
	for (int family = 0; family < FAMILIES; family++)
		close_table(owner, &owner->tables[family]);
}
