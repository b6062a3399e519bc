/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of the daemon, passed on as they come: no more is read of one than its client takes.
 */
#ifndef MCPROXY_WEB_RELAY_H
#define MCPROXY_WEB_RELAY_H

#include "web/exchange.h"

/* Asks the daemon; relay_answer follows when something has come. */
enum MHD_Result relay_begin(struct exchange *exchange);
enum MHD_Result relay_answer(struct exchange *exchange);
/* Has the daemon not gone on for too long? */
bool relay_is_late(const struct exchange *exchange);
void relay_end(struct exchange *exchange);

#endif
