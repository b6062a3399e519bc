/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/links_vif_ports.h"

#include "core/tables/links_rows.h"

bool links_next_vif_port(const struct links *links, unsigned table, enum family family, unsigned vif,
                         bool usable, struct links_vif_port *cursor)
{
	const struct link_interface *interface = vif < LINKS_VIFS ? links->vifs[table][family][vif] : NULL;
	const struct port *port;

	if (interface == NULL || !interface_has_vif(interface, table, family, vif))
		return false;
	port = cursor->port != NULL ? cursor->port->next : interface->ports;
	while (port != NULL && !(usable ? port->announced_usable[family]
	                                : port->announced && !port->leaving && port->serves[family]))
		port = port->next;
	if (port == NULL)
		return false;
	*cursor = (struct links_vif_port){.instance = port->instance, .id = port->id, .port = port};
	return true;
}
