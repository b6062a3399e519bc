/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Readers of /proc, on samples.
 */
#include "ctl/machine/proc_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "support/craft.h"

static FILE *sample(const char *text)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(file);
	return file;
}

/* The numbers are in this machine's byte order, as the kernel prints them. */
static void igmp_sample(char text[512])
{
	uint32_t all, tv;

	memcpy(&all, (const uint8_t[]){224, 0, 0, 1}, 4);
	memcpy(&tv, (const uint8_t[]){239, 1, 2, 3}, 4);
	snprintf(text, 512,
	         "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
	         "1\tlo        :     1      V3\n\t\t\t\t%08X     1 0:00000000\t\t0\n"
	         "2\teth0      :     2      V3\n\t\t\t\t%08X     1 0:00000000\t\t0\n\t\t\t\t%08X     1 "
	         "0:00000000\t\t0\n"
	         "3\tenp0s31f6.35: 1      V3\n\t\t\t\t%08X     1 0:00000000\t\t0\n",
	         all, tv, all, tv);
}

static void joined_groups_are_found(void **state)
{
	static const char igmp6[] =
		"1    lo              ff020000000000000000000000000001     1 0000000C 0\n"
		"2    eth0            ff1e0000000000000000000000010003     1 00000004 0\n";
	static const struct {
		const char *interface, *group;
		bool joined;
	} rows[] = {
		{"eth0", "239.1.2.3", true},         {"lo", "239.1.2.3", false},
		{"eth0", "239.1.2.4", false},        {"lo", "224.0.0.1", true},
		{"eth1", "224.0.0.1", false},        {"eth0", "ff1e::1:3", true},
		{"enp0s31f6.35", "239.1.2.3", true}, {"enp0s31f6.35", "224.0.0.1", false},
		{"lo", "ff1e::1:3", false},          {"eth0", "ff1e::3", false},
	};
	char igmp[512];

	(void)state;
	igmp_sample(igmp);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr group = addr_of(rows[i].group);
		FILE *file = sample(addr_family(&group) == FAMILY_IPV4 ? igmp : igmp6);

		assert_int_equal(joined_group(file, addr_family(&group), rows[i].interface, &group),
		                 rows[i].joined);
		fclose(file);
	}
}

static void counters_are_found_by_name(void **state)
{
	static const char netstat[] =
		"TcpExt: SyncookiesSent IPReversePathFilter PruneCalled\nTcpExt: 1 22 333\n"
		"IpExt: InMcastPkts OutMcastPkts\nIpExt: 4444 55555\n";
	static const struct {
		const char *section, *name;
		long long value;
	} rows[] = {
		{"TcpExt", "SyncookiesSent", 1}, {"TcpExt", "IPReversePathFilter", 22},
		{"TcpExt", "PruneCalled", 333},  {"IpExt", "OutMcastPkts", 55555},
		{"IpExt", "PruneCalled", -1},    {"Ip", "InMcastPkts", -1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		FILE *file = sample(netstat);

		assert_int_equal(read_counter(file, rows[i].section, rows[i].name), rows[i].value);
		fclose(file);
	}
}

static void put(const char *directory, const char *name, const char *value)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(value, file);
	fclose(file);
}

static void the_stricter_filter_is_in_force(void **state)
{
	static const struct {
		const char *all, *own;
		long effective;
	} rows[] = {{"0\n", "0\n", 0}, {"1\n", "0\n", 1}, {"0\n", "1\n", 1},
	            {"2\n", "1\n", 2}, {"1\n", "2\n", 2}, {"x\n", "1\n", 1}};
	char root[] = "/tmp/mcproxy-proc-XXXXXX", command[64];

	(void)state;
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < LENGTH(rows); i++) {
		put(root, "net/ipv4/conf/all/rp_filter", rows[i].all);
		put(root, "net/ipv4/conf/eth0/rp_filter", rows[i].own);
		assert_int_equal(read_rp_filter(root, "eth0"), rows[i].effective);
	}
	assert_int_equal(read_setting(root, "net/ipv4/igmp_max_memberships", -1), -1);
	snprintf(command, sizeof command, "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joined_groups_are_found),
		cmocka_unit_test(counters_are_found_by_name),
		cmocka_unit_test(the_stricter_filter_is_in_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
