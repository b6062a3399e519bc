/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/machine/proc_net.h"

#include <limits.h>
#include <stdlib.h>

/* Eight hexadecimal digits: the address in the byte order of this machine. */
static bool igmp_line(const char *line, struct addr *group)
{
	unsigned number;
	uint8_t bytes[4];

	if (line[0] != '\t' || sscanf(line, " %8x", &number) != 1)
		return false;
	memcpy(bytes, &number, sizeof bytes);
	*group = addr_from_ipv4(bytes);
	return true;
}

static bool joined_igmp(FILE *file, const char *interface, const struct addr *group)
{
	char line[256], name[64] = "";
	struct addr addr;

	/* One line for each interface, `1 eth0 : 3 V3`, with no blank after a long name; below it one line for each
	 * group. */
	while (fgets(line, sizeof line, file) != NULL)
		if (line[0] != '\t')
			sscanf(line, "%*d %63[^: ]", name);
		else if (strcmp(name, interface) == 0 && igmp_line(line, &addr) && addr_equal(&addr, group))
			return true;
	return false;
}

static bool joined_igmp6(FILE *file, const char *interface, const struct addr *group)
{
	char line[256], name[64], digits[33];

	while (fgets(line, sizeof line, file) != NULL) {
		char wanted[33];

		if (sscanf(line, "%*d %63s %32[0-9a-f]", name, digits) != 2 || strcmp(name, interface) != 0)
			continue;
		for (size_t i = 0; i < sizeof group->bytes; i++)
			snprintf(wanted + 2 * i, 3, "%02x", group->bytes[i]);
		if (strcmp(wanted, digits) == 0)
			return true;
	}
	return false;
}

bool joined_group(FILE *file, enum family family, const char *interface, const struct addr *group)
{
	return family == FAMILY_IPV4 ? joined_igmp(file, interface, group)
	                             : joined_igmp6(file, interface, group);
}

/* The position of a word in a line that begins with `section:`; 0: not there. */
static unsigned word_place(char *line, const char *section, const char *name)
{
	unsigned place = 0;
	char *rest, *word;

	if (strncmp(line, section, strlen(section)) != 0 || line[strlen(section)] != ':')
		return 0;
	for (word = strtok_r(line, " \n", &rest); word != NULL; word = strtok_r(NULL, " \n", &rest), place++)
		if (strcmp(word, name) == 0)
			return place;
	return 0;
}

long long read_counter(FILE *file, const char *section, const char *name)
{
	char names[8192], values[8192], *rest, *word;

	/* Lines come in pairs: names, then values. */
	while (fgets(names, sizeof names, file) != NULL && fgets(values, sizeof values, file) != NULL) {
		unsigned place = word_place(names, section, name);

		if (place == 0)
			continue;
		for (word = strtok_r(values, " \n", &rest); word != NULL; word = strtok_r(NULL, " \n", &rest))
			if (place-- == 0)
				return strtoll(word, NULL, 10);
	}
	return -1;
}

long read_setting(const char *root, const char *name, long missing)
{
	char path[PATH_MAX];
	long value = missing;
	FILE *file;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", root, name) >= sizeof path)
		return missing;
	file = fopen(path, "re");
	if (file == NULL)
		return missing;
	if (fscanf(file, "%ld", &value) != 1)
		value = missing;
	fclose(file);
	return value;
}

long read_rp_filter(const char *root, const char *interface)
{
	char name[128];
	long all = read_setting(root, "net/ipv4/conf/all/rp_filter", 0), own;

	snprintf(name, sizeof name, "net/ipv4/conf/%s/rp_filter", interface);
	own = read_setting(root, name, 0);
	return own > all ? own : all;
}
