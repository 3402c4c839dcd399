#!/usr/bin/env python3
"""Holds the layer arrows of docs/architecture.md, and a few rules that go with them.

Reads the tables ```layers and ```third-party of that page, then every .h and .cc of the rooms. Prints one line a fault.
"""

import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
PAGE = "docs/architecture.md"
# Starting another program belongs to the rooms that start wireguard-go and our own programs. A shell, or a tool that
# does what our own netlink code is there for, is started nowhere.
SPAWN_ROOMS = ("lib/wireguard", "anubisd/netd")
# A room that stands inside another.
INNER_ROOMS = ("anubisd/netd",)
SHELL_CALL = re.compile(r"(?<![\w.>])(?:std\s*::\s*|::\s*)?(system|popen|wordexp)\s*\(")
SPAWN_CALL = re.compile(r"(?<![\w.>])(?:::\s*)?(exec[lv]p?e?|execvpe|fexecve|posix_spawnp?)\s*\(")
TOOL = re.compile(r'"(?:/(?:usr/)?s?bin/)?(ip|wg|wg-quick|nft|iptables|sh|bash)"')
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
# Strings are matched first, so that "//" inside one is no comment. A quote after a digit separates digits.
TOKENS = re.compile(r'R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*(?:.|\n)*?\*/')

faults = []


def fault(where, text):
    faults.append(f"{where}: {text}")


def table(name):
    """The rows of a fenced block of the page: first word -> the others."""
    block = re.search(rf"^```{name}\n(.*?)^```", (ROOT / PAGE).read_text(), re.MULTILINE | re.DOTALL)
    if not block:
        sys.exit(f"{PAGE}: the table ```{name} is missing; the include lint reads it")
    rows = (line.split("#")[0].split() for line in block[1].splitlines())
    return {row[0]: row[1:] for row in rows if row}


def without(text, strings):
    """The text with comments blanked, and strings, too, if asked; line numbers stay."""

    def blank(match):
        token = match[0]
        if token.startswith("/") or strings:
            return re.sub(r"[^\n]", " ", token)
        return token

    return TOKENS.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def room_of(path):
    """lib/gate/session.h -> lib/gate, anubisd/main.cc -> anubisd, anubisd/netd/server.h -> anubisd/netd"""
    parts = path.split("/")
    folder = "/".join(parts[:2])
    return folder if parts[0] in ("lib", "proto") or folder in INNER_ROOMS else parts[0]


def check_include(path, line, quote, target, layers, third_party):
    room, where = room_of(path), f"{path}:{line}"
    if quote == "<":
        owner = re.split(r"[/.]", target)[0]
        if target.startswith("lib/"):
            fault(where, f'<{target}> is ours: write #include "{target}"')
        elif owner in third_party and room not in third_party[owner]:
            fault(where, f"<{target}> may be included only in {' and '.join(third_party[owner]) or 'tests'}, this is {room}")
        return None
    if target.endswith(".pb.h"):
        into = "proto/" + target.removesuffix(".pb.h")
    else:
        into = room_of(target)
        if not (ROOT / target).is_file():
            fault(where, f'"{target}" is no file below the root: includes are written from there')
            return None
    if into != room and into not in layers[room]:
        fault(where, f"{room} may not include {into} (\"{target}\"); it may: {' '.join(layers[room]) or 'nothing of ours'}")
    return target


def check_calls(path, text):
    code = without(text, strings=True)
    for call in SHELL_CALL.finditer(code):
        fault(f"{path}:{line_of(code, call.start())}", f"{call[1]}() runs a shell, which product code never does")
    spawns = list(SPAWN_CALL.finditer(code))
    for call in spawns:
        if room_of(path) not in SPAWN_ROOMS:
            fault(f"{path}:{line_of(code, call.start())}", f"{call[1]}() starts a program; only {' and '.join(SPAWN_ROOMS)} may")
    if spawns:
        code = without(text, strings=False)
        for tool in TOOL.finditer(code):
            fault(f"{path}:{line_of(code, tool.start())}", f"{tool[0]} is named where programs are started; do it by netlink")


def check_cycles(graph):
    """Headers that include each other in a circle, told once, at the first one met."""
    done, trail = set(), []

    def visit(header):
        if header in trail:
            fault(header, "includes itself: " + " -> ".join(trail[trail.index(header):] + [header]))
            return
        if header in done:
            return
        trail.append(header)
        for target in graph.get(header, ()):
            visit(target)
        trail.pop()
        done.add(header)

    for header in sorted(graph):
        visit(header)


def main():
    layers, third_party = table("layers"), table("third-party")
    seen = []
    for room, below in layers.items():
        for other in below:
            if other not in seen:
                fault(PAGE, f"{room} names {other}, which does not stand above it in the table")
        seen.append(room)

    folders = [folder for folder in (ROOT / "lib").glob("*") if folder.is_dir()]
    folders += [ROOT / name for name in layers if "/" not in name and (ROOT / name).is_dir()]
    count, graph = 0, {}
    for folder in sorted(folders):
        room = folder.relative_to(ROOT).as_posix()
        if room not in layers:
            fault(room, f"is a room without a row in {PAGE}")
            continue
        for file in sorted(folder.rglob("*")):
            path = file.relative_to(ROOT).as_posix()
            if file.suffix in (".hpp", ".cpp", ".cxx", ".hh", ".c"):
                fault(path, "our files end in .h and .cc")
            if file.suffix not in (".h", ".cc"):
                continue
            count += 1
            text = file.read_text()
            code = without(text, strings=False)
            if file.suffix == ".h" and not re.search(r"^#pragma once$", code, re.MULTILINE):
                fault(path, "has no #pragma once")
            targets = [
                check_include(path, line_of(code, match.start(1)), match[1], match[2], layers, third_party)
                for match in INCLUDE.finditer(code)
            ]
            if file.suffix == ".h":
                graph[path] = [target for target in targets if target]
            check_calls(path, text)
    check_cycles(graph)

    if count == 0:
        sys.exit("found no file to check")
    for text in faults:
        print(text)
    sys.exit(1 if faults else 0)


main()
