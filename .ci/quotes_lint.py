"""What docs/networks.md quotes stands so in the files that it names.

A block is preceded by a line <!-- quoted from PATH -->, with an empty line between them at most; its lines must stand
in PATH one after the other. A block of TOML without such a line is a fault: nothing would keep it true.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = "docs/networks.md"
SOURCE = re.compile(r"^<!-- quoted from (\S+) -->$")


def stands_in(block, source):
    lines = source.read_text(encoding="utf-8").splitlines()
    return any(lines[at : at + len(block)] == block for at in range(len(lines) - len(block) + 1))


def main():
    faults, quotes = [], 0
    lines = (ROOT / PAGE).read_text(encoding="utf-8").splitlines()
    source, begun = None, None
    for number, line in enumerate(lines, 1):
        if begun is not None:
            if line != "```":
                continue
            block, quotes = lines[begun : number - 1], quotes + 1
            place = f"{PAGE}:{begun}"
            if source is None:
                faults.append(f"{place}: this block does not say which file it is quoted from")
            elif not (ROOT / source).is_file():
                faults.append(f"{place}: there is no {source}")
            elif not block or not stands_in(block, ROOT / source):
                faults.append(f"{place}: this does not stand so in {source}")
            source, begun = None, None
        elif line == "```toml":
            begun = number
        elif named := SOURCE.match(line):
            source = named[1]
        elif line:
            source = None
    if quotes == 0:
        faults.append(f"{PAGE}: quotes nothing")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
