"""The tables `listed_items` and `complete_lists` in memory, and the documented view over them."""

from __future__ import annotations

import functools
import random
import re
from datetime import datetime, timedelta
from operator import itemgetter
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
HIDDEN = {"u1": "", "u2": "c"}
"""The boards that a user does not see."""
PATH = "/boards/{board_id}/pins"


class Whole(NamedTuple):
    """A list that was read whole: of a board, or of all boards that a user sees."""

    user: str
    board: str
    settings: str
    at: datetime
    items: int

    def has(self, user: str, pin: str) -> bool:
        return user == self.user and pin.startswith(self.board)

    def misses(self, user: str, pin: str, listed: datetime, settings: str) -> bool:
        """Whether a Pin that was listed before should be on the list, and is not."""
        return self.has(user, pin) and self.settings == settings and self.at > listed


class Past:
    """Pins that come and go on boards, runs that may fail, and the facts that follow from them.

    The rows are those that the tap's own code makes of what is read.
    """

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - a test case, drawn
        self.now = BEGIN
        self.settings = "narrow"
        self._pins = {board: {f"{board}{number}" for number in range(4)} for board in BOARDS}
        self._began: dict[str, datetime] = {}
        self._listed: dict[tuple[str, str], tuple[datetime, str]] = {}
        """When a list of a user last showed a Pin, and with which settings."""
        self._lists: list[Whole] = []

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
        """The rows of a run that are loaded.

        Lists fail, parents are left out, and the load may end early. The runs of two users may
        begin in the same second.
        """
        if self._began.get(user) == self.now or self.happens(0.7):
            self.now += timedelta(hours=self.draw.randint(1, 30))
        self._began[user] = self.now
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
            for board in sorted({*self._pins} - {*HIDDEN[user]})
            if not (is_filtered and board == BOARDS[0])
        }
        if loses_boards := self.happens(0.1):
            parts.failed(Call("/boards"), FatalAPIError("no"))
        listed.keep(reading, parts)
        rows = list(listed.items())
        if self.happens(0.2):
            rows = [row for row in rows if self.happens(0.8)]
        for row in rows:
            self._listed[user, row["id"]] = (self.now, self.settings)
        if self.happens(0.1):
            return rows, []
        whole = {board: pins for board, pins in shown.items() if pins is not None}
        if whole.keys() == shown.keys() and not (is_filtered or loses_boards):
            whole = {"": sum(whole.values())}
        for board, pins in whole.items():
            self._lists.append(Whole(user, board, self.settings, self.now, pins))
        return rows, list(listed.complete)

    def _shown(self, reading: Reading, parts: Parts, board: str) -> int | None:
        """Read the Pins of a board; their number, or `None` if only a page of them came."""
        call = Call(PATH, {"board_id": board}, part={"board_id": board})
        pins = sorted(self._pins[board])
        if fails := self.happens(0.15):
            parts.failed(call, FatalAPIError("no"))
            pins = pins[:1]
        records = ({"board_id": board, "id": pin} for pin in pins)
        list(reading.noting(call, records, lambda row: (row["board_id"], row["id"])))
        return None if fails else len(pins)

    def gone(self) -> dict[str, tuple[datetime, datetime, int]]:
        """The Pins that all lists that had them have lost: last listed, first missed, how often."""
        loaded = [each for each in self._lists if self._is_loaded(each)]
        found = {}
        for pin in {pin for _, pin in self._listed}:
            listings = [
                (at, {each.at for each in loaded if each.misses(user, pin, at, settings)})
                for (user, key), (at, settings) in sorted(self._listed.items())
                if key == pin
            ]
            if all(missed for _, missed in listings):
                last, missed = max(listings, key=itemgetter(0))
                found[pin] = (last, max(min(each) for _, each in listings), len(missed))
        return found

    def _is_loaded(self, whole: Whole) -> bool:
        """Whether all items of a list have been loaded: with it, or with a later list."""
        items = (
            whole.has(user, pin) and at >= whole.at for (user, pin), (at, _) in self._listed.items()
        )
        return sum(items) >= whole.items
