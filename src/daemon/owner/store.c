/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/store.h"

#include "core/base/grow.h"
#include "daemon/log/log.h"
#include "daemon/owner/notify.h"
#include "kernel/mrt.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_DESCRIPTOR 3
#define RETRY_INTERVAL   (MTIME_SECOND / 20)
#define NAME_SIZE        128
#define CLOSE_TRIES      20

static const char *const kind_names[STORE_KINDS] = {
	[STORE_MRT] = "mrt", [STORE_JOIN] = "join", [STORE_LINK] = "link"};

struct received {
	int fd; /* -1: taken */
	enum store_kind kind;
	enum family family;
	char object[NAME_SIZE];
	char name[NAME_SIZE];
};

/* A message that could not be sent. */
struct waiting {
	int fd; /* -1: the name is to be removed */
	char name[NAME_SIZE];
};

static struct {
	struct received *received;
	size_t received_count;
	struct waiting *waiting;
	size_t waiting_count, waiting_capacity;
	mtime retry_at;
} store = {.retry_at = MTIME_NEVER};

/* Names that fit into a descriptor's name, whatever their length (FNV-1a). */
static uint32_t hash(const char *name)
{
	uint32_t value = 0x811c9dc5;

	for (; *name != '\0'; name++)
		value = (value ^ (unsigned char)*name) * 0x01000193;
	return value;
}

const char *store_table(uint32_t table, const char *instance, char text[STORE_OBJECT_SIZE])
{
	if (instance != NULL)
		snprintf(text, STORE_OBJECT_SIZE, "%" PRIu32 "-%08" PRIx32, table, hash(instance));
	else if (table == 0)
		snprintf(text, STORE_OBJECT_SIZE, "default");
	else
		snprintf(text, STORE_OBJECT_SIZE, "%" PRIu32, table);
	return text;
}

/* FDNAME allows no colon and no control characters; the dot divides the parts of a name. */
static void escape(const char *object, char *text, size_t size)
{
	size_t used = 0;

	for (; *object != '\0' && used + 5 < size; object++)
		used += (size_t)snprintf(text + used, size - used,
		                         isalnum((unsigned char)*object) || *object == '-' || *object == '_'
		                                 ? "%c"
		                                 : "\\x%02x",
		                         (unsigned char)*object);
	text[used] = '\0';
}

static bool make_name(enum store_kind kind, enum family family, const char *object, int fd,
                      char name[NAME_SIZE])
{
	char escaped[NAME_SIZE / 2 + 8];
	struct stat info;

	if (fstat(fd, &info) != 0)
		return false;
	escape(object, escaped, sizeof escaped);
	snprintf(name, NAME_SIZE, "%s.%s.%s.%ju", kind_names[kind], family == FAMILY_IPV4 ? "ipv4" : "ipv6",
	         escaped, (uintmax_t)info.st_ino);
	return true;
}

static bool send_one(const struct waiting *message)
{
	return message->fd >= 0 ? notify_store(message->fd, message->name) : notify_unstore(message->name);
}

/* Without memory the descriptor is missing in the store: the next run opens another one. */
static void wait_to_send(const struct waiting *message)
{
	struct waiting *list =
		grow(store.waiting, store.waiting_count, &store.waiting_capacity, sizeof *list);

	if (list == NULL)
		return;
	store.waiting = list;
	list[store.waiting_count++] = *message;
}

static void tell(const struct waiting *message)
{
	if (store.waiting_count == 0 && send_one(message))
		return;
	wait_to_send(message);
	if (store.retry_at == MTIME_NEVER)
		store.retry_at = 0;
}

bool store_is_open(void)
{
	return notify_is_open();
}

void store_add(enum store_kind kind, enum family family, const char *object, int fd)
{
	struct waiting message = {.fd = fd};

	if (notify_is_open() && make_name(kind, family, object, fd, message.name))
		tell(&message);
}

void store_remove(enum store_kind kind, enum family family, const char *object, int fd)
{
	struct waiting message = {.fd = -1};

	if (!notify_is_open() || !make_name(kind, family, object, fd, message.name))
		return;
	for (size_t i = store.waiting_count; i-- > 0;)
		if (store.waiting[i].fd == fd) {
			memmove(&store.waiting[i], &store.waiting[i + 1],
			        (--store.waiting_count - i) * sizeof store.waiting[0]);
			return;
		}
	tell(&message);
}

void store_turn(mtime now)
{
	size_t sent = 0;

	if (store.waiting_count == 0 || store.retry_at > now)
		return;
	while (sent < store.waiting_count && send_one(&store.waiting[sent]))
		sent++;
	store.waiting_count -= sent;
	memmove(store.waiting, store.waiting + sent, store.waiting_count * sizeof store.waiting[0]);
	store.retry_at = store.waiting_count > 0 ? now + RETRY_INTERVAL : MTIME_NEVER;
}

mtime store_deadline(void)
{
	return store.retry_at;
}

