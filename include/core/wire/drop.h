/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Why a packet, or a part of one, has no effect. Each link counts every cause.
 */
#ifndef MCPROXY_CORE_WIRE_DROP_H
#define MCPROXY_CORE_WIRE_DROP_H

enum drop {
	DROP_NONE,
	DROP_IP_HEADER,       /* version, header length, total length, next header */
	DROP_IP_CHECKSUM,     /* IPv4 header checksum */
	DROP_FRAGMENT,        /* a fragment: membership messages are never fragmented */
	DROP_TTL,             /* TTL or hop limit is not 1 */
	DROP_ROUTER_ALERT,    /* MLD without Router Alert (RFC 9777 section 5); IGMP: require_router_alert */
	DROP_SOURCE_ADDRESS,  /* MLD not from a link-local address, a query from an impossible one */
	DROP_UNSPECIFIED,     /* an MLD report or done from :: (RFC 9777 section 5.2.14) */
	DROP_SENDER,          /* an IGMP report or leave from a multicast, loopback or broadcast address */
	DROP_OWN_ADDRESS,     /* a message downstream from one of the router's own addresses on the link */
	DROP_SUBNET,          /* a query downstream from outside the link's IPv4 subnets */
	DROP_HOST_SUBNET,     /* verify_source_subnet: a report from outside the link's IPv4 subnets */
	DROP_VERSION,         /* a message of a host or querier, older than oldest_version */
	DROP_CHECKSUM,        /* IGMP or ICMPv6 checksum */
	DROP_LENGTH,          /* message shorter than its type or its counts say */
	DROP_TYPE,            /* unknown message type */
	DROP_RECORD,          /* unknown group record type: that record only */
	DROP_GROUP,           /* the group is no multicast address */
	DROP_SCOPE,           /* the group is not proxied: link scope */
	DROP_SSM,             /* not allowed in the source-specific range (RFC 4604) */
	DROP_ROLE,            /* report or leave on an upstream link */
	DROP_LINK,            /* arrived on a link or family that is not in use */
	DROP_GROUPS_MAX,      /* groups_max reached */
	DROP_SOURCES_MAX,     /* sources_max reached */
	DROP_HOST_GROUPS_MAX, /* host_groups_max reached: the join of that host is refused */
	DROP_HOSTS_MAX,       /* hosts_max reached: the host is not tracked */
	DROP_ROUTES_MAX,      /* routes_max reached */
	DROP_MEMORY,          /* memory_max reached */
	DROP_TRUNCATED,       /* longer than 65,535 bytes, or longer than both 9,216 bytes and the MTU */
	DROP_RATE,            /* report_rate_max exceeded */
	DROP_DISCOVERY,       /* router discovery (RFC 4286) that needs no answer */
	DROP_HOST_RATE,       /* host_report_rate_max exceeded by a source address */
	DROP_QUERY_RATE,  /* query_rate_max exceeded: a general query replaces the specific ones of a group */
	DROP_QUERIES_MAX, /* an upstream query while INSTANCE_QUERIES_MAX of them wait */
	DROP_FILTER,      /* a filter denies all of a report */
	DROP_CAUSES
};

const char *drop_name(enum drop drop); /* "bad checksum", ... */

#endif
