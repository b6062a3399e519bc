/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses with a length.
 */
#ifndef MCPROXY_CTL_CONVERT_NET_H
#define MCPROXY_CTL_CONVERT_NET_H

#include "core/base/addr.h"
#include "ctl/convert/output.h"

/* An address with or without a length. */
struct net {
	struct addr addr; /* its bits beyond the length are 0 */
	unsigned length;  /* 0 to 32, or 128 for IPv6 */
};

#define NET_TEXT_SIZE (ADDR_TEXT_SIZE + 4)
bool net_parse(const char *text, struct net *net);
const char *net_format(const struct net *net, char text[NET_TEXT_SIZE]);
enum net_groups { NET_NO_GROUP, NET_SOME_GROUPS, NET_ALL_GROUPS };
/* Which groups the prefix contains. */
enum net_groups net_groups(const struct net *net);
/* " from NET", or "" for every source. */
const char *net_from(const struct net *net, char text[NET_TEXT_SIZE + 8]);
/* Reads a word; fails if it is no IPv4 prefix. */
bool read_net(struct output *output, const struct word *word, struct net *net);

#endif
