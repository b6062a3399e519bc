/* SPDX-License-Identifier: BSD-2-Clause
 *
 * News of interfaces and addresses, against what `ip` does in a namespace of the test's own.
 */
#include "kernel/netlink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/lab.h"
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#define NEWS_MAX 8192

/* What was told, in order. */
static struct netlink_news told[NEWS_MAX];
static size_t told_count;

/* Run when the first news comes. */
static const char *command_between;

static void tell(void *context, const struct netlink_news *news)
{
	const char *command = command_between;

	assert_ptr_equal(context, told);
	assert_true(told_count < NEWS_MAX);
	told[told_count++] = *news;
	command_between = NULL;
	if (command != NULL)
		lab_run("%s", command);
}

static void receive(struct netlink *netlink)
{
	assert_int_equal(netlink_receive(netlink, tell, told), 0);
}

static bool matches(const struct netlink_news *news, enum netlink_kind kind, int ifindex, const char *address)
{
	struct addr wanted = address != NULL ? addr_of(address) : (struct addr){{0}};

	return news->kind == kind && (ifindex == 0 || news->ifindex == ifindex) &&
	       (address == NULL || addr_equal(&news->address.address, &wanted));
}

/* The place of the first such news at or behind `from`, waited for. */
static size_t expect(struct netlink *netlink, size_t from, enum netlink_kind kind, int ifindex,
                     const char *address)
{
	int64_t until = lab_now() + LAB_PATIENCE;
	size_t place = from;

	for (;;) {
		for (; place < told_count; place++)
			if (matches(&told[place], kind, ifindex, address))
				return place;
		if (!lab_wait(netlink_fd(netlink), (int)(until > lab_now() ? until - lab_now() : 0)))
			fail_msg("no news of kind %d of %d %s", kind, ifindex, address ? address : "");
		receive(netlink);
	}
}

static size_t count_told(size_t from, enum netlink_kind kind, int ifindex, const char *address)
{
	size_t count = 0;

	for (; from < told_count; from++)
		count += matches(&told[from], kind, ifindex, address);
	return count;
}

static struct netlink *open_netlink(void)
{
	struct netlink *netlink = NULL;

	told_count = 0;
	assert_int_equal(netlink_open(&netlink), 0);
	assert_non_null(netlink);
	return netlink;
}

/* Opens and reads the whole dump. */
static struct netlink *open_and_read(void)
{
	struct netlink *netlink = open_netlink();

	expect(netlink, 0, NETLINK_DUMP_END, 0, NULL);
	return netlink;
}

/* What is told before this is known to be there is all that came of what was done before. */
static size_t expect_marker(struct netlink *netlink, size_t from)
{
	size_t place;

	lab_run("ip link set lo mtu 60000");
	place = expect(netlink, from, NETLINK_LINK, 1, NULL);
	lab_run("ip link set lo mtu 65536");
	expect(netlink, place + 1, NETLINK_LINK, 1, NULL);
	return place;
}

static void dump_tells_what_is_there(void **state)
{
	struct netlink *netlink;
	size_t link, address4, address6, end;
	int eth0;

	(void)state;
	LAB_OR_SKIP();
	lab_add_pair(0);
	lab_run("ip addr add 10.1.0.1/24 dev eth0 && ip link set eth0 mtu 1400");
	lab_run("ip addr add 2001:db8:1::1/64 dev eth0 nodad");
	eth0 = lab_index("eth0");
	netlink = open_and_read();
	end = told_count - 1;
	link = expect(netlink, 0, NETLINK_LINK, eth0, NULL);
	address4 = expect(netlink, 0, NETLINK_ADDRESS, eth0, "10.1.0.1");
	address6 = expect(netlink, 0, NETLINK_ADDRESS, eth0, "2001:db8:1::1");
	assert_true(link < address4 && address4 < address6 && address6 < end);
	assert_string_equal(told[link].name, "eth0");
	assert_true(told[link].up && told[link].multicast && !told[link].point_to_point);
	assert_int_equal(told[link].mtu, 1400);
	expect(netlink, 0, NETLINK_LINK, 1, NULL);
	expect(netlink, 0, NETLINK_ADDRESS, 1, "127.0.0.1");
	assert_int_equal(count_told(0, NETLINK_DUMP_END, 0, NULL), 1);
	assert_int_equal(count_told(0, NETLINK_OVERRUN, 0, NULL), 0);
	netlink_close(netlink);
	lab_del_pair(0);
}

