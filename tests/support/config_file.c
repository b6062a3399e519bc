/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/config_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char config_directory[] = "/tmp/mcproxy-test-XXXXXX";

int enter_directory(void **state)
{
	(void)state;
	return mkdtemp(config_directory) == NULL ? -1 : chdir(config_directory);
}

int leave_directory(void **state)
{
	DIR *directory = opendir(".");
	const struct dirent *entry;

	(void)state;
	while (directory != NULL && (entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			remove(entry->d_name);
	if (directory != NULL)
		closedir(directory);
	return chdir("/") == 0 ? rmdir(config_directory) : -1;
}

void write_bytes(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

struct config *load_text(const char *text, char error[CONFIG_ERROR_SIZE])
{
	write_text(CONFIG_FILE, text);
	*error = '\0';
	return config_load(CONFIG_FILE, error);
}

struct config *load_good(const char *text)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *config = load_text(text, error);

	if (config == NULL)
		fail_msg("%s\nwas refused: %s", text, error);
	return config;
}

void load_bad(const char *text, const char *expected)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *config = load_text(text, error);

	if (config != NULL)
		fail_msg("%s\nwas accepted", text);
	assert_string_equal(error, expected);
}

void check_errors(const struct error_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		load_bad(rows[i].text, rows[i].error);
}

void assert_shape(const char *text, const char *expected)
{
	struct config *config = load_good(text);
	char shape[1024] = "";
	size_t used = 0;

	for (size_t i = 0; i < config->instance_count; i++) {
		const struct config_instance *instance = &config->instances[i];

		used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%s:", i > 0 ? "; " : "",
		                         instance->name);
		for (size_t j = 0; j < instance->upstream_count; j++)
			used += (size_t)snprintf(shape + used, sizeof shape - used, " %s",
			                         instance->upstream[j].name);
		used += (size_t)snprintf(shape + used, sizeof shape - used, " ==>");
		for (size_t j = 0; j < instance->downstream_count; j++)
			used += (size_t)snprintf(shape + used, sizeof shape - used, " %s",
			                         instance->downstream[j].name);
	}
	assert_string_equal(shape, expected);
	config_free(config);
}

void assert_protocols(const struct config_instance *instance, enum version ipv4, bool ipv4_named,
                      enum version ipv6, bool ipv6_named)
{
	assert_int_equal(instance->upstream[0].settings.version[FAMILY_IPV4], ipv4);
	assert_int_equal(instance->upstream[0].settings.version[FAMILY_IPV6], ipv6);
	assert_int_equal(instance->downstream[0].settings.version[FAMILY_IPV4], ipv4);
	assert_int_equal(instance->downstream[0].settings.version[FAMILY_IPV6], ipv6);
	assert_int_equal(instance->family_named[FAMILY_IPV4], ipv4_named);
	assert_int_equal(instance->family_named[FAMILY_IPV6], ipv6_named);
}
