/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Landlock: which files and directories the process can reach, whatever its user and capabilities. The main
 * thread uses it before there are others.
 */
#ifndef MCPROXY_DAEMON_SANDBOX_LANDLOCK_H
#define MCPROXY_DAEMON_SANDBOX_LANDLOCK_H

#include <stddef.h>

/* Does this build use Landlock? A smaller one then leaves out what only serves it. */
#ifdef MCPROXY_LANDLOCK
#define LANDLOCK_IS_BUILT 1
#else
#define LANDLOCK_IS_BUILT 0
#endif

enum landlock_access {
	LANDLOCK_READ,    /* files and directories */
	LANDLOCK_WRITE,   /* files that exist; also reads them */
	LANDLOCK_REPLACE, /* also makes, renames and removes files and Unix sockets */
};

/* What may be done to a file, or to all beneath a directory. */
struct landlock_rule {
	const char *path;
	enum landlock_access access;
};

/* Permits what the rules list and nothing else, for the rest of the process's life. A rule whose path does not
 * exist has no effect. Where the kernel can refuse these too, the process makes no TCP connection, connects to
 * no abstract Unix socket and signals no other process. Returns the version of the kernel's interface (1 and
 * up), or -errno: -ENOSYS or -EOPNOTSUPP where the kernel has no Landlock, -ENOPKG where the build does not use
 * it. */
int landlock_restrict(const struct landlock_rule *rules, size_t count);

#endif
