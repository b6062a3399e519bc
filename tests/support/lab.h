/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A network namespace of the test's own, with pairs of links in it: what is put into peerN arrives on ethN,
 * and the other way round. It ends with the process.
 *
 * Needs root; as another user the tests are skipped, with the reason.
 */
#ifndef MCPROXY_TESTS_LAB_H
#define MCPROXY_TESTS_LAB_H

#include "core/base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LAB_PATIENCE 5000 /* milliseconds to wait for what must happen */

extern bool lab_is_open;

__attribute__((format(printf, 1, 2))) void lab_run(const char *format, ...);

/* Does the command succeed? */
__attribute__((format(printf, 1, 2))) bool lab_holds(const char *format, ...);

/* Group set-up: a new namespace, or none without root. */
int lab_open(void **state);

#define LAB_OR_SKIP()                                                                                        \
	do {                                                                                                 \
		if (!lab_is_open) {                                                                          \
			print_message("skipped: needs root, for a network namespace of its own\n");          \
			skip();                                                                              \
		}                                                                                            \
	} while (0)

/* Waits until packets can pass between ethN and peerN: the kernel needs some time after a link was set up. */
void lab_await_up(int n);

/* ethN and peerN, both up. */
void lab_add_pair(int n);
void lab_del_pair(int n);
int lab_index(const char *name);
int64_t lab_now(void);

/* Waits until the descriptor is readable; false after that many milliseconds. */
bool lab_wait(int fd, int timeout);

/* A socket that receives and sends whole frames on an interface. */
int lab_wire(const char *name);

struct lab_frame {
	size_t size;
	uint8_t bytes[20000];
};

/* An Ethernet frame around an IP packet; vlan -1: no tag. */
struct lab_frame lab_frame_of(const uint8_t *mac, int vlan, uint16_t type, const void *packet, size_t size);
void lab_put_frame(int wire, const struct lab_frame *frame);
void lab_group_mac(const struct addr *group, uint8_t mac[ETH_ALEN]);
uint16_t lab_type(enum family family);

/* Sends an IP packet to a group. */
void lab_put(int wire, const struct addr *group, const void *packet, size_t size);

/* Waits for the next frame; false when none arrives before `until`. */
bool lab_take_frame(int wire, struct lab_frame *frame, int64_t until);

/* Waits until that many frames made here have arrived at the interface of the wire. A test that sends many frames
 * calls it in between, since the kernel's queue between the two ends is short. */
void lab_await(int wire, int count);

#endif
