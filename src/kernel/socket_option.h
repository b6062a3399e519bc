/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options of sockets. All return 0 or -errno.
 */
#ifndef MCPROXY_KERNEL_SOCKET_OPTION_H
#define MCPROXY_KERNEL_SOCKET_OPTION_H

#include <linux/filter.h>
#include <stddef.h>

int socket_set(int fd, int level, int name, const void *value, size_t size);
/* A size above net.core.rmem_max needs CAP_NET_ADMIN; without it the kernel's limit counts. */
int socket_set_receive_buffer(int fd, int size);
int socket_set_filter(int fd, const struct sock_filter *code, size_t count);

#endif
