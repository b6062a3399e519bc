/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sandbox/landlock.h"

#include <errno.h>

#ifdef MCPROXY_LANDLOCK
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The interface of the kernel, which many systems' headers lack or have an old version of. All architectures
 * have the same numbers. */
#define CREATE_RULESET    444
#define ADD_RULE          445
#define RESTRICT_SELF     446
#define QUERY_VERSION     1U
#define RULE_PATH         1
#define FS_WRITE_FILE     (UINT64_C(1) << 1)
#define FS_READ_FILE      (UINT64_C(1) << 2)
#define FS_READ_DIR       (UINT64_C(1) << 3)
#define FS_REMOVE_FILE    (UINT64_C(1) << 5)
#define FS_MAKE_REG       (UINT64_C(1) << 8)
#define FS_MAKE_SOCK      (UINT64_C(1) << 9)
#define FS_FIRST          ((UINT64_C(1) << 13) - 1) /* what version 1 knows */
#define FS_REFER          (UINT64_C(1) << 13)       /* version 2 */
#define FS_TRUNCATE       (UINT64_C(1) << 14)       /* version 3 */
#define FS_IOCTL_DEVICE   (UINT64_C(1) << 15)       /* version 5 */
#define NET_TCP           UINT64_C(3)               /* bind and connect, version 4 */
#define SCOPES            UINT64_C(3)               /* abstract Unix sockets and signals, version 6 */
#define FS_OF_FILES       (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)
#define SIZE_WITH_FILES   8
#define SIZE_WITH_NETWORK 16
#define SIZE_WITH_SCOPES  24

struct ruleset {
	uint64_t files, network, scopes;
};

struct path_rule {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

/* All that the kernel can refuse. A service manager's abstract socket is connected before. */
static size_t describe(struct ruleset *ruleset, int version)
{
	*ruleset = (struct ruleset){.files = FS_FIRST};
	if (version >= 2)
		ruleset->files |= FS_REFER;
	if (version >= 3)
		ruleset->files |= FS_TRUNCATE;
	if (version >= 5)
		ruleset->files |= FS_IOCTL_DEVICE;
	if (version < 4)
		return SIZE_WITH_FILES;
	ruleset->network = NET_TCP;
	if (version < 6)
		return SIZE_WITH_NETWORK;
	ruleset->scopes = SCOPES;
	return SIZE_WITH_SCOPES;
}

static uint64_t rights_of(enum landlock_access access)
{
	uint64_t rights = FS_READ_FILE | FS_READ_DIR;

	switch (access) {
	case LANDLOCK_READ:
		break;
	case LANDLOCK_WRITE:
		rights |= FS_WRITE_FILE | FS_TRUNCATE;
		break;
	case LANDLOCK_REPLACE:
		rights |= FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_FILE | FS_MAKE_REG | FS_MAKE_SOCK;
		break;
	}
	return rights;
}

/* 0 or -errno. */
static int add_rule(int ruleset_fd, uint64_t handled, const struct landlock_rule *rule)
{
	struct path_rule path = {.access = rights_of(rule->access) & handled,
	                         .fd = open(rule->path, O_PATH | O_CLOEXEC)};
	struct stat status;
	int result = 0;

	if (path.fd < 0)
		return 0;
	if (fstat(path.fd, &status) == 0 && !S_ISDIR(status.st_mode))
		path.access &= FS_OF_FILES;
	if (syscall(ADD_RULE, ruleset_fd, RULE_PATH, &path, 0) != 0)
		result = -errno;
	close(path.fd);
	return result;
}

int landlock_restrict(const struct landlock_rule *rules, size_t count)
{
	int version = (int)syscall(CREATE_RULESET, NULL, 0, QUERY_VERSION), fd, result = 0;
	struct ruleset ruleset;
	size_t size;

	if (version < 0)
		return -errno;
	size = describe(&ruleset, version);
	fd = (int)syscall(CREATE_RULESET, &ruleset, size, 0);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; result == 0 && i < count; i++)
		result = add_rule(fd, ruleset.files, &rules[i]);
	if (result == 0 &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(RESTRICT_SELF, fd, 0) != 0))
		result = -errno;
	close(fd);
	return result == 0 ? version : result;
}
#else
int landlock_restrict(const struct landlock_rule *rules, size_t count)
{
	(void)rules;
	(void)count;
	return -ENOPKG;
}
#endif
