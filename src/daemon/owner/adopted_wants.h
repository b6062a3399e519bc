/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Narrows what the earlier run wanted upstream to what some host may still get by the filters and by upstream_choice. The
 * instances know only what hosts have said, which takes the time of an adoption. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_ADOPTED_WANTS_H
#define MCPROXY_DAEMON_OWNER_ADOPTED_WANTS_H

#include "core/base/mtime.h"

struct owner;

/* During an adoption, when the interfaces are known. Does nothing if nothing has changed since the last call. */
void adopted_wants_narrow(struct owner *owner, mtime now);

#endif
