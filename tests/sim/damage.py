#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""damage.py SIMULATE REPLAY: a recording replays to the same requests; a changed one is noticed; a damaged one is
refused or replayed, and never crashes the program."""

import random
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

FILE_HEAD = 32
RECORD_HEAD = struct.Struct("=qIBBH")
RECORD_INPUT, RECORD_REQUEST = 2, 4
INPUT_PACKET = 1
SAME, DIFFERENT, UNUSABLE = 0, 1, 2
DAMAGES = 60


def replay(program, recording):
    done = subprocess.run([program, recording], capture_output=True, text=True, timeout=60)
    if done.stderr or done.returncode not in (SAME, DIFFERENT, UNUSABLE):
        sys.exit(f"{recording}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    if not done.stdout:
        sys.exit(f"{recording}: no message")
    return done.returncode


def prefetch(program, recording, expected, what):
    status = replay(program, recording)
    if status != expected:
        sys.exit(f"{what}: exit status {status} instead of {expected}")


def records(data):
    at = FILE_HEAD
    while at < len(data):
        _, size, kind, _, _ = RECORD_HEAD.unpack_from(data, at)
        yield at, kind, RECORD_HEAD.size + size
        at += RECORD_HEAD.size + size


def without(data, recording_kind, body_kind=None):
    """The recording without the first record of a kind; the first byte of a body is its own kind."""
    for at, kind, size in records(data):
        if kind == recording_kind and body_kind in (None, data[at + RECORD_HEAD.size]):
            return data[:at] + data[at + size :]
    sys.exit("no such record")


def main():
    simulate, program = sys.argv[1:]
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as directory:
        recording = Path(directory) / "recording"
        damaged = Path(directory) / "damaged"
        subprocess.run([simulate, "--seed", "9", "--steps", "100", "--record", recording], check=True,
                       stdout=subprocess.DEVNULL)
        data = recording.read_bytes()
        prefetch(program, recording, SAME, "a recording")

        damaged.write_bytes(without(data, RECORD_REQUEST))
        prefetch(program, damaged, DIFFERENT, "a recording that lacks a request")
        damaged.write_bytes(without(data, RECORD_INPUT, INPUT_PACKET))
        prefetch(program, damaged, DIFFERENT, "a recording that lacks a packet")
        damaged.write_bytes(b"another file")
        prefetch(program, damaged, UNUSABLE, "another file")
        damaged.write_bytes(data[:-1])
        prefetch(program, damaged, UNUSABLE, "a recording that ends within a record")

        for _ in range(DAMAGES):
            damaged.write_bytes(data[: chance.randrange(len(data))])
            replay(program, damaged)
            bits = bytearray(data)
            for _ in range(chance.randint(1, 20)):
                bits[chance.randrange(len(bits))] ^= 1 << chance.randrange(8)
            damaged.write_bytes(bits)
            replay(program, damaged)
    print(f"{len(data)} bytes: replayed, and damaged {2 * DAMAGES} times")


if __name__ == "__main__":
    main()
