/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The links of a vif: which instances use its interface. Part of the table of links (links.h).
 */
#ifndef MCPROXY_CORE_TABLES_LINKS_VIF_PORTS_H
#define MCPROXY_CORE_TABLES_LINKS_VIF_PORTS_H

#include "core/tables/links.h"

/* A link that has the interface of a vif: the instance, and the link's id there. */
struct links_vif_port {
	unsigned instance;
	uint8_t id;
	const struct port *port; /* the cursor's place */
};

/* Goes to the next link of a vif that its instance knows; usable: that was announced to it as usable. Begins
 * with a cursor of zeros; false at the end. No link may change during the walk. */
bool links_next_vif_port(const struct links *links, unsigned table, enum family family, unsigned vif,
                         bool usable, struct links_vif_port *cursor);

#endif
