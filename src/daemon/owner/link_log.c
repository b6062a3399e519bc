/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/link_log.h"

#include "core/base/shell.h"
#include "core/tables/links.h"
#include "daemon/log/log.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"
#include "kernel/link_master_find.h"
#include "kernel/sysctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

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

/* An upstream link that is lost takes all its streams with it; hosts come and go on the others. */
__attribute__((format(printf, 3, 4))) static void
log_unusable(const struct instance_slot *slot, const struct link_op *op, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (op->change.role == ROLE_UPSTREAM)
		warnx("instance %s: upstream %s: %s", slot->config->name, op->name, text);
	else
		info("instance %s: downstream %s: %s", slot->config->name, op->name, text);
}

static void log_word(const struct owner *owner, const struct link_op *op, enum family family,
                     enum link_word word, enum link_word before)
{
	const struct instance_slot *slot = &owner->instances[op->instance];
	const struct addr *address = &op->change.family[family].address;
	char text[ADDR_TEXT_SIZE];

	switch (word) {
	case WORD_USED:
		info("instance %s: %s %s: in use, vif %u, %s %s", slot->config->name, role_name(op), op->name,
		     links_vif(owner->links, op->instance, op->id, family),
		     addr_is_unspecified(address) ? "no IPv4 address, so queries come from" : "address",
		     addr_format(address, text));
		break;
	case WORD_DOWN:
		log_unusable(slot, op, "interface is down or has no carrier; waiting for it");
		break;
	case WORD_NO_ADDRESS:
		if (sysctl_value(SYSCTL_IPV6, op->name, "disable_ipv6") == 1)
			log_unusable(slot, op,
			             "no IPv6 link-local address; IPv6 waits for it: disable_ipv6 is 1; "
			             "sysctl -w %s",
			             shell_sysctl("net.ipv6.conf", op->name, "disable_ipv6=0").text);
		else if (before == WORD_USED)
			log_unusable(slot, op, "the IPv6 link-local address is gone; IPv6 waits for one");
		else
			/* As after each start of an interface. */
			info("instance %s: %s %s: no IPv6 link-local address yet; IPv6 waits for it",
			     slot->config->name, role_name(op), op->name);
		break;
	case WORD_NONE:
		break;
	}
}

static bool is_configured(const struct owner *owner, const struct instance_slot *slot,
                          const struct link_op *op)
{
	return instance_names_link(owner, slot, op->change.role, FAMILY_IPV4, op->name) ||
	       instance_names_link(owner, slot, op->change.role, FAMILY_IPV6, op->name);
}

/* The kernel's multicast routing does not require the flag (seen), so the owner uses the link without it. */
static void log_multicast(const struct instance_slot *slot, const struct link_op *op)
{
	if (op->multicast || slot->logged[op->id].no_multicast)
		return;
	warnx("instance %s: %s %s: the interface has no MULTICAST flag: mcproxy uses it anyway, but its driver "
	      "and programs that send or receive there may block streams; if no stream passes: "
	      "ip link set dev %s multicast on",
	      slot->config->name, role_name(op), op->name, shell_word(op->name).text);
}

/* Reports and packets belong to the bridge; its ports see few or none. */
static void log_master(struct instance_slot *slot, unsigned id, const char *name)
{
	struct link_master master;
	bool has_master = link_master_find(name, &master);
	char text[128];

	if (has_master && !slot->logged[id].has_master) {
		link_master_text(name, &master, text, sizeof text);
		warnx("instance %s: %s", slot->config->name, text);
	}
	slot->logged[id].has_master = has_master;
}

void link_log_master(struct owner *owner, int ifindex)
{
	size_t cursor = 0;
	struct links_port port;

	while (links_next_port(owner->links, &cursor, &port))
		if (port.ifindex == ifindex)
			log_master(&owner->instances[port.instance], port.id, port.name);
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
		log_word(owner, op, family, word, logged->family[family].word);
	logged->family[family].word = (uint8_t)word;
	logged->family[family].address = *address;
}

void link_log_change(struct owner *owner, const struct link_op *op)
{
	struct instance_slot *slot = &owner->instances[op->instance];
	struct link_logged *logged = &slot->logged[op->id];

	if (!op->change.present) {
		if (is_configured(owner, slot, op))
			log_unusable(slot, op, "interface is gone; waiting for it");
		*logged = (struct link_logged){.no_multicast = false};
		return;
	}
	log_multicast(slot, op);
	logged->no_multicast = !op->multicast;
	log_master(slot, op->id, op->name);
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		log_family(owner, op, logged, family);
}

void link_log_rp_filter(const struct link_op *op)
{
	int value = sysctl_rp_filter(SYSCTL_IPV4, op->name);

	if (value == 1 && op->change.role == ROLE_UPSTREAM && op->change.family[FAMILY_IPV4].usable)
		info("upstream %s: rp_filter is 1: the kernel drops streams whose source it routes by another link; "
		     "reset_rp_filter = true or -r turns it off, or sysctl -w net.ipv4.conf.all.rp_filter=0 %s",
		     op->name, shell_sysctl("net.ipv4.conf", op->name, "rp_filter=0").text);
}

void link_log_vif_failure(struct table *table, const struct link_op *op, int result)
{
	if (result == 0 || result == -ENODEV ||
	    (table->logged_vif_ifindex == op->ifindex && table->logged_vif_error == -result))
		return;
	table->logged_vif_ifindex = op->ifindex;
	table->logged_vif_error = errno = -result;
	warn("link %s: cannot be made a vif; trying again", op->name);
}

void link_log_full(struct owner *owner, const struct link_op *op)
{
	warnx("instance %s: %s: the kernel accepts at most %d %s links in a table, so this one waits until another is "
	      "removed; give each instance its own table: table = \"own\"",
	      owner->instances[op->instance].config->name, op->name, LINKS_VIFS, family_name(op->family));
}

void link_log_conflict(struct owner *owner, const struct link_op *op)
{
	const char *first = owner->instances[op->instance].config->name;

	warnx("link %s: patterns of instances %s and %s match it: %s, the first, uses it; "
	      "to use it in the other, name it there",
	      op->name, first, owner->instances[op->loser].config->name, first);
}

void link_log_missing(struct owner *owner, uint64_t instances)
{
	size_t cursor = 0;
	unsigned instance;
	const char *pattern;

	while (links_next_missing(owner->links, &cursor, &instance, &pattern))
		if (instances >> instance & 1)
			warnx("instance %s: %s: no such interface; waiting for it",
			      owner->instances[instance].config->name, pattern);
}
