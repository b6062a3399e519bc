/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/uplink.h"

#include "core/tables/links.h"
#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/inherited.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/send_queue.h"
#include "daemon/owner/store.h"
#include "kernel/join.h"
#include "kernel/sysctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define OPERATIONS_PER_TURN 512 /* the rest comes with the next turn */
#define HOST_MEMORY_MIN     ((size_t)128 << 20)
#define REPLACE_INTERVAL    (2 * MTIME_SECOND)
#define VERSION_INTERVAL    (1 * MTIME_SECOND)
#define TURN_MAX            3 /* milliseconds for the memberships of one uplink */

struct uplink *uplink_find(const struct owner *owner, enum family family, const char *name)
{
	struct uplink *uplink;

	LL_FOREACH (owner->uplinks, uplink)
		if (uplink->family == family && strcmp(uplink->name, name) == 0)
			return uplink;
	return NULL;
}

/* Every instance may want what fills its memory_max, so that none takes the memory from others. A source takes
 * 32 bytes there. Here it takes up to 72: wanted, reported, to be repeated and asked for. */
static size_t host_memory_max(const struct owner *owner)
{
	uint64_t memory = 0;

	for (size_t i = 0; i < owner->config->instance_count; i++)
		memory += 3 * owner->config->instances[i].settings.memory_max;
	if (memory < HOST_MEMORY_MIN)
		return HOST_MEMORY_MIN;
	return memory < SIZE_MAX ? (size_t)memory : SIZE_MAX;
}

static struct host *make_host(const struct owner *owner, enum family family,
                              const struct link_settings *settings)
{
	struct host_limits limits = {
		.groups_per_socket = join_groups_max(family),
		.sources_per_filter = join_sources_max(family),
		.memory_max = host_memory_max(owner),
	};

	return host_new(family, &limits, settings, random_seed());
}

static struct uplink *uplink_get(struct owner *owner, enum family family, const char *name,
                                 const struct link_settings *settings)
{
	struct uplink *uplink = uplink_find(owner, family, name);

	if (uplink != NULL)
		return uplink;
	uplink = calloc(1, sizeof *uplink);
	if (uplink == NULL)
		return NULL;
	uplink->host = make_host(owner, family, settings);
	if (uplink->host == NULL) {
		free(uplink);
		return NULL;
	}
	uplink->family = family;
	uplink->settings = *settings;
	snprintf(uplink->name, sizeof uplink->name, "%s", name);
	LL_APPEND(owner->uplinks, uplink);
	return uplink;
}

static void close_socket(const struct uplink *uplink, int fd)
{
	store_remove(STORE_JOIN, uplink->family, uplink->name, fd);
	join_socket_close(fd);
}

static void close_all(const struct uplink *uplink, int *sockets, size_t count)
{
	/* Newest first: the kernel finds a membership by walking from the newest one. */
	while (count-- > 0)
		if (sockets[count] >= 0)
			close_socket(uplink, sockets[count]);
	free(sockets);
}

static void close_sockets(struct uplink *uplink)
{
	close_all(uplink, uplink->sockets, uplink->socket_count);
	uplink->sockets = NULL;
	uplink->socket_count = 0;
}

static void uplink_forget(struct uplink *uplink, mtime now)
{
	host_forget(uplink->host, now);
	close_sockets(uplink);
	uplink->ifindex = 0;
	uplink->link.usable = false;
}

/* A fixed version holds for the kernel's own reports as well. */
static void force_version(struct owner *owner, const struct uplink *uplink)
{
	enum family family = uplink->family;
	enum version version = uplink->settings.upstream_version[family];
	/* MLDv1 is 1 there. */
	int value = family == FAMILY_IPV4 ? (int)version : (int)version - 1;
	int result;

	if (version == VERSION_NONE || owner->settings.forced_version[family] == NULL)
		return;
	result = sysctl_set(owner->settings.forced_version[family], uplink->name, value);
	if (result == 0)
		return;
	errno = -result;
	warn("upstream %s: the kernel cannot be made to speak %s", uplink->name,
	     version_name(family, version));
}

static void put_back_version(struct owner *owner, const struct uplink *uplink)
{
	enum family family = uplink->family;

	if (uplink->settings.upstream_version[family] != VERSION_NONE &&
	    owner->settings.forced_version[family] != NULL)
		sysctl_put_back(owner->settings.forced_version[family], uplink->name);
}

