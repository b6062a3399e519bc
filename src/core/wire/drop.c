/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/wire/drop.h"

const char *drop_name(enum drop drop)
{
	static const char *const names[DROP_CAUSES] = {
		[DROP_NONE] = "none",
		[DROP_IP_HEADER] = "bad IP header",
		[DROP_IP_CHECKSUM] = "bad IP checksum",
		[DROP_FRAGMENT] = "fragment",
		[DROP_TTL] = "TTL or hop limit not 1",
		[DROP_ROUTER_ALERT] = "no router alert",
		[DROP_SOURCE_ADDRESS] = "source not link-local",
		[DROP_UNSPECIFIED] = "report from ::",
		[DROP_SENDER] = "source no host address",
		[DROP_OWN_ADDRESS] = "source is this router",
		[DROP_SUBNET] = "querier outside the subnet",
		[DROP_HOST_SUBNET] = "report outside the subnet",
		[DROP_VERSION] = "older than oldest_version",
		[DROP_CHECKSUM] = "bad checksum",
		[DROP_LENGTH] = "bad length",
		[DROP_TYPE] = "unknown type",
		[DROP_RECORD] = "unknown record type",
		[DROP_GROUP] = "group not multicast",
		[DROP_SCOPE] = "group of link scope",
		[DROP_SSM] = "not allowed in SSM range",

		[DROP_ROLE] = "report on upstream",
		[DROP_LINK] = "link not in use",
		[DROP_GROUPS_MAX] = "groups_max reached",
		[DROP_SOURCES_MAX] = "sources_max reached",
		[DROP_HOST_GROUPS_MAX] = "host_groups_max reached",
		[DROP_HOSTS_MAX] = "hosts_max reached",
		[DROP_ROUTES_MAX] = "routes_max reached",
		[DROP_MEMORY] = "memory_max reached",
		[DROP_TRUNCATED] = "packet too long",
		[DROP_RATE] = "report_rate_max exceeded",
		[DROP_HOST_RATE] = "host_report_rate_max exceeded",
		[DROP_QUERY_RATE] = "query_rate_max exceeded",
		[DROP_QUERIES_MAX] = "too many queries wait",
		[DROP_FILTER] = "filter",
		[DROP_DISCOVERY] = "needless router discovery",
	};

	return names[drop];
}
