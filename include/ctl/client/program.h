/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs a program of the system (nft, iptables-save) and keeps what it writes. Bounded in time and size.
 */
#ifndef MCPROXY_CTL_CLIENT_PROGRAM_H
#define MCPROXY_CTL_CLIENT_PROGRAM_H

#include <stdint.h>

#define PROGRAM_OUTPUT_MAX (16u << 20)

/* The standard output of a program that ended with status 0 within so many milliseconds, to be freed; the
 * program is looked for in PATH and in the directories of the administrator. Otherwise NULL with the reason
 * in *error, an errno: ENOENT: there is no such program; ETIMEDOUT: killed; EIO: it failed. */
char *program_output(const char *const arguments[], unsigned milliseconds, int *error);

/* Of the monotonic clock. */
int64_t milliseconds_now(void);

#endif
