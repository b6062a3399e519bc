/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mld_members.h"

#include <stdio.h>
#include <string.h>

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
