/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Settings of interfaces (net.ipv4.conf.NAME.rp_filter and the like) that are changed while the daemon runs
 * and put back at its end. The old values are also kept in a file, so that the next start can put them back
 * after a kill. Owner thread only.
 *
 * Several daemons of a network namespace may need the same setting. Each has a file, with a lock as long as
 * it lives, and reads those of the others: who comes later takes over the old value, and who goes puts it
 * back only if no other run that lives needs the setting.
 */
#ifndef MCPROXY_KERNEL_SYSCTL_H
#define MCPROXY_KERNEL_SYSCTL_H

#include <stdbool.h>

#define SETTINGS_IPV4 "/proc/sys/net/ipv4/conf" /* has a directory for each name */
#define SETTINGS_IPV6 "/proc/sys/net/ipv6/conf"
#define RPFILTER_LEAF "rp_filter"

struct sysctl; /* opaque: the names and their old values */

/* directory, leaf: the settings are directory/NAME/leaf. state_path: file that keeps the old values, NULL for
 * none; its directory is made when missing. In a network namespace other than that of process 1 the
 * namespace's number is appended to the file's name, because names of interfaces mean something in their
 * namespace only; further runs append -2, -3 and so on. Old values found there are of a run that was killed
 * (while a run lives it holds a lock on its file). They are put back first, except where another run needs
 * the setting; their number in *restored. NULL when memory is short. */
struct sysctl *sysctl_new(const char *directory, const char *leaf, const char *state_path,
                          unsigned *restored);

/* Sets the value (0 to 9) of `name` (an interface or "all") after remembering the old one; nothing happens
 * when it is so already. To be called again when an interface has come back: a new one has a new value. 0 or
 * -errno. That the value could not be kept in the file is no failure: see sysctl_state_result. */
int sysctl_set(struct sysctl *kept, const char *name, int value);

/* Reads every setting again, and sets those that somebody else has changed; what was found is from now on
 * what is put back. found: name, what was found, what was wanted, and the result of setting it; -EBUSY, once:
 * another run wants the value that was found, and it stays. */
typedef void kept_settings_found(void *context, const char *name, int value, int wanted, int result);
void kept_settings_check(struct sysctl *kept, kept_settings_found *found, void *context);
/* Is there none to check? */
bool kept_settings_is_empty(const struct sysctl *kept);

/* Puts the value of `name` back as sysctl_free does for all. */
void sysctl_put_back(struct sysctl *kept, const char *name);

/* Why old values would be lost by a kill: 0 when they would not, -errno of the last writing of the file;
 * -EBUSY when too many runs hold one. */
int sysctl_state_result(const struct sysctl *kept);

/* Puts every remembered value back where nobody else has changed it since (an interface that is gone is
 * skipped), removes the file, frees. Values that could not be put back stay in the file for the next start.
 * NULL is let pass. */
void sysctl_free(struct sysctl *kept);

/* The value (0 to 9) of a setting; -errno when it cannot be read. */
int settings_value(const char *directory, const char *name, const char *leaf);
/* The reverse path filter in force for an interface, max(all, name); -errno when it cannot be read. */
int rpfilter_effective(const char *directory, const char *name);

#endif