static int join_fd(struct uplink *uplink, uint32_t slot)
{
	if (slot >= uplink->socket_count) {
		size_t count = slot + 16;
		int *sockets = realloc(uplink->sockets, count * sizeof *sockets);

		if (sockets == NULL)
			return -ENOMEM;
		for (size_t i = uplink->socket_count; i < count; i++)
			sockets[i] = -1;
		uplink->sockets = sockets;
		uplink->socket_count = count;
	}
	if (uplink->sockets[slot] < 0) {
		int fd = join_socket(uplink->family);

		if (fd < 0)
			return fd;
		uplink->sockets[slot] = fd;
		store_add(STORE_JOIN, uplink->family, uplink->name, fd);
	}
	return uplink->sockets[slot];
}

static int perform_join(struct uplink *uplink, const struct join_op *op)
{
	int fd = join_fd(uplink, op->slot);

	if (fd < 0)
		return fd;
	switch (op->kind) {
	case JOIN_GROUP:
		return join_group(fd, uplink->ifindex, &op->group);
	case JOIN_LEAVE:
		return join_leave(fd, uplink->ifindex, &op->group);
	case JOIN_SOURCE:
		return join_source(fd, uplink->ifindex, &op->group, &op->source);
	case JOIN_LEAVE_SOURCE:
		return join_leave_source(fd, uplink->ifindex, &op->group, &op->source);
	case JOIN_SET_FILTER:
		return join_set_filter(fd, uplink->ifindex, &op->group, &op->filter);
	}
	return -EINVAL;
}

static void close_unused(struct uplink *uplink, uint32_t slot)
{
	if (slot >= uplink->socket_count || uplink->sockets[slot] < 0 ||
	    host_slot_memberships(uplink->host, slot) > 0)
		return;
	close_socket(uplink, uplink->sockets[slot]);
	uplink->sockets[slot] = -1;
}

static void log_join_failure(struct uplink *uplink, const struct join_op *op, int result)
{
	char text[ADDR_TEXT_SIZE];

	if (result == 0 || uplink->logged_error == -result)
		return;
	uplink->logged_error = errno = -result;
	warn("upstream %s: %s cannot be joined upstream for now; trying again", uplink->name,
	     addr_format(&op->group, text));
}

void uplink_follow_version(struct uplink *uplink, mtime now)
{
	enum version forced = join_forced_version(uplink->family, uplink->name);

	uplink->version_at = now + VERSION_INTERVAL;
	if (!uplink->link.usable || forced == uplink->link.forced_version)
		return;
	uplink->link.forced_version = forced;
	uplink->link.kernel_version = join_host_version(uplink->family, uplink->name);
	host_set_link(uplink->host, now, &uplink->link);
}

static void send_reports(struct owner *owner, struct uplink *uplink, mtime now)
{
	struct vif *vif = uplink->table && uplink->vif < MRT_VIFS ? uplink->table->vifs[uplink->vif] : NULL;
	struct addr destination;
	size_t size;

	/* Reports are of the version that the kernel speaks now. */
	if (now >= uplink->version_at && host_deadline(uplink->host) <= now)
		uplink_follow_version(uplink, now);
	for (;;) {
		uint8_t *room = send_queue_room(owner->send_queue, vif != NULL ? vif->socket : NULL,
		                                &uplink->send_failures);

		if (!host_pull_packet(uplink->host, now, room, &size, &destination))
			break;
		if (vif != NULL)
			send_queue_put(owner->send_queue, size, &destination);
		else
			uplink->send_failures++;
	}
	send_queue_send(owner->send_queue);
}

static void log_missing_query(struct uplink *uplink)
{
	bool missing = host_query_is_missing(uplink->host);

	if (missing == uplink->logged_missing)
		return;
	uplink->logged_missing = missing;
	if (missing)
		warnx("upstream %s: no %s query received upstream for so long that memberships end; "
		      "repeating the reports of all groups, so that no stream stops",
		      uplink->name, uplink->family == FAMILY_IPV4 ? "IGMP" : "MLD");
	else
		info("upstream %s: %s queries are received upstream again", uplink->name,
		     uplink->family == FAMILY_IPV4 ? "IGMP" : "MLD");
}

