#!/usr/bin/env python3
"""Compiles every header by itself: header_lint.py COMPILE_COMMANDS JOBS ROOM...

Each header gets the flags of a source file of ours that stands as near to it as possible. A header that its own source
file includes before anything else has been compiled by itself with every build, and is not compiled again.
"""

import json
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def flags(commands, header):
    for folder in header.parents:
        for file, command in commands.items():
            if file.is_relative_to(folder):
                return command
    return None


def built_first(commands, header):
    source = header.with_suffix(".cc")
    if source not in commands:
        return False
    first = re.search(r'^#include ["<](.*)[">]', source.read_text(), re.MULTILINE)
    return first is not None and header == Path(first[1]).resolve()


def check(command, header):
    if command is None:
        return f"{header}: no source file from whose flags to compile it\n"
    run = subprocess.run([*command, "-fsyntax-only", "-include", str(header), "-x", "c++", "/dev/null"],
                         capture_output=True, text=True, check=False)
    return f"{header} does not compile by itself:\n{run.stderr}" if run.returncode else ""


def main():
    database, jobs, rooms = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    commands = {}
    for entry in json.loads(Path(database).read_text()):
        if entry["file"].endswith(".pb.cc"):
            continue  # generated: has not our include paths
        words = shlex.split(entry["command"])
        if Path(words[0]).name == "ccache":
            words = words[1:]
        end = words.index("-o")  # CMake writes flags, then -o OBJECT -c SOURCE
        commands[Path(entry["file"]).resolve()] = words[:end]
    headers = sorted(header.resolve() for room in rooms for header in Path(room).rglob("*.h"))
    headers = [header for header in headers if not built_first(commands, header)]
    with ThreadPoolExecutor(jobs) as pool:
        faults = [text for text in pool.map(lambda header: check(flags(commands, header), header), headers) if text]
    print(*faults, sep="\n", end="")
    sys.exit(1 if faults else 0)


main()
