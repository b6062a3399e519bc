#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: rooms.py [TREE]

Proves the structure of the tree from its text alone, without a build:

- each file includes only what its room may include (the table below);
- a header in include/ROOM is included from another room, and one in src/ROOM from its own room only;
- no modules include or call each other in a circle (a module is x.c with its x.h);
- docs/architecture.md begins with the same rooms.

Prints each violation, and exits with 1 if there is one."""
import re
import sys
from collections import defaultdict
from pathlib import Path

# Each room and the rooms that it may include, by prefix.
ROOMS = {
    "core/base": [],
    "core/wire": ["core/base"],
    "core/contract": ["core/base", "core/wire"],
    "core/policy": ["core/base", "core/wire", "core/contract"],
    "core/router": ["core/base", "core/wire", "core/contract", "core/policy"],
    "core/host": ["core/base", "core/wire", "core/contract", "core/policy"],
    "core/tables": ["core/base", "core/wire", "core/contract", "core/policy"],
    "kernel": ["core/base", "core/wire", "core/contract"],
    "daemon/log": ["core/base", "core/wire", "core/contract"],
    "daemon/config": ["core/base", "core/wire", "core/contract", "core/policy", "kernel", "daemon/log"],
    "daemon/sandbox": [],
    "daemon/keeper": ["core/base", "daemon/log", "daemon/sandbox"],
    "daemon/worker": ["core/base", "core/wire", "core/contract", "core/policy", "core/router", "kernel", "daemon/log", "daemon/sandbox"],
    "daemon/owner": ["core", "kernel", "daemon/log", "daemon/config", "daemon/sandbox", "daemon/worker"],
    "daemon/control": ["core", "kernel", "daemon/log", "daemon/config", "daemon/worker", "daemon/owner"],
    "daemon": ["core", "kernel", "daemon"],
    "ctl/client": ["core/base", "core/wire", "core/contract"],
    "ctl/machine": ["core/base", "core/wire", "core/contract", "kernel", "ctl/client"],
    "ctl/firewall": ["core/base", "core/wire", "core/contract", "ctl/client", "ctl/machine"],
    "ctl/diagnosis": ["core/base", "core/wire", "core/contract", "core/policy", "kernel", "ctl/client", "ctl/machine", "ctl/firewall"],
    "ctl/convert": ["core/base", "daemon/config"],
    "web": ["core/base", "core/wire", "core/contract", "daemon/log", "daemon/sandbox", "ctl/client", "ctl/diagnosis", "ctl"],
    "ctl": ["core/base", "core/wire", "core/contract", "core/policy", "kernel", "daemon/config", "ctl"],
}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.M)
DEFINITION = re.compile(r"^(?!static (?!inline)|typedef|struct \w+ \{|#)[a-z][^\n;={}]*?\b(\w+)\([^;{}]*\)\s*\n?\{", re.M)
NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S)

# Alternatives that are built in the place of a whole module.
STUBS = ("no_control", "no_foreign", "no_link_master_find", "no_mrt_owner", "no_recording", "no_service", "no_store", "no_inherited", "no_adoption",
         "no_source", "no_syntax_error")


def room_of(path):
    """The room of src/ROOM/x.c or include/ROOM/x.h."""
    return "/".join(path.parts[1:-1])


def module_of(path):
    return "/".join(path.parts[1:])[:-2]


def read_tree(top):
    files = {}
    for folder in ("src", "include"):
        for path in sorted((top / folder).rglob("*.[ch]")):
            relative = path.relative_to(top)
            if relative.parts[:2] != ("include", "small"):
                files[relative] = path.read_text(encoding="utf-8")
    return files


def find_header(files, name):
    for folder in ("include", "src"):
        path = Path(folder) / name
        if path in files:
            return path
    return None


def may_include(room, other):
    return room == other or any(other == allowed or other.startswith(allowed + "/") for allowed in ROOMS[room])


def check_includes(files):
    """Yields violations of the table, and of the rule where headers stand; fills the include graph."""
    users = defaultdict(set)
    for path, text in files.items():
        room = room_of(path)
        if room not in ROOMS:
            yield f"{path}: {room} is no room"
            continue
        for name in INCLUDE.findall(text):
            header = find_header(files, name)
            if header is None and f"<{name}>" in text:
                continue
            if header is None:
                yield f"{path}: includes {name}, which does not exist (includes name the room: room/x.h)"
                continue
            users[header].add(path)
            if not may_include(room, room_of(header)):
                yield f"{path}: includes {header}, but {room} may not use {room_of(header)}"
            if path.parts[0] == "include" and header.parts[0] == "src":
                yield f"{path}: a header for other rooms includes {header}, which is private to its room"
    for header in (path for path in files if path.suffix == ".h"):
        rooms = {room_of(user) for user in users[header]}
        reached = {room_of(user) for user in reach(users, header)}
        if header.parts[0] == "include" and reached <= {room_of(header)}:
            yield f"{header}: no other room includes it: it belongs into src/{room_of(header)}"
        if header.parts[0] == "src" and rooms - {room_of(header)}:
            yield f"{header}: included from {', '.join(sorted(rooms - {room_of(header)}))}: it belongs into include/"


def reach(users, header):
    """All files that include the header, directly or by other headers."""
    seen, todo = set(), [header]
    while todo:
        for user in users[todo.pop()] - seen:
            seen.add(user)
            if user.suffix == ".h":
                todo.append(user)
    return seen


def uses(files):
    """Which module names which others: by including their headers, and by calling their functions."""
    plain = {path: NOISE.sub(" ", text) for path, text in files.items() if path.stem not in STUBS}
    home = {}
    for path, text in plain.items():
        for name in DEFINITION.findall(text):
            home.setdefault(name, module_of(path))
    includes, calls = defaultdict(set), defaultdict(dict)
    for path, text in plain.items():
        module = module_of(path)
        for name in INCLUDE.findall(files[path]):
            header = find_header(files, name)
            if header is not None and path.suffix == ".h" and module_of(header) != module:
                includes[module].add(module_of(header))
        for name in set(re.findall(r"\b(\w+)\(", text)):
            if name in home and home[name] != module:
                calls[module].setdefault(home[name], name)
    return includes, calls


def circles(graph):
    """The strongly connected components of more than one module (Tarjan)."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on_stack.add(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on_stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = []
            while True:
                other = stack.pop()
                on_stack.discard(other)
                component.append(other)
                if other == node:
                    break
            if len(component) > 1:
                found.append(sorted(component))

    sys.setrecursionlimit(10000)
    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def check_circles(files):
    includes, calls = uses(files)
    for component in circles(includes):
        yield f"headers include each other in a circle: {' '.join(component)}"
    for component in circles(calls):
        yield f"modules call each other in a circle: {' '.join(component)}"
        for module in component:
            for other in sorted(set(calls[module]) & set(component)):
                yield f"    {module} -> {other} ({calls[module][other]})"


def check_document(top):
    text = (top / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^    ((?:core|kernel|daemon|ctl|web)[\w/]*)  ", text, re.M)
    for room in ROOMS:
        if (top / "src" / room).is_dir() and room not in listed:
            yield f"docs/architecture.md: does not list the room {room}"
    for room in listed:
        if not (top / "src" / room).is_dir():
            yield f"docs/architecture.md: lists {room}, which does not exist"


def main():
    top = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    files = read_tree(top)
    violations = [*check_includes(files), *check_circles(files), *check_document(top)]
    for violation in violations:
        print(violation, file=sys.stderr)
    if not files:
        print(f"rooms: {top}: no sources, so nothing is proved", file=sys.stderr)
    if violations or not files:
        return 1
    print(f"rooms: clean ({len(files)} files in {len({room_of(path) for path in files})} rooms)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
