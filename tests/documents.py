"""What the documents show: their fenced blocks, with what the words after the language say.

The first word of a fence is the language. The others are not shown on GitHub, and say what a test
does with the block: `file=NAME` writes it into the reader's folder, `in=FOLDER` runs it there,
`parsed` does not run it, because it needs what a test has not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
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


def table_rows(text: str) -> Iterator[tuple[str, ...]]:
    """The rows of all Markdown tables of a text, without their headings."""
    lines = [line.strip() for line in text.splitlines()]
    for index, line in enumerate(lines):
        is_rule = re.fullmatch(r"\|[-| :]+\|", line)
        below = index + 1 < len(lines) and re.fullmatch(r"\|[-| :]+\|", lines[index + 1])
        if line.startswith("|") and not is_rule and not below:
            yield tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])


def folder_of(root: Path) -> Path:
    """The folder that commands run in: a copy of what a clone has that they use."""
    for name in ("meltano.yml", "scripts/sync.sh"):
        copy = root / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
        copy.chmod(0o755)
    return root