static void changes_are_told_in_order(void **state)
{
	struct netlink *netlink;
	size_t place;
	int eth0;

	(void)state;
	LAB_OR_SKIP();
	netlink = open_and_read();
	lab_add_pair(0);
	eth0 = lab_index("eth0");
	place = expect(netlink, 0, NETLINK_LINK, eth0, NULL);
	lab_run("ip addr add 10.1.0.1/24 dev eth0");
	place = expect(netlink, place, NETLINK_ADDRESS, eth0, "10.1.0.1");
	lab_run("ip addr del 10.1.0.1/24 dev eth0");
	place = expect(netlink, place, NETLINK_ADDRESS_GONE, eth0, "10.1.0.1");
	lab_run("ip addr add 2001:db8:1::1/64 dev eth0");
	place = expect(netlink, place, NETLINK_ADDRESS, eth0, "2001:db8:1::1");
	lab_run("ip addr del 2001:db8:1::1/64 dev eth0");
	place = expect(netlink, place, NETLINK_ADDRESS_GONE, eth0, "2001:db8:1::1");
	lab_run("ip link set eth0 down && ip link set eth0 name wan0 && ip link set wan0 up");
	do
		place = expect(netlink, place + 1, NETLINK_LINK, eth0, NULL);
	while (strcmp(told[place].name, "wan0") != 0 || !told[place].up);
	lab_run("ip link del wan0");
	place = expect(netlink, place, NETLINK_LINK_GONE, eth0, NULL);
	assert_int_equal(count_told(0, NETLINK_OVERRUN, 0, NULL), 0);
	netlink_close(netlink);
}

/* Up means that packets can pass: the administrator and the carrier have to agree. */
static void link_without_carrier_is_not_up(void **state)
{
	struct netlink *netlink;
	size_t place;
	int eth0;

	(void)state;
	LAB_OR_SKIP();
	netlink = open_and_read();
	lab_add_pair(0);
	eth0 = lab_index("eth0");
	place = expect(netlink, 0, NETLINK_LINK, eth0, NULL);
	while (!told[place].up)
		place = expect(netlink, place + 1, NETLINK_LINK, eth0, NULL);
	lab_run("ip link set peer0 down");
	while (told[place].up)
		place = expect(netlink, place + 1, NETLINK_LINK, eth0, NULL);
	lab_run("ip link set peer0 up");
	while (!told[place].up)
		place = expect(netlink, place + 1, NETLINK_LINK, eth0, NULL);
	lab_run("ip link set eth0 down");
	while (told[place].up)
		place = expect(netlink, place + 1, NETLINK_LINK, eth0, NULL);
	netlink_close(netlink);
	lab_del_pair(0);
}

/* Its messages come over the same group with another meaning: that a port leaves the bridge. */
static void leaving_a_bridge_is_not_vanishing(void **state)
{
	struct netlink *netlink;
	int eth0;

	(void)state;
	LAB_OR_SKIP();
	lab_add_pair(0);
	eth0 = lab_index("eth0");
	lab_run("ip link add br0 type bridge");
	netlink = open_and_read();
	told_count = 0;
	lab_run("ip link set eth0 master br0 && ip link set eth0 nomaster");
	expect_marker(netlink, 0);
	assert_int_equal(count_told(0, NETLINK_LINK_GONE, 0, NULL), 0);
	lab_run("ip link del br0");
	expect(netlink, 0, NETLINK_LINK_GONE, 0, NULL);
	assert_int_equal(count_told(0, NETLINK_LINK_GONE, eth0, NULL), 0);
	netlink_close(netlink);
	lab_del_pair(0);
}

