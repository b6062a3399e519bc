/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/options.h"

#include "core/base/spelling.h"
#include "daemon/config/words.h"

#include <libconfig.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB 1024.0
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* An instance's memory is one size_t. */
#if SIZE_MAX > UINT32_MAX
#define MEMORY_LARGEST (1024 * GIB)
#else
#define MEMORY_LARGEST (2 * GIB)
#endif

enum kind {
	KIND_PART, /* part of the file's structure, not a value */
	KIND_BOOL,
	KIND_BOOL_OR_AUTO, /* 0, 1, or 2 for "auto" */
	KIND_COUNT,
	KIND_POWER,   /* a count that is a power of two */
	KIND_SECONDS, /* kept in milliseconds */
	KIND_BYTES,
	KIND_PATH,
	KIND_WORDS,
};

struct option {
	const char *key;
	uint8_t kind;          /* enum kind */
	uint8_t levels;        /* set of enum config_level */
	uint16_t offset, size; /* in struct config_scope; size 0: it has no number */
	union {
		struct {
			double minimum, maximum, initial;
		} range;
		struct {
			config_word_read *read;
			const char *expected; /* for messages */
		} words;
	};
};

#define FIELD(member) offsetof(struct config_scope, member), sizeof(((struct config_scope *)0)->member)
#define LINK(member)  FIELD(link.member)
#define ANY           (LEVEL_TOP | LEVEL_INSTANCE | LEVEL_LINK)
#define NOT_LINK      (LEVEL_TOP | LEVEL_INSTANCE)
#define NOT_TOP       (LEVEL_INSTANCE | LEVEL_LINK)

/* The longest times are those that a query can carry (RFC 9776 section 8, RFC 9777 section 9). An initial
 * value that is outside the range is derived from other values where it is used. */
