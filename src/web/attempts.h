/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Wrong passwords of each address: 10 at once, then one in 10 s. A place of the table is free again when all of its
 * failures are that old; what finds no place shares one, so that more addresses bring no more attempts. Pure.
 */
#ifndef MCPROXY_WEB_ATTEMPTS_H
#define MCPROXY_WEB_ATTEMPTS_H

#include "core/base/mtime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATTEMPTS_MAX     10
#define ATTEMPT_INTERVAL (10 * MTIME_SECOND) /* one more after so long */
#define ATTEMPT_PLACES   1024

struct attempts {
	struct {
		unsigned char address[16];
		mtime until;          /* the last failure is forgotten; each one adds an interval */
	} places[ATTEMPT_PLACES + 1]; /* the last one is the shared one */
	uint64_t wrong, refused;
};

/* May this address not try now? It may again within ATTEMPT_INTERVAL. */
bool attempts_are_used_up(const struct attempts *attempts, const unsigned char address[16], mtime now);
/* Counts a wrong password. */
void attempts_add_wrong(struct attempts *attempts, const unsigned char address[16], mtime now);

#endif
