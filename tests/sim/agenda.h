/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Virtual time: what happens when. Things due at the same time happen in the order in which they were added.
 */
#ifndef MCPROXY_SIM_AGENDA_H
#define MCPROXY_SIM_AGENDA_H

#include "core/base/mtime.h"

#include <stdbool.h>
#include <stddef.h>

typedef void agenda_act(void *object, mtime at);

struct item {
	mtime at;
	uint64_t serial;
	agenda_act *act;
	void (*drop)(void *object); /* NULL, or frees an object whose time does not come */
	void *object;
};

struct agenda {
	struct item *items; /* a heap */
	size_t count;
	size_t capacity;
	uint64_t serial;
	mtime now;
};

void agenda_fini(struct agenda *agenda);
/* The object is handed to act, or at the end to drop. */
void agenda_add_owned(struct agenda *agenda, mtime at, agenda_act *act, void (*drop)(void *object),
                      void *object);
void agenda_add(struct agenda *agenda, mtime at, agenda_act *act, void *object);
/* Does the next thing that is due at `until` or before. Without one it sets the time to `until` and returns
 * false. */
bool agenda_step(struct agenda *agenda, mtime until);

#endif
