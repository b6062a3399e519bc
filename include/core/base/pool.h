/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The memory of one engine or table: blocks in slabs by size, which go back to the system when they are
 * empty; limited in all, released whole. Blocks are 8-byte aligned. Owned by one thread.
 */
#ifndef MCPROXY_CORE_BASE_POOL_H
#define MCPROXY_CORE_BASE_POOL_H

#include <stddef.h>

struct pool;

struct pool *pool_new(size_t bytes_max); /* NULL when memory is short */
/* A smaller limit takes nothing away; nothing more is given until less is held. */
void pool_limit(struct pool *pool, size_t bytes_max);
void pool_free(struct pool *pool); /* with every block still in use */

/* A zeroed block, or NULL when the limit or the machine's memory is reached. */
void *pool_take(struct pool *pool, size_t size);
/* Gives a block back; size as it was taken. */
void pool_give(struct pool *pool, void *block, size_t size);

size_t pool_bytes(const struct pool *pool); /* held from the system now */

#endif
