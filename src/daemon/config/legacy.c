/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/legacy.h"

#include "daemon/config/build.h"
#include "daemon/config/filters.h"

#include <stdlib.h>
#include <string.h>

#define BLANK " \t\r\v\f"

struct legacy_reader {
	struct config *config;
	struct config_place place;
	struct config_scope scope;
	unsigned protocol_line; /* 0: none yet */
	char *error;
};

static void strip_end(char *line)
{
	char *end = line + strlen(line);

	while (end > line && strchr(BLANK, end[-1]) != NULL)
		end--;
	*end = '\0';
}

/* The line without its comment, the blanks around it and a semicolon at its end. */
static char *strip(char *line)
{
	line[strcspn(line, "#")] = '\0';
	line += strspn(line, BLANK);
	strip_end(line);
	if (*line != '\0' && line[strlen(line) - 1] == ';')
		line[strlen(line) - 1] = '\0';
	strip_end(line);
	return line;
}

static size_t first_word_length(const char *line)
{
	return strcspn(line, BLANK);
}

static bool is_protocol(const char *line)
{
	return first_word_length(line) == 8 && memcmp(line, "protocol", 8) == 0;
}

/* `protocol IGMPv2`: all instances of the file serve only that family, no matter where the line stands. */
static bool read_protocol(struct legacy_reader *reader, const char *line)
{
	const char *name = line + 8 + strspn(line + 8, BLANK);
	enum family family;
	enum version version;

	reader->place.key = "protocol";
	if (reader->protocol_line != 0)
		return config_fail(reader->error, &reader->place,
		                   "given in line %u already; both families need the form protocol = [ ... ]",
		                   reader->protocol_line);
	if (!config_protocol_parse(name, &family, &version))
		return config_fail_protocol(reader->error, &reader->place,
		                            *name != '\0' ? name : "(nothing)");
	for (enum family f = FAMILY_IPV4; f < FAMILIES; f++) {
		reader->scope.link.version[f] = f == family ? (uint8_t)version : VERSION_NONE;
		reader->scope.family_named[f] = f == family;
	}
	reader->protocol_line = reader->place.line;
	return true;
}

/* The newest instance must have at most one upstream, and no other instance may have it. */
static bool check_upstream(const struct legacy_reader *reader)
{
	const struct config *config = reader->config;
	const struct config_instance *newest = &config->instances[config->instance_count - 1];

	if (newest->upstream_count > 1)
		return config_fail(reader->error, &reader->place,
		                   "%s: only one upstream link is allowed before ==>",
		                   newest->upstream[1].name);
	for (size_t i = 0; newest->upstream_count > 0 && i + 1 < config->instance_count; i++)
		if (config->instances[i].upstream_count > 0 &&
		    strcmp(config->instances[i].upstream[0].name, newest->upstream[0].name) == 0)
			return config_fail(reader->error, &reader->place,
			                   "%s: already the upstream of another line",
			                   newest->upstream[0].name);
	return true;
}

/* The line has neither form: it is a setting, or something else. */
static bool fail_other_line(const struct legacy_reader *reader, const char *line)
{
	size_t length = first_word_length(line);
	const char *next = line + length + strspn(line + length, BLANK);
	int shown = (int)(length < 40 ? length : 40);

	if (*next == '=' && next[1] != '>')
		return config_fail(reader->error, &reader->place,
		                   "%.*s: settings need the full form, where links are written instances = ( "
		                   "\"eth0 ==> eth1\" );",
		                   shown, line);
	return config_fail(reader->error, &reader->place,
	                   "%.*s: neither a line \"protocol IGMPv2\" nor \"eth0 ==> eth1\"", shown, line);
}

static bool read_instance(struct legacy_reader *reader, const char *line)
{
	reader->place.key = NULL;
	if (strstr(line, "==>") == NULL)
		return fail_other_line(reader, line);
	if (strpbrk(line, "\"(){}") != NULL)
		return config_fail(
			reader->error, &reader->place,
			"in this form the whole line is in plain quotes: instances = ( \"eth0 ==> eth1\" );");
	return config_add_line(reader->config, &reader->scope, line, &reader->place, reader->error) &&
	       check_upstream(reader);
}

static bool read_line(struct legacy_reader *reader, char *line, bool protocols)
{
	line = strip(line);
	if (is_protocol(line))
		return !protocols || read_protocol(reader, line);
	return protocols || *line == '\0' || read_instance(reader, line);
}

/* One of two passes over the lines: the protocol must be known before the instances are made. */
static bool read_lines(struct legacy_reader *reader, const char *text, bool protocols)
{
	bool good = true;

	reader->place.line = 0;
	for (const char *next = text; good && *next != '\0'; next += *next == '\n') {
		size_t length = strcspn(next, "\n");
		char *line = strndup(next, length);

		reader->place.line++;
		good = line != NULL ? read_line(reader, line, protocols)
		                    : config_fail(reader->error, &reader->place, "out of memory");
		free(line);
		next += length;
	}
	return good;
}

bool config_legacy_read(struct config *config, const char *path, const char *text,
                        char error[CONFIG_ERROR_SIZE])
{
	struct legacy_reader reader = {.config = config, .place.path = path, .error = error};

	config_scope_init(&reader.scope);
	if (!config_filters_default(config, path, &reader.scope, error))
		return false;
	reader.scope.link.version[FAMILY_IPV4] = VERSION_2;
	reader.scope.link.version[FAMILY_IPV6] = VERSION_NONE;
	reader.scope.family_named[FAMILY_IPV4] = true;
	config->ring_size = reader.scope.ring_size;
	config->owner_priority = reader.scope.owner_priority;
	return read_lines(&reader, text, true) && read_lines(&reader, text, false);
}
