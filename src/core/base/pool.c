/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#if defined(__SANITIZE_ADDRESS__)
#define POOL_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_POISONS 1
#endif
#endif

#ifdef POOL_POISONS
#include <sanitizer/asan_interface.h>
#define HIDE(block, size) ASAN_POISON_MEMORY_REGION(block, size)
#define SHOW(block, size) ASAN_UNPOISON_MEMORY_REGION(block, size)
#else
#define HIDE(block, size) ((void)(block), (void)(size))
#define SHOW(block, size) ((void)(block), (void)(size))
#endif

#define GRAIN      8
#define SMALL_MAX  1024 /* blocks up to this size share slabs; each larger one has its own malloc */
#define CLASSES    (SMALL_MAX / GRAIN + 1)
#define SLAB_ALIGN 16384 /* the slab of a block is found by its address */
/* Leaves room for the header of malloc, so that slabs lie without gaps. */
#define SLAB_BYTES (SLAB_ALIGN - 2 * sizeof(size_t))

struct block {
	struct block *next;
};

/* Blocks of one size. An empty slab goes back to the system, so that memory is free again after a flood. */
struct slab {
	struct slab *prev, *next; /* in the pool's list of its size, while it has room */
	struct block *unused;
	uint16_t class;
	uint16_t used;
	uint16_t fresh; /* offset from which no byte was used yet */
	uint16_t padding;
};

/* Header of a large block. */
struct large {
	struct large *prev, *next;
	size_t bytes;
	size_t padding; /* keeps what follows aligned */
};

struct pool {
	size_t bytes;
	size_t bytes_max;
	struct slab *with_room[CLASSES];
	struct slab *full;
	struct large *large;
};

_Static_assert(sizeof(struct slab) % GRAIN == 0 && sizeof(struct large) % GRAIN == 0, "blocks are aligned");
_Static_assert(SLAB_BYTES <= UINT16_MAX, "offsets in a slab are 16 bits");

struct pool *pool_new(size_t bytes_max)
{
	struct pool *pool = calloc(1, sizeof *pool);

	if (pool != NULL)
		pool->bytes_max = bytes_max;
	return pool;
}

static void free_slab(struct slab *slab)
{
	SHOW(slab, SLAB_BYTES);
	free(slab);
}

static void free_slabs(struct slab *list)
{
	struct slab *slab, *next;

	DL_FOREACH_SAFE (list, slab, next)
		free_slab(slab);
}

void pool_limit(struct pool *pool, size_t bytes_max)
{
	pool->bytes_max = bytes_max;
}

void pool_free(struct pool *pool)
{
	struct large *large, *next;

	if (pool == NULL)
		return;
	for (size_t class = 0; class < CLASSES; class ++)
		free_slabs(pool->with_room[class]);
	free_slabs(pool->full);
	DL_FOREACH_SAFE (pool->large, large, next)
		free(large);
	free(pool);
}

static void drop_slab(struct pool *pool, struct slab *slab)
{
	DL_DELETE(pool->with_room[slab->class], slab);
	pool->bytes -= SLAB_BYTES;
	free_slab(slab);
}

/* Frees the slabs that give_small has kept empty. */
static void drop_empty_slabs(struct pool *pool)
{
	struct slab *slab, *next;

	for (size_t class = 0; class < CLASSES; class ++)
		DL_FOREACH_SAFE (pool->with_room[class], slab, next)
			if (slab->used == 0)
				drop_slab(pool, slab);
}

/* Are that many more bytes within the limit? */
static bool fits(struct pool *pool, size_t bytes)
{
	if (bytes > pool->bytes_max)
		return false;
	if (pool->bytes > pool->bytes_max - bytes)
		drop_empty_slabs(pool);
	return pool->bytes <= pool->bytes_max - bytes;
}

static void *take_large(struct pool *pool, size_t size)
{
	struct large *large;

	if (size > SIZE_MAX - sizeof *large || !fits(pool, sizeof *large + size))
		return NULL;
	large = malloc(sizeof *large + size);
	if (large == NULL)
		return NULL;
	large->bytes = sizeof *large + size;
	pool->bytes += large->bytes;
	DL_APPEND(pool->large, large);
	return memset(large + 1, 0, size);
}

static struct slab *new_slab(struct pool *pool, size_t class)
{
	struct slab *slab;
	void *memory;

	if (!fits(pool, SLAB_BYTES) || posix_memalign(&memory, SLAB_ALIGN, SLAB_BYTES) != 0)
		return NULL;
	slab = memory;
	*slab = (struct slab){.class = (uint16_t) class, .fresh = sizeof *slab};
	HIDE(slab + 1, SLAB_BYTES - sizeof *slab);
	pool->bytes += SLAB_BYTES;
	DL_APPEND(pool->with_room[class], slab);
	return slab;
}

static bool has_room(const struct slab *slab)
{
	return slab->unused != NULL || slab->fresh + (size_t)slab->class * GRAIN <= SLAB_BYTES;
}

static void *take_small(struct pool *pool, size_t class)
{
	size_t size = class * GRAIN;
	struct slab *slab = pool->with_room[class] ? pool->with_room[class] : new_slab(pool, class);
	struct block *block;

	if (slab == NULL)
		return NULL;
	block = slab->unused;
	if (block == NULL) {
		block = (struct block *)(void *)((char *)slab + slab->fresh);
		slab->fresh = (uint16_t)(slab->fresh + size);
		SHOW(block, size);
	} else {
		SHOW(block, size);
		slab->unused = block->next;
	}
	slab->used++;
	if (!has_room(slab)) {
		DL_DELETE(pool->with_room[class], slab);
		DL_APPEND(pool->full, slab);
	}
	return memset(block, 0, size);
}

void *pool_take(struct pool *pool, size_t size)
{
	assert(size > 0);
	return size > SMALL_MAX ? take_large(pool, size) : take_small(pool, (size + GRAIN - 1) / GRAIN);
}

static void give_large(struct pool *pool, struct large *large)
{
	DL_DELETE(pool->large, large);
	pool->bytes -= large->bytes;
	free(large);
}

static void give_small(struct pool *pool, struct block *block, size_t class)
{
	struct slab *slab = (struct slab *)((uintptr_t)block & ~(uintptr_t)(SLAB_ALIGN - 1));

	assert(slab->class == class && slab->used > 0);
	if (!has_room(slab)) {
		DL_DELETE(pool->full, slab);
		DL_APPEND(pool->with_room[class], slab);
	}
	block->next = slab->unused;
	slab->unused = block;
	HIDE(block, class * GRAIN);
	/* Keeps one empty slab, so that a group that comes and goes costs no system call. */
	if (--slab->used == 0 && (pool->with_room[class] != slab || slab->next != NULL))
		drop_slab(pool, slab);
}

void pool_give(struct pool *pool, void *block, size_t size)
{
	if (block == NULL)
		return;
	if (size > SMALL_MAX)
		give_large(pool, (struct large *)block - 1);
	else
		give_small(pool, block, (size + GRAIN - 1) / GRAIN);
}

size_t pool_bytes(const struct pool *pool)
{
	return pool->bytes;
}