/* Logs when the host begins or ceases to follow an older querier, which knows no source filters. */
static void log_version(struct uplink *uplink, mtime now)
{
	enum version version = host_version(uplink->host, now);
	enum version before = uplink->logged_version;

	uplink->logged_version = (uint8_t)version;
	if (before == VERSION_NONE || version == before)
		return;
	if (version < before && version == uplink->link.forced_version)
		warnx("upstream %s: another program forces %s in the kernel (net.%s.conf): mcproxy uses it upstream, "
		      "joins whole groups there, and filters the sources itself",
		      uplink->name, version_name(uplink->family, version),
		      uplink->family == FAMILY_IPV4 ? "ipv4" : "ipv6");
	else if (version < before && before == VERSION_3)
		warnx("upstream %s: the querier upstream uses %s: mcproxy joins whole groups there, and filters the "
		      "sources itself",
		      uplink->name, version_name(uplink->family, version));
	else
		info("upstream %s: now uses %s", uplink->name, version_name(uplink->family, version));
}

static void log_version_1(struct uplink *uplink, mtime now)
{
	if (uplink->logged_version_1 || !host_ignores_version_1(uplink->host, now))
		return;
	uplink->logged_version_1 = true;
	warnx("upstream %s: mcproxy ignores an IGMPv1 query, because version 1 has no leaves; if a "
	      "version 1 router is upstream, set upstream_version = \"IGMPv1\"",
	      uplink->name);
}

static void log_superset(struct uplink *uplink)
{
	if (uplink->logged_superset || !host_has_supersets(uplink->host))
		return;
	uplink->logged_superset = true;
	warnx("upstream %s: an EXCLUDE list is too long for the kernel: mcproxy asks for all sources upstream, and "
	      "filters them itself",
	      uplink->name);
}

static bool join_one(struct uplink *uplink, mtime now)
{
	struct join_op op;
	int result;

	if (!host_pull_join(uplink->host, now, &op))
		return false;
	result = perform_join(uplink, &op);
	log_join_failure(uplink, &op, result);
	host_join_done(uplink->host, now, &op, result);
	close_unused(uplink, op.slot);
	return true;
}

void uplinks_announce(struct owner *owner, int ifindex)
{
	struct uplink *uplink;

	LL_FOREACH (owner->uplinks, uplink)
		uplink->announce |= uplink->ifindex == ifindex;
}

static void announce(struct uplink *uplink, mtime now)
{
	if (!uplink->announce)
		return;
	uplink->announce = false;
	if (uplink->link.usable)
		info("upstream %s: attached to another place, or its carrier is back: reporting all %s groups "
		     "upstream",
		     uplink->name, family_name(uplink->family));
	host_announce(uplink->host, now);
}

/* Reports that all groups are left. Where the kernel keeps the memberships it does so itself when the sockets
 * close, and much faster than group by group. In an older version it does not for groups that the host has
 * reported and the kernel has not. */
static void leave_all(struct owner *owner, struct uplink *uplink)
{
	mtime now = clock_now();
	bool is_older = host_version(uplink->host, now) < VERSION_3;

	if (!host_keeps_some(uplink->host) && !is_older)
		return;
	for (uint64_t instances = uplink->instances; instances != 0; instances &= instances - 1)
		host_unwant_all(uplink->host, now, (unsigned)__builtin_ctzll(instances));
	while (is_older && join_one(uplink, now))
		continue;
	send_reports(owner, uplink, now);
}

static void uplink_end(struct owner *owner, struct uplink *uplink)
{
	leave_all(owner, uplink);
	host_free(uplink->host);
	close_sockets(uplink);
	put_back_version(owner, uplink); /* after the kernel's leaves, which are of that version */
	free(uplink);
}

/* Changes the provider of the memberships. Joins and reports all groups again before the old memberships end,
 * so that there is a member upstream all the time. False when memory is short: then nothing has changed. */