static void drop(struct received *received)
{
	struct waiting message = {.fd = -1};

	memcpy(message.name, received->name, sizeof message.name);
	tell(&message);
	close(received->fd);
	received->fd = -1;
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t size = sizeof value;

	return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

/* Is it such a socket? */
static bool is_right(const struct received *received)
{
	int domain = option(received->fd, SO_DOMAIN), type = option(received->fd, SO_TYPE);

	if (received->kind == STORE_LINK)
		return domain == AF_PACKET && type == SOCK_DGRAM;
	return domain == (received->family == FAMILY_IPV4 ? AF_INET : AF_INET6) &&
	       type == (received->kind == STORE_MRT ? SOCK_RAW : SOCK_DGRAM);
}

/* Splits a name that make_name has made for the same socket. */
static bool read_name(struct received *received)
{
	char kind[8], family[8], object[NAME_SIZE], again[NAME_SIZE];
	size_t used = 0;

	if (sscanf(received->name, "%7[^.].%7[^.].%127[^.]", kind, family, object) != 3)
		return false;
	received->kind = STORE_MRT;
	while (received->kind < STORE_KINDS && strcmp(kind_names[received->kind], kind) != 0)
		received->kind++;
	received->family = strcmp(family, "ipv4") == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
	for (const char *at = object; *at != '\0'; used++) {
		unsigned byte = (unsigned char)*at;

		if (at[0] == '\\' && at[1] == 'x' && isxdigit((unsigned char)at[2]) &&
		    isxdigit((unsigned char)at[3]) && sscanf(at + 2, "%2x", &byte) == 1)
			at += 4;
		else
			at++;
		received->object[used] = (char)byte;
	}
	received->object[used] = '\0';
	return received->kind < STORE_KINDS && is_right(received) &&
	       make_name(received->kind, received->family, received->object, received->fd, again) &&
	       strcmp(again, received->name) == 0;
}

static void take_variable(const char *name, char *text, size_t size)
{
	const char *value = getenv(name);

	snprintf(text, size, "%s", value != NULL ? value : "");
	unsetenv(name);
}

/* The manager removes by name: of two with one name none may be removed. */
static bool is_duplicate(const struct received *received)
{
	for (size_t i = 0; i < store.received_count; i++)
		if (strcmp(store.received[i].name, received->name) == 0)
			return true;
	return false;
}

static void receive(int count, const char *names, bool adopt)
{
	unsigned unknown = 0;

	store.received = calloc((size_t)count, sizeof *store.received);
	for (int i = 0; i < count; i++) {
		struct received one = {.fd = FIRST_DESCRIPTOR + i};
		size_t length = strcspn(names, ":");

		snprintf(one.name, sizeof one.name, "%.*s", (int)length, names);
		names += length + (names[length] == ':');
		fcntl(one.fd, F_SETFD, FD_CLOEXEC);
		if (is_duplicate(&one)) {
			close(one.fd);
			continue;
		}
		if (store.received != NULL && adopt && read_name(&one)) {
			store.received[store.received_count++] = one;
			continue;
		}
		unknown++;
		drop(&one);
	}
	if (unknown > 0)
		info("%u descriptors of an earlier run are %s: closed", unknown,
		     adopt ? "not known" : "not adopted (--no-adopt)");
}

void store_open(bool adopt)
{
	const char *variable = getenv("LISTEN_FDNAMES");
	char *names = strdup(variable != NULL ? variable : "");
	char pid[16], count[16];

	take_variable("LISTEN_PID", pid, sizeof pid);
	take_variable("LISTEN_FDS", count, sizeof count);
	unsetenv("LISTEN_FDNAMES");
	unsetenv("LISTEN_PIDFDID");
	if (names != NULL && strtol(pid, NULL, 10) == getpid() && strtol(count, NULL, 10) > 0)
		receive((int)strtol(count, NULL, 10), names, adopt);
	free(names);
}

/* The manager's socket has room for few messages. */
void store_flush(void)
{
	for (int i = 0; i < CLOSE_TRIES && store.waiting_count > 0; i++) {
		store.retry_at = 0;
		store_turn(0);
		if (store.waiting_count > 0)
			notify_wait(RETRY_INTERVAL);
	}
}

void store_close(void)
{
	for (enum store_kind kind = STORE_MRT; kind < STORE_KINDS; kind++)
		store_drop(kind);
	store_flush();
	free(store.received);
	free(store.waiting);
	store.received = NULL;
	store.waiting = NULL;
	store.received_count = store.waiting_count = store.waiting_capacity = 0;
	store.retry_at = MTIME_NEVER;
}

int store_take(enum store_kind kind, enum family family, const char *object)
{
	for (size_t i = 0; i < store.received_count; i++) {
		struct received *received = &store.received[i];
		int fd = received->fd;

		if (fd < 0 || received->kind != kind || received->family != family ||
		    strcmp(received->object, object) != 0)
			continue;
		received->fd = -1;
		return fd;
	}
	return -1;
}

uint32_t store_next_own(enum family family, size_t *cursor, const char **object)
{
	while (*cursor < store.received_count) {
		const struct received *received = &store.received[(*cursor)++];

		if (received->fd < 0 || received->kind != STORE_MRT || received->family != family ||
		    strchr(received->object, '-') == NULL)
			continue;
		*object = received->object;
		return (uint32_t)strtoul(received->object, NULL, 10);
	}
	return 0;
}

bool store_has(enum store_kind kind)
{
	for (size_t i = 0; i < store.received_count; i++)
		if (store.received[i].fd >= 0 && store.received[i].kind == kind)
			return true;
	return false;
}

void store_end_tables(void)
{
	for (size_t i = 0; i < store.received_count; i++)
		if (store.received[i].fd >= 0 && store.received[i].kind == STORE_MRT)
			mrt_end(store.received[i].family, store.received[i].fd);
	store_drop(STORE_MRT);
}

unsigned store_drop(enum store_kind kind)
{
	unsigned dropped = 0;

	for (size_t i = 0; i < store.received_count; i++)
		if (store.received[i].fd >= 0 && store.received[i].kind == kind) {
			drop(&store.received[i]);
			dropped++;
		}
	return dropped;
}
