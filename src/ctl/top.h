/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `top`: a live screen of streams and links.
 */
#ifndef MCPROXY_CTL_TOP_H
#define MCPROXY_CTL_TOP_H

#include "ctl/command.h"

command_run top_run;

#endif
