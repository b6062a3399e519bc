/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What MHD calls for a request: the checks, and which part of the server answers.
 */
#ifndef MCPROXY_WEB_HANDLER_H
#define MCPROXY_WEB_HANDLER_H

#include "web/exchange.h"

/* An MHD_AccessHandlerCallback; the context is the server. MHD calls it again after an exchange was resumed. */
enum MHD_Result handler_handle(void *context, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data, size_t *size,
                               void **request);
/* An MHD_RequestCompletedCallback. */
void handler_complete(void *context, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code);
/* Hands finished tasks to those who wait, and begins those for which a thread is free. */
void handler_take_tasks(struct server *server);
void handler_begin_tasks(struct server *server);

#endif
