/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for the keeper in a build whose daemon sends nothing to a service manager.
 */
#include "daemon/keeper/keeper.h"

#include "daemon/log/log.h"

#include <stdlib.h>

int keeper_run(char **arguments)
{
	(void)arguments;
	errorx("keeper: this build has none (cmake -DMCPROXY_NOTIFY=ON); start mcproxy without --keeper");
	return EXIT_FAILURE;
}

int keeper_signal(char **arguments)
{
	(void)arguments;
	return EXIT_FAILURE;
}
