/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What it costs to take_news of one's own changes: processor time for an entry that is made, alone and with a
 * watch that is read after every 512, and the time of an audit; by family. In a network namespace of its own,
 * so as root. Prints a table.
 */
#include "kernel/mroute_watch.h"
#include "kernel/mrt.h"

#include <err.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ENTRIES 50000
#define BATCH   512

static double microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void count(void *context, const struct mroute_news *news)
{
	*(unsigned *)context += news->kind == MROUTE_ENTRY;
}

static struct addr nth_source(enum family family, unsigned n)
{
	struct addr source = {
		{0x20, 0x01, 0x0d, 0xb8, [13] = (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};

	return family == FAMILY_IPV4 ? addr_from_ipv4_number(0x0a000000U + n) : source;
}

static double make_entries(struct mrt *mrt, enum family family, struct mroute_watch *watch)
{
	struct addr group = family == FAMILY_IPV4 ? addr_from_ipv4_number(0xef010203U)
	                                          : (struct addr){{0xff, 0x1e, [15] = 1}};
	double start = microseconds();
	unsigned ready = 0;

	for (unsigned n = 0; n < ENTRIES; n++) {
		struct addr source = nth_source(family, n);

		if (mrt_set_route(mrt, &source, &group, 0, 2) != 0)
			errx(1, "entry %u is refused", n);
		if (watch != NULL && (n + 1) % BATCH == 0)
			mroute_watch_receive(watch, count, &ready);
	}
	if (watch != NULL && ready < ENTRIES - BATCH)
		errx(1, "only %u of %u were reported", ready, ENTRIES);
	return (microseconds() - start) / ENTRIES;
}

static double audit(struct mroute_watch *watch, enum family family)
{
	double start = microseconds();
	unsigned ready = 0;

	if (mroute_watch_audit_begin(watch, family) != 0)
		errx(1, "no audit");
	while (mroute_watch_audit_next(watch, count, &ready) == 1)
		;
	if (ready != ENTRIES)
		errx(1, "an audit of %u entries tells %u", ENTRIES, ready);
	return (microseconds() - start) / 1000;
}

static struct mrt *open_mrt(enum family family)
{
	struct mrt *mrt;

	if (mrt_open(&mrt, family, MRT_TABLE_DEFAULT) != 0 ||
	    mrt_add_vif(mrt, 0, (int)if_nametoindex("eth0")) != 0 ||
	    mrt_add_vif(mrt, 1, (int)if_nametoindex("eth1")) != 0)
		errx(1, "no multicast routing");
	return mrt;
}

static void measure(enum family family)
{
	struct mrt *mrt = open_mrt(family);
	struct mroute_watch *watch;
	double alone = make_entries(mrt, family, NULL), watched, audited;

	mrt_close(mrt);
	mrt = open_mrt(family);
	if (mroute_watch_open(&watch) != 0)
		errx(1, "no watch");
	watched = make_entries(mrt, family, watch);
	audited = audit(watch, family);
	printf("| %s | %.2f us | %.2f us | %.0f ms |\n", family == FAMILY_IPV4 ? "IPv4" : "IPv6", alone,
	       watched, audited);
	mroute_watch_close(watch);
	mrt_close(mrt);
}

int main(void)
{
	if (unshare(CLONE_NEWNET) != 0 || system("ip link add eth0 type veth peer name eth1 && ip link set "
	                                         "eth0 up && ip link set eth1 up") != 0)
		err(1, "a network namespace needs root");
	printf("| family | an entry | an entry, watched | audit of %u |\n|---|---|---|---|\n", ENTRIES);
	measure(FAMILY_IPV4);
	measure(FAMILY_IPV6);
	return 0;
}
