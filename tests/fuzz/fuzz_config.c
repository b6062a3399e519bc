/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Configuration files: the input is the file. What is accepted must keep the contract of struct config.
 */
#include "daemon/config/config.h"
#include "daemon/config/legacy.h"

#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* Some versions of libconfig lose the strings of a text that they reject. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

static void check_link(const struct config_link *link)
{
	assert(memchr(link->name, 0, sizeof link->name) != NULL && link->name[0] != 0);
	assert(link->settings.robustness >= 1 && link->settings.robustness <= 7);
	assert(link->settings.query_interval > 0);
	for (int family = 0; family < FAMILIES; family++)
		assert(link->settings.version[family] <= VERSION_3);
}

static void check_config(const struct config *config)
{
	assert(config->instance_count <= CONFIG_INSTANCES_MAX);
	for (size_t i = 0; i < config->instance_count; i++) {
		const struct config_instance *instance = &config->instances[i];

		assert(memchr(instance->name, 0, sizeof instance->name) != NULL && instance->name[0] != 0);
		assert(instance->upstream_count <= CONFIG_LINKS_MAX &&
		       instance->downstream_count <= CONFIG_LINKS_MAX);
		for (size_t n = 0; n < instance->upstream_count; n++)
			check_link(&instance->upstream[n]);
		for (size_t n = 0; n < instance->downstream_count; n++)
			check_link(&instance->downstream[n]);
	}
	assert((config->ring_size & (config->ring_size - 1)) == 0);
}

static void check_error(const char error[CONFIG_ERROR_SIZE])
{
	assert(memchr(error, 0, CONFIG_ERROR_SIZE) != NULL && error[0] != 0);
	for (; *error != 0; error++)
		assert((unsigned char)*error >= ' ');
}

static void try_file(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[64];
	char error[CONFIG_ERROR_SIZE] = "";
	struct config *config;

	if (fd < 0) {
		fd = memfd_create("config", MFD_CLOEXEC);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	assert(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	config = config_load(path, error);
	if (config == NULL) {
		check_error(error);
		return;
	}
	check_config(config);
	config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = 0;
	config_is_legacy(text);
	/* What lies on this machine is not the fuzzer's business. */
	if (memmem(data, size, "@include", 8) == NULL)
		try_file(data, size);
	free(text);
	return 0;
}
