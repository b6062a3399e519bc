/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the kernel takes to join groups, 20 on each socket, and to leave them newest first; by family and
 * number of groups. Prints a table.
 */
#include "kernel/join.h"

#include <err.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PER_SOCKET 20

static double microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static struct addr nth_group(enum family family, unsigned n)
{
	struct addr group = {{0xff, 0x0e, [12] = 0x10}};

	if (family == FAMILY_IPV4)
		return addr_from_ipv4_number(0xef800000U + n);
	group.bytes[13] = (uint8_t)(n >> 16);
	group.bytes[14] = (uint8_t)(n >> 8);
	group.bytes[15] = (uint8_t)n;
	return group;
}

static void measure(enum family family, int ifindex, unsigned count)
{
	unsigned sockets = (count + PER_SOCKET - 1) / PER_SOCKET;
	int *fds = calloc(sockets, sizeof *fds);
	double start = microseconds(), joined, left;

	for (unsigned n = 0; n < count; n++) {
		struct addr group = nth_group(family, n);

		if (n % PER_SOCKET == 0)
			fds[n / PER_SOCKET] = join_socket(family);
		if (join_group(fds[n / PER_SOCKET], ifindex, &group) != 0)
			errx(1, "join %u of %u fails", n, count);
	}
	joined = microseconds();
	for (unsigned n = sockets; n-- > 0;)
		join_socket_close(fds[n]);
	left = microseconds();
	printf("| %s | %u | %.2f us | %.2f ms |\n", family == FAMILY_IPV4 ? "IPv4" : "IPv6", count,
	       (joined - start) / count, (left - joined) / 1000);
	fflush(stdout);
	free(fds);
}

int main(int argc, char **argv)
{
	int ifindex = argc > 2 ? (int)if_nametoindex(argv[1]) : 0;
	struct rlimit limit;

	if (ifindex == 0)
		errx(2, "usage: bench_joins interface count...");
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	puts("| kernel | groups | a join | leaving all, newest first |\n|---|---|---|---|");
	for (int family = 0; family < FAMILIES; family++)
		for (int i = 2; i < argc; i++)
			measure(family, ifindex, (unsigned)strtoul(argv[i], NULL, 10));
	return 0;
}
