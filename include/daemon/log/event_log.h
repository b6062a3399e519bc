/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Events as lines of the debug log: `instance: link: group: what`. Owner thread.
 */
#ifndef MCPROXY_DAEMON_LOG_EVENT_LOG_H
#define MCPROXY_DAEMON_LOG_EVENT_LOG_H

#include "core/contract/event.h"

/* link: NULL for an event without a link. outputs: for EVENT_ROUTE, the names of its links, each after a
 * space. */
void event_log_write(const char *instance, const char *link, const struct event *event, const char *outputs);

#endif
