/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Settings of interfaces (net.ipv4.conf.NAME.rp_filter and similar) that the daemon changes while it runs and
 * restores at its end. A state file also keeps the old values, so that the next start can restore them after
 * a kill. Owner thread only.
 *
 * Several daemons of a network namespace may need the same setting. Each run has a state file, locked while
 * the run lives, and reads the files of the others. A later run copies the old value from there. A run that
 * ends restores the old value only if no other live run needs the setting.
 */
#ifndef MCPROXY_KERNEL_SYSCTL_H
#define MCPROXY_KERNEL_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>

#define SYSCTL_IPV4      "/proc/sys/net/ipv4/conf" /* has a directory for each interface, and "all" */
#define SYSCTL_IPV6      "/proc/sys/net/ipv6/conf"
#define SYSCTL_RP_FILTER "rp_filter"

struct sysctl; /* opaque: interfaces with their old values */

/* The settings are directory/NAME/leaf. NULL when memory is short.
 *
 * state_path: the file that keeps the old values; NULL: none. A missing directory is made. Names of
 * interfaces are valid in one network namespace only. So in another namespace than that of process 1 the
 * number of the namespace is appended to the file's name. Further runs append -2, -3 and so on.
 *
 * A file without a lock is from a run that was killed. Its old values are restored first, except those of
 * settings that another run needs. *restored: how many. keep: this run goes on where the other one was killed, and
 * takes its settings over as its own. */
struct sysctl *sysctl_new(const char *directory, const char *leaf, const char *state_path, bool keep,
                          unsigned *restored);

/* Stores the old value of `name` (an interface or "all"), and sets the value (0 to 9) unless it is set
 * already. Call it again when an interface has come back, because a new interface has a new value. 0 or
 * -errno. A state file that cannot be written is no failure: see sysctl_state_result. */
int sysctl_set(struct sysctl *sysctl, const char *name, int value);

/* The kernel uses max(all, interface) of rp_filter, so a value below `all` has no effect. Lowers `all`, but
 * first holds all interfaces: each gets at least the old value of `all`, and so does `default`, from which new
 * interfaces copy theirs. sysctl_set ends the hold of an interface. 0 or -errno. */
int sysctl_lower_all(struct sysctl *sysctl, int value);
/* Holds the interfaces that have appeared since, too. */
void sysctl_hold_rest(struct sysctl *sysctl);
/* Undoes sysctl_set: the setting is held again. */
void sysctl_hold(struct sysctl *sysctl, const char *name);
bool sysctl_knows(const struct sysctl *sysctl, const char *name);
/* The n-th name that sysctl_set has set; NULL: there are fewer. */
const char *sysctl_nth_set(const struct sysctl *sysctl, size_t n);
/* The interface is gone. A new one of that name has a new value. */
void sysctl_forget(struct sysctl *sysctl, const char *name);

/* Reads every setting again, and sets those that another program has changed. The value found is the one to
 * be restored from now on. Calls found with the name, the value found, the value wanted, and the result of
 * setting it. -EBUSY, once: another run wants the value found, and it stays. Held settings follow a new value of
 * `all`; a held setting that is higher than it must be stays. */
typedef void sysctl_found(void *context, const char *name, int value, int wanted, int result);
void sysctl_check(struct sysctl *sysctl, sysctl_found *found, void *context);
/* Has it no setting to check? */
bool sysctl_is_empty(const struct sysctl *sysctl);

/* Restores the value of `name`, as sysctl_free does for all. */
void sysctl_put_back(struct sysctl *sysctl, const char *name);

/* 0: the old values survive a kill. Otherwise -errno of the last write of the state file; -EBUSY: too many
 * runs have one. */
int sysctl_state_result(const struct sysctl *sysctl);

/* Restores every old value, unless another program has changed the setting since or the interface is gone.
 * Removes the state file, unless values could not be restored: they stay there for the next start. NULL is
 * allowed. */
void sysctl_free(struct sysctl *sysctl);

/* The value (0 to 9) of a setting; -errno when it cannot be read. */
int sysctl_value(const char *directory, const char *name, const char *leaf);
/* The reverse path filter in force for an interface, max(all, name); -errno when it cannot be read. */
int sysctl_rp_filter(const char *directory, const char *name);

#endif
