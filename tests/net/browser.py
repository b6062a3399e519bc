# SPDX-License-Identifier: BSD-2-Clause
"""A real browser in a namespace: headless Chromium, driven by chromedriver."""

import json
import shutil
import time
import urllib.request

from namespaces import wait_until

_PORT = 9515
_NEEDED = (("chromium", "chromium"), ("chromedriver", "chromium-driver"))


class Browser:
    """One tab of Chromium. Its methods can be called from any thread; each enters the namespace.

        browser = Browser(net.router, width=360, height=740)
        browser.open("http://127.0.0.1:4605/")
        browser.wait("return document.querySelector('#live').textContent === 'live'")
    """

    def __init__(self, namespace, width=1280, height=900, theme="light"):
        for program, package in _NEEDED:
            assert shutil.which(program), f"{program} is missing: install the Debian package {package}"
        try:
            from selenium import webdriver
        except ImportError as error:
            raise AssertionError("selenium is missing: install the Debian package python3-selenium") from error
        self.namespace = namespace
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
                         "--disable-background-networking", f"--user-data-dir={namespace.directory}/chromium", f"--window-size={width},{height}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        process = namespace.start("chromedriver", f"--port={_PORT}")
        wait_until(lambda: "successfully" in process.stdout, 30, lambda: f"chromedriver: {process.stdout} {process.stderr}")
        with namespace.entered():
            self.driver = webdriver.Remote(f"http://127.0.0.1:{_PORT}", options=options)
        namespace.lab.defer(self._close)
        self.resize(width, height)
        self.theme(theme)

    def _close(self):
        with self.namespace.entered():
            self.driver.quit()

    def _devtools(self, command, **parameters):
        request = urllib.request.Request(f"http://127.0.0.1:{_PORT}/session/{self.driver.session_id}/goog/cdp/execute",
                                         json.dumps({"cmd": command, "params": parameters}).encode())
        with self.namespace.entered(), urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["value"]

    def processor_time(self):
        """Seconds that the page's main thread has run."""
        self._devtools("Performance.enable", timeDomain="threadTicks")
        return next(metric["value"] for metric in self._devtools("Performance.getMetrics")["metrics"] if metric["name"] == "TaskDuration")

    def resize(self, width, height):
        self._devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def theme(self, name):
        """What the system prefers: light or dark."""
        self._devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def open(self, address):
        with self.namespace.entered():
            self.driver.get(address)

    def script(self, text, *arguments):
        """Runs JavaScript; the value that it returns."""
        with self.namespace.entered():
            return self.driver.execute_script(text, *arguments)

    def script_async(self, text, *arguments, timeout=60):
        """Runs JavaScript that calls done(value)."""
        with self.namespace.entered():
            self.driver.set_script_timeout(timeout)
            return self.driver.execute_async_script("const done = arguments[arguments.length - 1];" + text, *arguments)

    def wait(self, text, timeout=10.0, interval=0.02):
        """Polls until the JavaScript returns a true value; returns the seconds that it took."""
        start = time.monotonic()
        wait_until(lambda: self.script(text), timeout, lambda: f"{text} on the page:\n{self.text()}", interval)
        return time.monotonic() - start

    def text(self):
        return self.script("return document.body.innerText")

    def press(self, *keys):
        """Types into what has the focus. Keys have the names of selenium's Keys (ENTER, ARROW_DOWN) or are texts."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys
        with self.namespace.entered():
            for key in keys:
                ActionChains(self.driver).send_keys(getattr(Keys, key, key)).perform()

    def accessibility(self):
        """The tree that a screen reader gets, as a list of nodes."""
        return [node for node in self._devtools("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]

    def screenshot(self, path):
        with self.namespace.entered():
            assert self.driver.save_screenshot(str(path))

    def log(self):
        """What the browser has logged since the last call: errors, and violations of the Content-Security-Policy."""
        with self.namespace.entered():
            return [entry["message"] for entry in self.driver.get_log("browser")]
