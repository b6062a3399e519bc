# SPDX-License-Identifier: BSD-2-Clause
"""The merge of several downstream links (RFC 4605 section 4.1), and which packets really cross each link."""

import collections

import pytest
from families import FAMILIES, IPV4
from netlab import Record, Sender, Wire, make_router, tables, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
LINKS = ("eth0", "eth1", "eth2", "eth3")
QUICK = "query_interval = 60; last_member_query_interval = 0.2; last_member_query_count = 1; "


class Field:
    """Three downstream links with a guest on each, four sources A to D upstream that all send to one group."""

    def __init__(self, lab, family, settings="", senders=True):
        self.family = family
        self.network = make_router(lab, downstreams=3)
        self.sources = dict(zip("abcd", family.sources))
        self.network.source.add_addresses("eth0", *(
            address + ("/24" if family is IPV4 else "/64") for address in family.sources[1:]))
        self.daemon = family.daemon(self.network, QUICK + settings, LINKS)
        self.upstream = family.capture(self.network.source)
        self.guests = [family.guest(host, f"10.0.{number}.77" if family is IPV4 else None)
                       for number, host in enumerate(self.network.hosts, 1)]
        self.wires = [Wire(host, family.group) for host in self.network.hosts]
        if senders:
            for address in family.sources:
                Sender(self.network.source, "eth0", family.group, address=address).start(pps=50)

    def addresses(self, names):
        return tuple(self.sources[name] for name in names)

    def report(self, link, kind, names=""):
        self.guests[link - 1].report(Record(kind, self.family.group, self.addresses(names)))

    def routed(self):
        """{source letter: links}, as the kernel forwards."""
        result = {}
        for name, address in self.sources.items():
            devices = tables.outgoing_devices(self.network.router, address, self.family.group)
            result[name] = "".join(sorted(device[-1] for device in devices or ()))
        return result

    def expect(self, upstream, **routes):
        """What was reported upstream adds up to `upstream` ("IN ab", "EX d"), and the routes are these: a="12" means that
        source a goes to links 1 and 2. Then the wires are looked at: each link gets all of its sources, nothing else."""
        wanted = {name: routes.get(name, "") for name in "abcd"}
        wait_until(lambda: self.routed() == wanted, 5, lambda: f"routes {wanted}, there are {self.routed()}")
        wait_until(lambda: self.told() == upstream, 5, lambda: f"{upstream} upstream, told was {self.told()}; "
                   f"seen: {self.upstream.records(self.family.group)}")
        for wire in self.wires:
            wire.count()
        counts = [collections.Counter() for _ in self.wires]

        def enough():
            for count, wire in zip(counts, self.wires):
                count.update(wire.count())
            return all(counts[int(link) - 1][self.sources[name]] >= 5 for name in "abcd" for link in wanted[name])
        wait_until(enough, 5, lambda: f"each stream on its links {wanted}, seen: {counts}")
        for link, count in enumerate(counts, 1):
            expected = {self.sources[name] for name in "abcd" if str(link) in wanted[name]}
            assert set(count) == expected, f"link {link}: {dict(count)}"

    def told(self):
        """The filter that an upstream router has from all reports: "IN ab", "EX cd"."""
        names = {address: name for name, address in self.sources.items()}
        mode, listed = "IN", set()
        for record in self.upstream.records(self.family.group):
            sources = {names[source] for source in record.sources}
            if record.type in ("TO_IN", "IS_IN"):
                mode, listed = "IN", sources
            elif record.type in ("TO_EX", "IS_EX"):
                mode, listed = "EX", sources
            elif (record.type == "ALLOW") == (mode == "IN"):
                listed = listed | sources
            else:
                listed = listed - sources
        return f"{mode} {''.join(sorted(listed))}".strip()


@pytest.mark.smoke
@both_families
def test_include_lists_make_a_union(lab, family):
    field = Field(lab, family)
    field.expect("IN")
    field.report(1, "ALLOW", "ab")
    field.expect("IN ab", a="1", b="1")
    field.report(2, "ALLOW", "bc")
    field.expect("IN abc", a="1", b="12", c="2")
    assert set(family.filters(field.network.router, "eth0")[family.group]) == set(field.addresses("abc"))
    field.report(1, "BLOCK", "b")  # link 2 still wants it
    field.expect("IN abc", a="1", b="2", c="2")
    field.report(2, "BLOCK", "b")
    field.expect("IN ac", a="1", c="2")
    field.report(1, "TO_IN")
    field.expect("IN c", c="2")
    field.report(2, "BLOCK", "c")
    field.expect("IN")
    assert family.group not in family.joined(field.network)