static bool replace_host(struct owner *owner, struct uplink *uplink, mtime now)
{
	struct host *old = uplink->host, *host = make_host(owner, uplink->family, &uplink->settings);
	size_t socket_count = uplink->socket_count;
	int *sockets = uplink->sockets;

	if (host == NULL)
		return false;
	host_set_link(host, now, &uplink->link);
	if (!host_copy_wants(old, now, host)) {
		host_free(host);
		return false;
	}
	uplink->host = host;
	uplink->sockets = NULL;
	uplink->socket_count = 0;
	while (join_one(uplink, now))
		continue;
	send_reports(owner, uplink, now);
	close_all(uplink, sockets, socket_count);
	host_free(old);
	return true;
}

/* Brings the host to the settings. Without memory for another provider the old one goes on, with the other
 * settings; a later turn retries. */
static void follow_settings(struct owner *owner, struct uplink *uplink, mtime now)
{
	bool other_provider = uplink->settings.upstream_membership != host_membership(uplink->host);

	if (other_provider && replace_host(owner, uplink, now))
		other_provider = false;
	if (other_provider && uplink->replace_at == 0)
		warnx("upstream %s: out of memory: memberships stay with upstream_membership = \"%s\" for now; "
		      "trying again",
		      uplink->name, membership_name(host_membership(uplink->host)));
	uplink->replace_at = other_provider ? now + REPLACE_INTERVAL : 0;
	host_configure(uplink->host, now, &uplink->settings);
}

/* The kernel's memberships come first, then their reports. */
void uplink_apply(struct owner *owner, struct uplink *uplink, mtime now)
{
	int count = 0;

	if (uplink->replace_at != 0 && uplink->replace_at <= now)
		follow_settings(owner, uplink, now);
	announce(uplink, now);
	while (join_one(uplink, now)) {
		if (++count == OPERATIONS_PER_TURN || (count % 16 == 0 && clock_now() - now > TURN_MAX)) {
			owner->loop.again = true;
			break;
		}
	}
	send_reports(owner, uplink, now);
	log_missing_query(uplink);
	log_version(uplink, now);
	log_version_1(uplink, now);
	log_superset(uplink);
}

mtime uplink_deadline(const struct uplink *uplink)
{
	mtime at = host_deadline(uplink->host);

	return uplink->replace_at != 0 ? mtime_min(at, uplink->replace_at) : at;
}

static void uplink_set(struct owner *owner, struct uplink *uplink, mtime now,
                       const struct link_settings *settings)
{
	enum family family = uplink->family;

	if (settings->upstream_version[family] == VERSION_NONE)
		put_back_version(owner, uplink);
	uplink->settings = *settings;
	force_version(owner, uplink);
	uplink->link.forced_version = join_forced_version(family, uplink->name);
	uplink->link.kernel_version = join_host_version(family, uplink->name);
	host_set_link(uplink->host, now, &uplink->link);
	follow_settings(owner, uplink, now);
}

/* The settings in force are those of the first instance that has the link. */
static void uplink_configure(struct owner *owner, struct uplink *uplink, mtime now)
{
	struct links_port port;
	size_t cursor = 0;

	while (links_next_port(owner->links, &cursor, &port)) {
		if (port.role != ROLE_UPSTREAM || strcmp(port.name, uplink->name) != 0 ||
		    (uplink->instances >> port.instance & 1) == 0)
			continue;
		if (!link_settings_equal(&port.settings, &uplink->settings))
			uplink_set(owner, uplink, now, &port.settings);
		return;
	}
}

static void uplink_leave(struct owner *owner, struct uplink *uplink, unsigned instance, mtime now)
{
	host_unwant_all(uplink->host, now, instance);
	uplink->instances &= ~((uint64_t)1 << instance);
	uplink->numbers[instance] = 0;
	if (uplink->instances != 0) {
		uplink_configure(owner, uplink, now);
		return;
	}
	send_reports(owner, uplink, now);
	LL_DELETE(owner->uplinks, uplink);
	uplink_end(owner, uplink);
}

/* Is the link an upstream one of the instance, in that family? */
static bool is_upstream(const struct owner *owner, const struct link_op *op, enum family family)
{
	return op->change.role == ROLE_UPSTREAM && op->change.settings.version[family] != VERSION_NONE &&
	       owner->instances[op->instance].tables[family] != NULL;
}

bool uplink_prepare(struct owner *owner, const struct link_op *op, enum family family)
{
	return !op->change.present || !is_upstream(owner, op, family) ||
	       uplink_get(owner, family, op->change.name, &op->change.settings) != NULL;
}

