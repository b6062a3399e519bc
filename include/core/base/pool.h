/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The memory of one engine or table. Blocks of one size share slabs, and an empty slab goes back to the
 * system. The pool has one limit in bytes, and frees everything at once. Blocks are aligned to 8 bytes. One
 * thread owns it.
 *
 * A pool may have parts, for users that must not take memory from each other. A part is itself a pool: a
 * block counts for the part that took it. Half of the limit is divided into equal shares, one for each part
 * that has a share. A quarter of the limit is the reserve, for pool_take_reserved alone. All parts may use the
 * rest.
 */
#ifndef MCPROXY_CORE_BASE_POOL_H
#define MCPROXY_CORE_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool;

struct pool *pool_new(size_t bytes_max); /* NULL when memory is short */
/* A smaller limit frees nothing: pool_take fails until the pool holds less. The shares follow. */
void pool_limit(struct pool *pool, size_t bytes_max);
void pool_free(struct pool *pool); /* with its parts, and every block still in use */

/* A part without a share, which exists as long as the pool. NULL when memory is short. */
struct pool *pool_part_new(struct pool *pool);
/* Gives the part a share, or takes it away. The shares of the others follow. */
void pool_part_set_sharing(struct pool *part, bool sharing);

/* A zeroed block, or NULL when the limit or the machine's memory is reached. */
void *pool_take(struct pool *pool, size_t size);
/* The same, but it also uses the reserve: for what must succeed while other blocks use all that they may. */
void *pool_take_reserved(struct pool *pool, size_t size);
/* Frees a block of the part that took it; size as in pool_take. Accepts NULL. */
void pool_give(struct pool *pool, void *block, size_t size);
/* From now on, a block of that size counts for another part of the pool. */
void pool_move(struct pool *from, struct pool *to, size_t size);

size_t pool_bytes(const struct pool *pool); /* allocated from the system now, for all parts */
size_t pool_used(const struct pool *pool);  /* in blocks of this part */
size_t pool_share(const struct pool *pool); /* of this part; 0: none */

#endif
