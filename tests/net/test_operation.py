# SPDX-License-Identifier: BSD-2-Clause
"""The daemon as a program: options, signals, files, messages."""

import contextlib
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
from ctl import ask
from families import FAMILIES, IPV4
from mcproxy_daemon import PROGRAM
from netlab import Capture, CraftedHost, Daemon, Receiver, Record, Sender, tables, wait_until

GROUP = "239.1.2.3"
SMALLEST = 'protocol = "IGMPv3"; instances = ("eth0 ==> eth1");'
REPLAY = Path(os.environ.get("MCPROXY_BUILD", PROGRAM.parent)) / "tests" / "sim" / "replay"


def run(namespace, *arguments, configuration=None):
    """Runs the program to its end: (exit status, all output)."""
    command = [PROGRAM, *arguments]
    if configuration is not None:
        path = namespace.directory / "test.conf"
        path.write_text(configuration)
        command += ["-c", path]
    result = namespace.run(*map(str, command), check=False)
    return result.returncode, result.stdout + result.stderr


def test_help_and_version():
    text = subprocess.run([PROGRAM, "-h"], capture_output=True, text=True, check=True).stdout
    for option in ("-c", "-d", "-h", "-r", "-s", "-t", "-v", "-V", "--record"):
        assert option in text
    assert subprocess.run([PROGRAM, "-V"], capture_output=True, text=True, check=True).stdout.startswith("mcproxy 0.")
    assert subprocess.run([PROGRAM, "-x"], capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize("configuration, message", [
    ("", "no instance"),
    ('instances = ("eth0 ==> eth1")\nquery_intervall = 3;\n', "query_interval"),
    ('instances = ("eth0 ==> eth1");\nrobustness = "two";\n', ":2: robustness"),
    ('instances = ("eth0 ==> eth0");\n', "eth0"),
    ("protocol IGMPv9\neth0 ==> eth1\n", ":1: "),
    ("protocol IGMPv2\neth0 eth1\n", ":2: "),
])
def test_bad_configuration_is_rejected_with_file_line_and_reason(lab, configuration, message):
    status, output = run(lab.namespace("router"), "-t", configuration=configuration)
    assert status == 78
    assert "test.conf" in output and message in output


def test_check_only_reads_the_file(lab):
    router = lab.namespace("router")
    status, output = run(router, "-t", configuration='instances = ( "lo ==> eht1 ppp*" );')
    assert status == 0 and output.splitlines()[1:] == ["note: eht1: there is no such interface now; mcproxy will wait for it"]
    status, output = run(router, "-t", configuration=SMALLEST)
    assert status == 0 and "valid" in output


def test_missing_configuration_file(lab):
    status, output = run(lab.namespace("router"), "-c", "/nonexistent.conf")
    assert status == 78 and "/nonexistent.conf" in output


def test_another_multicast_router_is_named(router):
    network = router
    configuration = network.router.directory / "smcroute.conf"
    configuration.write_text("")
    other = network.router.start("smcrouted", "-n", "-f", configuration, "-P", network.router.directory / "smcroute.pid",
                                 "-u", network.router.directory / "smcroute.sock")
    wait_until(lambda: tables.vifs(network.router) != [], what="smcroute's vifs")
    daemon = Daemon(network.router, SMALLEST)
    daemon.wait_for_output(f"another multicast router is running: smcrouted (pid {other.pid})")


def test_without_rights_it_says_so(router):
    path = Path("/tmp", f"mcproxy-test-{os.getpid()}.conf")  # where an unprivileged user can read
    path.write_text(SMALLEST)
    try:
        result = router.router.run("setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
                                   str(PROGRAM), "-c", str(path), check=False)
    finally:
        path.unlink()
    assert result.returncode == 1
    assert "CAP_NET_ADMIN and CAP_NET_RAW" in result.stdout + result.stderr


@pytest.mark.smoke
def test_sigterm_leaves_upstream_and_removes_everything(router):
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    upstream = Capture(network.source, "eth0")
    receiver = Receiver(network.host, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    receiver.wait_for(5)
    daemon.terminate(signal.SIGTERM)
    upstream.wait_for_record("TO_IN", GROUP)
    assert tables.vifs(network.router) == [] and tables.routes(network.router) == {}
    assert GROUP not in tables.igmp_groups(network.router, "eth0")


def test_sigint_ends_it_too(router):
    Daemon(router.router, SMALLEST, vifs=("eth0", "eth1")).terminate(signal.SIGINT)


def test_sigusr1_writes_the_status_file_whole(router):
    network = router
    path = network.router.directory / "status"
    daemon = Daemon(network.router, SMALLEST + f'status_file = "{path}";', vifs=("eth0", "eth1"))
    Receiver(network.host, "eth0").join(GROUP)
    wait_until(lambda: GROUP in tables.igmp_groups(network.router, "eth0"), what="the join upstream")
    daemon.signal(signal.SIGUSR1)
    wait_until(path.exists, what="the status file")
    assert f"[0] {GROUP}\t2\tRUNNING" in path.read_text()
    assert daemon.stdout == ""


@pytest.mark.parametrize("trap", (os.mkfifo, lambda path: os.symlink(f"{path}.victim", path)), ids=("fifo", "link"))
def test_the_status_file_is_written_where_others_may_write(router, trap):
    network = router
    path = network.router.directory / "status"
    trap(f"{path}.new")
    daemon = Daemon(network.router, SMALLEST + f'status_file = "{path}";', vifs=("eth0", "eth1"))
    daemon.signal(signal.SIGUSR1)
    wait_until(path.exists, what="the status file")
    assert path.is_file() and not path.is_symlink() and not os.path.exists(f"{path}.new.victim")


def test_sigusr1_goes_to_stdout_when_that_is_a_file(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    daemon.signal(signal.SIGUSR1)
    daemon.wait_for_output("-- downstream eth1 [vif=1] --")
    assert "alive time: 1" in daemon.stdout


def test_sigusr1_goes_to_the_terminal(router):
    network = router
    configuration = network.router.directory / "terminal.conf"
    configuration.write_text(SMALLEST)
    inner, outer = os.openpty()
    with network.router.entered():
        daemon = subprocess.Popen([PROGRAM, "-c", configuration], stdin=subprocess.DEVNULL, stdout=outer, stderr=subprocess.DEVNULL)
    try:
        os.set_blocking(inner, False)
        wait_until(lambda: len(tables.vifs(network.router)) == 2, 10, "the vifs")
        daemon.send_signal(signal.SIGUSR1)
        text = bytearray()

        def shown():
            with contextlib.suppress(BlockingIOError):
                text.extend(os.read(inner, 65536))
            return b"-- downstream eth1 [vif=1] --" in text
        wait_until(shown, what="the status on the terminal")
    finally:
        daemon.terminate()
        assert daemon.wait(10) == 0
        os.close(inner)
        os.close(outer)


def test_settings_that_cannot_be_written_are_named_once(router):
    """In a sandbox that shows /proc/sys read-only the daemon goes on without -r."""
    network = router
    configuration = network.router.directory / "sandbox.conf"
    configuration.write_text(SMALLEST)
    for device in ("eth0", "eth1"):
        network.router.sysctl(f"net/ipv4/conf/{device}/rp_filter", 1)
    daemon = network.router.start(
        "unshare", "--mount", "--propagation", "private", "sh", "-c",
        'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$@"', "sh", PROGRAM, "-r", "-c",
        configuration, private_run=True)
    daemon.wait_for_output("eth0: rp_filter cannot be set to 0 (net.ipv4.conf.eth0.rp_filter): Read-only file system")
    wait_until(lambda: len(tables.vifs(network.router)) == 2, 10, "the vifs")
    Receiver(network.host, "eth0").join(GROUP)
    wait_until(lambda: GROUP in tables.igmp_groups(network.router, "eth0"), what="the join upstream")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert daemon.stderr.count("cannot be set") == 1
    assert network.router.sysctl("net/ipv4/conf/eth0/rp_filter") == "1"


def test_status_levels(router):
    network = router
    Receiver(network.host, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    texts = {}
    for flags in ("-s", "-sv", "-svv"):
        daemon = Daemon(network.router, "query_response_interval = 1;" + SMALLEST, flags, vifs=("eth0", "eth1"))
        wait_until(lambda: tables.outgoing_devices(network.router, network.source_address, GROUP) == {"eth1"}, 10, "a route")
        before = len(daemon.stdout)
        wait_until(lambda: "-- downstream eth1" in daemon.stdout[before:], 10, "a status")
        texts[flags] = daemon.stdout[before:]
        daemon.terminate()
    assert GROUP not in texts["-s"]
    assert GROUP in texts["-sv"] and "CACHED_SRC" not in texts["-sv"]
    assert "CACHED_SRC" in texts["-svv"]


@pytest.mark.smoke
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_rp_filter_is_reset_and_restored(router, ending):
    namespace = router.router
    values = {"all": 1, "eth0": 2, "eth1": 1}
    for name, value in values.items():
        namespace.sysctl(f"net/ipv4/conf/{name}/rp_filter", value)

    def now():
        return {name: int(namespace.sysctl(f"net/ipv4/conf/{name}/rp_filter")) for name in values}
    daemon = Daemon(namespace, SMALLEST, "-r", vifs=("eth0", "eth1"))
    reset = {"all": 0, "eth0": 0, "eth1": 1}  # a downstream link keeps its filter
    wait_until(lambda: now() == reset, what="rp_filter 0 upstream")
    if ending == signal.SIGTERM:
        daemon.terminate()
    else:
        daemon.kill()
        assert now() == reset
        Daemon(namespace, SMALLEST, vifs=("eth0", "eth1")).terminate()
    assert now() == values


def test_missing_interface_is_waited_for(router):
    network = router
    daemon = Daemon(network.router, 'protocol = "IGMPv3"; instances = ("eth0 ==> eth7 eth1");', vifs=("eth0", "eth1"))
    assert "eth7: no such interface; waiting for it" in daemon.stderr
    receiver = Receiver(network.host, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    receiver.wait_for(5)


@pytest.mark.smoke
def test_a_full_channel_loses_no_upcall_for_good(router):
    """With the smallest ring and a burst of new streams, each stream's later packets get their route."""
    network = router
    Daemon(network.router, SMALLEST + "ring_size = 4;", vifs=("eth0", "eth1"))
    receiver = Receiver(network.host, "eth0")
    groups = [f"239.7.0.{number}" for number in range(1, 16)]
    for group in groups:
        receiver.join(group)
    wait_until(lambda: set(groups) <= set(tables.igmp_groups(network.router, "eth0")), what="all joins upstream")
    senders = [Sender(network.source, "eth0", group) for group in groups]
    for _ in range(3):
        for sender in senders:
            sender.send()
    for sender in senders:
        sender.start(pps=20)
    wait_until(lambda: {a.group for a in list(receiver.arrivals)} == set(groups), 5, "every stream at the host")


def test_recording_replays_to_the_same_requests(router):
    network = router
    path = network.router.directory / "recording"
    daemon = Daemon(network.router, SMALLEST, ("--record", path), vifs=("eth0", "eth1"))
    receiver = Receiver(network.host, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    receiver.wait_for(5)
    receiver.leave(GROUP)
    wait_until(lambda: GROUP not in tables.igmp_groups(network.router, "eth0"), 10, "the leave upstream")
    daemon.terminate()
    assert path.stat().st_mode & 0o777 == 0o600
    result = subprocess.run([REPLAY, path], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_every_record_of_a_report_as_long_as_the_mtu_counts(router, family):
    """A recording holds and replays them."""
    network = router
    network.router.ip("link set eth1 mtu 65535")
    network.host.ip("link set eth0 mtu 65535")
    path = network.router.directory / "recording"
    daemon = family.daemon(network, 'upstream_membership = "user";', flags=f"-d --record {path}")
    guest = family.guest(network.host)
    base = "239.66.%d.%d" if family is IPV4 else "ff1e::66:%x:%x"

    def report(count, first=1):
        guest.report(*(Record("TO_EX", base % (number >> 8, number & 255)) for number in range(first, first + count)))

    def link():
        return ask(daemon, "show", what="links", link="eth1")["links"][0]
    largest = 8187 if family is IPV4 else 3273  # fills 65,535 bytes but for some
    report(1500)
    report(largest, 2000)
    report(1, 60000)
    wait_until(lambda: link()["groups"] >= largest + 1501, 10, lambda: f"all groups: {link()}")
    assert "packet too long" not in link()["drops"]
    daemon.terminate()
    result = subprocess.run([REPLAY, path], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_long_reports_count_after_the_mtu_was_raised(router, family):
    network = router
    daemon = family.daemon(network, 'upstream_membership = "user";')
    guest = family.guest(network.host)
    base = "239.66.%d.%d" if family is IPV4 else "ff1e::66:%x:%x"
    for namespace, device in ((network.router, "eth1"), (network.host, "eth0")):
        namespace.ip(f"link set {device} mtu 65535")

    def learned():
        guest.report(*(Record("TO_EX", base % (number >> 8, number & 255)) for number in range(1, 1501)))
        return ask(daemon, "show", what="links", link="eth1")["links"][0]["groups"] >= 1500
    wait_until(learned, what="all groups")


def test_recording_that_cannot_go_on_is_told_once(router):
    """A file at its limit stands for a full disk."""
    network = router
    recording = network.router.directory / "recording"
    daemon = Daemon(network.router, SMALLEST, ("--record", recording), vifs=("eth0", "eth1"))
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (32768, 32768))
    guest = CraftedHost(network.host, "eth0", "10.0.1.77")
    for number in range(100):
        guest.report(*(Record("TO_EX", f"239.9.{number}.{last}") for last in range(1, 20)))
    daemon.wait_for_output(f"{recording}: the recording has ended before its time: File too large")

    guest.report(Record("TO_EX", GROUP))
    wait_until(lambda: GROUP in tables.igmp_groups(network.router, "eth0"), what="a join after the end of the recording")
    daemon.terminate()
    assert daemon.stderr.count("recording has ended") == 1
    assert recording.stat().st_size == 32768


def test_nohup_in_the_background(router):
    """As in the guide: nohup mcproxy -c FILE &"""
    network = router
    path = network.router.directory / "nohup.conf"
    path.write_text("protocol IGMPv2\neth0 ==> eth1\n")
    shell = network.router.start("sh", "-c", f"cd {network.router.directory}; nohup {PROGRAM} -c {path} & echo $!; wait")
    wait_until(lambda: len(tables.vifs(network.router)) == 2, what="the vifs")
    pid = int(shell.stdout.split()[0])
    os.kill(pid, signal.SIGTERM)
    assert shell.wait() == 0


def test_idle_daemon_sleeps(router):
    """One group, no stream: no thread wakes but for due timers."""
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    Receiver(network.host, "eth0").join(GROUP)
    wait_until(lambda: GROUP in tables.igmp_groups(network.router, "eth0"), what="the join upstream")

    def switches():
        return {task.name: int(line.split()[1]) for task in Path(f"/proc/{daemon.pid}/task").iterdir()
                for line in (task / "status").read_text().splitlines() if line.startswith("voluntary_ctxt_switches")}
    time.sleep(3)  # the host repeats its report
    before = switches()
    time.sleep(10)
    after = switches()
    assert all(after[task] - before[task] <= 2 for task in before), (before, after)
    memory = [line for line in Path(f"/proc/{daemon.pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    if "SANITIZE" not in os.environ and "san" not in str(PROGRAM):
        assert int(memory[0].split()[1]) < 4096, memory


def start_traced(network, *options):
    """The daemon under strace, which shows what it asks of the kernel by netlink; the daemon and the trace's path."""
    configuration = network.router.directory / "traced.conf"
    configuration.write_text(SMALLEST)
    trace = network.router.directory / f"strace-{len(options)}"
    daemon = network.router.start("strace", "-D", "-qq", "-o", trace, "-e", "trace=sendto", *options, PROGRAM, "-c", configuration,
                                  private_run=True, environment={"ASAN_OPTIONS": "detect_leaks=0"})
    return daemon, trace


def test_request_for_addresses_that_fails_is_made_again(router):
    """The kernel may be out of memory for it at that time. Which request of the start it is, another run tells."""
    network = router
    daemon, trace = start_traced(network)
    wait_until(lambda: trace.exists() and "RTM_GETADDR" in trace.read_text(), 10, "the request for addresses")
    daemon.close()
    number = 1 + next(at for at, line in enumerate(trace.read_text().splitlines()) if "RTM_GETADDR" in line)

    capture = Capture(network.host, "eth0")
    daemon, trace = start_traced(network, "-e", f"inject=sendto:error=ENOBUFS:when={number}")
    daemon.wait_for_output("netlink: news of interfaces cannot be read; trying again: No buffer space available")
    # Without its address the router asks from 0.0.0.0.
    capture.wait_for(lambda m: m.kind == "query" and m.source == "10.0.1.1", "a query from the address", timeout=10)
    assert [line for line in trace.read_text().splitlines() if "INJECTED" in line and "RTM_GETADDR" in line]
    assert daemon.stderr.count("netlink: ") == 1
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0


def test_a_worker_needs_only_four_system_calls(router):
    """In steady state a worker calls ppoll, recvmmsg on its links' sockets, and read and write on its eventfds; nothing else."""
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    crafted = CraftedHost(network.host, "eth0", "10.0.1.77")
    workers = [task.name for task in Path(f"/proc/{daemon.pid}/task").iterdir() if task.name != str(daemon.pid)]
    assert len(workers) == 1
    trace = network.router.directory / "strace"
    tracer = network.router.start("strace", "-qq", "-o", trace, "-p", workers[0])
    wait_until(lambda: "TracerPid:\t0" not in Path(f"/proc/{daemon.pid}/task/{workers[0]}/status").read_text(), what="strace")
    for number in range(1, 40):
        crafted.report(Record("TO_EX", f"239.5.0.{number}"))
    Sender(network.source, "eth0", "239.5.0.1").send(3)
    wait_until(lambda: "239.5.0.39" in tables.igmp_groups(network.router, "eth0"), what="the joins upstream")
    wait_until(lambda: "\nread(" in trace.read_text(), what="word of the stream")
    tracer.signal(signal.SIGINT)
    tracer.wait()
    calls = {line.split("(")[0].split()[-1] for line in trace.read_text().splitlines() if "(" in line}
    # Memory for more groups is the allocator's business; the one of a sanitizer locks.
    allocator = {"mmap", "munmap", "brk", "mprotect", "madvise"} | ({"futex"} if b"libasan" in Path(PROGRAM).read_bytes() else set())
    assert calls - allocator - {"restart_syscall"} == {"ppoll", "recvmmsg", "read", "write"}


def thread_status(daemon, thread):
    lines = Path(f"/proc/{daemon.pid}/task/{thread}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_threads_give_up_what_they_do_not_need(router):
    """A worker has no capability, and the owner none to rule the machine; both have a system call filter, except under sanitizers."""
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    owner = thread_status(daemon, daemon.pid)
    sys_module, net_admin = 1 << 16, 1 << 12
    assert int(owner["CapEff"], 16) & (net_admin | sys_module) == net_admin
    assert owner["NoNewPrivs"] == "1"

    def workers():
        return [thread_status(daemon, task.name) for task in Path(f"/proc/{daemon.pid}/task").iterdir()
                if task.name != str(daemon.pid)]
    wait_until(lambda: [worker["CapEff"] for worker in workers()] == ["0" * 16], what="the worker's drop")
    if "san" not in str(PROGRAM):
        assert owner["Seccomp"] == "2"
        # The worker has two filters: its own, and that of the process.
        wait_until(lambda: [worker.get("Seccomp_filters", "2") for worker in workers()] == ["2"], what="the worker's filter")


def test_sigusr1_goes_to_the_log_when_nobody_watches_stdout(router):
    network = router
    path = network.router.directory / "log.conf"
    path.write_text(SMALLEST)
    shell = network.router.start("sh", "-c", f"{{ {PROGRAM} -c {path} & echo $! >&3; wait; }} 3>{path}.pid | cat")
    wait_until(lambda: len(tables.vifs(network.router)) == 2, what="the vifs")
    pid = int(Path(f"{path}.pid").read_text())
    os.kill(pid, signal.SIGUSR1)
    shell.wait_for_output("-- downstream eth1 [vif=1] --")
    assert "alive time: 1" in shell.stderr and "alive time" not in shell.stdout
    os.kill(pid, signal.SIGTERM)
    assert shell.wait() == 0


def test_a_link_that_no_descriptor_was_left_for_is_read_later(router):
    """Soon, and also if nothing else wakes the daemon."""
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    daemon.wait_for_output("downstream eth1: in use")
    limits = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    network.router.ip("link set eth1 down")
    daemon.wait_for_output("downstream eth1: interface is down")
    network.router.ip("link set eth1 up")
    daemon.wait_for_output("eth1: its IGMP packets cannot be read; trying again")
    time.sleep(1)  # it has queried the hosts of the link by then
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, limits)
    CraftedHost(network.host, "eth0", "10.0.1.77").report(Record("TO_EX", GROUP))
    wait_until(lambda: GROUP in tables.igmp_groups(network.router, "eth0"), 3, "the join upstream")
