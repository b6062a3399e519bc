/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for health.c in a build without notifications to a service manager.
 */
#include "daemon/owner/service.h"

void health_open(struct owner *owner, mtime now)
{
	(void)owner;
	(void)now;
}

void health_close(struct owner *owner)
{
	(void)owner;
}

void health_ask(struct owner *owner, mtime now)
{
	(void)owner;
	(void)now;
}

void health_tell(struct owner *owner, mtime now)
{
	(void)owner;
	(void)now;
}

mtime health_deadline(const struct owner *owner)
{
	(void)owner;
	return MTIME_NEVER;
}

void health_heard(struct owner *owner, struct instance_slot *instance)
{
	(void)owner;
	(void)instance;
}

void health_links_changed(struct owner *owner)
{
	(void)owner;
}

void health_reloading(struct owner *owner)
{
	(void)owner;
}

void health_reloaded(struct owner *owner)
{
	(void)owner;
}

void health_stopping(struct owner *owner)
{
	(void)owner;
}
