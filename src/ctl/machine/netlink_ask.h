/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sends one request to rtnetlink and reads the answers, over a socket of its own. Blocks until the kernel
 * has answered.
 */
#ifndef MCPROXY_CTL_MACHINE_NETLINK_ASK_H
#define MCPROXY_CTL_MACHINE_NETLINK_ASK_H

#include <libmnl/libmnl.h>

/* Sends the request and calls `take` for each answer; 0 or -errno. */
int netlink_ask(struct nlmsghdr *request, mnl_cb_t take, void *context);

#endif
