/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/join.h"

#include "kernel/socket_option.h"

#include "core/contract/settings.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

/* The defaults of Linux, used when the setting cannot be read. */
/* IPv6 does not count groups, but the option memory of a socket (net.core.optmem_max) is limited: older
 * kernels have room for some 300 groups. */
#define IPV6_GROUPS_PER_SOCKET 128
#define IGMP_MAX_MEMBERSHIPS   20
#define IGMP_MAX_MSF           10
#define MLD_MAX_MSF            64

static int level_of(enum family family)
{
	return family == FAMILY_IPV4 ? IPPROTO_IP : IPPROTO_IPV6;
}

int join_socket(enum family family)
{
	int fd = socket(family == FAMILY_IPV4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	                0);
	int off = 0, least = 0;

	if (fd < 0)
		return -errno;
	/* A failure does no harm: a socket without a port receives nothing anyway. */
	socket_set(fd, level_of(family), family == FAMILY_IPV4 ? IP_MULTICAST_ALL : IPV6_MULTICAST_ALL, &off,
	           sizeof off);
	socket_set(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
	return fd;
}

void join_socket_close(int fd)
{
	close(fd);
}

static struct sockaddr_storage to_kernel(const struct addr *addr)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};

	if (addr_family(addr) == FAMILY_IPV4) {
		memcpy(&ipv4.sin_addr, addr_ipv4_bytes(addr), sizeof ipv4.sin_addr);
		memcpy(&storage, &ipv4, sizeof ipv4);
	} else {
		memcpy(&ipv6.sin6_addr, addr->bytes, sizeof ipv6.sin6_addr);
		memcpy(&storage, &ipv6, sizeof ipv6);
	}
	return storage;
}

static int set_option(int fd, const struct addr *group, int name, const void *value, size_t size)
{
	return socket_set(fd, level_of(addr_family(group)), name, value, size);
}

static int group_option(int fd, int ifindex, const struct addr *group, int name)
{
	struct group_req request = {.gr_interface = (uint32_t)ifindex, .gr_group = to_kernel(group)};

	return set_option(fd, group, name, &request, sizeof request);
}

static int source_option(int fd, int ifindex, const struct addr *group, const struct addr *source, int name)
{
	struct group_source_req request = {
		.gsr_interface = (uint32_t)ifindex,
		.gsr_group = to_kernel(group),
		.gsr_source = to_kernel(source),
	};

	return set_option(fd, group, name, &request, sizeof request);
}

int join_group(int fd, int ifindex, const struct addr *group)
{
	return group_option(fd, ifindex, group, MCAST_JOIN_GROUP);
}

int join_leave(int fd, int ifindex, const struct addr *group)
{
	return group_option(fd, ifindex, group, MCAST_LEAVE_GROUP);
}

int join_source(int fd, int ifindex, const struct addr *group, const struct addr *source)
{
	return source_option(fd, ifindex, group, source, MCAST_JOIN_SOURCE_GROUP);
}

int join_leave_source(int fd, int ifindex, const struct addr *group, const struct addr *source)
{
	return source_option(fd, ifindex, group, source, MCAST_LEAVE_SOURCE_GROUP);
}

int join_set_filter(int fd, int ifindex, const struct addr *group, const struct filter *filter)
{
	size_t count = filter->sources.count, size = GROUP_FILTER_SIZE(count);
	/* The kernel wants the whole structure at least, which has room for one source. */
	struct group_filter *request = calloc(1, size > sizeof *request ? size : sizeof *request);
	int result;

	if (request == NULL)
		return -ENOMEM;
	request->gf_interface = (uint32_t)ifindex;
	request->gf_group = to_kernel(group);
	request->gf_fmode = filter->mode == FILTER_INCLUDE ? MCAST_INCLUDE : MCAST_EXCLUDE;
	request->gf_numsrc = (uint32_t)count;
	for (size_t i = 0; i < count; i++)
		request->gf_slist[i] = to_kernel(&filter->sources.list[i]);
	result = set_option(fd, group, MCAST_MSFILTER, request, size);
	free(request);
	return result;
}

