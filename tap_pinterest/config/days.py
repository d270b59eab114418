"""Days as settings give them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

_DAYS_AGO = re.compile(r"(\d{1,5}) days? ago")


@dataclass(frozen=True)
class Day:
    """A day as a setting gives it: a date, or so many days before today, or the earliest."""

    on: date | None = None
    days_ago: int | None = None

    @classmethod
    def parse(cls, text: str) -> Day:
        """Read a day from a setting's text.

        Raises:
            ValueError: When the text is none of the forms that `start_date` allows.
        """
        words = text.strip().lower()
        if words == "earliest":
            return cls()
        if words in {"today", "yesterday"}:
            return cls(days_ago=("today", "yesterday").index(words))
        if match := _DAYS_AGO.fullmatch(words):
            return cls(days_ago=int(match[1]))
        moment = datetime.fromisoformat(text.strip())
        return cls(on=moment.astimezone(UTC).date() if moment.tzinfo else moment.date())

    def resolve(self, *, today: date, earliest: date) -> date:
        """The day itself, given today (UTC) and the first day that can be read."""
        if self.on is not None:
            return self.on
        if self.days_ago is None:
            return earliest
        return today - timedelta(days=min(self.days_ago, today.toordinal() - 1))
