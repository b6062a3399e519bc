/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for the control socket in a build without json-c: owner->control stays NULL.
 */
#include "daemon/control/control.h"
#include "daemon/log/log.h"

#include <string.h>

static void warn_of_socket(struct owner *owner)
{
	const char *path = owner->config->control.socket;

	if (path[0] != '\0' && strcmp(path, CONFIG_SOCKET) != 0)
		warnx("control_socket %s: this program was built without it (json-c)", path);
}

const struct control_handlers control_handlers = {.open = warn_of_socket, .reopen = warn_of_socket};
