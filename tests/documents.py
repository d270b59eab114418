"""The fenced blocks of the documents, and the meaning of the words after the language.

The first word of a fence is the language. The others are not shown on GitHub, and say what a test
does with the block: `file=NAME` writes it into the reader's folder, `in=FOLDER` runs it there,
`background` while the page is followed, `alone` without the reader's settings; `parsed` does not
run it, because it needs what a test has not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """One fenced block."""

    page: str
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    def option(self, name: str) -> str | None:
        """The value of a word such as `file=NAME`."""
        values = [word.partition("=")[2] for word in self.words if word.startswith(f"{name}=")]
        return values[0] if values else None

    def __str__(self) -> str:
        """Where it stands."""
        return f"{self.page}:{self.line}"


def text_of(page: str) -> str:
    """A file of the repository."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = text_of(page)
    for found in _FENCE.finditer(text):
        language, *words = found["info"].split() or [""]
        lines = found["text"].splitlines(keepends=True)
        unindented = "".join(line.removeprefix(found["indent"]) for line in lines)
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, language, tuple(words), unindented)


def all_blocks(language: str, *words: str) -> list[Block]:
    """The blocks of a language on all pages, of those with these words."""
    return [
        block
        for page in PAGES
        for block in blocks(page)
        if block.language == language and {*words} <= {*block.words}
    ]


def table_rows(text: str) -> Iterator[Mapping[str, str]]:
    """The rows of all Markdown tables of a text: each a cell by its column's heading."""
    heading: list[str] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            heading = []
        elif not heading:
            heading = _cells(line)
        elif not re.fullmatch(r"[-| :]+", line):
            yield dict(zip(heading, _cells(line), strict=True))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def prose(page: str) -> str:
    """A page without its fenced blocks, and without what its tables say of others."""
    text = _FENCE.sub("", text_of(page))
    cells = (
        cell
        for row in table_rows(text)
        for heading, cell in row.items()
        if not heading.endswith(("there", "message", "document"))
    )
    lines = (line for line in text.splitlines() if not line.startswith("|"))
    return "\n".join((*lines, *cells))


def code_in(text: str) -> list[str]:
    """The texts in backticks."""
    return re.findall(r"`([^`\n]+)`", text)


def folder_of(root: Path) -> Path:
    """The folder that commands run in: a copy of the files of a clone that they use."""
    for name in ("meltano.yml", "scripts/sync.sh"):
        copy = root / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
        copy.chmod(0o755)
    return root
