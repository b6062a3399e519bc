/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/shared_hosts.h"

static struct left_group *find_left(struct shared_hosts *hosts, const struct addr *host,
                                    const struct addr *group)
{
	for (int i = 0; i < SHARED_HOSTS_MAX; i++) {
		struct left_group *left = &hosts->left[i];

		if (left->until != 0 && addr_equal(&left->host, host) && addr_equal(&left->group, group))
			return left;
	}
	return NULL;
}

void shared_hosts_left(struct shared_hosts *hosts, const struct addr *host, const struct addr *group,
                       mtime until)
{
	struct left_group *left = find_left(hosts, host, group);

	if (left == NULL) {
		left = &hosts->left[hosts->next_left];
		hosts->next_left = (hosts->next_left + 1) % SHARED_HOSTS_MAX;
	}
	*left = (struct left_group){.host = *host, .group = *group, .until = until};
}

void shared_hosts_joined(struct shared_hosts *hosts, const struct addr *host, const struct addr *group)
{
	struct left_group *left = find_left(hosts, host, group);

	if (left != NULL)
		left->until = 0;
}

bool shared_hosts_answered(struct shared_hosts *hosts, mtime now, const struct addr *host,
                           const struct addr *group, mtime until)
{
	struct left_group *left = find_left(hosts, host, group);

	if (left == NULL || left->until <= now)
		return false;
	left->until = 0;
	hosts->shared[hosts->next_shared] = (struct shared_host){.host = *host, .until = until};
	hosts->next_shared = (hosts->next_shared + 1) % SHARED_HOSTS_MAX;
	hosts->shared_until = until > hosts->shared_until ? until : hosts->shared_until;
	return true;
}

bool shared_hosts_has(const struct shared_hosts *hosts, mtime now, const struct addr *host)
{
	if (hosts->shared_until <= now)
		return false;
	for (int i = 0; i < SHARED_HOSTS_MAX; i++)
		if (hosts->shared[i].until > now && addr_equal(&hosts->shared[i].host, host))
			return true;
	return false;
}
