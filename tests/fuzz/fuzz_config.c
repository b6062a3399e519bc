/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Configuration files: the input is the file. What is accepted must keep the contract of struct config.
 */
#include "core/base/option.h"
#include "core/base/shell.h"
#include "daemon/config/config.h"
#include "daemon/config/legacy.h"

#include "fuzz.h"

#include <getopt.h>
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
	assert(shell_word(link->name).text[0] != 0 &&
	       shell_sysctl("net.ipv4.conf", link->name, "x").text[0] != 0);
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

static void check_same(const struct link_settings *next, const struct link_settings *running)
{
	assert(next->filter_in == running->filter_in && next->filter_out == running->filter_out);
	assert(next->static_groups == running->static_groups && next->ssm_map == running->ssm_map);
}

/* A reload of the same file changes no link. */
static void check_reload(const char *path, const struct config *running)
{
	char error[CONFIG_ERROR_SIZE] = "";
	struct config *next = config_load(path, error);

	assert(next != NULL);
	config_filters_share(next, running);
	config_group_maps_share(next, running);
	for (size_t i = 0; i < next->instance_count; i++) {
		for (size_t n = 0; n < next->instances[i].upstream_count; n++)
			check_same(&next->instances[i].upstream[n].settings,
			           &running->instances[i].upstream[n].settings);
		for (size_t n = 0; n < next->instances[i].downstream_count; n++)
			check_same(&next->instances[i].downstream[n].settings,
			           &running->instances[i].downstream[n].settings);
	}
	config_free(next);
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
	check_reload(path, config);
	config_free(config);
}

/* The input as a word of the command line, and as an instance there. */
static void try_word(char *word)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 't'}, {0}};
	char problem[128], error[CONFIG_ERROR_SIZE];
	struct config *config = config_from_lines(&word, 1, error);

	if (config != NULL)
		check_config(config);
	else
		check_error(error);
	config_free(config);
	for (const char *letter = "ctx"; *letter != 0; letter++) {
		option_problem(options, *letter, word, problem, sizeof problem);
		assert(memchr(problem, 0, sizeof problem) != NULL);
	}
	option_problem(options, 0, word, problem, sizeof problem);
	assert(memchr(problem, 0, sizeof problem) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = 0;
	config_is_legacy(text);
	try_word(text);
	/* What lies on this machine is not the fuzzer's business. */
	if (memmem(data, size, "@include", 8) == NULL)
		try_file(data, size);
	free(text);
	return 0;
}
