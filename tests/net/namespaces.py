# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces, the links between them and the programs in them; see netlab.py for how to use it all.

A Lab owns everything that one test makes and takes it down in reverse order, whatever happens. Names of
namespaces carry the pid of the test process, so that parallel test processes never meet; names inside a
namespace (eth0, br0) are as short as they are on a real router.
"""

import contextlib
import ctypes
import fcntl
import ipaddress
import itertools
import json
import os
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

PREFIX = "mcproxy-test"
TIMEOUT_FACTOR = float(os.environ.get("MCPROXY_TIMEOUT_FACTOR", "1"))  # for valgrind, sanitizers, slow machines
_CLONE_NEWNET = 0x40000000
_MS_BIND, _MNT_DETACH = 4096, 2
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP, _IFF_RUNNING = 0x8913, 0x8914, 0x1, 0x40
_DIRECTORY = Path("/run/netns")

_libc = ctypes.CDLL(None, use_errno=True)
_number = itertools.count(1)


def wait_until(predicate, timeout=5.0, what="a condition", interval=0.005):
    """Polls until predicate() is true and returns its value; fails with `what` (a text, or a function that
    makes one from the state at that time). AssertionError in the predicate counts as "not yet"."""
    deadline = time.monotonic() + timeout * TIMEOUT_FACTOR
    while True:
        last = ""
        try:
            value = predicate()
            if value:
                return value
        except AssertionError as error:
            last = f"; last: {error}"
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise AssertionError(f"not seen within {timeout:g} s: {text}{last}")
        time.sleep(interval)


def assert_stays(predicate, seconds, what, interval=0.01):
    """Fails as soon as predicate() is false within that time: for things that must *not* happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert predicate(), f"did not last {seconds:g} s: {what() if callable(what) else what}"
        time.sleep(interval)


def _call(name, *arguments):
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


