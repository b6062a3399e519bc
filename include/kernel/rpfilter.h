/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reverse path filter settings (net.ipv4.conf.NAME.rp_filter) that -r sets to 0 and puts back. The old values are
 * also kept in a file (RPFILTER_STATE), so that the next start can restore them after a kill. Owner thread only.
 */
#ifndef MCPROXY_KERNEL_RPFILTER_H
#define MCPROXY_KERNEL_RPFILTER_H

#include <stdbool.h>

struct rpfilter; /* opaque: the names and their old values */

/* state_path: file that keeps the old values, NULL for none. Old values found there from a killed run are restored
 * first (their number in *restored). NULL when memory is short. */
struct rpfilter *rpfilter_new(const char *state_path, unsigned *restored);
/* Remembers the value of `name` (an interface or "all") and sets it to 0; once per name. 0 or -errno. */
int rpfilter_disable(struct rpfilter *filter, const char *name);
/* Puts every remembered value back (an interface that is gone is skipped), removes the file, frees. */
void rpfilter_free(struct rpfilter *filter);

/* The value in force for an interface, max(all, name); -errno when it cannot be read. */
int rpfilter_effective(const char *name);

#endif
