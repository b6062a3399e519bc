/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/link_readers.h"

#include "core/tables/links_vif_ports.h"
#include "daemon/log/log.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool is_reader(const struct link_reader *reader)
{
	return reader->instance != LINK_READER_NONE.instance;
}

/* Has the worker of the instance stopped reading the vif? op: what was announced to it of a link; NULL: it
 * has ended. */
static bool has_stopped(const struct vif *vif, unsigned instance, const struct link_op *op)
{
	if (vif->reader.instance != instance)
		return false;
	return op == NULL || (vif->reader.link == op->id &&
	                      (!op->change.present || !op->change.family[vif->table->family].usable));
}

static void forget_readers(struct owner *owner, unsigned instance, const struct link_op *op)
{
	for (struct table *table = owner->tables; table != NULL; table = table->next)
		for (unsigned number = 0; number < MRT_VIFS; number++)
			if (table->vifs[number] != NULL && has_stopped(table->vifs[number], instance, op))
				table->vifs[number]->reader = LINK_READER_NONE;
	owner->readers_due = true;
}

void link_readers_link_changed(struct owner *owner, const struct link_op *op)
{
	forget_readers(owner, op->instance, op);
}

void link_readers_instance_ended(struct owner *owner, unsigned instance)
{
	forget_readers(owner, instance, NULL);
}

/* The first of the instances that use the link. */
static struct link_reader choose_reader(const struct owner *owner, const struct vif *vif)
{
	struct link_reader reader = LINK_READER_NONE;
	struct links_vif_port port = {0};

	while (links_next_vif_port(owner->links, vif->table->number, vif->table->family, vif->number, true,
	                           &port))
		if (port.instance < reader.instance)
			reader = (struct link_reader){.instance = port.instance, .link = port.id};
	return reader;
}

/* Once for a link: later turns try again. */
static void log_failure(struct vif *vif)
{
	if (!vif->logged_reading)
		warn("link %s: its %s packets cannot be read; trying again", vif->name,
		     vif->table->family == FAMILY_IPV4 ? "IGMP" : "MLD");
	vif->logged_reading = true;
}

static bool hand_to(struct owner *owner, struct vif *vif, const struct link_reader *reader)
{
	struct input input = {
		.kind = INPUT_LISTEN,
		.link = reader->link,
		.family = (uint8_t)vif->table->family,
		.fd = fcntl(link_socket_fd(vif->socket), F_DUPFD_CLOEXEC, 0),
	};

	if (input.fd < 0) {
		log_failure(vif);
		return false;
	}
	if (worker_tell(owner->instances[reader->instance].channel, &input, NULL, 0))
		return true;
	close(input.fd);
	return false;
}

/* False when a later turn has to try again. */
static bool hand_out(struct owner *owner, struct vif *vif)
{
	struct link_reader reader = choose_reader(owner, vif);

	if (!is_reader(&reader)) {
		vif->unread = true;
		return true;
	}
	/* Packets that came while no worker read them are out of date. */
	if (vif->unread)
		link_socket_discard(vif->socket);
	vif->unread = false;
	if (!hand_to(owner, vif, &reader))
		return false;
	vif->reader = reader;
	return true;
}

void link_readers_hand_out(struct owner *owner)
{
	bool all = true;

	if (!owner->readers_due)
		return;
	for (struct table *table = owner->tables; table != NULL; table = table->next)
		for (unsigned number = 0; number < MRT_VIFS; number++)
			if (table->vifs[number] != NULL && !is_reader(&table->vifs[number]->reader))
				all &= hand_out(owner, table->vifs[number]);
	owner->readers_due = !all;
}

uint64_t link_readers_lost(struct vif *vif)
{
	vif->kernel_drops += link_socket_drops(vif->socket);
	return vif->kernel_drops;
}