@pytest.mark.smoke
@both_families
def test_exclude_lists_make_an_intersection_less_what_is_included(lab, family):
    field = Field(lab, family)
    field.report(1, "IS_EX", "ab")
    # A list of an EXCLUDE group is blocked only once its sources have been asked for; the guests do not answer.
    field.expect("EX ab", c="1", d="1")
    field.report(2, "IS_EX", "bcd")
    field.expect("EX b", a="2", c="1", d="1")
    field.report(3, "ALLOW", "bd")
    field.expect("EX", a="2", b="3", c="1", d="13")
    field.report(3, "BLOCK", "b")
    field.expect("EX b", a="2", c="1", d="13")
    field.report(3, "TO_IN")
    field.expect("EX b", a="2", c="1", d="1")
    field.report(2, "TO_EX", "")
    field.expect("EX", a="2", b="2", c="12", d="12")
    field.report(2, "TO_IN")
    field.expect("EX ab", c="1", d="1")
    field.report(1, "TO_IN")
    field.expect("IN")


@both_families
def test_modes_of_links_are_independent(lab, family):
    """One link takes all, one a list, one all but a list; each change on one leaves the others' packets alone."""
    field = Field(lab, family)
    field.report(1, "TO_EX")
    field.report(2, "ALLOW", "a")
    field.report(3, "IS_EX", "ad")
    field.expect("EX", a="12", b="13", c="13", d="1")
    field.report(1, "TO_IN")
    field.expect("EX d", a="2", b="3", c="3")
    field.report(3, "TO_IN", "d")
    field.expect("IN ad", a="2", d="3")


@both_families
def test_leave_of_the_last_exclude_link_keeps_what_is_included(lab, family):
    """The mode goes from EXCLUDE to INCLUDE with the lists of the others, in one record: no gap for them upstream."""
    field = Field(lab, family)
    field.report(1, "ALLOW", "ab")
    field.report(2, "TO_EX")
    field.expect("EX", a="12", b="12", c="2", d="2")
    field.report(2, "TO_IN")
    field.expect("IN ab", a="1", b="1")
    kinds = [record for record in field.upstream.records(family.group) if record.type == "TO_IN"]
    assert kinds and set(kinds) == {Record("TO_IN", family.group, field.addresses("ab"))}


@both_families
def test_user_membership_merges_the_same(lab, family):
    field = Field(lab, family, 'upstream_membership = "user"; unsolicited_report_interval = 0.3;')
    field.report(1, "ALLOW", "ab")
    field.report(2, "ALLOW", "bc")
    field.expect("IN abc", a="1", b="12", c="2")
    field.report(3, "IS_EX", "bd")
    field.expect("EX d", a="13", b="12", c="23")
    field.report(1, "BLOCK", "ab")
    field.expect("EX d", a="3", b="2", c="23")
    field.report(2, "TO_IN")
    field.expect("EX bd", a="3", c="3")
    assert family.group not in family.joined(field.network)
    field.report(3, "TO_IN")
    field.expect("IN")


@both_families
def test_hosts_on_one_link_add_up(lab, family):
    """The link gets what any of its hosts wants."""
    field = Field(lab, family)
    other = family.guest(field.network.host, "10.0.1.78" if family is IPV4 else "fe80::78")
    field.report(1, "ALLOW", "a")
    other.report(Record("ALLOW", family.group, field.addresses("b")))
    field.expect("IN ab", a="1", b="1")
    other.report(Record("IS_EX", family.group, field.addresses("ac")))
    # a is wanted by the first, so only c stays out (RFC 9776 section 6.4.1: EXCLUDE(A*B, B-A)).
    field.expect("EX c", a="1", b="1", d="1")


def test_real_hosts_with_live_filters_get_exactly_what_they_want(lab):
    """Linux receivers on three links change their filters under running streams: each gets an unbroken sequence of every
    source that it wants all the time."""
    field = Field(lab, IPV4)
    a, b, c, d = field.family.sources
    group = field.family.group
    one, two, three = (field.family.receiver(host) for host in field.network.hosts)
    one.join_source(group, a)
    two.join(group)
    three.join_source(group, c)
    field.expect("EX", a="12", b="2", c="23", d="2")
    two.exclude(group, [d])
    field.expect("EX d", a="12", b="2", c="23")
    one.join_source(group, d)
    field.expect("EX", a="12", b="2", c="23", d="1")
    two.leave(group)
    field.expect("IN acd", a="1", c="3", d="1")
    one.leave_source(group, d)
    field.expect("IN ac", a="1", c="3")
    for receiver, source in ((one, a), (three, c)):
        assert not receiver.gaps(source)
    assert set(one.per_source()) == {a, d} and set(three.per_source()) == {c}


@both_families
def test_downstream_source_obeys_the_filters_of_the_other_links(lab, family):
    """And goes upstream whatever is wanted below."""
    field = Field(lab, family, senders=False)
    inside = "10.0.1.10" if family is IPV4 else "fd00:1::10"
    field.guests[1].report(Record("ALLOW", family.group, (inside,)))
    field.guests[2].report(Record("IS_EX", family.group, (inside,)))
    Sender(field.network.host, "eth0", family.group).start(pps=50)
    wait_until(lambda: tables.outgoing_devices(field.network.router, inside, family.group) == {"eth0", "eth2"}, 5,
               lambda: f"the stream upstream and on link 2: {tables.routes(field.network.router)}")
    field.guests[1].report(Record("BLOCK", family.group, (inside,)))
    wait_until(lambda: tables.outgoing_devices(field.network.router, inside, family.group) == {"eth0"}, 5, "upstream only")
