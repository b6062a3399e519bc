#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: keys.py SOURCE_DIR BUILD_DIR

mcproxy.conf(5) against the program: each key exists there, with the same range, and with the default that
config/mcproxy.conf has. test_config checks that each key of the program is in the manual, and the defaults of the example.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE, BUILD = map(Path, sys.argv[1:3])
LINK_OR_INSTANCE = {"name", "upstream", "downstream", "static"}  # not valid at the top level
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
NUMBER = r"\d+(?:\.\d+)?[KMG]?"


def read_manual():
    """The text of each key, without macros."""
    texts, key = {}, None
    for line in (SOURCE / "docs/mcproxy.conf.5").read_text().splitlines():
        if item := re.match(r"\.It Ic (\w+)$", line):
            key = item[1]
            texts.setdefault(key, "")
        elif re.match(r"\.S[hs] |\.It Ic ", line):
            key = None
        elif key:
            texts[key] += re.sub(r"^\.(Cm|Ic|Ql|Pp|Xr) ?", "", line) + " "
    return texts


def complaint(key, value):
    """What `mcproxy -t` prints about the key with this value; empty: it accepts both."""
    other = {"query_interval": "query_response_interval = 0.1;", "query_response_interval": "query_interval = 31744;"}
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(f"{key} = {value};\n{other.get(key, '')}\ninstances = ( \"eth0 ==> eth1\" );\n")
        file.flush()
        done = subprocess.run([BUILD / "mcproxy", "-t", "-c", file.name], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr.strip()


def size(text):
    return float(text.rstrip("KMG")) * UNITS[text.lstrip("0123456789.")]


def literal(number):
    return str(int(number)) + ("L" if number >= 1 << 31 else "") if number == int(number) else f"{number:.2f}"


def problems():
    example = (SOURCE / "config/mcproxy.conf").read_text()
    for key, text in read_manual().items():
        if key not in LINK_OR_INSTANCE and "unknown option" in complaint(key, '"no such value"'):
            yield f"{key}: the program has no such key"
        bounds = re.search(rf"[Rr]ange ({NUMBER}) to ({NUMBER})", text)
        if bounds is None:
            continue
        step = 1 if re.search("whole number|bytes", complaint(key, "1.5")) else 0.01
        low, high = size(bounds[1]), size(bounds[2])
        for value, accepted in ((low, True), (high, True), (low - step, False), (high + step, False)):
            if (complaint(key, literal(value)) == "") != accepted:
                yield f"{key}: {literal(value)} is {'refused' if accepted else 'accepted'}, but the manual has: {bounds[0]}"
        default = re.search(rf"default (?:of )?({NUMBER})", text)
        shipped = re.search(rf'^#{key} = "?({NUMBER})', example, re.M)
        if default and not (shipped and size(default[1]) == size(shipped[1])):
            yield f"{key}: the manual has the default {default[1]}, config/mcproxy.conf has {shipped and shipped[1]}"


found = list(problems())
for problem in found:
    print(f"keys: {problem}", file=sys.stderr)
sys.exit(bool(found))
