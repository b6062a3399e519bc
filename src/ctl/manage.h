/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `reload` and `loglevel`.
 */
#ifndef MCPROXY_CTL_MANAGE_H
#define MCPROXY_CTL_MANAGE_H

#include "ctl/command.h"

command_run reload_run;
command_run loglevel_run;

#endif
