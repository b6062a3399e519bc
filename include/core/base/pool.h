/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The memory of one engine or table. Blocks of one size share slabs, and an empty slab goes back to the
 * system. The pool has one limit in bytes, and frees everything at once. Blocks are aligned to 8 bytes. One
 * thread owns it.
 */
#ifndef MCPROXY_CORE_BASE_POOL_H
#define MCPROXY_CORE_BASE_POOL_H

#include <stddef.h>

struct pool;

struct pool *pool_new(size_t bytes_max); /* NULL when memory is short */
/* A smaller limit frees nothing: pool_take fails until the pool holds less. */
void pool_limit(struct pool *pool, size_t bytes_max);
void pool_free(struct pool *pool); /* with every block still in use */

/* A zeroed block, or NULL when the limit or the machine's memory is reached. */
void *pool_take(struct pool *pool, size_t size);
/* Frees a block; size as in pool_take. Accepts NULL. */
void pool_give(struct pool *pool, void *block, size_t size);

size_t pool_bytes(const struct pool *pool); /* allocated from the system now */

#endif
