/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One question to rtnetlink and its answers, over a socket of its own. Blocks for as long as the kernel
 * needs.
 */
#ifndef MCPROXY_CTL_MACHINE_NETLINK_ASK_H
#define MCPROXY_CTL_MACHINE_NETLINK_ASK_H

#include <libmnl/libmnl.h>

/* Sends the request and calls `take` for each answer; 0 or -errno. */
int netlink_ask(struct nlmsghdr *request, mnl_cb_t take, void *context);

#endif
