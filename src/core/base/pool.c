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
	_Alignas(GRAIN) struct slab *prev; /* in the pool's list of its size, while it has room */
	struct slab *next;
	struct block *unused;
	uint16_t class;
	uint16_t used;
	uint16_t fresh; /* offset from which no byte was used yet */
};

/* Header of a large block. */
struct large {
	struct large *prev, *next;
	size_t bytes;
	size_t padding; /* keeps what follows aligned */
};

struct pool {
	struct store *store;
	struct pool *next; /* part of the same pool */
	size_t used;       /* bytes of its blocks */
	bool sharing;      /* a part with a share */
};

/* What a pool and its parts have together. */
struct store {
	struct pool whole; /* first: the pool itself */
	struct pool *parts;
	size_t bytes; /* allocated from the system */
	size_t bytes_max;
	size_t reserve;                /* of these, for pool_take_reserved alone; 0 without parts */
	size_t share;                  /* of each part that has one */
	size_t unused;                 /* bytes of the shares that their parts have not used */
	size_t empty;                  /* slabs without a block in use */
	uint16_t block_bytes[CLASSES]; /* of a slab, for each block in it */
	struct slab *with_room[CLASSES];
	struct slab *full;
	struct large *large;
};

_Static_assert(sizeof(struct slab) % GRAIN == 0 && sizeof(struct large) % GRAIN == 0, "blocks are aligned");
_Static_assert(SLAB_BYTES <= UINT16_MAX, "offsets in a slab are 16 bits");

static size_t share_left(const struct pool *pool)
{
	return pool->sharing && pool->used < pool->store->share ? pool->store->share - pool->used : 0;
}

/* The one place where what a pool holds changes. */
static void count_used(struct pool *pool, size_t used)
{
	pool->store->unused -= share_left(pool);
	pool->used = used;
	pool->store->unused += share_left(pool);
}

/* The limit or the parts have changed. */
static void divide(struct store *store)
{
	const struct pool *part;
	size_t count = 0;

	LL_FOREACH (store->parts, part)
		count += part->sharing;
	store->reserve = count > 0 ? store->bytes_max / 4 : 0;
	store->share = count > 0 ? store->bytes_max / 2 / count : 0;
	store->unused = 0;
	LL_FOREACH (store->parts, part)
		store->unused += share_left(part);
}

struct pool *pool_new(size_t bytes_max)
{
	struct store *store = calloc(1, sizeof *store);

	if (store == NULL)
		return NULL;
	store->bytes_max = bytes_max;
	store->whole.store = store;
	for (size_t class = 1; class < CLASSES; class ++)
		store->block_bytes[class] =
			(uint16_t)(SLAB_BYTES / ((SLAB_BYTES - sizeof(struct slab)) / (class * GRAIN)));
	return &store->whole;
}

struct pool *pool_part_new(struct pool *pool)
{
	struct pool *part = calloc(1, sizeof *part);

	if (part == NULL)
		return NULL;
	part->store = pool->store;
	LL_PREPEND(pool->store->parts, part);
	return part;
}

void pool_part_set_sharing(struct pool *part, bool sharing)
{
	part->sharing = sharing;
	divide(part->store);
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
	pool->store->bytes_max = bytes_max;
	divide(pool->store);
}

void pool_free(struct pool *pool)
{
	struct store *store = pool ? pool->store : NULL;
	struct large *large, *next;
	struct pool *part, *next_part;

	if (pool == NULL)
		return;
	for (size_t class = 0; class < CLASSES; class ++)
		free_slabs(store->with_room[class]);
	free_slabs(store->full);
	DL_FOREACH_SAFE (store->large, large, next)
		free(large);
	LL_FOREACH_SAFE (store->parts, part, next_part)
		free(part);
	free(store);
}

static void drop_slab(struct store *store, struct slab *slab)
{
	DL_DELETE(store->with_room[slab->class], slab);
	store->empty--;
	store->bytes -= SLAB_BYTES;
	free_slab(slab);
}

/* Frees the slabs that give_small has kept empty. */
static void drop_empty_slabs(struct store *store)
{
	struct slab *slab, *next;

	for (size_t class = 0; class < CLASSES && store->empty > 0; class ++)
		DL_FOREACH_SAFE (store->with_room[class], slab, next)
			if (slab->used == 0)
				drop_slab(store, slab);
}

/* What a block may not take: the reserve and, beyond the share of its part, the unused shares of other
 * parts. */
static size_t kept(const struct pool *pool, size_t size, bool reserved)
{
	if (reserved)
		return 0;
	return pool->store->reserve + (size <= share_left(pool) ? 0 : pool->store->unused);
}

