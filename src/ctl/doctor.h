/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `doctor`: what is wrong with the machine and its network.
 */
#ifndef MCPROXY_CTL_DOCTOR_H
#define MCPROXY_CTL_DOCTOR_H

#include "ctl/command.h"

command_run doctor_run;

#endif
