/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG   1024
#define SEND_SIZE 131072 /* what the kernel holds for a client that does not read */
#define GONE_TIME 20000  /* milliseconds; a client that acknowledges nothing for so long is gone */

/* Parts "[::1]:4605" and "127.0.0.1:4605"; false if there is no port. */
static bool part(const char *text, char host[INET6_ADDRSTRLEN + 16], const char **port)
{
	const char *colon = strrchr(text, ':');
	size_t size = colon != NULL ? (size_t)(colon - text) : 0;

	if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
		text++;
		size -= 2;
	} else if (memchr(text, ':', size) != NULL) {
		return false;
	}
	if (size == 0 || size >= INET6_ADDRSTRLEN + 16 || colon[1] == '\0')
		return false;
	memcpy(host, text, size);
	host[size] = '\0';
	*port = colon + 1;
	return true;
}

static bool is_local(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 ==
		       127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static int listen_on(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1,
	    size = SEND_SIZE, gone = GONE_TIME, result;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size,
	           sizeof size); /* connections inherit it and the next one */
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone, sizeof gone);
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
	/* An address that no interface has yet may come later. */
	if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &yes, sizeof yes) == 0 &&
	    bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	result = -errno;
	close(fd);
	return result;
}

int listener_open(const char *text, bool *local)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	                               .ai_socktype = SOCK_STREAM};
	char host[INET6_ADDRSTRLEN + 16];
	struct addrinfo *info;
	const char *port;
	int result;

	if (!part(text, host, &port) || getaddrinfo(host, port, &hints, &info) != 0)
		return -EINVAL;
	*local = is_local(info->ai_addr);
	result = listen_on(info);
	freeaddrinfo(info);
	return result;
}