static void own_address_of_a_point_to_point_link_is_told(void **state)
{
	struct netlink *netlink;
	struct addr peer;
	size_t place;

	(void)state;
	LAB_OR_SKIP();
	lab_add_pair(0);
	netlink = open_and_read();
	lab_run("ip addr add 10.2.0.1 peer 10.2.0.2 dev eth0 && ip addr add 2001:db8:2::1 peer "
	        "2001:db8:2::2 dev eth0");
	expect(netlink, 0, NETLINK_ADDRESS, lab_index("eth0"), "10.2.0.1");
	expect(netlink, 0, NETLINK_ADDRESS, lab_index("eth0"), "2001:db8:2::1");
	place = expect(netlink, 0, NETLINK_ADDRESS, 0, "10.2.0.1");
	peer = addr_of("10.2.0.2");
	assert_true(addr_equal(&told[place].address.network, &peer));
	assert_int_equal(told[place].address.length, 32);
	assert_int_equal(count_told(0, NETLINK_ADDRESS, 0, "10.2.0.2"), 0);
	assert_int_equal(count_told(0, NETLINK_ADDRESS, 0, "2001:db8:2::2"), 0);
	netlink_close(netlink);
	lab_del_pair(0);
}

static void point_to_point_flag_is_told(void **state)
{
	struct netlink *netlink;
	size_t place;

	(void)state;
	LAB_OR_SKIP();
	if (!lab_holds("ip tuntap add dev tun0 mode tun 2>/dev/null")) {
		print_message("skipped: no /dev/net/tun\n");
		skip();
	}
	lab_run("ip link set tun0 up multicast off");
	netlink = open_and_read();
	place = expect(netlink, 0, NETLINK_LINK, lab_index("tun0"), NULL);
	assert_true(told[place].point_to_point && !told[place].multicast);
	/* Nobody reads at its other end. */
	assert_false(told[place].up);
	netlink_close(netlink);
	lab_run("ip link del tun0");
}

static void secondary_address_is_told_when_it_is_promoted(void **state)
{
	struct netlink *netlink;
	size_t place, end;

	(void)state;
	LAB_OR_SKIP();
	lab_add_pair(0);
	lab_run("echo 1 >/proc/sys/net/ipv4/conf/eth0/promote_secondaries");
	netlink = open_and_read();
	lab_run("ip addr add 10.1.0.1/24 dev eth0 && ip addr add 10.1.0.2/24 dev eth0");
	expect_marker(netlink, 0);
	assert_int_equal(count_told(0, NETLINK_ADDRESS, 0, "10.1.0.1"), 1);
	assert_int_equal(count_told(0, NETLINK_ADDRESS, 0, "10.1.0.2"), 1);
	place = expect(netlink, 0, NETLINK_ADDRESS, 0, "10.1.0.2");
	assert_true(told[place].address.secondary);
	assert_int_equal(told[place].address.length, 24);
	end = told_count;
	lab_run("ip addr del 10.1.0.1/24 dev eth0");
	expect(netlink, end, NETLINK_ADDRESS_GONE, lab_index("eth0"), "10.1.0.1");
	place = expect(netlink, end, NETLINK_ADDRESS, lab_index("eth0"), "10.1.0.2");
	assert_false(told[place].address.secondary);
	netlink_close(netlink);
	lab_del_pair(0);
}

/* Told once duplicate address detection is over; the dump leaves it out before. */
static void tentative_address_is_told_when_it_is_ready(void **state)
{
	struct netlink *netlink;
	size_t end;

	(void)state;
	LAB_OR_SKIP();
	lab_add_pair(0);
	lab_run("echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_dad && echo 1 "
	        ">/proc/sys/net/ipv6/conf/eth0/dad_transmits");
	lab_run("ip addr add 2001:db8:3::1/64 dev eth0");
	netlink = open_and_read();
	end = told_count;
	/* On a machine that took longer than a second to come here it was ready already. */
	if (count_told(0, NETLINK_ADDRESS, 0, "2001:db8:3::1") == 0) {
		assert_int_equal(count_told(0, NETLINK_ADDRESS_GONE, 0, "2001:db8:3::1"), 0);
		expect(netlink, end, NETLINK_ADDRESS, lab_index("eth0"), "2001:db8:3::1");
	}
	netlink_close(netlink);
	lab_del_pair(0);
}

static void duplicate_address_is_gone(void **state)
{
	struct netlink *netlink;

	(void)state;
	LAB_OR_SKIP();
	lab_add_pair(0);
	lab_run("ip addr add 2001:db8:4::1/64 dev peer0 nodad");
	lab_run("echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_dad && echo 1 "
	        ">/proc/sys/net/ipv6/conf/eth0/dad_transmits");
	netlink = open_and_read();
	lab_run("ip addr add 2001:db8:4::1/64 dev eth0");
	expect(netlink, 0, NETLINK_ADDRESS_GONE, lab_index("eth0"), "2001:db8:4::1");
	assert_int_equal(count_told(0, NETLINK_ADDRESS, lab_index("eth0"), "2001:db8:4::1"), 0);
	netlink_close(netlink);
	lab_del_pair(0);
}

