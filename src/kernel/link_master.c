/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/link_master.h"

#include <stdio.h>
#include <string.h>

bool link_master_takes(const char *kind)
{
	return *kind != '\0' && strcmp(kind, "vrf") != 0;
}

void link_master_text(const char *interface, const struct link_master *master, char *text, size_t size)
{
	/* All its ports belong to one device, which has no packets itself. */
	if (strcmp(master->kind, "openvswitch") == 0)
		snprintf(text, size, "%s is a port of an Open vSwitch bridge: use that bridge", interface);
	else
		snprintf(text, size, "%s is a %s of %s %s: use %s", interface,
		         strcmp(master->kind, "bridge") == 0 ? "port" : "member", master->kind, master->next,
		         master->name);
}