/* An instance reports what it wants on a link that returns, and not what was left since. */
static void uplink_note_number(struct uplink *uplink, const struct link_op *op, mtime now)
{
	uint8_t *number = &uplink->numbers[op->instance], other = (uint8_t)(op->id + 1);

	if (op->change.present && *number != other) {
		host_unwant_all(uplink->host, now, op->instance);
		*number = other;
	} else if (!op->change.present && *number == other) {
		*number = 0;
	}
}

static void join_inherited(const struct owner *owner, struct uplink *uplink, mtime now)
{
	if (!inherited_join(owner, uplink->family, uplink->ifindex, uplink->host, now))
		warnx("upstream %s: the memberships of the earlier run cannot be read: groups are joined again",
		      uplink->name);
}

void uplink_link_changed(struct owner *owner, const struct link_op *op, enum family family, mtime now)
{
	const struct link_change *change = &op->change;
	struct uplink *uplink;
	bool is_known, is_new;
	struct host_link link = {
		.usable = change->present && change->family[family].usable,
		.address = change->family[family].address,
		.mtu = change->mtu,
	};

	uplink = uplink_find(owner, family, change->name);
	is_known = uplink != NULL && (uplink->instances >> op->instance & 1) != 0;
	if (!is_upstream(owner, op, family)) {
		if (is_known)
			uplink_leave(owner, uplink, op->instance, now);
		return;
	}
	/* The configuration no longer has it. */
	if (!change->present && !is_known)
		return;
	uplink = uplink_get(owner, family, change->name, &change->settings);
	if (uplink == NULL)
		return;
	uplink->instances |= (uint64_t)1 << op->instance;
	uplink_note_number(uplink, op, now);
	/* A late message about an interface that another of the same name has replaced. */
	if (!change->present && uplink->ifindex != op->ifindex)
		return;
	if (!change->present || (uplink->ifindex != 0 && uplink->ifindex != op->ifindex))
		uplink_forget(uplink, now);
	if (!change->present)
		return;
	is_new = uplink->ifindex == 0;
	uplink->ifindex = op->ifindex;
	uplink->table = owner->instances[op->instance].tables[family];
	uplink->vif = links_vif(owner->links, op->instance, op->id, family);
	uplink_configure(owner, uplink, now);
	force_version(owner, uplink);
	link.forced_version = join_forced_version(family, change->name);
	link.kernel_version = join_host_version(family, change->name);
	uplink->link = link;
	host_set_link(uplink->host, now, &link);
	if (is_new)
		join_inherited(owner, uplink, now);
}

static bool is_named(const struct owner *owner, const struct instance_slot *slot, const struct uplink *uplink)
{
	return slot->config != NULL && slot->tables[uplink->family] != NULL &&
	       instance_names_link(owner, slot, ROLE_UPSTREAM, uplink->family, uplink->name);
}

void uplinks_reconsider(struct owner *owner, mtime now)
{
	struct uplink *uplink, *next;

	LL_FOREACH_SAFE (owner->uplinks, uplink, next) {
		uint64_t left = 0;

		host_set_memory_max(uplink->host, host_memory_max(owner));
		/* Prepared, and then never used. */
		if (uplink->instances == 0) {
			LL_DELETE(owner->uplinks, uplink);
			uplink_end(owner, uplink);
			continue;
		}
		for (uint64_t instances = uplink->instances; instances != 0; instances &= instances - 1)
			if (!is_named(owner, &owner->instances[__builtin_ctzll(instances)], uplink))
				left |= instances & -instances;
		/* The last one frees the uplink. */
		for (; left != 0; left &= left - 1)
			uplink_leave(owner, uplink, (unsigned)__builtin_ctzll(left), now);
	}
}

void uplinks_forget_table(struct owner *owner, const struct table *table)
{
	struct uplink *uplink;

	LL_FOREACH (owner->uplinks, uplink)
		if (uplink->table == table)
			uplink->table = NULL;
}

void uplinks_free(struct owner *owner)
{
	struct uplink *uplink, *next;

	LL_FOREACH_SAFE (owner->uplinks, uplink, next) {
		uplink_end(owner, uplink);
	}
	owner->uplinks = NULL;
}