/* News that comes while the dump is under way stands in its place among it. */
static void change_during_the_dump_is_not_lost(void **state)
{
	struct netlink *netlink;
	int eth0;

	(void)state;
	LAB_OR_SKIP();
	lab_add_pair(0);
	eth0 = lab_index("eth0");
	netlink = open_netlink();
	/* The answer to the first request waits already; the second one is not made yet. */
	lab_run("ip addr add 10.1.0.1/24 dev eth0 && ip link add dummy-a type veth peer name dummy-b");
	lab_del_pair(0);
	expect(netlink, 0, NETLINK_DUMP_END, 0, NULL);
	assert_true(expect(netlink, 0, NETLINK_LINK, eth0, NULL) <
	            expect(netlink, 0, NETLINK_LINK_GONE, eth0, NULL));
	expect(netlink, 0, NETLINK_LINK, lab_index("dummy-a"), NULL);
	netlink_close(netlink);
	lab_run("ip link del dummy-a");
}

#define LINKS 300

static void large_dump_comes_whole(void **state)
{
	struct netlink *netlink;

	(void)state;
	LAB_OR_SKIP();
	lab_run("for n in $(seq %d); do echo link add l$n type veth peer name m$n; done | ip -batch -",
	        LINKS);
	lab_run("for n in $(seq %d); do echo addr add 10.1.$((n / 200)).$((n %% 200 + 1))/32 dev l$n; done "
	        "| ip -batch -",
	        LINKS);
	netlink = open_and_read();
	assert_in_range(count_told(0, NETLINK_LINK, 0, NULL), 2 * LINKS, 3 * LINKS);
	for (int n = 1; n <= LINKS; n++) {
		char name[16], address[ADDR_TEXT_SIZE];
		size_t link;

		snprintf(name, sizeof name, "l%d", n);
		snprintf(address, sizeof address, "10.1.%d.%d", n / 200, n % 200 + 1);
		link = expect(netlink, 0, NETLINK_LINK, lab_index(name), NULL);
		assert_string_equal(told[link].name, name);
		expect(netlink, link, NETLINK_ADDRESS, told[link].ifindex, address);
	}
	netlink_close(netlink);

	/* Something changes between two parts of the answer: it is asked for again. */
	command_between = "ip link add dummy-a type veth peer name dummy-b";
	netlink = open_and_read();
	assert_in_range(count_told(0, NETLINK_LINK, 0, NULL), 4 * LINKS, 6 * LINKS);
	assert_int_equal(count_told(0, NETLINK_DUMP_END, 0, NULL), 1);
	netlink_close(netlink);
	lab_run("(echo link del dummy-a; for n in $(seq %d); do echo link del l$n; done) | ip -batch -",
	        LINKS);
}

