/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/words.h"

#include "daemon/config/build.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool config_read_upstream_choice(const char *word, struct config_scope *scope)
{
	static const char *const names[] = {
		[CHOICE_FIRST] = "first", [CHOICE_ALL] = "all", [CHOICE_MUTEX] = "mutex"};

	for (uint32_t choice = 0; choice < sizeof names / sizeof *names; choice++)
		if (strcmp(word, names[choice]) == 0) {
			scope->instance.upstream_choice = choice;
			return true;
		}
	return false;
}

bool config_read_membership(const char *word, struct config_scope *scope)
{
	for (int i = MEMBERSHIP_AUTO; i <= MEMBERSHIP_USER; i++) {
		if (strcmp(word, membership_name(i)) != 0)
			continue;
		scope->link.upstream_membership = (uint8_t)i;
		return true;
	}
	return false;
}

/* A protocol of one family, or the word that stands for VERSION_NONE in both. */
static bool read_version(const char *word, const char *none, uint8_t versions[FAMILIES])
{
	enum family family;
	enum version version;

	if (strcmp(word, none) == 0) {
		memset(versions, VERSION_NONE, FAMILIES);
		return true;
	}
	if (!config_protocol_parse(word, &family, &version))
		return false;
	versions[family] = (uint8_t)version;
	return true;
}

bool config_read_upstream_version(const char *word, struct config_scope *scope)
{
	return read_version(word, "auto", scope->link.upstream_version);
}

bool config_read_oldest_version(const char *word, struct config_scope *scope)
{
	return read_version(word, "any", scope->link.oldest_version);
}

bool config_read_table(const char *word, struct config_scope *scope)
{
	unsigned long number;
	char *end;

	if (strcmp(word, "own") == 0 || strcmp(word, "default") == 0) {
		scope->table = *word == 'o' ? CONFIG_TABLE_OWN : CONFIG_TABLE_DEFAULT;
		return true;
	}
	number = strtoul(word, &end, 10);
	if (*word < '0' || *word > '9' || *end != '\0' || number < 1 || number > CONFIG_TABLE_MAX)
		return false;
	scope->table = (uint32_t)number;
	/* These tables have a special meaning in the kernel, and so do others, depending on the family. */
	return number < RT_TABLE_DEFAULT || number > RT_TABLE_LOCAL;
}

bool config_read_ssm_range(const char *word, struct config_scope *scope)
{
	const char *slash = strchr(word, '/');
	char text[ADDR_TEXT_SIZE];
	unsigned long length, bits;
	struct addr prefix;
	char *end;

	if (strcmp(word, "none") == 0) {
		memset(scope->link.ssm_length, 0, sizeof scope->link.ssm_length);
		return true;
	}
	if (slash == NULL || slash - word >= ADDR_TEXT_SIZE || slash[1] < '0' || slash[1] > '9')
		return false;
	memcpy(text, word, (size_t)(slash - word));
	text[slash - word] = '\0';
	length = strtoul(slash + 1, &end, 10);
	if (*end != '\0' || !addr_parse(text, &prefix) || !addr_is_multicast(&prefix))
		return false;
	bits = addr_family(&prefix) == FAMILY_IPV4 ? 32 : 128;
	if (length < 4 || length > bits)
		return false;
	if (addr_family(&prefix) == FAMILY_IPV6)
		prefix.bytes[1] &= 0xf0; /* every scope */
	scope->link.ssm_prefix[addr_family(&prefix)] = prefix;
	scope->link.ssm_length[addr_family(&prefix)] = (uint8_t)(length + 128 - bits);
	return true;
}

/* MLD messages have link-local sources (RFC 9777 section 5). */
bool config_read_source_address(const char *word, struct config_scope *scope)
{
	struct addr address;

	if (strcmp(word, "auto") == 0) {
		memset(scope->link.source_address, 0, sizeof scope->link.source_address);
		return true;
	}
	if (!addr_parse(word, &address) || !addr_is_source(&address) ||
	    (addr_family(&address) == FAMILY_IPV6 && !addr_is_link_local(&address)))
		return false;
	scope->link.source_address[addr_family(&address)] = address;
	return true;
}

bool config_read_owner_priority(const char *word, struct config_scope *scope)
{
	unsigned long by;
	char *end;

	scope->owner_priority_named = strcmp(word, "auto") != 0;
	scope->owner_priority = CONFIG_PRIORITY_AUTO;
	if (!scope->owner_priority_named)
		return true;
	by = strtoul(word, &end, 10);
	scope->owner_priority = (uint8_t)by;
	return *word >= '0' && *word <= '9' && *end == '\0' && by <= 20;
}

bool config_read_control_mode(const char *word, struct config_scope *scope)
{
	size_t digits = strspn(word, "01234567");

	if (digits < 3 || digits > 4 || word[digits] != '\0')
		return false;
	scope->control_mode = (uint32_t)strtoul(word, NULL, 8);
	return scope->control_mode <= 0777;
}

/* A user or a group. The word does not outlive the call. */
static bool read_account(const char *word, char account[CONFIG_ACCOUNT_SIZE])
{
	return *word != '\0' && snprintf(account, CONFIG_ACCOUNT_SIZE, "%s", word) < CONFIG_ACCOUNT_SIZE;
}

bool config_read_control_group(const char *word, struct config_scope *scope)
{
	return read_account(word, scope->control_group);
}

bool config_read_user(const char *word, struct config_scope *scope)
{
	return read_account(word, scope->user);
}

bool config_read_group(const char *word, struct config_scope *scope)
{
	return read_account(word, scope->group);
}

void config_default_ssm_ranges(struct link_settings *settings)
{
	settings->ssm_prefix[FAMILY_IPV4] = addr_from_ipv4_number(0xe8000000);
	settings->ssm_length[FAMILY_IPV4] = 96 + 8;
	settings->ssm_prefix[FAMILY_IPV6] = (struct addr){{0xff, 0x30}};
	settings->ssm_length[FAMILY_IPV6] = 32;
}
