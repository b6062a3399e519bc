# SPDX-License-Identifier: BSD-2-Clause
"""The daemon under test, in a namespace, with a configuration text."""

import os
import re
import signal
import sys
from pathlib import Path

import tables
from namespaces import Process, wait_until

PROGRAM = Path(os.environ.get("MCPROXY", Path(__file__).resolve().parents[2] / "build" / "mcproxy"))
_REPORTS = re.compile(r"(ERROR|WARNING|SUMMARY): \w+Sanitizer|runtime error:|Assertion .* failed|stack smashing|"
                      r"free\(\): |malloc\(\): |corrupted")


class Daemon(Process):
    """mcproxy with a configuration; ready for use when the constructor returns.

        daemon = Daemon(net.router, "protocol IGMPv3\\neth0 ==> eth1\\n", vifs=("eth0", "eth1"))

    vifs, vifs6: the devices that have to be multicast interfaces for it to count as ready (vifs6 too for IPv6;
    both empty: do not wait). flags are added to `-c FILE`. At clean-up it must exit 0 on SIGTERM, and nothing
    on its standard error may come from a sanitizer or an assertion; otherwise the test fails. A test that ends
    it otherwise says so by expect_exit().
    """

    def __init__(self, namespace, configuration, flags=(), vifs=(), vifs6=(), environment=None, wrapper=(),
                 descriptors=()):
        assert os.access(PROGRAM, os.X_OK), f"{PROGRAM} is not there: build it first, or set MCPROXY"
        self.configuration_path = namespace.directory / "mcproxy.conf"
        self.configuration_path.write_text(configuration)
        self._expected = 0
        self._checked = False
        flags = flags.split() if isinstance(flags, str) else flags
        super().__init__(namespace, *wrapper, PROGRAM, *flags, "-c", self.configuration_path,
                         environment=environment, private_run=True, descriptors=descriptors)
        if not vifs and not vifs6:
            return
        try:
            wait_until(lambda: self._is_ready(set(vifs), set(vifs6)), 10,
                       lambda: f"{self} ready with {vifs} {vifs6}; stderr: {self.stderr!r}")
        except Exception:
            self._checked = True  # one complaint is enough
            raise

    def _is_ready(self, wanted, wanted6):
        if not self.running:
            raise RuntimeError(f"{self} ended with {self.returncode}; stderr: {self.stderr}")
        return (wanted <= {vif.name for vif in tables.vifs(self.namespace)}
                and wanted6 <= {vif.name for vif in tables.vifs6(self.namespace)})

    def reconfigure(self, configuration):
        """Writes a new configuration file and has the daemon read it."""
        self.configuration_path.write_text(configuration)
        self.signal(signal.SIGHUP)

    def terminate(self, number=signal.SIGTERM, timeout=10.0):
        """Ends the daemon by a signal and checks how it went."""
        self.signal(number)
        self.wait(timeout)
        self.check()

    def expect_exit(self, status, timeout=10.0):
        """The daemon ends by itself, with that status (a negative one: killed by that signal)."""
        self._expected = status
        self.wait(timeout)
        self.check()

    def kill(self):
        """The daemon is killed, with no chance to clean up."""
        self.signal(signal.SIGKILL)
        self.expect_exit(-signal.SIGKILL)

    def check(self):
        """Checks exit status and standard error of a daemon that has ended, once."""
        if self._checked:
            return
        self._checked = True
        report = _REPORTS.search(self.stderr)
        assert report is None, f"{self}: {report.group(0)}\n{self.stderr}"
        assert self.returncode == self._expected, (
            f"{self} exited with {self.returncode}, not {self._expected}; stderr:\n{self.stderr}")

    def close(self):
        # pytest shows this only when the test fails.
        print(f"--- {self}\n--- stdout:\n{self.stdout[-8000:]}\n--- stderr:\n{self.stderr[-8000:]}", file=sys.stderr)
        try:
            if not self._checked:
                if not self.running:
                    assert self.returncode == self._expected, f"{self} ended before its time; stderr:\n{self.stderr}"
                self.terminate()
        finally:
            super().close()  # kills what ignored SIGTERM