/* Fills the buffer with news until some is lost. */
static void lose_news(struct netlink *netlink)
{
	int size = 4096;

	assert_int_equal(setsockopt(netlink_fd(netlink), SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
	lab_run("for n in $(seq 50); do echo link set eth0 mtu $((1300 + n)); done | ip -batch -");
}

static void lost_news_is_made_up_for_by_a_dump(void **state)
{
	struct netlink *netlink;
	size_t overrun, end;
	int eth0, eth1, size = 1 << 20;

	(void)state;
	LAB_OR_SKIP();
	lab_add_pair(0);
	lab_add_pair(1);
	eth0 = lab_index("eth0");
	eth1 = lab_index("eth1");
	netlink = open_and_read();
	told_count = 0;
	lose_news(netlink);
	lab_run("ip addr add 10.1.0.1/24 dev eth0");
	lab_del_pair(1);
	setsockopt(netlink_fd(netlink), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	overrun = expect(netlink, 0, NETLINK_OVERRUN, 0, NULL);
	end = expect(netlink, overrun, NETLINK_DUMP_END, 0, NULL);
	/* The dump says how things are now, and nothing from before the loss is told within it. */
	assert_true(expect(netlink, overrun, NETLINK_LINK, eth0, NULL) < end);
	assert_true(expect(netlink, overrun, NETLINK_ADDRESS, eth0, "10.1.0.1") < end);
	assert_int_equal(count_told(overrun, NETLINK_LINK, eth1, NULL), 0);
	assert_int_equal(told[expect(netlink, overrun, NETLINK_LINK, eth0, NULL)].mtu, 1350);
	assert_int_equal(count_told(overrun, NETLINK_LINK, eth0, NULL), 1);
	/* And then things go on. */
	lab_run("ip addr del 10.1.0.1/24 dev eth0");
	expect(netlink, end, NETLINK_ADDRESS_GONE, eth0, "10.1.0.1");
	netlink_close(netlink);
	lab_del_pair(0);
}

static void news_lost_during_the_first_dump(void **state)
{
	struct netlink *netlink;
	size_t overrun;

	(void)state;
	LAB_OR_SKIP();
	lab_add_pair(0);
	netlink = open_netlink();
	lose_news(netlink);
	overrun = expect(netlink, 0, NETLINK_OVERRUN, 0, NULL);
	assert_true(expect(netlink, 0, NETLINK_DUMP_END, 0, NULL) > overrun);
	assert_int_equal(count_told(0, NETLINK_DUMP_END, 0, NULL), 1);
	assert_int_equal(told[expect(netlink, overrun, NETLINK_LINK, lab_index("eth0"), NULL)].mtu, 1350);
	netlink_close(netlink);
	lab_del_pair(0);
}

/* A message about an interface as the kernel sends it, sent to the socket by the test. */
struct crafted {
	uint16_t type;
	int event; /* IFLA_EVENT; -1: none */
	uint32_t carrier_ups;
	const char *hardware; /* as ip(8) has it: 02:00:... */
	bool moved;
};

static size_t parse_hardware(const char *text, uint8_t *bytes)
{
	size_t count = 0;
	char *end;

	for (; *text != '\0'; text = *end == ':' ? end + 1 : end)
		bytes[count++] = (uint8_t)strtoul(text, &end, 16);
	return count;
}

static void send_crafted(struct netlink *netlink, const struct crafted *row)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	socklen_t size = sizeof to;
	uint8_t bytes[512] = {0}, hardware[64];
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);
	struct ifinfomsg *message;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	header->nlmsg_type = row->type;
	message = mnl_nlmsg_put_extra_header(header, sizeof *message);
	message->ifi_index = 777;
	message->ifi_flags = IFF_UP | IFF_RUNNING | IFF_MULTICAST;
	mnl_attr_put_strz(header, IFLA_IFNAME, "bond0");
	mnl_attr_put_u32(header, IFLA_MTU, 1500);
	mnl_attr_put(header, IFLA_ADDRESS, parse_hardware(row->hardware, hardware), hardware);
	mnl_attr_put_u32(header, IFLA_CARRIER_CHANGES, 2 * row->carrier_ups);
	mnl_attr_put_u32(header, IFLA_CARRIER_UP_COUNT, row->carrier_ups);
	if (row->event >= 0)
		mnl_attr_put_u32(header, IFLA_EVENT, (uint32_t)row->event);
	assert_true(fd >= 0);
	assert_int_equal(getsockname(netlink_fd(netlink), (struct sockaddr *)&to, &size), 0);
	assert_int_equal(sendto(fd, header, header->nlmsg_len, 0, (struct sockaddr *)&to, sizeof to),
	                 header->nlmsg_len);
	close(fd);
}

/* A bond fails over, a virtual machine has moved: IFLA_EVENT; with fail_over_mac another address. */
static void another_attachment_is_told(void **state)
{
	static const struct crafted rows[] = {
		{RTM_NEWLINK, -1, 1, "02:00:00:00:00:01", false},
		{RTM_NEWLINK, IFLA_EVENT_NONE, 1, "02:00:00:00:00:01", false},
		{RTM_NEWLINK, IFLA_EVENT_REBOOT, 1, "02:00:00:00:00:01", false},
		{RTM_NEWLINK, IFLA_EVENT_FEATURES, 2, "02:00:00:00:00:01", false},
		{RTM_NEWLINK, IFLA_EVENT_BONDING_FAILOVER, 2, "02:00:00:00:00:02", true},
		{RTM_NEWLINK, IFLA_EVENT_NOTIFY_PEERS, 3, "02:00:00:00:00:02", true},
		{RTM_NEWLINK, IFLA_EVENT_IGMP_RESEND, 3, "02:00:00:00:00:02", true},
		{RTM_NEWLINK, IFLA_EVENT_BONDING_OPTIONS, 3, "02:00:00:00:00:02", false},
		/* InfiniBand's address is 20 bytes long; a longer one than any is none. */
		{RTM_NEWLINK, -1, 3, "80:00:00:48:fe:80:0:0:0:0:0:0:0:2:c9:3:0:1:2:3", false},
		{RTM_NEWLINK, -1, 3, "1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:1:2:3:4",
	         false},
	};
	struct netlink *netlink;

	(void)state;
	LAB_OR_SKIP();
	netlink = open_and_read();
	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct netlink_news *news = &told[0];
		uint8_t hardware[64] = {0};

		told_count = 0;
		send_crafted(netlink, &rows[i]);
		expect(netlink, 0, NETLINK_LINK, 777, NULL);
		assert_int_equal(news->moved, rows[i].moved);
		assert_int_equal(news->attachment.carrier_ups, rows[i].carrier_ups);
		if (parse_hardware(rows[i].hardware, hardware) > sizeof news->attachment.hardware)
			memset(hardware, 0, sizeof hardware);
		assert_memory_equal(news->attachment.hardware, hardware, sizeof news->attachment.hardware);
		assert_true(news->up && news->multicast);
		assert_int_equal(news->mtu, 1500);
	}
	netlink_close(netlink);
}

