/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `doctor` does: reads the machine, and makes all checks.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_DOCTOR_H
#define MCPROXY_CTL_DIAGNOSIS_DOCTOR_H

#include "ctl/diagnosis/checks.h"

/* Reads all of the machine but its firewall; machine->daemon is there already. 0 or -errno. */
int doctor_gather(struct machine *machine);
/* Makes all checks, and sorts the findings; those that need the daemon are skipped when it does not answer. */
void doctor_check(const struct machine *machine, struct findings *findings);

#endif
