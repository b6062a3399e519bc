/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The owner's table of links. It holds the interfaces of the machine (news from netlink), the interfaces that
 * the configuration names, their vifs in each family, and what each instance knows of them. Pure: links_pull
 * gives the next operation, links_done records its result. Owner thread.
 *
 *   interface   as the kernel has it: ifindex, name, up, addresses
 *   port        one instance's use of an interface: role, settings, the link id that the instance knows it by
 *   table       a kernel table of multicast routing; each has its own vif numbers
 *
 * A table is a number below LINKS_TABLES, whatever number the kernel uses, and stands for one kernel table of
 * each family. An instance belongs to one table. In each family an interface belongs to at most one table,
 * because the kernel chooses the table of a packet by its interface. core/tables/link_names.h decides which
 * instances use an interface.
 *
 * An instance learns of a vif after it is made, and that it is gone before its number is used again. A link
 * id is used again only after the instance has given it back (REQUEST_LINK_FREE).
 */
#ifndef MCPROXY_CORE_TABLES_LINKS_H
#define MCPROXY_CORE_TABLES_LINKS_H

#include "core/contract/link_change.h"

#define LINKS_VIFS      32
#define LINKS_NO_VIF    UINT32_MAX
#define LINKS_INSTANCES 64
#define LINKS_TABLES    (LINKS_INSTANCES + 1) /* one for each instance, and a shared one */

struct links;

struct links *links_new(void); /* NULL when memory is short */
void links_free(struct links *links);

/* The kernel table is open; vifs are made only in open tables. */
void links_enable_table(struct links *links, unsigned table, enum family family);
/* The kernel table is closed; no vif may be left in it. */
void links_disable_table(struct links *links, unsigned table, enum family family);
/* Sets the table of an instance (default 0). Call it before links_name for that instance. */
void links_set_table(struct links *links, unsigned instance, unsigned table);
/* The configuration names a link: an interface name, a pattern (fnmatch) or @addresses. False when memory is short. */
bool links_name(struct links *links, unsigned instance, enum link_role role, const char *pattern,
                const struct link_settings *settings);

/* A new configuration: between the two calls name all links again, and set the tables of all instances. At
 * the end the table announces to instances the links that are new, gone, or have another role or other
 * settings. Not good: the table stays as it was before.
 */
void links_reconfigure_begin(struct links *links);
void links_reconfigure_end(struct links *links, bool good);
/* An instance has ended: it gets no more announcements, and its ids are free. While the configuration still
 * names its links, they are made again. */
void links_forget_instance(struct links *links, unsigned instance);

/* News from netlink; each call states the whole state. A new name turns an interface into another link. False
 * when memory is short, or the ids of an instance are: it gets the link when ids are given back. */
bool links_interface(struct links *links, int ifindex, const char *name, bool up, bool multicast,
                     uint32_t mtu);
/* Its alternative names, each with its zero, and an empty one at the end. False when memory is short. */
bool links_altnames(struct links *links, int ifindex, const char *names);
/* Where the interface is attached; true when that has changed since the last call for it. */
bool links_attachment(struct links *links, int ifindex, const struct link_attachment *attachment);
void links_interface_gone(struct links *links, int ifindex);
/* False when memory is short: a dump must repeat it. */
bool links_address(struct links *links, int ifindex, const struct interface_address *address, bool present);
/* Around a dump: interfaces and addresses without news between the two calls are gone. */
void links_dump_begin(struct links *links);
void links_dump_end(struct links *links);

/* An instance has given back a link id. */
void links_id_free(struct links *links, unsigned instance, uint8_t id);

enum link_op_kind {
	LINK_ADD_VIF,  /* make the vif for an interface and family, and open its link socket */
	LINK_DEL_VIF,  /* remove the vif; the interface may be gone already */
	LINK_ANNOUNCE, /* send the instance `change` for its link id */
	LINK_FULL,     /* log that all vifs of a table are taken: the interface waits; once for it */
	LINK_CONFLICT  /* log that `instance` has the interface, which a pattern of `loser` also matches; once
	                * for the pattern */
};
struct link_op {
	enum link_op_kind kind;
	unsigned table; /* of vif operations and LINK_FULL, like `family` */
	enum family family;
	unsigned vif; /* of vif operations */
	int ifindex;
	const char *name; /* of the interface; valid until links_done */
	unsigned instance;
	unsigned loser; /* of a conflict: the instance without the interface */
	uint8_t id;
	bool multicast; /* LINK_ANNOUNCE: the interface has the flag */
	struct link_change change;
};
/* May the interface get the number? */
typedef bool links_vif_is_free(void *context, unsigned table, enum family family, unsigned vif, int ifindex);
/* The next operation. Answer it by links_done before the next pull, with 0 or -errno. A failed LINK_ANNOUNCE
 * comes again: after a while for -ENOMEM, otherwise with a later pull. */
bool links_pull(struct links *links, mtime now, links_vif_is_free *vif_is_free, void *context,
                struct link_op *op);
void links_done(struct links *links, mtime now, const struct link_op *op, int result);
/* When a failed operation is due again; MTIME_NEVER. */
mtime links_deadline(const struct links *links);

/* Look-ups on hot paths: O(1). */

/* The vif of an instance's link, in the instance's table; LINKS_NO_VIF when it has none now. */
unsigned links_vif(const struct links *links, unsigned instance, uint8_t id, enum family family);
/* The vifs of a set of links, as a set. */
uint32_t links_vifs(const struct links *links, unsigned instance, uint64_t ids, enum family family);
/* The largest ttl_threshold of the links that use a vif. */
uint8_t links_threshold(const struct links *links, unsigned table, enum family family, unsigned vif);
const char *links_vif_name(const struct links *links, unsigned table, enum family family, unsigned vif);

struct links_port {
	unsigned instance;
	uint8_t id;
	enum link_role role;
	int ifindex;
	const char *name;
	bool up;
	uint32_t mtu;
	unsigned vif[FAMILIES]; /* LINKS_NO_VIF: none */
	struct addr address[FAMILIES];
	bool usable[FAMILIES];
	struct link_settings settings;
};
/* Walks over all ports: start with *cursor = 0; false at the end. Not for hot paths. */
bool links_next_port(const struct links *links, size_t *cursor, struct links_port *port);
/* The port of an instance with that link id; false when there is none. */
bool links_find_port(const struct links *links, unsigned instance, uint8_t id, struct links_port *port);
/* Does the configured name match the interface as it is now, or the name of one that is not there? */
bool links_match(const struct links *links, const char *pattern, const char *interface);
/* Walks over configured names that no interface matches now. */
bool links_next_missing(const struct links *links, size_t *cursor, unsigned *instance, const char **pattern);

#endif
