/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reverse path filter settings (net.ipv4.conf.NAME.rp_filter) that -r sets to 0 and puts back. The old
 * values are also kept in a file, so that the next start can put them back after a kill. Owner thread only.
 *
 * A value is put back only where 0 still stands: what somebody else has set meanwhile is left alone.
 */
#ifndef MCPROXY_KERNEL_RPFILTER_H
#define MCPROXY_KERNEL_RPFILTER_H

#include <stdbool.h>

#define RPFILTER_SETTINGS "/proc/sys/net/ipv4/conf" /* has a directory for each name */

struct rpfilter; /* opaque: the names and their old values */

/* settings: the directory of the settings (RPFILTER_SETTINGS). state_path: file that keeps the old values,
 * NULL for none; its directory is made when missing. In a network namespace other than that of process 1 the
 * namespace's number is appended to the file's name, because names of interfaces mean something in their
 * namespace only. Old values found there are of a run that was killed (while a run lives it holds a lock on
 * the file), and are put back first, their number in *restored. NULL when memory is short. */
struct rpfilter *rpfilter_new(const char *settings, const char *state_path, unsigned *restored);

/* Sets the value of `name` (an interface or "all") to 0 after remembering it; nothing happens when it is 0
 * already. To be called again when an interface has come back: a new one has a new value. 0 or -errno. That
 * the value could not be kept in the file is no failure: see rpfilter_state_result. */
int rpfilter_disable(struct rpfilter *filter, const char *name);

/* Why old values would be lost by a kill: 0 when they would not, -errno of the last writing of the file;
 * -EBUSY when another run holds the file. */
int rpfilter_state_result(const struct rpfilter *filter);

/* Puts every remembered value back (an interface that is gone is skipped), removes the file, frees. Values
 * that could not be put back stay in the file for the next start. NULL is let pass. */
void rpfilter_free(struct rpfilter *filter);

/* The value in force for an interface, max(all, name); -errno when it cannot be read. */
int rpfilter_effective(const char *settings, const char *name);

#endif
