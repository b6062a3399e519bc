/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The state files of a kernel setting. Each run has its own file while it has values to restore, and locks it
 * while it lives. It has a line `name old own` for each setting, with `held` behind it where that is so. Private
 * to sysctl.c.
 */
#ifndef MCPROXY_KERNEL_SYSCTL_STATE_H
#define MCPROXY_KERNEL_SYSCTL_STATE_H

#include "kernel/sysctl_settings.h"

#define SYSCTL_RUNS_MAX 16 /* with a state file, in a network namespace at the same time */

struct sysctl_state {
	char *path;     /* of the first file; NULL: none */
	unsigned place; /* number of the own file; 0: none yet */
	int fd;         /* the present file, locked; -1: none */
	int result;     /* of the last attempt to write or remove it */
};

/* path: NULL: there are no files. False when memory is short. */
bool sysctl_state_open(struct sysctl_state *state, const char *path);
void sysctl_state_close(struct sysctl_state *state);
/* Writes the settings into the run's file, or removes it where nothing is to be restored. holds: the run has
 * held settings. */
void sysctl_state_save(struct sysctl_state *state, const struct settings *settings, bool holds);
/* The run does not count as live any more. */
void sysctl_state_unlock(const struct sysctl_state *state);

/* The settings of other live runs. */
void sysctl_state_read_others(const struct sysctl_state *state, struct settings *others);
/* Takes over the files of killed runs. They stay locked, and in place, until their values are restored
 * (sysctl_state_end). A file of another user counts as one of a live run. 0, or why a file cannot be taken
 * over. */
int sysctl_state_take_over(struct sysctl_state *state, int fds[SYSCTL_RUNS_MAX], struct settings *own,
                           struct settings *others);
void sysctl_state_end(const struct sysctl_state *state, const int fds[SYSCTL_RUNS_MAX]);

#endif
