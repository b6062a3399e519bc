/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for inherited.c in a build without notifications to a service manager.
 */
#include "daemon/owner/inherited.h"

#include "daemon/owner/kernel_table.h"

void inherited_open(struct owner *owner)
{
	(void)owner;
}

void inherited_close(struct owner *owner)
{
	(void)owner;
}

bool inherited_take_mrt(struct owner *owner, struct table *table, const struct config_instance *config)
{
	(void)owner;
	(void)table;
	(void)config;
	return false;
}

int inherited_read(struct owner *owner, struct table *table)
{
	(void)owner;
	(void)table;
	return 0;
}

bool inherited_allows_vif(const struct table *table, unsigned vif, int ifindex)
{
	(void)ifindex;
	return !routes_vif_is_named(table->routes, vif);
}

void inherited_free_numbers(struct owner *owner, struct table *table)
{
	(void)owner;
	(void)table;
}

void inherited_forget_table(struct owner *owner, const struct table *table)
{
	(void)owner;
	(void)table;
}

bool inherited_join(const struct owner *owner, enum family family, int ifindex, struct host *host, mtime now)
{
	(void)owner;
	(void)family;
	(void)ifindex;
	(void)host;
	(void)now;
	return true;
}
