/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The difference between the configuration in force and a new one: which instances continue, which of those
 * have changed, which end and which begin. Pure.
 *
 * A new instance continues the running one of the same name, or else the one with the same upstream links,
 * or else one with a downstream link in common. It never continues one with another kernel table, because
 * its routes would have to move.
 */
#ifndef MCPROXY_DAEMON_CONFIG_DIFF_H
#define MCPROXY_DAEMON_CONFIG_DIFF_H

#include "daemon/config/config.h"

#include <stdint.h>

enum diff_kind {
	DIFF_KEEP,   /* nothing has changed */
	DIFF_CHANGE, /* links, settings or the name have changed */
	DIFF_ADD,
};

struct config_diff {
	/* For each instance of the new configuration. */
	uint8_t slots[CONFIG_INSTANCES_MAX];
	uint8_t kinds[CONFIG_INSTANCES_MAX]; /* enum diff_kind */
	uint64_t removed;                    /* set of slots whose instances end */
};

/* running: the instances in force by slot, NULL in free slots. New instances get free slots, not those of
 * instances that end. False when there are too few. */
bool config_diff_plan(struct config_diff *diff,
                      const struct config_instance *const running[CONFIG_INSTANCES_MAX],
                      const struct config *config);

/* Describes what has changed, for the log: "+eth3 -eth2 eth1: settings". Cut when it does not fit. */
void config_diff_describe(const struct config_instance *before, const struct config_instance *after,
                          char *text, size_t size);

#endif