/* The number in a file of /proc/sys/net; `instead` when it cannot be read. */
static long read_setting(const char *name, long instead)
{
	char path[128];
	FILE *file;
	long value;

	snprintf(path, sizeof path, "/proc/sys/net/%s", name);
	file = fopen(path, "re");
	if (file == NULL)
		return instead;
	if (fscanf(file, "%ld", &value) != 1)
		value = instead;
	fclose(file);
	return value;
}

/* A limit of 0 would mean no limit; so it becomes 1, and joins fail with an error. */
static unsigned read_limit(const char *name, long instead)
{
	long value = read_setting(name, instead);

	return value > 0 ? (unsigned)value : 1;
}

unsigned join_groups_max(enum family family)
{
	if (family == FAMILY_IPV6)
		return IPV6_GROUPS_PER_SOCKET;
	return read_limit("ipv4/igmp_max_memberships", IGMP_MAX_MEMBERSHIPS);
}

unsigned join_sources_max(enum family family)
{
	if (family == FAMILY_IPV6)
		return read_limit("ipv6/mld_max_msf", MLD_MAX_MSF);
	return read_limit("ipv4/igmp_max_msf", IGMP_MAX_MSF);
}

/* The first line of an interface ends with the version that its querier lets hosts use, as in
 * "2\teth0      :     3      V2"; lines of groups begin with a tab. force_igmp_version shows there, too. */
static unsigned igmp_version(const char *interface)
{
	FILE *file = fopen("/proc/net/igmp", "re");
	unsigned version = VERSION_3;
	char line[128];

	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		char name[16];
		unsigned querier;

		if (sscanf(line, "%*u %15[^: ] : %*u V%u", name, &querier) != 2 ||
		    strcmp(name, interface) != 0)
			continue;
		if (querier >= VERSION_1 && querier <= VERSION_3)
			version = querier;
		break;
	}
	if (file != NULL)
		fclose(file);
	return version;
}

unsigned join_forced_version(enum family family, const char *interface)
{
	const char *leaf = family == FAMILY_IPV4 ? "force_igmp_version" : "force_mld_version";
	const char *top = family == FAMILY_IPV4 ? "ipv4" : "ipv6";
	char name[64];
	long forced;

	snprintf(name, sizeof name, "%s/conf/all/%s", top, leaf);
	forced = read_setting(name, 0);
	if (forced == 0) {
		snprintf(name, sizeof name, "%s/conf/%.15s/%s", top, interface, leaf);
		forced = read_setting(name, 0);
	}
	if (forced < 1 || forced > (family == FAMILY_IPV4 ? 3 : 2))
		return VERSION_NONE;
	/* MLDv1 counts as version 2. */
	return family == FAMILY_IPV4 ? (unsigned)forced : (unsigned)forced + 1;
}

unsigned join_host_version(enum family family, const char *interface)
{
	unsigned forced = join_forced_version(family, interface);

	if (forced != VERSION_NONE)
		return forced;
	/* The kernel does not show that an MLDv1 querier is present. */
	return family == FAMILY_IPV4 ? igmp_version(interface) : VERSION_3;
}

/* A line is: ifindex, name, address in 32 hexadecimal digits, users, flags, timer. */
size_t mld_member_interfaces(const struct addr *group, int *interfaces, size_t max)
{
	FILE *file = fopen("/proc/net/igmp6", "re");
	char line[256], wanted[33], address[33];
	size_t count = 0;
	int ifindex;

	for (size_t i = 0; i < sizeof group->bytes; i++)
		snprintf(wanted + 2 * i, 3, "%02x", group->bytes[i]);
	while (file != NULL && count < max && fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "%d %*s %32s", &ifindex, address) == 2 && strcmp(address, wanted) == 0)
			interfaces[count++] = ifindex;
	if (file != NULL)
		fclose(file);
	return count;
}