static const struct option options[] = {
	{.key = "instances", .kind = KIND_PART, .levels = LEVEL_TOP},
	{.key = "name", .kind = KIND_PART, .levels = NOT_TOP},
	{.key = "upstream", .kind = KIND_PART, .levels = LEVEL_INSTANCE},
	{.key = "downstream", .kind = KIND_PART, .levels = LEVEL_INSTANCE},
	{.key = "protocol", .kind = KIND_PART, .levels = NOT_LINK},
	{.key = "sets", .kind = KIND_PART, .levels = LEVEL_TOP},
	{.key = "filter_in", .kind = KIND_PART, .levels = ANY},
	{.key = "filter_out", .kind = KIND_PART, .levels = ANY},
	{.key = "static", .kind = KIND_PART, .levels = LEVEL_LINK},
	{.key = "ssm_map", .kind = KIND_PART, .levels = ANY},
	{"upstream_choice", KIND_WORDS, NOT_LINK,
         .words = {config_read_upstream_choice, "\"first\", \"all\" or \"mutex\""}},
	{"mutex_hold", KIND_SECONDS, NOT_LINK, FIELD(instance.mutex_hold), .range = {0.1, 3600, 10}},
	{"robustness", KIND_COUNT, ANY, LINK(robustness), .range = {1, 255, 2}},
	{"query_interval", KIND_SECONDS, ANY, LINK(query_interval), .range = {1, 31744, 125}},
	{"query_response_interval", KIND_SECONDS, ANY, LINK(query_response_interval),
         .range = {0.1, 3174.4, 10}},
	{"startup_query_interval", KIND_SECONDS, ANY, LINK(startup_query_interval), .range = {0.1, 31744, 0}},
	{"startup_query_count", KIND_COUNT, ANY, LINK(startup_query_count), .range = {1, 255, 0}},
	{"last_member_query_interval", KIND_SECONDS, ANY, LINK(last_member_query_interval),
         .range = {0.1, 3174.4, 1}},
	{"last_member_query_count", KIND_COUNT, ANY, LINK(last_member_query_count), .range = {1, 255, 0}},
	{"older_host_present_interval", KIND_SECONDS, ANY, LINK(older_host_present_interval),
         .range = {1, 86400, 0}},
	{"fast_leave", KIND_BOOL, ANY, LINK(fast_leave), .range = {0, 1, 0}},
	{"track_hosts", KIND_BOOL, ANY, LINK(track_hosts), .range = {0, 1, 0}},
	{"forward_without_querier", KIND_BOOL_OR_AUTO, ANY, LINK(forward_without_querier),
         .range = {0, 2, FORWARD_AUTO}},
	{"querier_election", KIND_BOOL, ANY, LINK(querier_election), .range = {0, 1, 1}},
	{"router_discovery", KIND_BOOL_OR_AUTO, ANY, LINK(router_discovery),
         .range = {0, 2, ROUTER_DISCOVERY_AUTO}},
	{"groups_max", KIND_COUNT, ANY, LINK(groups_max), .range = {1, 16777216, 131072}},
	{"sources_max", KIND_COUNT, ANY, LINK(sources_max), .range = {1, 4096, 1024}},
	{"report_rate_max", KIND_COUNT, ANY, LINK(report_rate_max), .range = {0, 16777216, 50000}},
	{"host_report_rate_max", KIND_COUNT, ANY, LINK(host_report_rate_max),
         .range = {0, 16777216, HOST_REPORT_RATE_HALF}},
	{"query_rate_max", KIND_COUNT, ANY, LINK(query_rate_max), .range = {0, 16777216, 500}},
	{"hosts_max", KIND_COUNT, ANY, LINK(hosts_max), .range = {1, 4096, 128}},
	{"host_groups_max", KIND_COUNT, ANY, LINK(host_groups_max), .range = {0, 65536, 0}},
	{"require_router_alert", KIND_BOOL, ANY, LINK(require_router_alert), .range = {0, 1, 0}},
	{"verify_source_subnet", KIND_BOOL, ANY, LINK(verify_source_subnet), .range = {0, 1, 0}},
	{"ttl_threshold", KIND_COUNT, ANY, LINK(ttl_threshold), .range = {1, 255, 1}},
	{"source_address", KIND_WORDS, ANY,
         .words = {config_read_source_address,
                   "\"auto\", a unicast IPv4 address, or a link-local IPv6 address such as \"fe80::1\""}},
	{"repeat_without_querier", KIND_BOOL, ANY, LINK(repeat_without_querier), .range = {0, 1, 1}},
	{"reset_rp_filter", KIND_BOOL, ANY, LINK(reset_rp_filter), .range = {0, 1, 0}},
	{"leave_hold", KIND_SECONDS, ANY, LINK(leave_hold), .range = {0, 60, 0}},
	{"unsolicited_report_interval", KIND_SECONDS, ANY, LINK(unsolicited_report_interval),
         .range = {0.1, 25, 0}},
	{"upstream_membership", KIND_WORDS, ANY,
         .words = {config_read_membership, "\"auto\", \"kernel\" or \"user\""}},
	{"kernel_groups_max", KIND_COUNT, ANY, LINK(kernel_groups_max), .range = {0, 16777216, 4096}},
	{"upstream_version", KIND_WORDS, ANY,
         .words = {config_read_upstream_version,
                   "\"auto\", or a protocol of each family such as \"IGMPv2\""}},
	{"oldest_version", KIND_WORDS, ANY,
         .words = {config_read_oldest_version, "\"any\", or a protocol of each family such as \"IGMPv2\""}},
	{"ssm_range", KIND_WORDS, ANY,
         .words = {config_read_ssm_range, "\"none\", or a prefix of each family such as \"232.0.0.0/8\""}},
	{"table", KIND_WORDS, NOT_LINK,
         .words = {config_read_table,
                   "\"own\", \"default\", or a number from 1 to 999999999 except 253 to 255"}},
	{"routes_max", KIND_COUNT, NOT_LINK, FIELD(instance.routes_max), .range = {1, 16777216, 65536}},
	{"route_timeout", KIND_SECONDS, NOT_LINK, FIELD(instance.route_timeout), .range = {10, 86400, 180}},
	{"memory_max", KIND_BYTES, NOT_LINK, FIELD(instance.memory_max),
         .range = {64 * KIB, MEMORY_LARGEST, 64 * MIB}},
	{"ring_size", KIND_POWER, LEVEL_TOP, FIELD(ring_size), .range = {4, 65536, 1024}},
	{"status_file", KIND_PATH, LEVEL_TOP, FIELD(status_file)},
	{"control_socket", KIND_PATH, LEVEL_TOP, FIELD(control_socket)},
	{"owner_priority", KIND_WORDS, LEVEL_TOP,
         .words = {config_read_owner_priority, "\"auto\", or a whole number from 0 to 20"}},
	{"control_mode", KIND_WORDS, LEVEL_TOP,
         .words = {config_read_control_mode, "an octal mode such as \"0660\""}},
	{"control_group", KIND_WORDS, LEVEL_TOP, .words = {config_read_control_group, "the name of a group"}},
	{"user", KIND_WORDS, LEVEL_TOP, .words = {config_read_user, "the name of a user"}},
	{"group", KIND_WORDS, LEVEL_TOP, .words = {config_read_group, "the name of a group"}},
};
#define OPTIONS (sizeof options / sizeof options[0])

/* The option that is being read. */
struct option_reader {
	const struct option *option;
	const config_setting_t *setting;
	struct config_place place;
	char *error;
};

const char *config_option_key(size_t index)
{
	return index < OPTIONS ? options[index].key : NULL;
}

struct config_place config_setting_place(const config_setting_t *setting, const char *path)
{
	struct config_place place = {.path = path, .line = config_setting_source_line(setting)};
	const config_setting_t *named = setting;

