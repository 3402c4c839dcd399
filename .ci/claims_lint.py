"""The tests that docs/security.md and docs/model.md name exist."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ["docs/security.md", "docs/model.md"]
TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)|\bTYPED_TEST\(\s*(\w+),\s*(\w+)\s*\)")
NAMED = re.compile(r"`([A-Z]\w+\.[A-Z]\w+)`")
SCENARIO = re.compile(r"`(?:tests/)?lab/([\w/]+)`")


def main():
    known = set()
    for source in (ROOT / "tests").rglob("*.cc"):
        for match in TEST.finditer(source.read_text(encoding="utf-8")):
            known.add(".".join(part for part in match.groups() if part))
    faults = []
    for page in PAGES:
        for number, line in enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), 1):
            for name in NAMED.findall(line):
                if name not in known:
                    faults.append(f"{page}:{number}: there is no test {name}")
            for name in SCENARIO.findall(line):
                if not (ROOT / "tests/lab" / name).is_file():
                    faults.append(f"{page}:{number}: there is no scenario tests/lab/{name}")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