@contextlib.contextmanager
def _own_namespace_kept():
    """Afterwards the calling thread is again in the namespace where it was."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        _call("setns", before, _CLONE_NEWNET)
        os.close(before)


def _make_namespace(name):
    """As `ip netns add` does, without a process: tests make thousands of them."""
    path = _DIRECTORY / name
    if not os.path.ismount(_DIRECTORY):
        _run(["ip", "netns", "add", name])  # it makes the directory ready, too
        return
    path.touch()
    with _own_namespace_kept():
        _call("unshare", _CLONE_NEWNET)
        _call("mount", b"/proc/thread-self/ns/net", bytes(path), None, _MS_BIND, None)


def _remove_namespace(name):
    path = _DIRECTORY / name
    _call("umount2", bytes(path), _MNT_DETACH)
    path.unlink()


def _run(command, check=True, **options):
    result = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if not check:
        return result
    if result.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)}: exit {result.returncode}: {result.stderr.strip()}"
                           f"{result.stdout.strip()}{' <- ' + options['input'] if 'input' in options else ''}")
    return result.stdout


def remove_leftovers():
    """Deletes namespaces of test processes that were killed before they could clean up."""
    for path in _DIRECTORY.glob(PREFIX + "-*"):
        pid = path.name.removeprefix(PREFIX + "-").split("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            subprocess.run(["ip", "netns", "del", path.name], check=False, capture_output=True)


def _address_lines(device, addresses):
    return [f"address add {address} dev {device}{' nodad' if ':' in address else ''}" for address in addresses]


class Namespace:
    """One network namespace. `with namespace.entered():` moves the calling thread into it; sockets that are
    opened and programs that are started there stay there."""

    def __init__(self, lab, role):
        self.lab = lab
        self.role = role
        self.name = f"{PREFIX}-{os.getpid()}-{next(_number)}-{role}"
        self.directory = lab.directory / self.name
        self.directory.mkdir()
        self._descriptor = None
        _make_namespace(self.name)
        lab.defer(self._close)
        self._descriptor = os.open(_DIRECTORY / self.name, os.O_RDONLY | os.O_CLOEXEC)
        # New namespaces inherit the settings of the machine: make every run start from the same ones.
        for setting, value in (
            ("net/ipv4/conf/all/rp_filter", 0),
            ("net/ipv4/conf/default/rp_filter", 0),
            ("net/ipv4/conf/all/force_igmp_version", 0),
            ("net/ipv4/conf/default/force_igmp_version", 0),
            ("net/ipv6/conf/default/accept_dad", 0),  # link-local addresses are usable at once
            ("net/ipv6/conf/default/router_solicitations", 0),
            ("net/ipv6/conf/default/accept_ra", 0),
        ):
            self.sysctl(setting, value)
        self._flags("lo", _IFF_UP)

    def _close(self):
        if self._descriptor is not None:
            os.close(self._descriptor)
        _remove_namespace(self.name)

    def __repr__(self):
        return f"<{self.name}>"

    @contextlib.contextmanager
    def entered(self):
        with _own_namespace_kept():
            _call("setns", self._descriptor, _CLONE_NEWNET)
            yield self

    def socket(self, *arguments):
        with self.entered():
            return socket.socket(*arguments)

    def run(self, *command, **options):
        """Runs a program to its end and returns its standard output; a failure raises. With check=False nothing
        raises and the subprocess.CompletedProcess is returned."""
        words = shlex.split(command[0]) if len(command) == 1 else [str(word) for word in command]
        with self.entered():
            return _run(words, **options)

    def start(self, *command, **options):
        """Starts a program, ended at clean-up; returns its Process."""
        return Process(self, *command, **options)

    def ip(self, *lines):
        """ip(8) commands, one per argument, in one go: ns.ip("link set eth0 up", "route add ...")."""
        with self.entered():
            _run(["ip", "-batch", "-"], input="\n".join(lines) + "\n")

    def ip_json(self, command):
        return json.loads(self.run("ip -j " + command) or "[]")

    def read(self, path):
        """A file below /proc as this namespace sees it; read("/proc/net/igmp")."""
        with self.entered():
            # /proc/net belongs to the process; only /proc/thread-self follows the thread.
            return Path(str(path).replace("/proc/net/", "/proc/thread-self/net/", 1)).read_text()

    def sysctl(self, name, value=None):
        """sysctl("net/ipv4/conf/eth0/rp_filter") reads, with a value it writes. Slashes, as names have dots."""
        with self.entered():
            path = Path("/proc/sys", name)
            if value is None:
                return path.read_text().strip()
            path.write_text(f"{value}\n")
            return str(value)

    def force_igmp_version(self, device, version):
        """Makes the kernel's host side speak IGMP version 1, 2 or 3 on a device; 0: as the querier does."""
        self.sysctl(f"net/ipv4/conf/{device}/force_igmp_version", version)

    def force_mld_version(self, device, version):
        self.sysctl(f"net/ipv6/conf/{device}/force_mld_version", version)

    def ifindex(self, device):
        with self.entered():
            return socket.if_nametoindex(device)

    def add_addresses(self, device, *addresses):
        self.ip(*_address_lines(device, addresses))

    def _flags(self, device, added=0):
        """The flags of a device (netdevice(7)), with those added that are named."""
        with self.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            request = fcntl.ioctl(sock, _SIOCGIFFLAGS, struct.pack("=16sH22x", device.encode(), 0))
            flags = struct.unpack_from("=H", request, 16)[0]
            if added & ~flags:
                fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("=16sH22x", device.encode(), flags | added))
        return flags | added

    def is_running(self, device):
        """The device is up and has a carrier."""
        return bool(self._flags(device) & _IFF_RUNNING)

    def packets_sent(self, device):
        return self.ip_json(f"-s link show dev {device}")[0]["stats64"]["tx"]["packets"]

    def packets_received(self, device):
        return self.ip_json(f"-s link show dev {device}")[0]["stats64"]["rx"]["packets"]

    def link_local(self, device):
        """The device's IPv6 link-local address, once it has one."""
        def find():
            for line in self.read("/proc/net/if_inet6").splitlines():
                address, _, _, scope, flags, name = line.split()
                if name == device and scope == "20" and not int(flags, 16) & 0x40:  # link-local, not tentative
                    return str(ipaddress.ip_address(bytes.fromhex(address)))
            return None
        return wait_until(find, what=f"a link-local address on {device} of {self.role}")

    def bridge(self, name, *ports, snooping=True, querier=False, addresses=()):
        """Makes a bridge of devices that exist here. Port options: ns.bridge_port(port, "fastleave on").

        A bridge floods until the response time of the first query it sent or saw has passed; its own is 0.2 s here.
        """
        self.ip(f"link add {name} type bridge mcast_snooping {int(snooping)} mcast_query_response_interval 20",
                f"link set {name} type bridge mcast_querier {int(querier)}",
                *(f"link set {port} master {name} up" for port in ports), f"link set {name} up")
        self.add_addresses(name, *addresses)
        return name

    def bridge_port(self, port, options):
        self.run(f"bridge link set dev {port} {options}")

    def bridge_members(self, bridge):
        """The snooping table: a set of (port, group)."""
        tables = json.loads(self.run("bridge -j mdb show dev " + bridge) or "[]")
        return {(entry["port"], entry["grp"]) for table in tables for entry in table.get("mdb", [])}

    def tap(self, name, *addresses):
        """A tap device; the returned descriptor is its other end (whole Ethernet frames), and keeps it up."""
        with self.entered():
            return Tap(self, name, addresses)

    def vxlan(self, name, identifier, local, remote, device, *addresses):
        """One end of a point-to-point vxlan tunnel over `device`; the other end swaps local and remote."""
        self.ip(f"link add {name} type vxlan id {identifier} local {local} remote {remote} dev {device} dstport 4789",
                f"link set {name} up")
        self.add_addresses(name, *addresses)
        return name


