# SPDX-License-Identifier: BSD-2-Clause
"""A thread that reads beside the test."""

import os
import select
import threading


class Reader:
    """Calls `ready` whenever one of the descriptors is readable, until close()."""

    def __init__(self, ready, *descriptors):
        self._ready = ready
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._watched = (*descriptors, self._stop)
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def close(self):
        """Returns when the thread has ended; False: it had ended before."""
        if self._thread is None:
            return False
        os.eventfd_write(self._stop, 1)
        self._thread.join()
        self._thread = None
        os.close(self._stop)
        return True

    def _loop(self):
        while True:
            readable, _, _ = select.select(self._watched, [], [])
            if self._stop in readable:
                return
            self._ready()
