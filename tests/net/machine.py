# SPDX-License-Identifier: BSD-2-Clause
"""A copy of this machine's file system, in layers that are thrown away, to install packages in.

    machine = Machine(network.router, {"/packages": PACKAGES})     # for commands
    machine = Machine(network.router, {...}, boot=True)            # with systemd as its first process

Commands and services live in the network namespace that it was made in. Nothing is written outside it.
"""

import contextlib
import itertools
import os
import signal
from pathlib import Path

from namespaces import Process, wait_until

_number = itertools.count(1)

# $1: a directory of its own. What this machine has mounted elsewhere than on / is not in the copy.
_LAYERS = """mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
for directory in dev run tmp; do mount -t tmpfs -o mode=755 tmpfs $directory; done
chmod 1777 tmp
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
"""
# Nothing of this machine's services: only journald, and what the test starts.
_BOOT = """mount -t cgroup2 cgroup2 sys/fs/cgroup
rm -rf etc/systemd/system/* lib/systemd/system/*.wants lib/systemd/system-generators/* usr/sbin/policy-rc.d
for target in sysinit basic multi-user; do
	printf '[Unit]\\nDefaultDependencies=no\\n' >etc/systemd/system/$target.target
done
printf '[Unit]\\nDefaultDependencies=no\\nRequires=systemd-journald.service\\n' >etc/systemd/system/boot.target
: >etc/fstab
"""
_ENTER = """mkdir old
pivot_root . old
cd /
umount -l old
rmdir old
echo entered
"""


# A control group of its own, $2, which the machine takes for the root of them all: before the namespace is made.
_CONTROL_GROUP = """mkdir "$1/cgroup"
mount -t cgroup2 cgroup2 "$1/cgroup"
"""
_JOIN = 'mkdir "$1/cgroup/$2"\necho $$ >"$1/cgroup/$2/cgroup.procs"\n'
_LEAVE = 'find "$1/cgroup/$2" -depth -type d -exec rmdir {} +\n'
_ISOLATE = 'exec unshare --mount --pid --fork --kill-child --cgroup --ipc --uts --propagation private sh -c "$3" sh "$1"\n'


class Machine:
    def __init__(self, namespace, directories, boot=False):
        self.namespace = namespace
        directory = namespace.directory / f"machine{next(_number)}"
        directory.mkdir()
        binds = "".join(f'mkdir -p ".{there}"\nmount --bind "{here}" ".{there}"\n' for there, here in directories.items())
        last = "exec /lib/systemd/systemd --system --unit=boot.target" if boot else "exec sleep infinity"
        inside = "set -e\n" + _LAYERS + (_BOOT if boot else "") + binds + _ENTER + last
        outside = "set -e\n" + (_CONTROL_GROUP + _JOIN if boot else "") + _ISOLATE
        self._outer = ("unshare", "--mount", "--propagation", "private", "sh", "-c")
        self._names = ("sh", str(directory), namespace.name)
        self._has_group = boot
        self._holder = namespace.start(*self._outer, outside, *self._names, inside, environment={"container": "other"})
        namespace.lab.defer(self.close)
        self._holder.wait_for_output("entered", 10)
        self.pid = self._first_process()
        if boot:
            wait_until(lambda: self.run("systemctl", "is-active", "systemd-journald", check=False).returncode == 0, 15,
                       lambda: f"systemd; {self._holder.stderr}")

    def _first_process(self):
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children")
        return int(children.read_text().split()[0])

    def close(self):
        """The first process takes all others with it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._holder.wait()
        if self._has_group:
            leave = "set -e\nrmdir \"$1/cgroup\" 2>/dev/null || :\n" + _CONTROL_GROUP + _LEAVE
            wait_until(lambda: self.namespace.run(*self._outer, leave, *self._names, check=False).returncode == 0,
                       what="the end of the machine's control groups", interval=0.05)

    def _wrap(self, command):
        return ("nsenter", f"--target={self.pid}", "--mount", "--pid", "--cgroup", "--ipc", "--uts", "--root", "--wd", *command)

    def run(self, *command, check=True):
        """A command's standard output; with check=False the subprocess.CompletedProcess."""
        result = self.namespace.run(*self._wrap(command), check=False)
        if not check:
            return result
        assert result.returncode == 0, f"{command}: {result.returncode}: {result.stdout}{result.stderr}"
        return result.stdout

    def start(self, *command):
        return Process(self.namespace, *self._wrap(command))

    def file(self, path):
        return Path(f"/proc/{self.pid}/root", path.lstrip("/"))

    def has(self, path):
        return os.path.lexists(self.file(path))
