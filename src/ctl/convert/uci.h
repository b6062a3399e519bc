/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines of OpenWrt's UCI: `config TYPE [NAME]`, `option KEY VALUE`, `list KEY VALUE`.
 */
#ifndef MCPROXY_CTL_CONVERT_UCI_H
#define MCPROXY_CTL_CONVERT_UCI_H

#include "ctl/convert/output.h"

struct uci_line {
	const struct word *key, *value; /* never NULL */
	bool section;                   /* key: its type; value: its name, or empty */
};

/* The next line; false at the end, and after output_fail. */
bool uci_read(struct scan *scan, struct output *output, struct uci_line *line);
bool uci_is(const struct uci_line *line, const char *key);
/* 1, true, yes, on, enabled. */
bool uci_is_true(const struct word *value);
/* Names a line that mcproxy has no use for. */
void uci_leave_out(struct output *output, const struct uci_line *line);
/* The link of a logical network, whose device only OpenWrt knows. */
struct link *uci_link(struct output *output, struct instance *instance, const struct word *network);

#endif
