/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mrt_family.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#define RECEIVE_BUFFER (16 << 20) /* an upcall takes 832 bytes: room for some 20,000 */
#define BATCH          64
#define UPCALL_SIZE    64 /* enough for the parts that are read in both families, all IP options included */
#define IGMP_MAX       32 /* messages that other CPUs receive may come between a message and its upcall */
#define IGMP_LIFETIME  100

/* An IGMP message without options, whose upcall may come next. */
struct igmp {
	struct addr source, group;
	mtime until; /* 0: none */
};

struct mrt {
	int fd;
	const struct mrt_family *calls;
	struct igmp igmp[IGMP_MAX];
	unsigned next_igmp;
	mtime igmp_until; /* of the newest message */
};

/* A size above net.core.rmem_max needs CAP_NET_ADMIN; the default is enough for small networks. */
static void set_receive_buffer(int fd)
{
	int size = RECEIVE_BUFFER;

	if (mrt_set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
		mrt_set_option(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

/* With MRT_PIM (which includes MRT_ASSERT) the kernel makes upcalls for packets from any wrong vif. These are
 * settings of the table and outlive the socket. A kernel that was built without PIM makes upcalls only for
 * vifs in the outgoing list of the entry. */
static int set_wrong_vif_upcalls(int fd, const struct mrt_family *calls, int on)
{
	int result = mrt_set_option(fd, calls->level, calls->pim, &on, sizeof on);

	if (result != 0 && result != -ENOPROTOOPT)
		return result;
	return mrt_set_option(fd, calls->level, calls->assert, &on, sizeof on);
}

/* Entries from processes that do not own the table stay when its owner goes, and name vif numbers that are
 * this daemon's now. Kernels before 5.1 cannot flush. */
static void flush(int fd, const struct mrt_family *calls)
{
	int entries_and_vifs = 15; /* static ones, too */

	(void)mrt_set_option(fd, calls->level, calls->flush, &entries_and_vifs, sizeof entries_and_vifs);
}

static int start(int fd, const struct mrt_family *calls, uint32_t table)
{
	int version = 1, result;

	result = calls->pass_upcalls_only(fd);
	if (result != 0)
		return result;
	set_receive_buffer(fd);
	if (table != MRT_TABLE_DEFAULT)
		result = mrt_set_option(fd, calls->level, calls->table, &table, sizeof table);
	if (result == 0)
		result = mrt_set_option(fd, calls->level, calls->init, &version, sizeof version);
	if (result != 0)
		return result;
	flush(fd, calls);
	return set_wrong_vif_upcalls(fd, calls, 1);
}

static int open_socket(struct mrt *mrt, uint32_t table)
{
	int result;

	mrt->fd = socket(mrt->calls->domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, mrt->calls->protocol);
	if (mrt->fd < 0)
		return -errno;
	result = start(mrt->fd, mrt->calls, table);
	if (result != 0)
		close(mrt->fd);
	return result;
}

int mrt_open(struct mrt **mrt, enum family family, uint32_t table)
{
	struct mrt *opened = calloc(1, sizeof *opened);
	int result;

	if (opened == NULL)
		return -ENOMEM;
	opened->calls = family == FAMILY_IPV4 ? &mrt_ipv4 : &mrt_ipv6;
	result = open_socket(opened, table);
	if (result != 0) {
		free(opened);
		return result;
	}
	*mrt = opened;
	return 0;
}

bool mrt_is_owned(enum family family, uint32_t table)
{
	struct mrt *mrt;
	int result = mrt_open(&mrt, family, table);

	if (result == 0)
		mrt_close(mrt);
	return result == -EADDRINUSE;
}

void mrt_close(struct mrt *mrt)
{
	set_wrong_vif_upcalls(mrt->fd, mrt->calls, 0);
	close(mrt->fd);
	free(mrt);
}

int mrt_fd(const struct mrt *mrt)
{
	return mrt->fd;
}

int mrt_add_vif(struct mrt *mrt, unsigned vif, int ifindex)
{
	assert(vif < MRT_VIFS);
	return mrt->calls->add_vif(mrt->fd, vif, ifindex);
}

int mrt_del_vif(struct mrt *mrt, unsigned vif)
{
	assert(vif < MRT_VIFS);
	return mrt->calls->del_vif(mrt->fd, vif);
}

bool mrt_has_vif(struct mrt *mrt, unsigned vif)
{
	assert(vif < MRT_VIFS);
	return mrt->calls->has_vif(mrt->fd, vif);
}

int mrt_set_route(struct mrt *mrt, const struct addr *source, const struct addr *group, unsigned input_vif,
                  uint32_t output_vifs)
{
	assert(input_vif < MRT_VIFS);
	return mrt->calls->set_route(mrt->fd, source, group, input_vif, output_vifs);
}

int mrt_del_route(struct mrt *mrt, const struct addr *source, const struct addr *group)
{
	return mrt->calls->del_route(mrt->fd, source, group);
}

int mrt_route_counters(struct mrt *mrt, const struct addr *source, const struct addr *group,
                       struct mrt_counters *counters)
{
	return mrt->calls->route_counters(mrt->fd, source, group, counters);
}

static void note_igmp(struct mrt *mrt, mtime now, const struct mrt_upcall *message)
{
	mrt->igmp_until = now + IGMP_LIFETIME;
	mrt->igmp[mrt->next_igmp++ % IGMP_MAX] =
		(struct igmp){message->source, message->group, mrt->igmp_until};
}

/* Did the message come just before the upcall? Then forgets it: the next packet may be data. */
static bool take_igmp(struct mrt *mrt, mtime now, const struct mrt_upcall *upcall)
{
	if (mrt->igmp_until <= now || upcall->kind != MRT_UPCALL_NOCACHE)
		return false;
	for (struct igmp *igmp = mrt->igmp; igmp < mrt->igmp + IGMP_MAX; igmp++) {
		if (igmp->until <= now || !addr_equal(&igmp->source, &upcall->source) ||
		    !addr_equal(&igmp->group, &upcall->group))
			continue;
		igmp->until = 0;
		return true;
	}
	return false;
}

/* True for an upcall that the caller gets. */
static bool take_message(struct mrt *mrt, mtime now, const uint8_t *bytes, size_t size,
                         struct mrt_upcall *upcall)
{
	enum mrt_message message = mrt->calls->decode(bytes, size, upcall);

	if (message == MRT_MESSAGE_IGMP)
		note_igmp(mrt, now, upcall);
	if (message != MRT_MESSAGE_UPCALL)
		return false;
	upcall->igmp = upcall->igmp || take_igmp(mrt, now, upcall);
	return true;
}

/* Reads one batch. Returns how many messages it has read, or -errno; *kept: how many of them are upcalls for
 * the caller. */
static int receive_batch(struct mrt *mrt, mtime now, struct mrt_upcall *upcalls, size_t max, size_t *kept)
{
	uint8_t bytes[BATCH][UPCALL_SIZE];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	unsigned size = (unsigned)(max < BATCH ? max : BATCH);
	int count;

	for (unsigned i = 0; i < size; i++) {
		parts[i] = (struct iovec){.iov_base = bytes[i], .iov_len = UPCALL_SIZE};
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
	}
	count = recvmmsg(mrt->fd, messages, size, MSG_DONTWAIT, NULL);
	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	*kept = 0;
	for (int i = 0; i < count; i++)
		*kept += take_message(mrt, now, bytes[i], messages[i].msg_len, &upcalls[*kept]);
	return count;
}

int mrt_receive(struct mrt *mrt, mtime now, struct mrt_upcall *upcalls, size_t max)
{
	size_t read = 0, received = 0;

	while (read < max) {
		size_t wanted = max - read < BATCH ? max - read : BATCH, kept;
		int count = receive_batch(mrt, now, upcalls + received, wanted, &kept);

		if (count <= 0)
			return received > 0 ? (int)received : count;
		read += (size_t)count;
		received += kept;
		if ((size_t)count < wanted)
			break;
	}
	return (int)received;
}
