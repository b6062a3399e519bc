/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sandbox/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(capability) (UINT64_C(1) << (capability))
#define NETWORK         (BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW))
#define FILES           (BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_CHOWN) | BIT(CAP_FOWNER))

static const uint64_t kept[] = {
	[PRIVILEGES_NETWORK] = NETWORK,
	[PRIVILEGES_FILES] = NETWORK | FILES | BIT(CAP_SYS_NICE),
};

/* Keeps those of the capabilities given that the calling thread has, and makes them effective. */
static int keep(uint64_t capabilities)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data) != 0)
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= (uint32_t)(capabilities >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}

/* Needs CAP_SETPCAP, which only root has. Without it the set is the service manager's. */
static void empty_bounding_set(void)
{
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

int privileges_become(uid_t user, gid_t group, const gid_t *groups, size_t count)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setgroups(count, groups) != 0 ||
	    setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0)
		return -errno;
	/* The change of the user has made no capability effective: the next call needs some. */
	return keep(UINT64_MAX);
}

int privileges_keep(enum privileges_set set)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	empty_bounding_set();
	return keep(kept[set]);
}

int privileges_drop_all(void)
{
	return keep(0);
}
