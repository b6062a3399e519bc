/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The protocol variables of a link and an instance, as configured. Plain values: they travel in messages and
 * recordings. The standards' names, RFC 9776 section 8 and RFC 9777 section 9. All lengths in milliseconds.
 */
#ifndef MCPROXY_CORE_CONTRACT_SETTINGS_H
#define MCPROXY_CORE_CONTRACT_SETTINGS_H

#include "core/wire/message.h"

/* Who keeps the memberships upstream. */
enum membership_provider {
	/* The kernel keeps the first kernel_groups_max groups of a link, mcproxy the others. */
	MEMBERSHIP_AUTO,
	/* The kernel: visible in /proc. It repeats reports and answers queries; mcproxy only reports changes
	 * sooner. */
	MEMBERSHIP_KERNEL,
	/* mcproxy (core/host/reporter.h): no kernel limit applies. */
	MEMBERSHIP_USER,
};

/* Where another router is the querier of a downstream link: does this one forward there? */
enum forward_policy {
	FORWARD_NEVER,  /* no (RFC 4605 section 4.2) */
	FORWARD_ALWAYS, /* yes */
	FORWARD_AUTO,   /* yes, except streams that another router forwards there (copies arrive) */
};

/* Does a downstream link announce this router to snooping switches (RFC 4286)? */
enum router_discovery {
	ROUTER_DISCOVERY_OFF,
	ROUTER_DISCOVERY_ON,
	ROUTER_DISCOVERY_AUTO, /* while another router is the link's querier */
};
struct policy;
struct group_map;

/* Of the streams at a link: filter_in, filter_out. */
enum filter_direction { FILTER_IN, FILTER_OUT, FILTER_DIRECTIONS };

#define HOST_REPORT_RATE_HALF UINT32_MAX /* host_report_rate_max is half of report_rate_max */

/* In an order that leaves no padding, except after the last field. */
struct link_settings {
	/* Which streams may enter and leave by the link (core/policy/policy.h); NULL: all. INPUT_LINK
	 * hands over a hold on each. Recordings leave them out. */
	const struct policy *filter_in, *filter_out;
	/* The same for the groups that the link keeps without members, and for the sources that joins without
	 * sources stand for (core/policy/group_map.h); NULL: none. */
	const struct group_map *static_groups, *ssm_map;
	uint8_t version[FAMILIES];        /* enum version; VERSION_NONE: family not served */
	bool fast_leave;                  /* implies track_hosts */
	bool track_hosts;                 /* version 3: know each host's membership */
	uint8_t forward_without_querier;  /* enum forward_policy */
	uint8_t router_discovery;         /* enum router_discovery */
	bool querier_election;            /* false: ignore other queriers, and remain the querier */
	uint8_t robustness;               /* 1..255; above 7 queries cannot carry it */
	uint8_t startup_query_count;      /* 0: robustness */
	uint8_t last_member_query_count;  /* 0: robustness */
	uint8_t oldest_version[FAMILIES]; /* enum version; older hosts and queriers have no effect */
	uint32_t query_interval;
	uint32_t query_response_interval;
	uint32_t startup_query_interval; /* 0: a quarter of query_interval */
	uint32_t last_member_query_interval;
	uint32_t older_host_present_interval; /* 0: derived */
	uint32_t groups_max;                  /* per link */
	uint32_t sources_max;                 /* per group */
	uint32_t report_rate_max;             /* packets a second; 0: no limit */
	uint32_t host_report_rate_max;        /* of one source address; 0: no limit; HOST_REPORT_RATE_HALF */
	uint32_t query_rate_max;              /* specific queries a second; 0: no limit */
	uint32_t hosts_max;                   /* tracked, per group on a link */
	uint32_t host_groups_max;             /* of one host; 0: no limit; otherwise implies track_hosts */
	struct addr source_address[FAMILIES]; /* of queries and reports; unspecified: the link's own */
	struct addr ssm_prefix[FAMILIES];     /* the source-specific range (RFC 4604); IPv6: with scope 0 */
	uint8_t ssm_length[FAMILIES];         /* its length in bits of the v4-mapped form; 0: no range */
	/* For the owner only; all but reset_rp_filter on upstream links only. */
	bool reset_rp_filter;                 /* set net.ipv4.conf.NAME.rp_filter to 0 */
	uint8_t upstream_membership;          /* enum membership_provider */
	uint32_t kernel_groups_max;           /* MEMBERSHIP_AUTO: kept by the kernel, per link and family */
	uint32_t unsolicited_report_interval; /* 0: the standard's */
	uint32_t leave_hold;                  /* delay between the last member and the leave upstream */
	uint32_t order;                     /* of upstream links in the configuration, the first one lowest */
	uint8_t upstream_version[FAMILIES]; /* enum version; VERSION_NONE: follow the querier */
	bool require_router_alert;          /* IGMP without it is dropped; MLD without it always is */
	bool verify_source_subnet;          /* reports from outside the link's IPv4 subnets are dropped */
	uint8_t ttl_threshold;              /* for the owner: packets leave with a larger TTL only; 1..255 */
	bool repeat_without_querier;        /* report the whole state repeatedly while no query comes */
};

/* Which of several upstream links an instance receives a group from. */
enum upstream_choice {
	CHOICE_FIRST, /* the first one in use whose filters allow it */
	CHOICE_ALL,   /* all; each stream from the one where its first packet arrived */
	CHOICE_MUTEX, /* joined on all, received from one at a time */
};

struct instance_settings {
	uint32_t routes_max;      /* (S,G) entries, negative ones included */
	uint32_t route_timeout;   /* a route without packets for this long is removed */
	uint64_t memory_max;      /* bytes of the pool */
	uint32_t upstream_choice; /* enum upstream_choice */
	uint32_t mutex_hold;      /* CHOICE_MUTEX: another link takes over after this time without packets */
};

/* How many general queries a querier sends at its start, and how long it waits between them (RFC 9776 sections 8.6 and
 * 8.7). */
uint8_t link_settings_startup_count(const struct link_settings *settings);
mtime link_settings_startup_interval(const struct link_settings *settings);
/* How long hosts may take to answer a general query. Those of IGMPv1 take up to 10 s, whatever a query says (RFC 1112
 * appendix I). */
mtime link_settings_response_interval(const struct link_settings *settings);
/* By then every member has answered one of them, or is gone. What an earlier run has left counts as reported for this
 * time. */
mtime link_settings_adoption_time(const struct link_settings *settings);
/* Is the group in the range in which only joins that name their sources count (RFC 4604)? */
bool link_settings_demand_source(const struct link_settings *settings, const struct addr *group);
/* Takes out all pointers, which mean nothing in a recording. */
void link_settings_strip(struct link_settings *settings);
/* Do all fields have the same values? Ignores padding. */
bool link_settings_equal(const struct link_settings *a, const struct link_settings *b);
bool instance_settings_equal(const struct instance_settings *a, const struct instance_settings *b);

/* The filter of a direction; NULL: none. */
static inline const struct policy *link_settings_filter(const struct link_settings *settings,
                                                        enum filter_direction direction)
{
	return direction == FILTER_IN ? settings->filter_in : settings->filter_out;
}

/* "auto", "kernel" or "user". */
const char *membership_name(enum membership_provider membership);

#endif
