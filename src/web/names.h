/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of hosts and groups for the page, from files in the format of hosts(5) or of dnsmasq's leases. Nothing is
 * asked by DNS.
 */
#ifndef MCPROXY_WEB_NAMES_H
#define MCPROXY_WEB_NAMES_H

#include <stddef.h>

#define NAMES_FILES_MAX 8

/* {"version":1,"names":{"10.0.1.10":"tv"}}, from the files as they are now; a file that cannot be read adds nothing.
 * The caller frees it; NULL when memory is short. */
char *names_document(const char *const *paths, size_t count);

#endif
