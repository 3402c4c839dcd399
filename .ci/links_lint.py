"""Every relative link in a page leads somewhere: links_lint.py [FOLDER], whose *.md it reads. Without FOLDER: all pages of
the repository; and those of docs/, which are installed as they are, lead nowhere outside of it.

A heading that a link names with # has to be there, too, under the name that forges give it.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^()\s]+)\)")
CODE = re.compile(r"`[^`]*`")


def lines_of(page):
    """(number, line) of what is no code between fences."""
    in_code = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code:
            yield number, line


def anchors(page):
    found = set()
    for _, line in lines_of(page):
        if heading := re.match(r"#+ (.*)", line):
            text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).strip().lower()
            name = re.sub(r"[^\w -]", "", text).replace(" ", "-")
            same = sum(1 for other in found if re.fullmatch(rf"{re.escape(name)}(-\d+)?", other))
            found.add(f"{name}-{same}" if same else name)
    return found


def fault_of(link, page, border):
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if border and not target.is_relative_to(border):
        return f"leads out of {border.name}/, which is installed without it"
    if not target.exists():
        return "leads nowhere"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return f"names a heading that is not in {target.name}"
    return None


def main(arguments):
    if arguments:
        root = pathlib.Path(arguments[0]).resolve()
        pages = sorted(root.rglob("*.md"))
    else:
        root = ROOT
        listed = subprocess.run(["git", "ls-files", "-z", "--", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True)
        pages = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    faults, links = [], 0
    for page in pages:
        border = root if arguments else ROOT / "docs" if page.is_relative_to(ROOT / "docs") else None
        for number, line in lines_of(page):
            for link in LINK.findall(CODE.sub("", line)):
                if re.match(r"[a-z]+:", link):
                    continue
                links += 1
                if fault := fault_of(link, page, border):
                    faults.append(f"{page.relative_to(root)}:{number}: {link} {fault}")
    if links < 10:
        faults.append(f"{len(pages)} pages have {links} links: too few to be all")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
