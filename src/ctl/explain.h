/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `explain GROUP [SOURCE]`: where a stream stops, and what helps.
 */
#ifndef MCPROXY_CTL_EXPLAIN_H
#define MCPROXY_CTL_EXPLAIN_H

#include "ctl/command.h"

/* Exit status of explain and doctor: all is well, something is not, or it cannot be told. */
enum { CHECK_CLEAN = 0, CHECK_FOUND = 1, CHECK_UNKNOWN = 2 };

command_run explain_run;

#endif
