/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `doctor`: what is wrong with the machine and its network.
 */
#ifndef MCPROXY_CTL_DOCTOR_H
#define MCPROXY_CTL_DOCTOR_H

#include "ctl/diagnosis/checks.h"

/* Makes all checks; those that need the daemon are skipped when it does not answer. */
void doctor_check(const struct machine *machine, struct findings *findings);

#endif
