/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for the control socket in a build without json-c.
 */
#include "daemon/control/control.h"

#include "daemon/log/log.h"
#include "daemon/owner/owner.h"

#include <string.h>

void control_open(struct owner *owner)
{
	const char *path = owner->config->control.socket;

	if (path[0] != '\0' && strcmp(path, CONFIG_SOCKET) != 0)
		warnx("control_socket %s: this program was built without it (json-c)", path);
}

void control_close(struct owner *owner)
{
	(void)owner;
}

void control_reopen(struct owner *owner)
{
	control_open(owner);
}

void control_retry(struct owner *owner)
{
	(void)owner;
}

void control_turn(struct owner *owner, mtime now)
{
	(void)owner;
	(void)now;
}

mtime control_deadline(const struct owner *owner)
{
	(void)owner;
	return MTIME_NEVER;
}

bool control_wants_events(const struct owner *owner)
{
	(void)owner;
	return false;
}

void control_event(struct owner *owner, const struct instance_slot *instance, const char *link,
                   const struct event *event, const char *outputs)
{
	(void)owner;
	(void)instance;
	(void)link;
	(void)event;
	(void)outputs;
}