/* Are that many more bytes from the system, for a block of that size, within the limit? */
static bool fits(const struct pool *pool, size_t size, size_t bytes, bool reserved)
{
	struct store *store = pool->store;
	size_t bytes_max = store->bytes_max - kept(pool, size, reserved);

	if (bytes > bytes_max)
		return false;
	if (store->bytes > bytes_max - bytes)
		drop_empty_slabs(store);
	return store->bytes <= bytes_max - bytes;
}

static void *take_large(struct pool *pool, size_t size, bool reserved)
{
	struct large *large;

	if (size > SIZE_MAX - sizeof *large ||
	    !fits(pool, sizeof *large + size, sizeof *large + size, reserved))
		return NULL;
	large = malloc(sizeof *large + size);
	if (large == NULL)
		return NULL;
	large->bytes = sizeof *large + size;
	pool->store->bytes += large->bytes;
	DL_APPEND(pool->store->large, large);
	return memset(large + 1, 0, size);
}

static struct slab *new_slab(const struct pool *pool, size_t class, bool reserved)
{
	struct store *store = pool->store;
	struct slab *slab;
	void *memory;

	if (!fits(pool, class * GRAIN, SLAB_BYTES, reserved) ||
	    posix_memalign(&memory, SLAB_ALIGN, SLAB_BYTES) != 0)
		return NULL;
	slab = memory;
	*slab = (struct slab){.class = (uint16_t) class, .fresh = sizeof *slab};
	HIDE(slab + 1, SLAB_BYTES - sizeof *slab);
	store->bytes += SLAB_BYTES;
	store->empty++;
	DL_APPEND(store->with_room[class], slab);
	return slab;
}

static bool has_room(const struct slab *slab)
{
	return slab->unused != NULL || slab->fresh + (size_t)slab->class * GRAIN <= SLAB_BYTES;
}

static void *take_small(struct pool *pool, size_t class, bool reserved)
{
	size_t size = class * GRAIN;
	struct store *store = pool->store;
	struct slab *slab =
		store->with_room[class] ? store->with_room[class] : new_slab(pool, class, reserved);
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
	store->empty -= slab->used++ == 0;
	if (!has_room(slab)) {
		DL_DELETE(store->with_room[class], slab);
		DL_APPEND(store->full, slab);
	}
	return memset(block, 0, size);
}

/* What a block of that size counts for. */
static size_t block_bytes(const struct pool *pool, size_t size)
{
	return size > SMALL_MAX ? sizeof(struct large) + size
	                        : pool->store->block_bytes[(size + GRAIN - 1) / GRAIN];
}

static void *take(struct pool *pool, size_t size, bool reserved)
{
	void *block;

	assert(size > 0);
	block = size > SMALL_MAX ? take_large(pool, size, reserved)
	                         : take_small(pool, (size + GRAIN - 1) / GRAIN, reserved);
	if (block != NULL)
		count_used(pool, pool->used + block_bytes(pool, size));
	return block;
}

void *pool_take(struct pool *pool, size_t size)
{
	return take(pool, size, false);
}

void *pool_take_reserved(struct pool *pool, size_t size)
{
	return take(pool, size, true);
}

static void give_large(struct store *store, struct large *large)
{
	DL_DELETE(store->large, large);
	store->bytes -= large->bytes;
	free(large);
}

static void give_small(struct store *store, struct block *block, size_t class)
{
	struct slab *slab = (struct slab *)((uintptr_t)block & ~(uintptr_t)(SLAB_ALIGN - 1));

	assert(slab->class == class && slab->used > 0);
	if (!has_room(slab)) {
		DL_DELETE(store->full, slab);
		DL_APPEND(store->with_room[class], slab);
	}
	block->next = slab->unused;
	slab->unused = block;
	HIDE(block, class * GRAIN);
	/* Keeps one empty slab, so that a group that comes and goes costs no system call. */
	if (--slab->used > 0)
		return;
	store->empty++;
	if (store->with_room[class] != slab || slab->next != NULL)
		drop_slab(store, slab);
}

void pool_give(struct pool *pool, void *block, size_t size)
{
	if (block == NULL)
		return;
	assert(pool->used >= block_bytes(pool, size));
	count_used(pool, pool->used - block_bytes(pool, size));
	if (size > SMALL_MAX)
		give_large(pool->store, (struct large *)block - 1);
	else
		give_small(pool->store, block, (size + GRAIN - 1) / GRAIN);
}

void pool_move(struct pool *from, struct pool *to, size_t size)
{
	size_t bytes = block_bytes(from, size);

	assert(from->store == to->store && from->used >= bytes);
	count_used(from, from->used - bytes);
	count_used(to, to->used + bytes);
}

size_t pool_bytes(const struct pool *pool)
{
	return pool->store->bytes;
}

size_t pool_used(const struct pool *pool)
{
	return pool->used;
}

size_t pool_share(const struct pool *pool)
{
	return pool->sharing ? pool->store->share : 0;
}