	if (config_setting_source_file(setting) != NULL)
		place.path = config_setting_source_file(setting);
	while (config_setting_name(named) == NULL && !config_setting_is_root(named))
		named = config_setting_parent(named);
	place.key = config_setting_name(named);
	return place;
}

const char *config_setting_kind(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_LIST:
		return "a list";
	case CONFIG_TYPE_ARRAY:
		return "an array";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	}
	return "a number";
}

static void store(struct config_scope *scope, const struct option *option, double value)
{
	unsigned char *field = (unsigned char *)scope + option->offset;
	uint64_t number = (uint64_t)(option->kind == KIND_SECONDS ? value * 1000 + 0.5 : value);
	uint32_t number32 = (uint32_t)number;
	uint8_t number8 = (uint8_t)number;

	if (option->size == sizeof number)
		memcpy(field, &number, sizeof number);
	else if (option->size == sizeof number32)
		memcpy(field, &number32, sizeof number32);
	else
		memcpy(field, &number8, sizeof number8);
}

void config_scope_init(struct config_scope *scope)
{
	*scope = (struct config_scope){.link.version = {VERSION_3, VERSION_3},
	                               .control_mode = CONFIG_SOCKET_MODE,
	                               .owner_priority = CONFIG_PRIORITY_AUTO};
	for (size_t i = 0; i < OPTIONS; i++)
		if (options[i].size > 0)
			store(scope, &options[i], options[i].range.initial);
	config_default_ssm_ranges(&scope->link);
}

/* Whole numbers as they are, bytes with their largest unit. */
static const char *format_value(enum kind kind, double value, char text[32])
{
	int units = 0;

	for (; kind == KIND_BYTES && units < 3 && value >= KIB; units++)
		value /= KIB;
	snprintf(text, 32, "%.10g%.*s", value, units > 0, &"KMG"[units > 0 ? units - 1 : 0]);
	return text;
}

static bool fail_type(const struct option_reader *reader)
{
	static const char *const expected[] = {
		[KIND_PART] = "",
		[KIND_BOOL] = "true or false",
		[KIND_BOOL_OR_AUTO] = "true, false or \"auto\"",
		[KIND_COUNT] = "a whole number",
		[KIND_POWER] = "a whole number",
		[KIND_SECONDS] = "a number of seconds",
		[KIND_BYTES] = "a number of bytes, or a string such as \"64M\"",
		[KIND_PATH] = "a string",
		[KIND_WORDS] = "a string",
	};

	enum kind kind = reader->option->kind;
	const char *word = config_setting_get_string(reader->setting);

	if ((kind == KIND_BYTES || kind == KIND_BOOL_OR_AUTO) && word != NULL)
		return config_fail(reader->error, &reader->place, "%s is expected, not \"%.20s\"",
		                   expected[kind], word);
	return config_fail(reader->error, &reader->place, "%s is expected, not %s", expected[kind],
	                   config_setting_kind(reader->setting));
}

static bool fail_range(const struct option_reader *reader, double value)
{
	const struct option *option = reader->option;
	char text[32], minimum[32], maximum[32];

	return config_fail(reader->error, &reader->place, "%s is out of range, which is %s to %s%s",
	                   format_value(option->kind, value, text),
	                   format_value(option->kind, option->range.minimum, minimum),
	                   format_value(option->kind, option->range.maximum, maximum),
	                   option->kind == KIND_SECONDS ? " seconds" : "");
}

/* "65536", "64K", "64M", "1G". */
static bool parse_bytes(const char *text, double *value)
{
	static const char units[] = "KkMmGg";
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*value = (double)strtoll(text, &end, 10);
	if (*end == '\0')
		return true;
	for (int i = 0; units[i] != '\0'; i++) {
		if (i % 2 == 0)
			*value *= KIB;
		if (*end == units[i])
			return end[1] == '\0';
	}
	return false;
}

/* The value in the option's unit; false when it is of the wrong type. */
static bool read_value(const struct option *option, const config_setting_t *setting, double *value)
{
	bool is_choice = option->kind == KIND_BOOL || option->kind == KIND_BOOL_OR_AUTO;

	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		*value = (double)config_setting_get_int64(setting);
		return !is_choice;
	case CONFIG_TYPE_FLOAT:
		*value = config_setting_get_float(setting);
		return option->kind == KIND_SECONDS;
	case CONFIG_TYPE_BOOL:
		*value = config_setting_get_bool(setting);
		return is_choice;
	case CONFIG_TYPE_STRING:
		if (option->kind == KIND_BOOL_OR_AUTO) {
			*value = 2;
			return strcmp(config_setting_get_string(setting), "auto") == 0;
		}
		return option->kind == KIND_BYTES && parse_bytes(config_setting_get_string(setting), value);
	}
	return false;
}

