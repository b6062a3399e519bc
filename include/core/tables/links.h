/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The owner's table of links: which interfaces are there (news from netlink), which of them the configuration
 * names, which vif each has per family, and what every instance has been announced. Pure: links_pull gives the
 * next operation, links_done records its result. Owner thread.
 *
 *   interface   as the kernel has it: ifindex, name, up, addresses
 *   port        one instance's use of an interface: role, settings, the link id the instance knows it by
 *   table       a kernel table of multicast routing: vif numbers are counted in each of its own
 *
 * A table is a number below LINKS_TABLES, whatever the kernel calls it, and stands for one kernel table of
 * each family. An instance belongs to one table, and an interface for each family to one at most, because the
 * kernel chooses the table of a packet by the interface it comes from. Which instances use an interface is
 * announced in core/tables/link_names.h.
 *
 * An instance is announced of a vif only when it is there, and that it is gone before its number can be used
 * again. A link id is used again only after the instance has given it back (REQUEST_LINK_FREE).
 */
#ifndef MCPROXY_CORE_TABLES_LINKS_H
#define MCPROXY_CORE_TABLES_LINKS_H

#include "core/contract/link_change.h"

#define LINKS_VIFS      32
#define LINKS_NO_VIF    UINT32_MAX
#define LINKS_INSTANCES 64
#define LINKS_TABLES    (LINKS_INSTANCES + 1) /* one for each, and one that they share */

struct links;

struct links *links_new(void); /* NULL when memory is short */
void links_free(struct links *links);

/* A family for which a table is open; vifs are made only in those. */
void links_enable_table(struct links *links, unsigned table, enum family family);
/* It has none any more; no vif may be left in it. */
void links_disable_table(struct links *links, unsigned table, enum family family);
/* The table of an instance, which is 0 before. To be called before its links are named. */
void links_set_table(struct links *links, unsigned instance, unsigned table);
/* The configuration names a link: an interface name or a pattern (fnmatch). False when memory is short. */
bool links_name(struct links *links, unsigned instance, enum link_role role, const char *pattern,
                const struct link_settings *settings);

/* A new configuration: between the two the names and tables of all instances are announced anew. At the end links
 * that instances have now are announced to them, those that they have not any more are announced as gone, changed ones
 * with their new role and settings, and all others not at all. Not good: everything stays as it was before.
 */
void links_reconfigure_begin(struct links *links);
void links_reconfigure_end(struct links *links, bool good);
/* An instance has ended: it is announced nothing more, and its ids are free. While the names still have it, its
 * links begin anew. */
void links_forget_instance(struct links *links, unsigned instance);

/* News; each call tells the whole state. A new name makes another link of an interface. False when memory or
 * the ids of an instance are short: it gets its link when ids are given back. */
bool links_interface(struct links *links, int ifindex, const char *name, bool up, bool multicast,
                     uint32_t mtu);
/* Where it is attached; true when that has changed since the last call for it. */
bool links_attachment(struct links *links, int ifindex, const struct link_attachment *attachment);
void links_interface_gone(struct links *links, int ifindex);
/* False when memory is short: a dump must repeat it. */
bool links_address(struct links *links, int ifindex, const struct addr *address, bool present);
/* Around a dump: interfaces and addresses that were not announced between the two are gone. */
void links_dump_begin(struct links *links);
void links_dump_end(struct links *links);

/* An instance has given back a link id. */
void links_id_free(struct links *links, unsigned instance, uint8_t id);

enum link_op_kind {
	LINK_ADD_VIF,  /* make the vif for an interface and family, and listen there */
	LINK_DEL_VIF,  /* take it away; the interface may be gone already */
	LINK_ANNOUNCE, /* tell the instance `change` for its link id; then links_done */
	LINK_FULL,     /* say that all vifs of a table are taken, and that the interface waits; once for it */
	LINK_CONFLICT  /* say that patterns of two instances match an interface, and `instance` has it; once
	               * for a pattern */
};
struct link_op {
	enum link_op_kind kind;
	unsigned table; /* this and the next two of the vif operations, the first two of LINK_FULL */
	enum family family;
	unsigned vif;
	int ifindex;
	const char *name; /* of the interface; valid until links_done */
	unsigned instance;
	unsigned loser; /* of a conflict: the instance that does without */
	uint8_t id;
	bool multicast; /* LINK_ANNOUNCE: the interface has the flag */
	struct link_change change;
};
/* The next operation; each must be answered by links_done (0 or -errno; of LINK_ANNOUNCE: 0, -ENOMEM to have it
 * again after a while, or anything else to have it again with a later pull) before the next pull. vif_is_free
 * says whether a number may be given out.
 */
bool links_pull(struct links *links, mtime now,
                bool (*vif_is_free)(void *context, unsigned table, enum family family, unsigned vif),
                void *context, struct link_op *op);
void links_done(struct links *links, mtime now, const struct link_op *op, int result);
/* When an operation that failed is tried again; MTIME_NEVER. */
mtime links_deadline(const struct links *links);

/* Look-ups on hot paths: O(1). */

/* The vif of an instance's link, in the instance's table; LINKS_NO_VIF when it has none now. */
unsigned links_vif(const struct links *links, unsigned instance, uint8_t id, enum family family);
/* The vifs of a set of links, as a set. */
uint32_t links_vifs(const struct links *links, unsigned instance, uint64_t ids, enum family family);
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
/* Walks over all ports: from *cursor = 0 on, false at the end. For the status and for what happens rarely. */
bool links_next_port(const struct links *links, size_t *cursor, struct links_port *port);
/* The port of an instance with that link id; false when there is none. */
bool links_find_port(const struct links *links, unsigned instance, uint8_t id, struct links_port *port);
/* Walks over configured names that no interface matches now. */
bool links_next_missing(const struct links *links, size_t *cursor, unsigned *instance, const char **pattern);

#endif
