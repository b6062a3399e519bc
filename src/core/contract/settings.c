/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/contract/settings.h"

#include <stddef.h>
#include <string.h>

#define ADOPTION_MARGIN      (1 * MTIME_SECOND)
#define V1_RESPONSE_INTERVAL (10 * MTIME_SECOND)

/* The bytes of all fields, without the padding after the last one. */
#define LINK_SETTINGS_SIZE                                                                                   \
	(offsetof(struct link_settings, repeat_without_querier) +                                            \
	 sizeof((struct link_settings *)0)->repeat_without_querier)

/* A new field must leave no padding, and the last one stands above. */
_Static_assert(LINK_SETTINGS_SIZE == 150 + 4 * sizeof(struct policy *), "no padding is compared");
_Static_assert(sizeof(struct instance_settings) == 24, "no padding is compared");

bool link_settings_demand_source(const struct link_settings *settings, const struct addr *group)
{
	enum family family = addr_family(group);
	struct addr scopeless = *group;

	if (settings->version[family] != VERSION_3 || settings->ssm_length[family] == 0)
		return false;
	if (family == FAMILY_IPV6)
		scopeless.bytes[1] &= 0xf0; /* of any scope */
	return addr_in_prefix(&scopeless, &settings->ssm_prefix[family], settings->ssm_length[family]);
}

uint8_t link_settings_startup_count(const struct link_settings *settings)
{
	return settings->startup_query_count ? settings->startup_query_count : settings->robustness;
}

mtime link_settings_startup_interval(const struct link_settings *settings)
{
	return settings->startup_query_interval ? settings->startup_query_interval
	                                        : settings->query_interval / 4;
}

mtime link_settings_response_interval(const struct link_settings *settings)
{
	bool fixed = settings->version[FAMILY_IPV4] == VERSION_1 &&
	             settings->query_response_interval < V1_RESPONSE_INTERVAL;

	return fixed ? V1_RESPONSE_INTERVAL : settings->query_response_interval;
}

mtime link_settings_adoption_time(const struct link_settings *settings)
{
	uint8_t count = link_settings_startup_count(settings);

	return (count > 1 ? count - 1 : 0) * link_settings_startup_interval(settings) +
	       link_settings_response_interval(settings) + ADOPTION_MARGIN;
}

void link_settings_strip(struct link_settings *settings)
{
	settings->filter_in = settings->filter_out = NULL;
	settings->static_groups = settings->ssm_map = NULL;
}

bool link_settings_equal(const struct link_settings *a, const struct link_settings *b)
{
	return memcmp(a, b, LINK_SETTINGS_SIZE) == 0;
}

bool instance_settings_equal(const struct instance_settings *a, const struct instance_settings *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

const char *membership_name(enum membership_provider membership)
{
	static const char *const names[] = {
		[MEMBERSHIP_AUTO] = "auto", [MEMBERSHIP_KERNEL] = "kernel", [MEMBERSHIP_USER] = "user"};

	return names[membership];
}
