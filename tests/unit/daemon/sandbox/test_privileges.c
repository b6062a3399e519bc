/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sandbox/privileges.h"

#include "support/child.h"

#include <linux/capability.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define BIT(capability) (UINT64_C(1) << (capability))
#define NETWORK         (BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW))

static uint64_t capabilities(bool permitted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	if (syscall(SYS_capget, &header, data) != 0)
		return UINT64_MAX;
	return permitted ? data[0].permitted | (uint64_t)data[1].permitted << 32
	                 : data[0].effective | (uint64_t)data[1].effective << 32;
}

static bool holds(uint64_t wanted)
{
	return capabilities(true) == wanted && capabilities(false) == wanted;
}

static void *drop(void *argument)
{
	*(bool *)argument = privileges_drop_all() == 0 && holds(0);
	return NULL;
}

/* Each returns 0 when all is as expected. */

static int worker_drops(void)
{
	uint64_t before = capabilities(true);
	bool dropped = false;
	pthread_t thread;

	if (pthread_create(&thread, NULL, drop, &dropped) != 0 || pthread_join(thread, NULL) != 0)
		return 1;
	return dropped && capabilities(true) == before ? 0 : 2;
}

static int network_stays(void)
{
	uint64_t before = capabilities(true);

	if (privileges_keep(PRIVILEGES_NETWORK) != 0 || !holds(before & NETWORK))
		return 1;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 2;
	if ((before & BIT(CAP_SETPCAP)) != 0 && prctl(PR_CAPBSET_READ, CAP_NET_ADMIN, 0, 0, 0) != 0)
		return 3;
	return 0;
}

static int files_stay(void)
{
	uint64_t before = capabilities(true);

	if (privileges_keep(PRIVILEGES_FILES) != 0)
		return 1;
	if ((capabilities(true) & ~before) != 0 || (capabilities(true) & BIT(CAP_SYS_MODULE)) != 0)
		return 2;
	return (capabilities(false) & NETWORK) == (before & NETWORK) ? 0 : 3;
}

static int another_user_keeps_the_network(void)
{
	const gid_t more[] = {65533};
	gid_t groups[2];

	if (geteuid() != 0)
		return 0;
	if (privileges_become(65534, 65532, more, 1) != 0)
		return 1;
	if (geteuid() != 65534 || getuid() != 65534 || getegid() != 65532 || getgroups(2, groups) != 1 ||
	    groups[0] != 65533)
		return 2;
	if (privileges_keep(PRIVILEGES_NETWORK) != 0 || (capabilities(false) & ~NETWORK) != 0)
		return 3;
	return setuid(0) == 0 ? 4 : 0;
}

static void test_privileges(void **state)
{
	(void)state;
	expect_child(worker_drops);
	expect_child(network_stays);
	expect_child(files_stay);
	expect_child(another_user_keeps_the_network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_privileges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
