# SPDX-License-Identifier: BSD-2-Clause
"""A service manager with a store of descriptors, as sd_notify(3) describes it: what the daemon hands in with FDSTORE=1 is
open while no daemon runs, and the next one receives it."""

import ctypes
import fcntl
import os
import signal
import socket
import threading
import time

from mcproxy_daemon import Daemon
from namespaces import wait_until
from reader import Reader

# The descriptors come with high numbers; the daemon finds them from 3 on, and its own pid in the environment.
_RENUMBER = ('export LISTEN_PID=$$; n=3; for fd in $FDS; do eval "exec $n<&$fd-"; n=$((n + 1)); done; unset n fd FDS; '
             'exec "$@"')
_TGKILL = 234 if os.uname().machine == "x86_64" else 131
_libc = ctypes.CDLL(None, use_errno=True)
SIGNALS_KILL = {"ASAN_OPTIONS": "handle_segv=0:handle_abort=0", "TSAN_OPTIONS": "handle_segv=0:handle_abort=0"}


class ServiceManager:
    """Starts mcproxy in a namespace, and again after its end; `daemon` is the one that runs, or ran last.

        manager = ServiceManager(net.router, configuration).start()
        manager.crash(signal.SIGKILL)
        ...                                 # the gap
        manager.start()
    """

    def __init__(self, namespace, configuration, flags="-d"):
        self.namespace = namespace
        self.configuration = configuration
        self.flags = flags
        self.store = []  # (name, descriptor)
        self.faults = []  # where the daemon does not keep to the protocol
        self.messages = []  # (time, {key: value})
        self.daemon = None
        self._lock = threading.Lock()
        run = namespace.directory / "run"
        run.mkdir(exist_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        directory = os.open(run, os.O_PATH)
        self._socket.bind(f"/proc/self/fd/{directory}/notify")
        os.close(directory)
        (run / "notify").chmod(0o777)
        self._reader = Reader(self._read_all, self._socket)
        namespace.lab.defer(self.close)

    def close(self):
        if self._reader.close():
            self.drop()
            self._socket.close()

    def drop(self, prefix=""):
        """Closes what is stored, or that part of it."""
        with self._lock:
            for name, descriptor in self.store:
                if name.startswith(prefix):
                    os.close(descriptor)
            self.store = [entry for entry in self.store if not entry[0].startswith(prefix)]

    @property
    def names(self):
        return [name for name, _ in list(self.store)]

    def start(self, flags=None, wait=True):
        """The next daemon, with all descriptors; returns when it is ready."""
        self._read_all()
        with self._lock:
            names = [name for name, _ in self.store]
            base = 3 + len(names) + 200
            passed = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, base) for _, descriptor in self.store]
        environment = {**SIGNALS_KILL, "NOTIFY_SOCKET": "/run/notify"}
        if passed:
            environment.update(LISTEN_FDS=str(len(passed)), LISTEN_FDNAMES=":".join(names), FDS=" ".join(map(str, passed)))
        wrapper = ("bash", "-c", _RENUMBER, "bash") if passed else ()
        started = time.time()
        self.daemon = Daemon(self.namespace, self.configuration, self.flags if flags is None else flags,
                             environment=environment, wrapper=wrapper, descriptors=passed)
        for descriptor in passed:
            os.close(descriptor)
        if wait:
            self.wait_ready(started)
        return self

    def wait_ready(self, since, timeout=10):
        def ready():
            if not self.daemon.running:
                raise RuntimeError(f"{self.daemon} ended with {self.daemon.returncode}; stderr: {self.daemon.stderr}")
            return any(when >= since and message.get("READY") == "1" for when, message in list(self.messages))
        wait_until(ready, timeout, lambda: f"READY=1 of {self.daemon}; stderr: {self.daemon.stderr}")

    def crash(self, number=signal.SIGKILL, worker=False):
        """The daemon dies by that signal, sent to the process or to the thread of a worker."""
        pid = self.daemon.pid
        thread = max(int(task) for task in os.listdir(f"/proc/{pid}/task")) if worker else pid
        assert not worker or thread != pid
        assert _libc.syscall(_TGKILL, pid, thread, number) == 0, os.strerror(ctypes.get_errno())
        self.daemon.expect_exit(-number)
        self._read_all()

    def hand_over(self):
        """`systemctl restart` up to the daemon's end."""
        self.daemon.terminate(signal.SIGUSR2)
        self._read_all()

    def stop(self):
        self.daemon.terminate()
        self._read_all()

    def _read_all(self):
        """All that the daemon has sent so far has been acted on."""
        with self._lock:
            while True:
                try:
                    data, descriptors, _, _ = socket.recv_fds(self._socket, 4096, 8)
                except BlockingIOError:
                    return
                self._act(data.decode(), descriptors)

    def _act(self, text, descriptors):
        message = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        self.messages.append((time.time(), message))
        name = message.get("FDNAME", "stored")
        if message.get("FDSTORE") == "1":
            if message.get("FDPOLL") != "0" or len(descriptors) != 1 or name in self.names:
                self.faults.append((text, len(descriptors)))
            self.store.extend((name, descriptor) for descriptor in descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        if message.get("FDSTOREREMOVE") == "1":
            for stored, descriptor in self.store:
                if stored == name:
                    os.close(descriptor)
            self.store = [entry for entry in self.store if entry[0] != name]
