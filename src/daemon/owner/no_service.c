/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for service.c in a build without notifications to a service manager.
 */
#include "daemon/owner/service.h"

void service_open(struct owner *owner, mtime now)
{
	(void)owner;
	(void)now;
}

void service_close(struct owner *owner)
{
	(void)owner;
}

void service_ping(struct owner *owner, mtime now)
{
	(void)owner;
	(void)now;
}

void service_report(struct owner *owner, mtime now)
{
	(void)owner;
	(void)now;
}

mtime service_deadline(const struct owner *owner)
{
	(void)owner;
	return MTIME_NEVER;
}

void service_pong(struct owner *owner, struct instance_slot *instance)
{
	(void)owner;
	(void)instance;
}

void service_reloading(struct owner *owner)
{
	(void)owner;
}

void service_reloaded(struct owner *owner)
{
	(void)owner;
}

void service_stopping(struct owner *owner)
{
	(void)owner;
}
