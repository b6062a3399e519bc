#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Plays the commands of a document and compares what they print with what the document says.

    transcript.py FILE                      lists the sections that have something to play
    transcript.py FILE SECTION [SETUP]      plays one section, as root, and tells what it does

A section is a part under a heading of the second level. In it:

  - A fenced block marked `console` is played. A line `router# command` is typed at the machine `router`, a network namespace;
    `machine` is the one they are made on. Lines below it are what it prints: `...` stands for anything in a line, and alone
    for any lines; blanks are all alike. A command whose output does not fit yet is repeated until it does; one that goes on
    running stays, as in a terminal of its own: below a line `router# ...` stands what the last one there goes on to print, and a
    line `router# ^C` ends it.
  - A block after a line that ends with a file name in backquotes and a colon is that file, in the working directory.
  - All other blocks are only read by people.

SETUP is a document with what a reader has already and a test has not. Its section `The network`, and the one with the same title
(without the number), are played first; the latter alone, if `, in a network of its own` follows the title. A section
`TITLE: after FILE` is played when the file has been written.

Everything runs in mount, process and network namespaces of its own, so that nothing of the machine is touched and nothing is
left behind: names of namespaces, /run and process numbers are the section's own.
"""

import contextlib
import dataclasses
import fcntl
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time

TIMEOUT = 20.0 * float(os.environ.get("MCPROXY_TIMEOUT_FACTOR", "1"))
_PROMPT = re.compile(r"(?P<machine>[a-z][a-z0-9]*)# (?P<command>.*)")
_FILE_NAME = re.compile(r".*`(?P<name>[A-Za-z0-9._-]+)`:$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_REPORT = re.compile(r"Sanitizer|runtime error:|Assertion .* failed")


@dataclasses.dataclass
class Step:
    """A command with what it prints, or a file with its content."""

    place: str  # FILE:LINE
    machine: str = ""
    command: str = ""
    output: list = dataclasses.field(default_factory=list)
    file: str = ""


def _block(lines, number):
    """The lines of the fenced block that begins at lines[number], and the number of the line after it."""
    end = number + 1
    while not lines[end].startswith("```"):
        end += 1
    return lines[number + 1:end], end + 1


def _console(block, path, first_line):
    steps = []
    for offset, line in enumerate(block):
        prompt = _PROMPT.fullmatch(line)
        if prompt:
            steps.append(Step(f"{path}:{first_line + offset}", prompt["machine"], prompt["command"]))
        elif steps and steps[-1].command.endswith("\\"):
            steps[-1].command += "\n" + line
        else:
            assert steps, f"line {first_line + offset}: output before the first prompt"
            steps[-1].output.append(line)
    return steps


def read_sections(path):
    """{heading: [Step]} of the sections that have something to play."""
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    sections, steps, before, number = {}, [], "", 0
    while number < len(lines):
        line = lines[number]
        if line.startswith("```"):
            block, end = _block(lines, number)
            name = _FILE_NAME.fullmatch(before)
            if line == "```console":
                steps += _console(block, path, number + 2)
            elif name:
                steps.append(Step(f"{path}:{number + 1}", file=name["name"], output=block))
            number, before = end, ""
            continue
        if line.startswith("## "):
            steps = sections.setdefault(line.removeprefix("## "), [])
        before = line or before
        number += 1
    return {heading: found for heading, found in sections.items() if any(step.command for step in found)}


def add_setup(heading, steps, setup):
    """The steps of a section with those of its set-up, if it has one: see above."""
    title = heading.lstrip("0123456789 ")
    own = setup.get(f"{title}, in a network of its own")
    common = setup["The network"] + setup[title] if title in setup else []
    whole = list(own or common)
    for step in steps:
        whole.append(step)
        if step.file:
            whole += setup.get(f"{title}: after {step.file}", [])
    return whole


def pattern_of(output):
    """The regular expression of what a document shows."""
    expression = ""
    for line in output:
        if line.strip() == "...":
            expression += r"(?:.*\n)*?"
            continue
        parts = [r"\s+".join(map(re.escape, part.split())) for part in line.split("...")]
        expression += r"[ \t]*" + r".*?".join(part and rf"\s*{part}" for part in parts) + r"[ \t]*\n"
    return re.compile("^" + expression, re.MULTILINE)


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, machine, command, before=""):
        self.before = before  # what the same command printed the last time
        self.machine = machine
        self.command = command
        self.text = ""
        self._descriptor, inner = os.openpty()
        settings = termios.tcgetattr(inner)
        settings[1] &= ~termios.OPOST  # no carriage returns
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(inner, termios.TCSANOW, settings)
        words = ["bash", "-c", command]
        if machine != "machine":
            words = ["ip", "netns", "exec", machine, *words]

        def take_terminal():
            fcntl.ioctl(inner, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what runs in the background outlives this shell
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the tests run in the background
        self._process = subprocess.Popen(words, stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
                                         preexec_fn=take_terminal)
        os.close(inner)

    @property
    def running(self):
        return self._process.poll() is None

    @property
    def status(self):
        return self._process.returncode

    def read(self, timeout=0.05):
        while select.select([self._descriptor], [], [], timeout)[0]:
            try:
                data = os.read(self._descriptor, 65536)
            except OSError:  # the last one has closed the terminal
                data = b""
            if not data:
                return
            self.text = _COLOUR.sub("", self.text + data.decode(errors="replace"))
            timeout = 0

    def wait(self, seconds):
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            self.read(0.01)
        self.read(0)

    def interrupt(self):
        """What Ctrl-C does; again, as a person would, since a shell that just begins a command may miss it."""
        deadline = time.monotonic() + TIMEOUT
        while self.running and time.monotonic() < deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGINT)
            self.wait(1)
        assert not self.running, f"{self.command}: does not end by ^C"


class Player:
    """Plays the steps of a section."""

    def __init__(self):
        self._terminals = []

    def play(self, step):
        if step.file:
            print(f"--- {step.file}\n" + "\n".join(step.output))
            pathlib.Path(step.file).write_text("\n".join(step.output) + "\n", encoding="utf-8")
        elif step.command in ("...", "^C"):
            self._look_at_running(step)
        else:
            self._type(step)

    def _look_at_running(self, step):
        terminal = next(t for t in reversed(self._terminals) if t.machine == step.machine and t.running)
        print(f"{step.machine}# {step.command}   ({terminal.command})")
        deadline = time.monotonic() + TIMEOUT
        while step.output and not self._fits(step, terminal) and time.monotonic() < deadline:
            terminal.read()
        if step.command == "^C":
            terminal.interrupt()
        print(terminal.text[-2000:], end="")
        assert not step.output or self._fits(step, terminal), (
            f"{terminal.command}\nshould have printed\n" + "\n".join(step.output) + f"\nbut printed\n{terminal.text}")

    @staticmethod
    def _fits(step, terminal):
        assert not _REPORT.search(terminal.text), terminal.text
        text = terminal.text if terminal.running or terminal.text.endswith("\n") else terminal.text + "\n"
        if step.output:
            return pattern_of(step.output).search(text)
        return not terminal.running and terminal.status == 0

    def _type(self, step):
        deadline = time.monotonic() + TIMEOUT
        terminal = Terminal(step.machine, step.command)
        self._terminals.append(terminal)
        while True:
            terminal.read()
            if step.output or not terminal.running:
                if self._fits(step, terminal):
                    terminal.wait(0.3)  # most end in a moment; what goes on has a terminal of its own
                    print(f"{step.machine}# {step.command}\n{terminal.text[-2000:]}", end="")
                    return
                if not terminal.running and step.output and time.monotonic() < deadline:
                    time.sleep(0.1)
                    terminal = self._terminals[-1] = Terminal(step.machine, step.command, terminal.text)
                    continue
                assert terminal.running or step.output, f"{step.command}: exit status {terminal.status}\n{terminal.text}"
            assert time.monotonic() < deadline, (
                f"{step.machine}# {step.command}\nshould print\n" + "\n".join(step.output) + f"\nbut printed\n{terminal.text}"
                + (f"\nand the time before\n{terminal.before}" if terminal.before else ""))

    def tell_what_runs(self):
        for terminal in self._terminals:
            if terminal.running:
                terminal.read(0)
                print(f"--- still running: {terminal.machine}# {terminal.command}\n{terminal.text[-4000:]}")


def play(path, heading, setup=None):
    """In namespaces of its own already; the exit status."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    player = Player()
    steps = read_sections(path)[heading]
    if setup:
        steps = add_setup(heading, steps, read_sections(setup))
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        for step in steps:
            try:
                player.play(step)
            except AssertionError as error:
                player.tell_what_runs()
                print(f"{step.place}: {error}")
                return 1
        os.chdir("/")
    return 0


def main(arguments):
    if len(arguments) == 1:
        print("\n".join(read_sections(arguments[0])))
        return 0
    if arguments[-1:] == ["--inside"]:
        return play(*arguments[:-1])
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    path, *setup = (str(pathlib.Path(name).resolve()) for name in (arguments[0], *arguments[2:]))
    return subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "--mount-proc", "--kill-child=KILL", sys.executable,
                           "-u", __file__, path, arguments[1], *setup, "--inside"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
