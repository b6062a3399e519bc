/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rows of the table of links: interfaces, and the ports of instances on them. Private to the modules
 * links (news of interfaces, names), links_pull (operations and their results), and links_find (look-ups).
 * Other rooms use links.h.
 */
#ifndef MCPROXY_CORE_TABLES_LINKS_ROWS_H
#define MCPROXY_CORE_TABLES_LINKS_ROWS_H

#include "core/tables/addresses.h"
#include "core/tables/link_names.h"
#include "core/tables/links.h"

/* The lists of an interface's addresses: IPv4, IPv6 link-local, and other IPv6. The last ones only match names. */
enum { ADDRESSES_OTHER = FAMILIES, ADDRESS_LISTS };

struct port {
	struct port *next; /* of the same interface */
	struct link_interface *interface;
	unsigned instance;
	uint8_t id;
	enum link_role role;
	bool serves[FAMILIES];
	bool announced;    /* the instance knows the link */
	bool reconfigured; /* the instance does not know its newest role and settings */
	bool announced_usable[FAMILIES];
	struct addr announced_address[FAMILIES];
	uint32_t announced_addresses[FAMILIES]; /* `changes` of the interface's addresses */
	uint32_t announced_elections;
	uint32_t announced_mtu;
	bool announced_multicast;
	bool announce_unusable[FAMILIES]; /* the vif is gone: announce that before anything else */
	bool leaving;                     /* to be announced as gone, then freed */
	struct link_settings settings;
};

struct link_interface {
	struct link_interface *prev, *next;
	int ifindex;
	char name[LINK_NAME_SIZE];
	char *altnames; /* each ends with a zero, the last one with two; NULL: none */
	bool up;
	bool multicast;
	bool gone;
	bool seen; /* in the current dump */
	uint32_t mtu;
	bool attached;            /* the next field is known */
	unsigned table[FAMILIES]; /* where it must be a vif */
	unsigned vif_table[FAMILIES];
	unsigned vif[FAMILIES];     /* in that table; LINKS_NO_VIF */
	bool vif_went;              /* a vif that is gone may still occupy its number */
	mtime retry_at[FAMILIES];   /* after a failure; 0: none */
	bool logged_full[FAMILIES]; /* the log has the line that all vifs are taken */
	bool incomplete;            /* the names are to be matched again; ids or memory may have been short */
	bool conflict;              /* to be logged: patterns of two instances match the interface */
	uint8_t loser, winner;      /* their instances */
	struct port *ports;
	struct link_attachment attachment;
	struct addresses addresses[ADDRESS_LISTS];
};

struct links {
	struct link_interface *interfaces;
	uint32_t elections; /* reloads so far */
	bool changed;       /* links_pull may find something */
	bool memory_short;  /* in this pass a link could not be made or announced */
	mtime retry_at;     /* when the owner retries; 0: nothing failed */
	uint64_t refused;   /* set of instances that took no announcement in this pass */
	bool enabled[LINKS_TABLES][FAMILIES];
	struct link_names names;
	struct link_names old_names;        /* during a reconfiguration */
	uint64_t ids_used[LINKS_INSTANCES]; /* in use, or not yet given back */
	struct link_interface *vifs[LINKS_TABLES][FAMILIES][LINKS_VIFS];
	struct port *ports[LINKS_INSTANCES][LINKS_MAX]; /* by link id */
};

/* Is that the interface's vif now? */
bool interface_has_vif(const struct link_interface *interface, unsigned table, enum family family,
                       unsigned vif);
/* The source of the queries and reports that are sent there. */
struct addr port_address(const struct port *port, enum family family);
/* Can the instance use its link in that family? */
bool port_is_usable(const struct port *port, enum family family);

/* NULL when no such interface is there now. */
struct link_interface *interface_find(const struct links *links, int ifindex);
/* A new interface, which takes the name from another one. NULL when memory is short. */
struct link_interface *interface_new(struct links *links, int ifindex, const char *name);
/* The interface as another link: other names and patterns may apply. It keeps its addresses, because the
 * kernel does not announce them again. NULL when memory is short. */
struct link_interface *interface_rename(struct links *links, struct link_interface *interface,
                                        const char *name);
/* Does a name of the configuration match the interface? */
bool interface_matches(const struct link_interface *interface, const char *pattern);
/* Makes, changes and removes the ports of an interface after the names. False when memory or ids are short.
 * */
bool interface_attach(struct links *links, struct link_interface *interface);
/* The interface is gone, and its ports leave. */
void interface_detach(struct links *links, struct link_interface *interface);
/* Frees the numbers of vifs that are gone, once all instances know that they are. */
void interface_release_vifs(struct links *links, struct link_interface *interface);
void interface_free(struct links *links, struct link_interface *interface);
void port_free(struct links *links, struct port *port);

#endif
