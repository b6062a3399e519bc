/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs a program of the system (nft, iptables-save, mcproxy -t) and captures its output. Time and size are limited.
 */
#ifndef MCPROXY_CTL_CLIENT_PROGRAM_H
#define MCPROXY_CTL_CLIENT_PROGRAM_H

#include <stdint.h>

#define PROGRAM_OUTPUT_MAX (16u << 20)

/* Returns the standard output of a program that ended with status 0 within so many milliseconds; the caller
 * frees it. The program is searched in PATH and in the directories for administrators. NULL on failure,
 * with an errno in *error: ENOENT: there is no such program; ETIMEDOUT: killed; EIO: it failed. */
char *program_output(const char *const arguments[], unsigned milliseconds, int *error);

/* The same with whatever exit status, in *status, and with what the program prints to its standard error. The first
 * argument may also be a path. */
char *program_report(const char *const arguments[], unsigned milliseconds, int *status, int *error);

/* The monotonic clock. */
int64_t milliseconds_now(void);

#endif
