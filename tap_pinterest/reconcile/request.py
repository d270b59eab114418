"""The comparison that a user asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from tap_pinterest.api.periods import SYNCHRONOUS, DateRange

SETTLED_DAYS, WEEK_DAYS = 2, 7


class RequestError(Exception):
    """The comparison cannot be made; the text says why, and how to correct the command."""


@dataclass(frozen=True)
class Request:
    """The options of the command.

    Attributes:
        database: The URL of the database; `None` to compare an export only.
        schema: The schema of the tables.
        accounts: The ad accounts; if empty, all that the config reads.
        first: The first day; by default a week before the last one.
        last: The last day; by default two days ago.
        export: An export of Ads Manager.
        exported_on: The day of the export; by default the day of the file.
        store: The table for the results.
    """

    database: str | None
    schema: str
    accounts: Sequence[str]
    first: date | None
    last: date | None
    export: Path | None
    exported_on: date | None
    store: str | None

    def check(self) -> None:
        """Refuse options that do not go together.

        Raises:
            RequestError: Nothing is named to compare, or no database to store in.
        """
        if not (self.database or self.export):
            message = "Name a database with --database, an export with --export, or both."
            raise RequestError(message)
        if self.store and not self.database:
            message = "--store needs a database: name it with --database."
            raise RequestError(message)

    def days(self, today: date) -> DateRange:
        """The days to compare.

        Raises:
            RequestError: The first day is after the last, the last is in the future, or there are
                more days than Pinterest adds up.
        """
        last = self.last or today - timedelta(days=SETTLED_DAYS)
        first = self.first or last - timedelta(days=WEEK_DAYS - 1)
        days = DateRange(first, last)
        if first > last or last > today or days.days > SYNCHRONOUS.days:
            message = (
                f"--from {first} --to {last}: refused; allowed: at most {SYNCHRONOUS.days} days, "
                f"up to today, {today}."
            )
            raise RequestError(message)
        return days

    def ad_account_ids(self, listed: Sequence[str]) -> Sequence[str]:
        """The ad accounts to compare.

        Raises:
            RequestError: Pinterest does not list one of them.
        """
        if unknown := [each for each in self.accounts if each not in listed]:
            message = f"--account: Pinterest does not list {', '.join(unknown)}."
            raise RequestError(message)
        return list(dict.fromkeys(self.accounts)) or listed