static bool read_number(const struct option_reader *reader, struct config_scope *scope)
{
	const struct option *option = reader->option;
	double value;

	if (!read_value(option, reader->setting, &value))
		return fail_type(reader);
	if (!(value >= option->range.minimum && value <= option->range.maximum))
		return fail_range(reader, value);
	if (option->kind == KIND_POWER && ((uint32_t)value & ((uint32_t)value - 1)) != 0)
		return config_fail(reader->error, &reader->place, "%u is not a power of two",
		                   (unsigned)value);
	store(scope, option, value);
	return true;
}

static bool read_path(const struct option_reader *reader, struct config_scope *scope)
{
	const char *value = config_setting_get_string(reader->setting);

	if (value == NULL)
		return fail_type(reader);
	if (*value == '\0' || strlen(value) >= PATH_MAX)
		return config_fail(reader->error, &reader->place, "a file name is expected");
	memcpy((unsigned char *)scope + reader->option->offset, &value, sizeof value);
	return true;
}

/* NULL when the setting is neither a string nor a whole number. */
static const char *read_word(const config_setting_t *setting, char digits[24])
{
	if (config_setting_type(setting) != CONFIG_TYPE_INT &&
	    config_setting_type(setting) != CONFIG_TYPE_INT64)
		return config_setting_get_string(setting);
	snprintf(digits, 24, "%lld", config_setting_get_int64(setting));
	return digits;
}

static bool read_words(const struct option_reader *reader, struct config_scope *scope)
{
	const config_setting_t *setting = reader->setting;
	bool many = config_setting_is_list(setting) || config_setting_is_array(setting);
	int count = many ? config_setting_length(setting) : 1;
	char digits[24];

	for (int i = 0; i < count; i++) {
		const char *word =
			read_word(many ? config_setting_get_elem(setting, (unsigned)i) : setting, digits);

		if (word == NULL || !reader->option->words.read(word, scope))
			return config_fail(reader->error, &reader->place, "%s is expected",
			                   reader->option->words.expected);
	}
	return true;
}

static bool fail_unknown(const struct option_reader *reader, enum config_level level)
{
	struct spelling spelling = spelling_begin(reader->place.key);

	for (size_t i = 0; i < OPTIONS; i++)
		if ((options[i].levels & level) != 0)
			spelling_compare(&spelling, options[i].key);
	if (spelling.nearest == NULL)
		return config_fail(reader->error, &reader->place, "unknown option");
	return config_fail(reader->error, &reader->place, "unknown option; did you mean %s?",
	                   spelling.nearest);
}

static bool fail_level(const struct option_reader *reader)
{
	static const char *const where[] = {
		[LEVEL_TOP] = "at the top level",
		[LEVEL_INSTANCE] = "in an instance",
		[LEVEL_LINK] = "in a link",
		[NOT_LINK] = "at the top level or in an instance",
		[NOT_TOP] = "in an instance or a link",
	};

	return config_fail(reader->error, &reader->place, "belongs %s, not here",
	                   where[reader->option->levels]);
}

static const struct option *find_option(const char *key)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (strcmp(options[i].key, key) == 0)
			return &options[i];
	return NULL;
}

static bool read_option(struct option_reader *reader, enum config_level level, struct config_scope *scope)
{
	const struct option *option = reader->option = find_option(reader->place.key);

	if (option == NULL)
		return fail_unknown(reader, level);
	if ((option->levels & level) == 0)
		return fail_level(reader);
	if (option->kind == KIND_PART)
		return true;
	if (option->kind == KIND_PATH)
		return read_path(reader, scope);
	if (option->kind == KIND_WORDS)
		return read_words(reader, scope);
	return read_number(reader, scope);
}

/* Hosts must have answered a query before the next one (RFC 9776 section 8.3). */
static bool check_intervals(const config_setting_t *group, const char *path, const struct config_scope *scope,
                            char error[CONFIG_ERROR_SIZE])
{
	const struct link_settings *link = &scope->link;
	const config_setting_t *culprit = config_setting_get_member(group, "query_response_interval");
	struct config_place place;

	if (link->query_response_interval < link->query_interval)
		return true;
	if (culprit == NULL)
		culprit = config_setting_get_member(group, "query_interval");
	place = config_setting_place(culprit, path);
	return config_fail(error, &place,
	                   "query_response_interval (%g s) must be less than query_interval (%g s)",
	                   link->query_response_interval / 1e3, link->query_interval / 1e3);
}

bool config_options_read(const config_setting_t *group, enum config_level level, const char *path,
                         struct config_scope *scope, char error[CONFIG_ERROR_SIZE])
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		struct option_reader reader = {
			.setting = setting,
			.place = config_setting_place(setting, path),
			.error = error,
		};

		if (!read_option(&reader, level, scope))
			return false;
	}
	return check_intervals(group, path, scope, error);
}
