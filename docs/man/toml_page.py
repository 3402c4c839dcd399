"""anubis.toml(5) in scdoc's form, made of docs/configuration.md: toml_page.py MARKDOWN > SCDOC

Knows as much Markdown as that page has: headings, paragraphs, lists, tables, fenced code, and within a line code, bold text
and links, of which the text stays. A table whose first column is "key" becomes a list of keys, another one a list of its
first column.
"""

import re
import sys

SPAN = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^]]+)\]\([^)]*\)")


def escaped(text):
    return re.sub(r"([\\*_])", r"\\\1", text)


def inline(text):
    """The text of a line; code and bold become bold, links their text."""
    out, end = "", 0
    for match in SPAN.finditer(text):
        code, bold, emphasis, link = match.groups()
        out += escaped(text[end : match.start()])
        if link is not None:
            out += inline(link)
        elif emphasis is not None:
            out += f"_{escaped(emphasis)}_"
        else:
            out += f"*{escaped(code if code is not None else bold)}*"
        end = match.end()
        # scdoc ends bold only where no word goes on.
        if end < len(text) and (text[end].isalnum() or text[end] == "_"):
            out += " "
    return out + escaped(text[end:])


def cells(row):
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def table(rows):
    header, _, *body = rows
    titles = cells(header)
    for row in body:
        first, *rest = cells(row)
        yield inline(first)
        if titles[:3] == ["key", "type", "default"]:
            kind, default, meaning = rest
            yield f"\t({inline(kind)}; {'required' if default == 'required' else 'default: ' + inline(default)})"
            yield ""
            yield f"\t{inline(meaning)}"
        else:
            yield "\t" + "; ".join(f"{title}: {inline(cell)}" for title, cell in zip(titles[1:], rest))
        yield ""


def blocks(text):
    """(kind, lines) of each block of the page."""
    lines = text.splitlines()
    while lines:
        if not lines[0].strip():
            lines.pop(0)
        elif lines[0].startswith("```"):
            end = lines.index("```", 1)
            yield "code", lines[1:end]
            del lines[: end + 1]
        elif lines[0].startswith("#"):
            yield "heading", [lines.pop(0)]
        else:
            kind = "table" if lines[0].startswith("|") else "list" if re.match(r"- |\d+\. ", lines[0]) else "text"
            size = next((i for i, line in enumerate(lines) if not line.strip() or line.startswith("```")), len(lines))
            yield kind, lines[:size]
            del lines[:size]


def items(lines):
    """Of a list, with what was broken into lines joined again."""
    found = []
    for line in lines:
        if match := re.match(r"(?:- |\d+\. )(.*)", line):
            found.append(match[1])
        else:
            found[-1] += " " + line.strip()
    return found


def page(text):
    yield from ["anubis.toml(5)", "", "# NAME", "", "anubis.toml - configuration of anubisd", "", "# DESCRIPTION", ""]
    for kind, lines in blocks(text):
        match kind:
            case "heading":
                level, title = lines[0].split(" ", 1)
                if level == "#":
                    continue
                title = title.replace("`", "")
                yield "# " + title.upper() if level == "##" and "[" not in title else "## " + title if level != "##" else "# " + title
            case "code":
                yield from ["```", *lines, "```"]
            case "table":
                yield from table(lines)
                continue
            case "list":
                yield from ("- " + inline(item) for item in items(lines))
            case _:
                yield inline(" ".join(line.strip() for line in lines))
        yield ""
    yield from ["# SEE ALSO", "", "*anubis*(1), *anubisd*(8), *wg*(8)"]


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as markdown:
        print("\n".join(page(markdown.read())))
