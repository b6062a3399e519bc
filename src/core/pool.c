/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/pool.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#endif
#ifdef ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

#define GRAIN      16
#define SMALL_MAX  1024 /* up to here a free list per grain, above malloc for each */
#define CLASSES    (SMALL_MAX / GRAIN + 1)
#define SLAB_BYTES 16384

struct block {
	struct block *next;
};

/* Header of a slab or of a large block. */
struct chunk {
	struct chunk *prev, *next;
	size_t bytes;
	size_t padding; /* keeps what follows aligned */
};

struct pool {
	size_t bytes;
	size_t bytes_max;
	char *slab_at; /* unused rest of the newest slab */
	size_t slab_left;
	struct chunk *slabs;
	struct chunk *large;
	struct block *unused[CLASSES];
};

/* Lets the address sanitizer see who touches a block that was given back. */
static void hide(void *at, size_t size)
{
#ifdef ADDRESS_SANITIZER
	__asan_poison_memory_region(at, size);
#else
	(void)at;
	(void)size;
#endif
}

static void show(void *at, size_t size)
{
#ifdef ADDRESS_SANITIZER
	__asan_unpoison_memory_region(at, size);
#else
	(void)at;
	(void)size;
#endif
}

struct pool *pool_new(size_t bytes_max)
{
	struct pool *pool = calloc(1, sizeof *pool);

	if (pool != NULL)
		pool->bytes_max = bytes_max;
	return pool;
}

static void free_chunks(struct chunk *list)
{
	struct chunk *chunk, *next;

	DL_FOREACH_SAFE (list, chunk, next)
		free(chunk);
}

void pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	free_chunks(pool->slabs);
	free_chunks(pool->large);
	free(pool);
}

static struct chunk *new_chunk(struct pool *pool, size_t bytes)
{
	struct chunk *chunk;

	if (bytes > pool->bytes_max || pool->bytes > pool->bytes_max - bytes)
		return NULL;
	chunk = malloc(bytes);
	if (chunk == NULL)
		return NULL;
	chunk->bytes = bytes;
	pool->bytes += bytes;
	return chunk;
}

static void *take_large(struct pool *pool, size_t size)
{
	struct chunk *chunk = size < SIZE_MAX - sizeof *chunk ? new_chunk(pool, sizeof *chunk + size) : NULL;

	if (chunk == NULL)
		return NULL;
	DL_APPEND(pool->large, chunk);
	return memset(chunk + 1, 0, size);
}

static void *take_small(struct pool *pool, size_t class)
{
	size_t size = class * GRAIN;
	struct block *block = pool->unused[class];

	if (block != NULL) {
		pool->unused[class] = block->next;
		show(block, size);
		return memset(block, 0, size);
	}
	if (pool->slab_left < size) {
		struct chunk *slab = new_chunk(pool, SLAB_BYTES);

		if (slab == NULL)
			return NULL;
		DL_APPEND(pool->slabs, slab);
		pool->slab_at = (char *)(slab + 1);
		pool->slab_left = SLAB_BYTES - sizeof *slab;
		hide(pool->slab_at, pool->slab_left);
	}
	block = (struct block *)(void *)pool->slab_at;
	pool->slab_at += size;
	pool->slab_left -= size;
	show(block, size);
	return memset(block, 0, size);
}

void *pool_take(struct pool *pool, size_t size)
{
	assert(size > 0);
	return size > SMALL_MAX ? take_large(pool, size) : take_small(pool, (size + GRAIN - 1) / GRAIN);
}

void pool_give(struct pool *pool, void *block, size_t size)
{
	if (block == NULL)
		return;
	if (size > SMALL_MAX) {
		struct chunk *chunk = (struct chunk *)block - 1;

		DL_DELETE(pool->large, chunk);
		pool->bytes -= chunk->bytes;
		free(chunk);
		return;
	}
	size = (size + GRAIN - 1) / GRAIN;
	((struct block *)block)->next = pool->unused[size];
	pool->unused[size] = block;
	hide((struct block *)block + 1, size * GRAIN - sizeof(struct block));
}

size_t pool_bytes(const struct pool *pool)
{
	return pool->bytes;
}
