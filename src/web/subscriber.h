/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Clients that receive the events.
 */
#ifndef MCPROXY_WEB_SUBSCRIBER_H
#define MCPROXY_WEB_SUBSCRIBER_H

#include "web/exchange.h"

/* Answers a request for the events, if there is a place. */
enum MHD_Result subscriber_begin(struct exchange *exchange);
/* Resumes those for whom there is something new. */
void subscribers_wake(struct server *server);

#endif
