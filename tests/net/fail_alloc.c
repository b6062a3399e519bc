/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For LD_PRELOAD: while the first byte of the file that FAIL_ALLOC names is '1', allocations of the main thread fail that
 * are of FAIL_ALLOC_MIN to FAIL_ALLOC_MAX bytes. The file is mapped, so that no allocation makes a system call of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_calloc(size_t count, size_t size);
void *__libc_malloc(size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static const volatile char *state;
static size_t size_min, size_max;
static pthread_t main_thread;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAIL_ALLOC"), *min = getenv("FAIL_ALLOC_MIN"),
		   *max = getenv("FAIL_ALLOC_MAX");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = fd >= 0 ? mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

	if (map != MAP_FAILED)
		state = map;
	size_min = min != NULL ? strtoul(min, NULL, 10) : 0;
	size_max = max != NULL ? strtoul(max, NULL, 10) : (size_t)-1;
	main_thread = pthread_self();
}

static int fails(size_t size)
{
	return state != NULL && *state == '1' && size >= size_min && size <= size_max &&
	       pthread_equal(main_thread, pthread_self());
}

void *calloc(size_t count, size_t size)
{
	return fails(count * size) ? NULL : __libc_calloc(count, size);
}

void *malloc(size_t size)
{
	return fails(size) ? NULL : __libc_malloc(size);
}

void *realloc(void *block, size_t size)
{
	return fails(size) ? NULL : __libc_realloc(block, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
	void *memory = fails(size) ? NULL : __libc_memalign(alignment, size);

	if (memory == NULL)
		return ENOMEM;
	*block = memory;
	return 0;
}
