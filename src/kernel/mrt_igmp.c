/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mrt_igmp.h"

#include "kernel/mrt_family.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define RECEIVE_BUFFER (2 << 20) /* about as many messages as there are notes */
#define NOTES          2048      /* a power of two */
#define PROBES         8
#define LIFETIME       100
#define BATCH          64
#define HEADER_MAX     60

#define OPTION_END     0
#define OPTION_NOTHING 1
#define OPTION_ALERT   148

struct note {
	struct addr source, group;
	int ifindex;
	mtime until; /* 0: none */
};

struct mrt_igmp {
	int fd;
	uint64_t seed; /* keys the hash */
	struct note notes[NOTES];
};

bool mrt_igmp_has_alert(const uint8_t *header, size_t size)
{
	size_t end = 4 * (header[0] & 15u), at = 20;

	while (at + 1 < end && end <= size && header[at] != OPTION_END && header[at] != OPTION_ALERT) {
		if (header[at] == OPTION_NOTHING)
			at++;
		else if (header[at + 1] >= 2)
			at += header[at + 1];
		else
			return false;
	}
	return at + 1 < end && end <= size && header[at] == OPTION_ALERT;
}

/* Multicast routing does not forward 224.0.0.0/24, and makes no upcalls for it. */
static int pass_routed_groups_only(int fd)
{
	static const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16), /* the destination */
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffffff00),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xe0000000, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return socket_set_filter(fd, code, sizeof code / sizeof code[0]);
}

int mrt_igmp_open(struct mrt_igmp **igmp)
{
	struct mrt_igmp *opened = calloc(1, sizeof *opened);
	int on = 1, size = RECEIVE_BUFFER, result;

	if (opened == NULL)
		return -ENOMEM;
	if (getrandom(&opened->seed, sizeof opened->seed, GRND_NONBLOCK) < 0)
		opened->seed = (uintptr_t)opened; /* early at boot; the notes are bounded anyway */
	opened->fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_IGMP);
	result = opened->fd < 0 ? -errno : pass_routed_groups_only(opened->fd);
	if (result == 0)
		result = socket_set(opened->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	if (result != 0) {
		mrt_igmp_close(opened);
		return result;
	}
	socket_set(opened->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	*igmp = opened;
	return 0;
}

void mrt_igmp_close(struct mrt_igmp *igmp)
{
	if (igmp == NULL)
		return;
	if (igmp->fd >= 0)
		close(igmp->fd);
	free(igmp);
}

int mrt_igmp_fd(const struct mrt_igmp *igmp)
{
	return igmp->fd;
}

static struct note *probe(struct mrt_igmp *igmp, const struct note *key, uint32_t number)
{
	return &igmp->notes[(addr_pair_hash(&key->source, &key->group, igmp->seed) + number) % NOTES];
}

static struct note *find(struct mrt_igmp *igmp, const struct note *key, mtime now)
{
	for (uint32_t number = 0; number < PROBES; number++) {
		struct note *note = probe(igmp, key, number);

		if (note->until > now && note->ifindex == key->ifindex &&
		    addr_equal(&note->source, &key->source) && addr_equal(&note->group, &key->group))
			return note;
	}
	return NULL;
}

/* Each message once; where there is no room, instead of the oldest. */
static void add(struct mrt_igmp *igmp, const struct note *key, mtime now)
{
	struct note *chosen = find(igmp, key, now);

	for (uint32_t number = 0; number < PROBES && (chosen == NULL || chosen->until > now); number++) {
		struct note *note = probe(igmp, key, number);

		if (chosen == NULL || note->until < chosen->until)
			chosen = note;
	}
	*chosen = *key;
}

static int arrival_interface(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
		struct in_pktinfo info;

		if (part->cmsg_level != IPPROTO_IP || part->cmsg_type != IP_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(part), sizeof info);
		return info.ipi_ifindex;
	}
	return 0;
}

static void take_message(struct mrt_igmp *igmp, mtime now, const uint8_t *header, size_t size, int ifindex)
{
	struct note key = {.ifindex = ifindex, .until = now + LIFETIME};

	if (size < sizeof(struct iphdr) || mrt_igmp_has_alert(header, size))
		return;
	key.source = addr_from_ipv4(header + offsetof(struct iphdr, saddr));
	key.group = addr_from_ipv4(header + offsetof(struct iphdr, daddr));
	add(igmp, &key, now);
}

static int read_batch(struct mrt_igmp *igmp, mtime now)
{
	uint8_t headers[BATCH][HEADER_MAX];
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} controls[BATCH];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	int count;

	for (unsigned i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){.iov_base = headers[i], .iov_len = HEADER_MAX};
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i],
		                                           .msg_iovlen = 1,
		                                           .msg_control = &controls[i],
		                                           .msg_controllen = sizeof controls[i]}};
	}
	count = recvmmsg(igmp->fd, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		take_message(igmp, now, headers[i], messages[i].msg_len,
		             arrival_interface(&messages[i].msg_hdr));
	return count;
}

void mrt_igmp_read(struct mrt_igmp *igmp, mtime now)
{
	for (unsigned read = 0; read < NOTES; read += BATCH)
		if (read_batch(igmp, now) < BATCH)
			return;
}

bool mrt_igmp_take(struct mrt_igmp *igmp, mtime now, int ifindex, const struct addr *source,
                   const struct addr *group)
{
	struct note key = {.source = *source, .group = *group, .ifindex = ifindex};
	struct note *note = find(igmp, &key, now);

	if (note != NULL)
		note->until = 0;
	return note != NULL;
}
