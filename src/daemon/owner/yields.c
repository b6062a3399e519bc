/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/yields.h"

#include "core/tables/links_vif_ports.h"
#include "daemon/log/log.h"
#include "daemon/owner/entries.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"
#include "kernel/copy_socket.h"

#include <stdlib.h>
#include <unistd.h>

#define COPIES_PER_TURN 256
#define LOGGED_MAX      20
#define LOGGED_INTERVAL (3600 * MTIME_SECOND)

/* The socket of a vif. */
struct copy_source {
	struct loop_source source; /* first */
	struct table *table;
	unsigned vif;
};

/* May the router yield on the downstream link that has this vif? */
static bool yields_on_link(const struct owner *owner, const struct table *table, unsigned vif,
                           bool *is_downstream)
{
	struct links_vif_port cursor = {0};
	struct links_port port;

	while (links_next_vif_port(owner->links, table->number, table->family, vif, false, &cursor)) {
		if (!links_find_port(owner->links, cursor.instance, cursor.id, &port) ||
		    port.role != ROLE_DOWNSTREAM)
			continue;
		*is_downstream = true;
		return (owner->instances[cursor.instance].yielding[table->family] >> cursor.id & 1) != 0;
	}
	return false;
}

/* The querier of the output's link decides. If the output is an upstream link, the querier of the downstream link
 * from which the stream comes decides. */
static bool may_yield(const struct owner *owner, const struct table *table, unsigned input, unsigned vif)
{
	bool is_downstream = false;

	if (table->vifs[vif] == NULL)
		return false;
	if (yields_on_link(owner, table, vif, &is_downstream))
		return true;
	return !is_downstream && yields_on_link(owner, table, input, &is_downstream);
}

static void log_change(struct owner *owner, struct table *table, mtime now, const struct yield_place *place,
                       const char *what)
{
	char source[ADDR_TEXT_SIZE], group[ADDR_TEXT_SIZE];

	if (table->yields_logged == 0 || now - table->yields_logged_at >= LOGGED_INTERVAL) {
		table->yields_logged = 0;
		table->yields_logged_at = now;
	}
	if (table->yields_logged > LOGGED_MAX)
		return;
	if (table->yields_logged++ == LOGGED_MAX) {
		info("more streams are left to other routers, and are not logged for an hour: mcproxyctl "
		     "show routes");
		return;
	}
	info("link %s: (%s, %s) %s", links_vif_name(owner->links, table->number, table->family, place->vif),
	     addr_format(&place->key.source, source), addr_format(&place->key.group, group), what);
}

static void carry_out(struct owner *owner, struct table *table, mtime now, const struct yield_place *place,
                      enum yield_verdict verdict)
{
	switch (verdict) {
	case YIELD_NOTHING:
		return;
	case YIELD_STOP:
		log_change(owner, table, now, place, "arrives from another router: left to that one");
		break;
	case YIELD_RESUME:
		log_change(owner, table, now, place, "no longer left to another router: forwarded again");
		break;
	case YIELD_HOME:
		return;
	}
	routes_yield(table->routes, &place->key, place->vif, verdict == YIELD_STOP);
	entries_apply(owner, table, now);
}

struct table *yields_receive(struct owner *owner, struct loop_source *source, mtime now,
                             struct yield_place *home)
{
	struct copy_source *copies = (struct copy_source *)source;
	struct table *table = copies->table;
	struct copy copy;

	for (int i = 0; i < COPIES_PER_TURN && copy_socket_receive(source->fd, table->family, &copy); i++) {
		struct yield_place place = {.key = {.source = copy.source, .group = copy.group},
		                            .vif = copies->vif};
		enum yield_verdict verdict = yield_copy(table->yield, now, &place.key, place.vif);

		*home = place;
		if (verdict == YIELD_HOME)
			return table;
		carry_out(owner, table, now, &place, verdict);
	}
	return NULL;
}

/* Without a socket the router yields nothing there. */
static struct copy_source *open_source(struct owner *owner, struct table *table, unsigned vif,
                                       loop_handler *copies)
{
	struct copy_source *source = calloc(1, sizeof *source);

	if (source == NULL)
		return NULL;
	*source = (struct copy_source){
		.source = {.fd = copy_socket_open(table->vifs[vif]->ifindex, table->family),
	                   .ready = copies,
	                   .context = owner},
		.table = table,
		.vif = vif,
	};
	if (source->source.fd >= 0 && loop_watch(&owner->loop, &source->source))
		return source;
	if (source->source.fd >= 0)
		close(source->source.fd);
	free(source);
	return NULL;
}

static void seek(struct owner *owner, struct table *table, mtime now, unsigned number, loop_handler *copies)
{
	struct route_key keys[YIELD_SOUGHT_MAX];
	struct copy streams[COPY_SOCKET_STREAMS];
	struct vif *vif = table->vifs[number];
	size_t count = yield_seek(table->yield, now, number, keys);

	_Static_assert(YIELD_SOUGHT_MAX == COPY_SOCKET_STREAMS, "all of them find room");
	if (vif == NULL)
		return;
	if (vif->copies == NULL) {
		struct copy_source *source = open_source(owner, table, number, copies);

		vif->copies = source != NULL ? &source->source : NULL;
	}
	for (size_t i = 0; i < count; i++)
		streams[i] = (struct copy){.source = keys[i].source, .group = keys[i].group};
	if (vif->copies != NULL)
		copy_socket_seek(vif->copies->fd, table->family, streams, count);
}

void yields_upcall(struct owner *owner, struct table *table, mtime now, const struct route_key *key,
                   const struct routes_entry *entry, unsigned vif, uint64_t packets)
{
	/* Other routers often serve several of the links, and the kernel names the first one only. */
	for (uint32_t outputs = entry->outputs; outputs != 0; outputs &= outputs - 1) {
		struct yield_place place = {
			.key = *key, .vif = (unsigned)__builtin_ctz(outputs), .input = entry->input};

		if (may_yield(owner, table, entry->input, place.vif))
			yield_doubt(table->yield, now, &place, packets, place.vif == vif);
	}
}

void yields_querier_changed(struct table *table)
{
	if (table != NULL)
		yield_check_all(table->yield);
}

static enum yield_verdict check(struct owner *owner, struct table *table, mtime now,
                                const struct yield_place *place)
{
	struct routes_entry entry;
	struct mrt_counters counters;

	if (!routes_get_entry(table->routes, &place->key, &entry) || entry.input != place->input ||
	    (!place->home && !may_yield(owner, table, place->input, place->vif)) ||
	    mrt_route_counters(table->mrt, &place->key.source, &place->key.group, &counters) != 0)
		return yield_remove(table->yield, place);
	return yield_check(table->yield, now, place, counters.packets - counters.wrong_vif);
}

void yields_apply(struct owner *owner, struct table *table, mtime now, loop_handler *copies)
{
	struct yield_place place;
	unsigned vif;

	while (yield_pull(table->yield, now, &place))
		carry_out(owner, table, now, &place, check(owner, table, now, &place));
	while (yield_pull_vif(table->yield, now, &vif))
		seek(owner, table, now, vif, copies);
}
