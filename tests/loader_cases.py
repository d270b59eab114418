"""Data that the tests of our loader load into either database, and the expected messages."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import forked_programs
from both_targets import schema
from scripts.processes import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from both_targets import Database
    from duck import DuckDatabase

ADS = schema({"id": "string", "name": "string", "clicks": "integer", "spend": "number"})
EVERY_KIND = {
    "id": "string",
    "text": "string",
    "short": {"type": "string", "maxLength": 20},
    "integer": "integer",
    "small": {"type": ["null", "integer"], "minimum": 0, "maximum": 100},
    "number": "number",
    "truth": "boolean",
    "day": {"type": ["null", "string"], "format": "date"},
    "moment": {"type": ["null", "string"], "format": "date-time"},
    "clock": {"type": ["null", "string"], "format": "time"},
    "uuid": {"type": ["null", "string"], "format": "uuid"},
    "object": {"type": ["null", "object"], "properties": {"a": {"type": "string"}}},
    "texts": {"type": ["null", "array"], "items": {"type": "string"}},
    "numbers": {"type": ["null", "array"], "items": {"type": ["null", "number"]}},
    "objects": {"type": ["null", "array"], "items": {"type": "object"}},
    "anything": {},
    "either": {"type": ["null", "string", "object"]},
    "several": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
    "hex": {"type": ["null", "string"], "contentEncoding": "base16"},
    "Odd näme": "string",
}
VALUES: dict[str, tuple[Any, ...]] = {
    "text": (
        *("", "null", "NULL", "\\N", "\\.", "a\n\\.\nb", 'a "quoted" one', "a\\b", "a\\nb", "\t"),
        *("é", "😀", "\u2028", "a,b", "\r\n", "'", " a ", "\x7f", "\\", '"', 'x"', "{}"),
        *(12, 0, -1, 1.5, 1e2, 1.0, 1e-7, True, False),
    ),
    "short": ("abc", "a\u0301"),
    "integer": (0, -1, 2**63 - 1, -(2**63), "12", " 7 "),
    "small": (0, 99, "3"),
    "number": (0, 1, 1.5, -0.0, 1e300, 1e-300, "1.50", "NaN", 123456789012345.678),
    "truth": (True, False, 1, 0),
    "day": ("2026-11-24", "0001-01-01", "9999-12-31", "20261124", "2026-W48-2"),
    "moment": (
        *("2026-11-24T06:00:00Z", "2026-11-24T06:00:00+02:00", "2026-11-24 06:00:00.123456789"),
        *("2026-11-24", "2026-11-24T06:00:00.1234565", "9999-12-31T23:59:59.999999"),
    ),
    "clock": ("06:00", "06:00:00.5", "23:59:59.999999+01:00"),
    "uuid": ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",),
    "object": ({}, {"a": "b"}, {"a": 1e2, "b": [1.50, None, '"', "\\", "\n", "é"]}, [], [1]),
    "texts": ([], ["a"], ["a", None, 'b"', "c\\d", "{}", ""], ["null"]),
    "numbers": ([1, 2], [1.5, 2.25], []),
    "objects": ([{"a": 1}], []),
    "anything": ("text", 1, 1.5, True, {"a": 1.10}, ["b"]),
    "either": ("text", {"a": "b"}, "null", 'a"b', 5),
    "several": ("2026-11-24T06:00:00Z",),
    "hex": ("00ff", "deadbeef"),
    "Odd näme": ("x",),
}


REFUSED: tuple[tuple[str, Any], ...] = (
    *(("text", "\ud800"), ("text", {"a": 1}), ("object", {"a": "\ud800"})),
    *(("integer", 2**63), ("integer", 1.5), ("integer", "x"), ("integer", True)),
    *(("integer", {"a": 1}), ("number", ""), ("truth", "yes"), ("truth", 2)),
    *(("day", "2026-02-30"), ("day", 20261124), ("day", "2026-11-24T00:00:00")),
    *(("moment", "infinity"), ("clock", "25:00"), ("uuid", "x"), ("id", None)),
)
"""Values that no column of this name can have."""


@contextmanager
def loading(
    db: Database | DuckDatabase, folder: Path, **more: Any
) -> Iterator[subprocess.Popen[str]]:
    """Our target as a process, which waits for messages."""
    config = folder / "config.json"
    config.write_text(json.dumps(db.config(**more)))
    arguments = (str(forked_programs.folder() / db.command), "--config", str(config))
    pipe = subprocess.PIPE
    with running(*arguments, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        yield process


def summary(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    (line,) = [each for each in caplog.messages if each.startswith("Load summary: ")]
    tables: dict[str, Any] = json.loads(line.removeprefix("Load summary: "))["tables"]
    return tables
