/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/config.h"

#include "daemon/config/build.h"
#include "daemon/config/fail.h"
#include "daemon/config/filters.h"
#include "daemon/config/foreign.h"
#include "daemon/config/group_maps.h"
#include "daemon/config/legacy.h"
#include "daemon/config/options.h"
#include "daemon/config/scan.h"
#include "daemon/config/text.h"
#include "daemon/config/tree.h"
#include "daemon/log/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMALLEST "instances = ( \"eth0 ==> eth1\" );"

bool config_is_legacy(const char *text)
{
	struct scan scan = scan_begin(text);
	bool after_protocol = false;
	enum piece piece;

	do {
		piece = scan_next(&scan);
		if (piece == PIECE_MARK && strncmp(scan.start, "==>", 3) == 0)
			return true;
		if (after_protocol && !(piece == PIECE_MARK && (*scan.start == '=' || *scan.start == ':')))
			return true;
		after_protocol =
			piece == PIECE_WORD && scan.length == 8 && memcmp(scan.start, "protocol", 8) == 0;
	} while (piece != PIECE_END && piece != PIECE_ENDLESS);
	return false;
}

static bool read_text(struct config *config, const char *path, const char *text,
                      char error[CONFIG_ERROR_SIZE])
{
	bool legacy = config_is_legacy(text);
	char hint[CONFIG_ERROR_SIZE];
	unsigned line;

	if (!(legacy ? config_legacy_read : config_tree_read)(config, path, text, error)) {
		line = config_foreign_explain(text, hint, sizeof hint);
		if (line > 0)
			config_fail(error, &(struct config_place){.path = path, .line = line}, "%s", hint);
		return false;
	}
	if (config->instance_count == 0)
		return config_fail(error, &(struct config_place){.path = path},
		                   "no instances; the smallest configuration is: %s",
		                   legacy ? "eth0 ==> eth1" : SMALLEST);
	return true;
}

static struct config *new_config(const char *path, int64_t read_at, char error[CONFIG_ERROR_SIZE])
{
	struct config *config = calloc(1, sizeof *config);

	if (config == NULL) {
		config_fail(error, &(struct config_place){.path = path}, "out of memory");
		return NULL;
	}
	sets_init(&config->sets);
	config->read_at = read_at;
	config->control = (struct config_control){.socket = CONFIG_SOCKET, .mode = CONFIG_SOCKET_MODE};
	return config;
}

static struct config *load(const char *path, bool once, char error[CONFIG_ERROR_SIZE])
{
	int64_t read_at = clock_wall();
	char *text = config_text_read(path, once, error);
	struct config *config;

	if (text == NULL) {
		if (access(path, F_OK) != 0 && errno == ENOENT)
			config_fail(error, &(struct config_place){.path = path},
			            "%s; the smallest configuration is: " SMALLEST, strerror(errno));
		return NULL;
	}
	config = new_config(path, read_at, error);
	if (config != NULL)
		config->text = text;
	if (config != NULL && !read_text(config, path, text, error)) {
		config_free(config);
		config = NULL;
	}
	if (config != NULL)
		config->text = NULL;
	free(text);
	return config;
}

struct config *config_load(const char *path, char error[CONFIG_ERROR_SIZE])
{
	return load(path, false, error);
}

struct config *config_load_first(const char *path, char error[CONFIG_ERROR_SIZE])
{
	return load(path, true, error);
}

struct config *config_from_lines(char *const lines[], size_t count, char error[CONFIG_ERROR_SIZE])
{
	struct config_place place = {.path = "command line"};
	struct config *config = new_config(place.path, clock_wall(), error);
	struct config_scope scope;
	bool good;

	if (config == NULL)
		return NULL;
	config_scope_init(&scope);
	good = config_filters_default(config, place.path, &scope, error);
	config->ring_size = scope.ring_size;
	config->owner_priority = scope.owner_priority;
	for (size_t i = 0; good && i < count; i++)
		good = config_add_line(config, &scope, lines[i], &place, error);
	if (good)
		return config;
	config_free(config);
	return NULL;
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	config_filters_free(config);
	config_group_maps_free(config);
	free(config->instances);
	free(config->status_file);
	free(config);
}

bool config_instance_wants(const struct config_instance *instance, enum family family)
{
	for (size_t i = 0; i < instance->downstream_count; i++)
		if (instance->downstream[i].settings.version[family] != VERSION_NONE)
			return true;
	return false;
}
