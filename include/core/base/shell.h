/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names in the commands that mcproxy prints as remedies. The kernel takes almost any name for an interface, such as
 * eth0.35, a'b or $x, and the command must work when it is pasted into a shell. Pure.
 */
#ifndef MCPROXY_CORE_BASE_SHELL_H
#define MCPROXY_CORE_BASE_SHELL_H

#define SHELL_WORD_SIZE 256

struct shell_word {
	char text[SHELL_WORD_SIZE];
};

/* The text as one word of a POSIX shell: as it is if no character of it is special, else in quotes. A text that
 * does not fit is cut. */
struct shell_word shell_word(const char *text);

/* The word with which sysctl(8) changes a setting of an interface: shell_sysctl("net.ipv4.conf", "eth0.35",
 * "rp_filter=0") is net.ipv4.conf.eth0/35.rp_filter=0. */
struct shell_word shell_sysctl(const char *directory, const char *interface, const char *setting);

#endif
