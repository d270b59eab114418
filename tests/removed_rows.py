"""The tables `listed_items` and `complete_lists` in memory, and the documented view over them."""

from __future__ import annotations

import functools
import random
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
from singer_sdk.exceptions import FatalAPIError

from documents import blocks
from scripts.processes import ROOT
from tap_pinterest.reading.call import Call
from tap_pinterest.reading.parts import Parts
from tap_pinterest.run.listed import Listed, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Row = dict[str, Any]
ITEM = ("stream", "account_id", "parent_id", "id")
LIST = ("stream", "account_id", "parent_id", "listed_at")
_TABLES = """
    CREATE SCHEMA pinterest;
    CREATE TABLE pinterest.listed_items (
        stream TEXT, account_id TEXT, parent_id TEXT, id TEXT, list_settings TEXT,
        listed_at TIMESTAMP {item_key});
    CREATE TABLE pinterest.complete_lists (
        stream TEXT, account_id TEXT, parent_id TEXT, listed_at TIMESTAMP, list_settings TEXT,
        items BIGINT, ad_account_id TEXT, user_id TEXT {list_key});
"""


@functools.cache
def view() -> str:
    """The statement of the documents that makes the view."""
    (found,) = (
        str(block.text)
        for block in blocks("docs/removed.md")
        if block.text.startswith("CREATE OR REPLACE VIEW")
    )
    return found


@functools.cache
def model() -> str:
    """The query of the dbt model over the tables of one schema."""
    path = ROOT / "transform" / "models" / "checks" / "pinterest__removed.sql"
    staged = r"(SELECT 'pinterest' AS source_relation, * FROM pinterest.\1)"
    text = path.read_text(encoding="utf-8")
    return re.sub(r"\{\{ ref\('stg_pinterest__(\w+)'\) \}\}", staged, text)


class Tables:
    """Both tables and the view in a DuckDB; a target updates rows by their key, or only adds."""

    def __init__(self, *, updates: bool = True) -> None:
        keys = {"item_key": ITEM, "list_key": LIST} if updates else {}
        made = {
            name: f", PRIMARY KEY ({', '.join(keys[name])})" if name in keys else ""
            for name in ("item_key", "list_key")
        }
        self._db = duckdb.connect(config={"threads": 1})
        self._insert = "INSERT OR REPLACE" if updates else "INSERT"
        self._db.execute(_TABLES.format(**made))
        self._db.execute(view())

    def load(self, items: Iterable[Mapping[str, Any]], lists: Iterable[Mapping[str, Any]]) -> None:
        """Load rows of one run."""
        self._load("listed_items", items)
        self._load("complete_lists", lists)

    def _load(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        found = [{k: v for k, v in row.items() if not k.startswith("_")} for row in rows]
        if found:
            names = list(found[0])
            marks = ", ".join([f"({', '.join('?' * len(names))})"] * len(found))
            statement = f"{self._insert} INTO pinterest.{table} ({', '.join(names)}) VALUES {marks}"
            self._db.execute(statement, [row[name] for row in found for name in names])

    def removed(self) -> list[Row]:
        """The rows of the view."""
        return self._rows("SELECT * FROM pinterest.removed")

    def modelled(self) -> list[Row]:
        """The rows of the dbt model."""
        return self._rows(model())

    def _rows(self, query: str) -> list[Row]:
        found = self._db.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def close(self) -> None:
        """Forget them."""
        self._db.close()


BEGIN = datetime(2026, 1, 1, 6)  # noqa: DTZ001 - as the tables have it
BOARDS = "abc"
PATH = "/boards/{board_id}/pins"


class Fact(NamedTuple):
    """An item of a list: when it was last there, with which settings, and since when it is not."""

    listed: datetime
    settings: str
    missed: datetime | None = None
    times: int = 0


class Past:
    """Pins that come and go on boards, runs that may fail, and the facts that follow from them.

    The rows are those that the tap's own code makes of what is read.
    """

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - a test case, drawn
        self.now = BEGIN
        self.settings = "narrow"
        self._pins = {board: {f"{board}{number}" for number in range(4)} for board in BOARDS}
        self._facts: dict[tuple[str, str], Fact] = {}

    def happens(self, share: float) -> bool:
        return self.draw.random() < share

    def live(self) -> None:
        """Let Pins and boards come and go, and now and then change the settings."""
        for board in BOARDS:
            if self.happens(0.1) and self._pins.pop(board, None) is None:
                self._pins[board] = {f"{board}0"}
        for board, pins in self._pins.items():
            pins ^= {f"{board}{number}" for number in range(4) if self.happens(0.2)}
        if self.happens(0.1):
            self.settings = self.draw.choice(["narrow", "wide"])

    def read(self, user: str) -> tuple[list[Row], list[Row]]:
        """The rows of a run, in which lists fail, parents are left out, or the load ends early."""
        self.now += timedelta(hours=self.draw.randint(1, 30))
        shared = {
            "stream": "board_pins",
            "account_id": user,
            "list_settings": self.settings,
            "listed_at": self.now.isoformat(),
        }
        is_filtered, parts, listed = self.happens(0.15), Parts(), Listed()
        reading = Reading(PATH, shared, {"user_id": user}, is_of_all=not is_filtered)
        shown = {
            board: self._shown(reading, parts, board)
            for board in sorted(self._pins)
            if not (is_filtered and board == BOARDS[0])
        }
        whole = {board for board, is_whole in shown.items() if is_whole}
        if loses_boards := self.happens(0.1):
            parts.failed(Call("/boards"), FatalAPIError("no"))
        listed.keep(reading, parts)
        rows = list(listed.items())
        for row in rows:
            self._facts[user, row["id"]] = Fact(self.now, self.settings)
        if self.happens(0.1):
            return rows, []
        is_of_all = not (is_filtered or loses_boards) and whole == shown.keys()
        self._miss(user, whole, is_of_all=is_of_all)
        return rows, list(listed.complete)

    def _shown(self, reading: Reading, parts: Parts, board: str) -> bool:
        """Read the Pins of a board, perhaps only a page of them; return whether all came."""
        call = Call(PATH, {"board_id": board}, part={"board_id": board})
        pins = sorted(self._pins[board])
        if fails := self.happens(0.15):
            parts.failed(call, FatalAPIError("no"))
            pins = pins[:1]
        records = ({"board_id": board, "id": pin} for pin in pins)
        list(reading.noting(call, records, lambda row: (row["board_id"], row["id"])))
        return not fails

    def _miss(self, user: str, whole: set[str], *, is_of_all: bool) -> None:
        for (owner, key), fact in self._facts.items():
            is_known = is_of_all or key.partition("/")[0] in whole
            is_missed = fact.listed < self.now and fact.settings == self.settings
            if owner == user and is_known and is_missed:
                first = fact.missed or self.now
                self._facts[owner, key] = fact._replace(missed=first, times=fact.times + 1)

    def gone(self) -> dict[str, tuple[datetime, datetime, int]]:
        """The Pins that all lists that had them have lost: last listed, first missed, how often."""
        found = {}
        for key in {key for _, key in self._facts}:
            facts = [fact for (_, each), fact in self._facts.items() if each == key]
            missed = [fact.missed for fact in facts if fact.missed]
            if len(missed) == len(facts):
                last = max(facts)
                found[key] = (last.listed, max(missed), last.times)
        return found