static void carrier_is_counted_and_the_address_told(void **state)
{
	struct netlink *netlink;
	size_t place;
	uint32_t before;
	int eth0;

	(void)state;
	LAB_OR_SKIP();
	lab_add_pair(0);
	eth0 = lab_index("eth0");
	netlink = open_and_read();
	place = expect(netlink, 0, NETLINK_LINK, eth0, NULL);
	before = told[place].attachment.carrier_ups;
	lab_run("ip link set peer0 down && ip link set peer0 up");
	while (!told[place].up || told[place].attachment.carrier_ups == before)
		place = expect(netlink, place + 1, NETLINK_LINK, eth0, NULL);
	assert_int_equal(told[place].attachment.carrier_ups, before + 1);
	lab_run("ip link set eth0 address 02:00:00:00:00:07");
	while (told[place].attachment.hardware[5] != 7)
		place = expect(netlink, place + 1, NETLINK_LINK, eth0, NULL);
	assert_int_equal(told[place].attachment.carrier_ups, before + 1);
	assert_false(told[place].moved);
	netlink_close(netlink);
	lab_del_pair(0);
}

static void reading_nothing_is_fine(void **state)
{
	struct netlink *netlink;

	(void)state;
	LAB_OR_SKIP();
	netlink = open_and_read();
	expect_marker(netlink, told_count);
	while (lab_wait(netlink_fd(netlink), 50))
		receive(netlink);
	told_count = 0;
	receive(netlink);
	assert_int_equal(told_count, 0);
	netlink_close(netlink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_tells_what_is_there),
		cmocka_unit_test(changes_are_told_in_order),
		cmocka_unit_test(link_without_carrier_is_not_up),
		cmocka_unit_test(leaving_a_bridge_is_not_vanishing),
		cmocka_unit_test(own_address_of_a_point_to_point_link_is_told),
		cmocka_unit_test(point_to_point_flag_is_told),
		cmocka_unit_test(secondary_address_is_told_when_it_is_promoted),
		cmocka_unit_test(tentative_address_is_told_when_it_is_ready),
		cmocka_unit_test(duplicate_address_is_gone),
		cmocka_unit_test(change_during_the_dump_is_not_lost),
		cmocka_unit_test(large_dump_comes_whole),
		cmocka_unit_test(lost_news_is_made_up_for_by_a_dump),
		cmocka_unit_test(news_lost_during_the_first_dump),
		cmocka_unit_test(another_attachment_is_told),
		cmocka_unit_test(carrier_is_counted_and_the_address_told),
		cmocka_unit_test(reading_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, lab_open, NULL);
}
