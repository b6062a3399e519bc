/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inside of the table of links, shared by the modules that make it up: links (news of interfaces, names),
 * links_pull (operations and their results), links_find (look-ups). Everybody else uses links.h.
 */
#ifndef MCPROXY_CORE_TABLES_LINKS_INSIDE_H
#define MCPROXY_CORE_TABLES_LINKS_INSIDE_H

#include "core/tables/addresses.h"
#include "core/tables/link_names.h"
#include "core/tables/links.h"

struct port {
	struct port *next; /* of the same interface */
	struct interface *interface;
	unsigned instance;
	uint8_t id;
	enum link_role role;
	struct link_settings settings;
	bool serves[FAMILIES];
	bool announced;    /* the instance knows the link */
	bool reconfigured; /* but not its newest role and settings */
	bool announced_usable[FAMILIES];
	struct addr announced_address[FAMILIES];
	uint32_t announced_mtu;
	bool announced_multicast;
	bool announce_unusable[FAMILIES]; /* the vif went: say so before anything else */
	bool leaving;                     /* to be announced as gone, then freed */
};

struct interface {
	struct interface *prev, *next;
	int ifindex;
	char name[LINK_NAME_SIZE];
	bool up;
	bool multicast;
	bool gone;
	bool seen; /* in the dump under way */
	uint32_t mtu;
	bool attached; /* the next field is known */
	struct link_attachment attachment;
	struct addresses addresses[FAMILIES]; /* of IPv6 the link-local ones alone */
	unsigned table[FAMILIES];             /* where it shall be a vif */
	unsigned vif_table[FAMILIES];
	unsigned vif[FAMILIES];     /* in that table; LINKS_NO_VIF */
	bool vif_went;              /* a vif that is gone may still hold its number */
	mtime retry_at[FAMILIES];   /* after a failure; 0: none */
	bool logged_full[FAMILIES]; /* that no number is left for a vif */
	bool incomplete;            /* a port could not be made: ids or memory were short */
	bool conflict;              /* to be announced: two patterns exclude each other */
	uint8_t loser, winner;      /* their instances */
	struct port *ports;
};

struct links {
	struct names names;
	struct names old_names; /* during a reconfiguration */
	struct interface *interfaces;
	struct interface *vifs[LINKS_TABLES][FAMILIES][LINKS_VIFS];
	struct port *ports[LINKS_INSTANCES][LINKS_MAX]; /* by link id */
	uint64_t ids_used[LINKS_INSTANCES];             /* given out, or not yet given back */
	bool enabled[LINKS_TABLES][FAMILIES];
	bool changed;      /* links_pull may find something */
	bool memory_short; /* a link could not be made, or not announced, in this pass */
	mtime retry_at;    /* when that is tried again; 0: all is there */
	uint64_t refused;  /* set of instances that could not be announced in this pass */
};

/* links.c */

/* Brings the ports of an interface to what the names say. False when memory or ids were short. */
bool interface_attach(struct links *links, struct interface *interface);
void interface_free(struct links *links, struct interface *interface);
/* Is that its vif now? */
bool interface_has_vif(const struct interface *interface, unsigned table, enum family family, unsigned vif);
/* The number of a vif that is gone is free when all instances were announced. */
void interface_release_vifs(struct links *links, struct interface *interface);
void port_free(struct links *links, struct port *port);

/* links_pull.c */

bool port_is_usable(const struct port *port, enum family family);

#endif
