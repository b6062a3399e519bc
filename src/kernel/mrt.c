/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mrt_family.h"
#include "kernel/mrt_igmp.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define RECEIVE_BUFFER (16 << 20) /* an upcall takes 832 bytes: room for some 20,000 */
#define BATCH          64
#define UPCALL_SIZE    64 /* enough for the parts that are read in both families, all IP options included */

struct mrt {
	int fd;
	const struct mrt_family *calls;
	struct mrt_igmp *igmp; /* NULL: IPv6 */
	int epoll;             /* of both sockets; -1: IPv6 */
	int ifindex[MRT_VIFS]; /* 0: no vif */
	uint8_t thresholds[MRT_VIFS];
};

/* With MRT_PIM (which includes MRT_ASSERT) the kernel makes upcalls for packets from any wrong vif. These are
 * settings of the table and outlive the socket. A kernel that was built without PIM makes upcalls only for
 * vifs in the outgoing list of the entry. */
static int set_wrong_vif_upcalls(int fd, const struct mrt_family *calls, int on)
{
	int result = socket_set(fd, calls->level, calls->pim, &on, sizeof on);

	if (result != 0 && result != -ENOPROTOOPT)
		return result;
	return socket_set(fd, calls->level, calls->assert, &on, sizeof on);
}

/* Entries from processes that do not own the table stay when its owner goes, and name vif numbers that are
 * this daemon's now. Kernels before 5.1 cannot flush. */
static void flush(int fd, const struct mrt_family *calls)
{
	int entries_and_vifs = 15; /* static ones, too */

	(void)socket_set(fd, calls->level, calls->flush, &entries_and_vifs, sizeof entries_and_vifs);
}

static int own_table(int fd, const struct mrt_family *calls, uint32_t table)
{
	int version = 1, result = 0;

	if (table != MRT_TABLE_DEFAULT)
		result = socket_set(fd, calls->level, calls->table, &table, sizeof table);
	if (result == 0)
		result = socket_set(fd, calls->level, calls->init, &version, sizeof version);
	if (result == 0)
		flush(fd, calls);
	return result;
}

/* inherited: the socket owns the table already. */
static int start(int fd, const struct mrt_family *calls, uint32_t table, bool inherited)
{
	int result = calls->pass_upcalls_only(fd);

	if (result != 0)
		return result;
	socket_set_receive_buffer(fd, RECEIVE_BUFFER);
	if (!inherited)
		result = own_table(fd, calls, table);
	return result == 0 ? set_wrong_vif_upcalls(fd, calls, 1) : result;
}

static const struct mrt_family *family_calls(enum family family)
{
	return family == FAMILY_IPV4 ? &mrt_ipv4 : &mrt_ipv6;
}

static int watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

/* Messages that make no upcalls must be read, too: the buffer would become full. */
static int open_igmp(struct mrt *mrt)
{
	int result = mrt_igmp_open(&mrt->igmp);

	if (result != 0)
		return result;
	mrt->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (mrt->epoll < 0)
		return -errno;
	result = watch(mrt->epoll, mrt->fd);
	return result != 0 ? result : watch(mrt->epoll, mrt_igmp_fd(mrt->igmp));
}

/* Takes the descriptor over. */
static int open_on(struct mrt **mrt, enum family family, uint32_t table, int fd, bool inherited)
{
	struct mrt *opened = calloc(1, sizeof *opened);
	int result = -ENOMEM;

	if (opened != NULL) {
		opened->calls = family_calls(family);
		opened->epoll = -1;
		opened->fd = fd;
		memset(opened->thresholds, MRT_TTL_THRESHOLD, sizeof opened->thresholds);
		result = start(fd, opened->calls, table, inherited);
	}
	if (result != 0) {
		close(fd);
		free(opened);
		return result;
	}
	if (family == FAMILY_IPV4)
		result = open_igmp(opened);
	if (result != 0) {
		mrt_close(opened);
		return result;
	}
	*mrt = opened;
	return 0;
}

int mrt_open(struct mrt **mrt, enum family family, uint32_t table)
{
	const struct mrt_family *calls = family_calls(family);
	int fd = socket(calls->domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, calls->protocol);

	return fd >= 0 ? open_on(mrt, family, table, fd, false) : -errno;
}

