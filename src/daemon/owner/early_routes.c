/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/early_routes.h"

#include "core/tables/links_vif_ports.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/uplink.h"

static void add(struct owner *owner, struct table *table, const struct route_key *key, unsigned vif,
                const struct uplink *uplink, const struct instance_slot *slot)
{
	uint64_t links =
		host_streams(uplink->host, slot->number, &key->group) & slot->forwarding[table->family];
	uint32_t outputs = links_vifs(owner->links, slot->number, links, table->family);

	if (outputs != 0)
		routes_assume(table->routes, key, slot->number, vif, outputs);
}

void early_routes_add(struct owner *owner, struct table *table, const struct route_key *key, unsigned vif,
                      uint64_t instances)
{
	const struct uplink *uplink = uplink_find(
		owner, table->family, links_vif_name(owner->links, table->number, table->family, vif));
	struct links_vif_port port = {0};

	if (uplink == NULL || !addr_is_proxied_stream(&key->source, &key->group))
		return;
	instances &= uplink->instances;
	while (links_next_vif_port(owner->links, table->number, table->family, vif, true, &port))
		if (instances >> port.instance & 1)
			add(owner, table, key, vif, uplink, &owner->instances[port.instance]);
}
