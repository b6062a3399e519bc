/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for store.c in a build without notifications to a service manager.
 */
#include "daemon/owner/store.h"

const char *store_table(uint32_t table, const char *instance, char text[STORE_OBJECT_SIZE])
{
	(void)table;
	(void)instance;
	text[0] = '\0';
	return text;
}

void store_open(bool adopt)
{
	(void)adopt;
}

void store_flush(void)
{
}

void store_close(void)
{
}

int store_take(enum store_kind kind, enum family family, const char *object)
{
	(void)kind;
	(void)family;
	(void)object;
	return -1;
}

bool store_is_open(void)
{
	return false;
}

void store_add(enum store_kind kind, enum family family, const char *object, int fd)
{
	(void)kind;
	(void)family;
	(void)object;
	(void)fd;
}

void store_remove(enum store_kind kind, enum family family, const char *object, int fd)
{
	store_add(kind, family, object, fd);
}

void store_turn(mtime now)
{
	(void)now;
}

mtime store_deadline(void)
{
	return MTIME_NEVER;
}