int mrt_adopt(struct mrt **mrt, enum family family, int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return open_on(mrt, family, MRT_TABLE_DEFAULT, fd, true);
}

void mrt_end(enum family family, int fd)
{
	const struct mrt_family *calls = family_calls(family);
	int unused = 0;

	(void)socket_set(fd, calls->level, calls->done, &unused, sizeof unused);
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
	int unused = 0;

	set_wrong_vif_upcalls(mrt->fd, mrt->calls, 0);
	/* Closing is not enough while a service manager has a duplicate. */
	(void)socket_set(mrt->fd, mrt->calls->level, mrt->calls->done, &unused, sizeof unused);
	if (mrt->epoll >= 0)
		close(mrt->epoll);
	mrt_igmp_close(mrt->igmp);
	close(mrt->fd);
	free(mrt);
}

int mrt_fd(const struct mrt *mrt)
{
	return mrt->fd;
}

int mrt_wait_fd(const struct mrt *mrt)
{
	return mrt->epoll >= 0 ? mrt->epoll : mrt->fd;
}

int mrt_add_vif(struct mrt *mrt, unsigned vif, int ifindex)
{
	assert(vif < MRT_VIFS);
	mrt->ifindex[vif] = ifindex;
	return mrt->calls->add_vif(mrt->fd, vif, ifindex, mrt->thresholds[vif]);
}

void mrt_adopt_vif(struct mrt *mrt, unsigned vif, int ifindex)
{
	assert(vif < MRT_VIFS);
	mrt->ifindex[vif] = ifindex;
}

void mrt_set_threshold(struct mrt *mrt, unsigned vif, uint8_t threshold)
{
	assert(vif < MRT_VIFS);
	mrt->thresholds[vif] = threshold;
}

uint8_t mrt_threshold(const struct mrt *mrt, unsigned vif)
{
	assert(vif < MRT_VIFS);
	return mrt->thresholds[vif];
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
	return mrt->calls->change_route(mrt->fd, true, source, group, input_vif, output_vifs,
	                                mrt->thresholds);
}

int mrt_del_route(struct mrt *mrt, const struct addr *source, const struct addr *group)
{
	return mrt->calls->change_route(mrt->fd, false, source, group, 0, 0, mrt->thresholds);
}

int mrt_route_counters(struct mrt *mrt, const struct addr *source, const struct addr *group,
                       struct mrt_counters *counters)
{
	return mrt->calls->route_counters(mrt->fd, source, group, counters);
}

/* The kernel queues a message before its upcall: these messages are read after the upcalls. */
static void find_igmp(struct mrt *mrt, mtime now, struct mrt_upcall *upcalls, size_t count)
{
	if (mrt->igmp == NULL)
		return;
	mrt_igmp_read(mrt->igmp, now);
	for (struct mrt_upcall *upcall = upcalls; upcall < upcalls + count; upcall++)
		if (upcall->kind == MRT_UPCALL_NOCACHE && upcall->vif < MRT_VIFS && !upcall->igmp)
			upcall->igmp = mrt_igmp_take(mrt->igmp, now, mrt->ifindex[upcall->vif],
			                             &upcall->source, &upcall->group);
}

/* Reads one batch. Returns how many messages it has read, or -errno; *kept: how many of them are upcalls for
 * the caller. */
static int receive_batch(struct mrt *mrt, struct mrt_upcall *upcalls, size_t max, size_t *kept)
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
		*kept += mrt->calls->decode(bytes[i], messages[i].msg_len, &upcalls[*kept]);
	return count;
}

static int receive(struct mrt *mrt, struct mrt_upcall *upcalls, size_t max)
{
	size_t read = 0, received = 0;

	while (read < max) {
		size_t wanted = max - read < BATCH ? max - read : BATCH, kept;
		int count = receive_batch(mrt, upcalls + received, wanted, &kept);

		if (count <= 0)
			return received > 0 ? (int)received : count;
		read += (size_t)count;
		received += kept;
		if ((size_t)count < wanted)
			break;
	}
	return (int)received;
}

int mrt_receive(struct mrt *mrt, mtime now, struct mrt_upcall *upcalls, size_t max)
{
	int count = receive(mrt, upcalls, max);

	find_igmp(mrt, now, upcalls, count > 0 ? (size_t)count : 0);
	return count;
}
