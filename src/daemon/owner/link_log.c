/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/link_log.h"

#include "core/tables/links.h"
#include "daemon/log/log.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"
#include "kernel/sysctl.h"

#include <errno.h>

/* The state of a link in a family that the log explains. */
enum link_word { WORD_NONE, WORD_USED, WORD_DOWN, WORD_NO_ADDRESS };

static const char *role_name(const struct link_op *op)
{
	return op->change.role == ROLE_UPSTREAM ? "upstream" : "downstream";
}

static enum link_word link_word(const struct owner *owner, const struct link_op *op, enum family family)
{
	size_t cursor = (size_t)op->instance * LINKS_MAX + op->id;
	struct links_port port;

	if (op->change.settings.version[family] == VERSION_NONE ||
	    owner->instances[op->instance].tables[family] == NULL)
		return WORD_NONE;
	if (op->change.family[family].usable)
		return WORD_USED;
	if (links_next_port(owner->links, &cursor, &port) && !port.up)
		return WORD_DOWN;
	return family == FAMILY_IPV6 ? WORD_NO_ADDRESS : WORD_NONE;
}

static void log_word(const struct owner *owner, const struct link_op *op, enum family family,
                     enum link_word word)
{
	const char *instance = owner->instances[op->instance].config->name;
	const struct addr *address = &op->change.family[family].address;
	char text[ADDR_TEXT_SIZE];

	switch (word) {
	case WORD_USED:
		info("%s: %s: %s link in use, vif %u, %s %s", instance, op->name, role_name(op),
		     links_vif(owner->links, op->instance, op->id, family),
		     addr_is_unspecified(address) ? "no IPv4 address, so queries come from" : "address",
		     addr_format(address, text));
		break;
	case WORD_DOWN:
		info("%s: %s: %s interface is down or has no carrier; waiting for it", instance, op->name,
		     role_name(op));
		break;
	case WORD_NO_ADDRESS:
		if (sysctl_value(SYSCTL_IPV6, op->name, "disable_ipv6") == 1)
			info("%s: %s: no IPv6 link-local address: net.ipv6.conf.%s.disable_ipv6 is 1; "
			     "IPv6 waits for it",
			     instance, op->name, op->name);
		else
			info("%s: %s: no IPv6 link-local address yet; IPv6 waits for it", instance, op->name);
		break;
	case WORD_NONE:
		break;
	}
}

static bool is_configured(const struct instance_slot *slot, const struct link_op *op)
{
	return instance_names_link(slot, op->change.role, FAMILY_IPV4, op->name) ||
	       instance_names_link(slot, op->change.role, FAMILY_IPV6, op->name);
}

/* The kernel's multicast routing does not require the flag (seen), so the owner uses the link without it. */
static void log_multicast(const struct instance_slot *slot, const struct link_op *op)
{
	if (op->multicast || slot->logged[op->id].no_multicast)
		return;
	warnx("%s: %s: the interface has no MULTICAST flag: it is used all the same, but its driver, "
	      "and programs that send or receive there, may let no stream pass; if none does: "
	      "ip link set %s multicast on",
	      slot->config->name, op->name, op->name);
}

static void log_family(const struct owner *owner, const struct link_op *op, struct link_logged *logged,
                       enum family family)
{
	const struct addr *address = &op->change.family[family].address;
	enum link_word word = link_word(owner, op, family);

	if (logged->family[family].word == word && addr_equal(&logged->family[family].address, address))
		return;
	/* An interface is down for both families: logged once. */
	if (word != WORD_DOWN || family == FAMILY_IPV4 || logged->family[FAMILY_IPV4].word != WORD_DOWN)
		log_word(owner, op, family, word);
	logged->family[family].word = (uint8_t)word;
	logged->family[family].address = *address;
}

void link_log_change(struct owner *owner, const struct link_op *op)
{
	struct instance_slot *slot = &owner->instances[op->instance];
	struct link_logged *logged = &slot->logged[op->id];

	if (!op->change.present) {
		if (is_configured(slot, op))
			info("%s: %s: %s interface is gone; waiting for it", slot->config->name, op->name,
			     role_name(op));
		*logged = (struct link_logged){.no_multicast = false};
		return;
	}
	log_multicast(slot, op);
	logged->no_multicast = !op->multicast;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		log_family(owner, op, logged, family);
}

void link_log_rp_filter(const struct link_op *op)
{
	int value = sysctl_rp_filter(SYSCTL_IPV4, op->name);

	if (value == 1 && op->change.role == ROLE_UPSTREAM && op->change.family[FAMILY_IPV4].usable)
		info("%s: rp_filter is 1: streams whose source is not reached by this link are dropped; "
		     "-r turns it off, or sysctl net.ipv4.conf.{all,%s}.rp_filter=0",
		     op->name, op->name);
}

void link_log_vif_failure(struct table *table, const struct link_op *op, int result)
{
	if (result == 0 || result == -ENODEV ||
	    (table->logged_vif_ifindex == op->ifindex && table->logged_vif_error == -result))
		return;
	table->logged_vif_ifindex = op->ifindex;
	table->logged_vif_error = errno = -result;
	warn("%s: cannot be made a vif; trying again", op->name);
}

void link_log_full(struct owner *owner, const struct link_op *op)
{
	warnx("%s: %s: the kernel takes no more than %d %s links in a table: it waits for another to go; "
	      "give instances tables to themselves: table = \"own\"",
	      owner->instances[op->instance].config->name, op->name, LINKS_VIFS, family_name(op->family));
}

void link_log_conflict(struct owner *owner, const struct link_op *op)
{
	const char *first = owner->instances[op->instance].config->name;

	warnx("%s: patterns of instances %s and %s match it: %s, the first, has it; "
	      "name it in the other to give it there",
	      op->name, first, owner->instances[op->loser].config->name, first);
}

void link_log_missing(struct owner *owner, uint64_t instances)
{
	size_t cursor = 0;
	unsigned instance;
	const char *pattern;

	while (links_next_missing(owner->links, &cursor, &instance, &pattern))
		if (instances >> instance & 1)
			warnx("%s: %s: no such interface; waiting for it",
			      owner->instances[instance].config->name, pattern);
}
