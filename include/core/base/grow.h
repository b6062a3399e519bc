/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Room in lists that double.
 */
#ifndef MCPROXY_CORE_BASE_GROW_H
#define MCPROXY_CORE_BASE_GROW_H

#include <stdlib.h>

#define GROW_FIRST 32

/* The list, with room for at least one more item of that size (bytes); it may have moved. NULL when memory is short: then
 * the list stays as it is. */
static inline void *grow(void *list, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity > 0 ? 2 * *capacity : GROW_FIRST;

	if (count < *capacity)
		return list;
	list = realloc(list, wanted * size);
	if (list != NULL)
		*capacity = wanted;
	return list;
}

#endif