class Lab:
    """Everything one test makes. Use the `lab` fixture, or `with Lab() as lab:` in a script."""

    def __init__(self, directory=None):
        self._stack = contextlib.ExitStack()
        self._own_directory = directory is None
        self.directory = Path(directory or tempfile.mkdtemp(prefix=PREFIX + "-"))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            self._stack.close()
        finally:
            if self._own_directory:
                shutil.rmtree(self.directory, ignore_errors=True)

    def defer(self, function, *arguments):
        """Calls the function at the end, before whatever was deferred earlier."""
        self._stack.callback(function, *arguments)

    def namespace(self, role):
        return Namespace(self, role)

    def link(self, left, left_device, right, right_device, left_addresses=(), right_addresses=(), right_lines=()):
        """A veth pair between two namespaces (or within one), both ends up and with carrier; then more lines for ip(8) on the
        right."""
        make = [f"link add {left_device} type veth peer name {right_device} netns {right.name}"]
        ends = ((left, left_device, left_addresses, make, ()), (right, right_device, right_addresses, (), right_lines))
        for namespace, device, addresses, before, behind in ends:
            addresses = [addresses] if isinstance(addresses, str) else addresses
            namespace.ip(*before, f"link set {device} up", *_address_lines(device, addresses), *behind)
        for namespace, device, *_ in ends:
            wait_until(lambda: namespace.is_running(device), what=f"carrier on {device} of {namespace.role}")


class Process:
    """A program in a namespace. Standard output and error go to files; `stdout` and `stderr` read them."""

    def __init__(self, namespace, *command, environment=None, private_run=False, descriptors=()):
        words = shlex.split(command[0]) if len(command) == 1 else [str(word) for word in command]
        self.namespace = namespace
        self.command = shlex.join(words)
        label = f"{next(_number)}-{Path(words[0]).name}"
        self.stdout_path = namespace.directory / (label + ".stdout")
        self.stderr_path = namespace.directory / (label + ".stderr")
        wrapper = ["setpriv", "--pdeathsig", "KILL", "--"]  # ends with the test process, even if that is killed
        if private_run:
            # /run is the namespace's own, so that daemons of parallel tests do not share their state.
            own_run = namespace.directory / "run"
            own_run.mkdir(exist_ok=True)
            wrapper += ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                        'mount --bind "$1" /run && shift && exec "$@"', "sh", str(own_run)]
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as error, namespace.entered():
            self._process = subprocess.Popen(wrapper + words, stdin=subprocess.DEVNULL, stdout=out, stderr=error,
                                             env={**os.environ, **(environment or {})}, pass_fds=descriptors)
        self.pid = self._process.pid
        namespace.lab.defer(self.close)
        wait_until(self._has_begun, what=f"the start of {self.command}")

    def __repr__(self):
        return f"<{self.command}, pid {self.pid} in {self.namespace.role}>"

    def _has_begun(self):
        """The wrappers have given way to the program, so that signals reach it."""
        if not self.running:
            return True
        line = Path(f"/proc/{self.pid}/cmdline").read_bytes()
        return line and not line.startswith(
            (b"setpriv\0--pdeathsig", b"unshare\0--mount\0--propagation", b"sh\0-c\0mount",
             b"bash\0-c\0export LISTEN_PID"))

    @property
    def stdout(self):
        return self.stdout_path.read_text(errors="replace")

    @property
    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    @property
    def running(self):
        return self._process.poll() is None

    @property
    def returncode(self):
        return self._process.poll()

    def signal(self, number):
        if self.running:
            os.kill(self.pid, number)

    def wait(self, timeout=5.0):
        """The exit status, once the program has ended by itself."""
        try:
            return self._process.wait(timeout * TIMEOUT_FACTOR)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self} still runs after {timeout:g} s; stderr: {self.stderr}") from None

    def wait_for_output(self, text, timeout=5.0):
        wait_until(lambda: text in self.stdout or text in self.stderr, timeout,
                   lambda: f"{text!r} from {self}; stdout: {self.stdout!r} stderr: {self.stderr!r}")

    def close(self):
        """Ends the program if it still runs: SIGTERM, then SIGKILL."""
        if not self.running:
            return
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self._process.wait()


class Tap:
    """A tap device and its user side: read() and write() whole Ethernet frames."""

    _TUNSETIFF = 0x400454CA
    _IFF_TAP_NO_PI = 0x0002 | 0x1000

    def __init__(self, namespace, name, addresses):
        self.name = name
        self.descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        namespace.lab.defer(os.close, self.descriptor)
        request = name.encode().ljust(16, b"\0") + self._IFF_TAP_NO_PI.to_bytes(2, "little") + bytes(22)
        fcntl.ioctl(self.descriptor, self._TUNSETIFF, request)
        namespace.ip(f"link set {name} up")
        namespace.add_addresses(name, *addresses)

    def read(self):
        """The next frame that was sent through the device, or None."""
        try:
            return os.read(self.descriptor, 65536)
        except BlockingIOError:
            return None

    def write(self, frame):
        """A frame arrives at the device."""
        os.write(self.descriptor, frame)
