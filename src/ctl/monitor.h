/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `monitor`: events as they happen, one line each.
 */
#ifndef MCPROXY_CTL_MONITOR_H
#define MCPROXY_CTL_MONITOR_H

#include <json-c/json.h>
#include <stddef.h>

/* The line of an event without its time: "iptv: eth1: 239.1.2.3: 10.0.1.10 joined (any source)". */
const char *monitor_format(struct json_object *event, char *text, size_t size);

#endif
