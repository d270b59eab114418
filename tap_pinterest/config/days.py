"""Days in settings."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

FORMS = "YYYY-MM-DD, an ISO date-time, 'N days ago', 'N months ago', '1 year ago', yesterday, today"
"""The forms of a day in words; a day may also be `earliest`."""

_AGO = re.compile(r"(\d{1,5}) (day|week|month|year)s? ago")
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


@dataclass(frozen=True)
class Day:
    """A day in a setting: a date, some days or months before today, or the earliest day.

    Attributes:
        on: The date, if the setting names one.
    """

    on: date | None = None
    days_ago: int | None = None
    months_ago: int | None = None

    @classmethod
    def parse(cls, text: str) -> Day:
        """Read a day from a setting's text.

        Raises:
            ValueError: The text has none of the forms that `start_date` allows.
        """
        words = text.strip().lower()
        if words == "earliest":
            return cls()
        if words in {"today", "yesterday"}:
            return cls(days_ago=("today", "yesterday").index(words))
        if match := _AGO.fullmatch(words):
            number, unit = int(match[1]), match[2]
            if unit in _DAYS:
                return cls(days_ago=number * _DAYS[unit])
            return cls(months_ago=number * _MONTHS[unit])
        moment = datetime.fromisoformat(text.strip())
        try:
            return cls(on=(moment.astimezone(UTC) if moment.tzinfo else moment).date())
        except OverflowError as error:
            # Before the first year in UTC, or after the last.
            raise ValueError(text) from error

    def resolve(self, *, today: date, earliest: date) -> date:
        """The date, given today (UTC) and the first day that can be read."""
        if self.on is not None:
            return self.on
        if self.months_ago is not None:
            return _months_before(today, self.months_ago)
        if self.days_ago is None:
            return earliest
        return today - timedelta(days=min(self.days_ago, today.toordinal() - 1))


def _months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last day if it is shorter."""
    first = max(day.year * 12 + day.month - 1 - months, 12)
    year, month = first // 12, first % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))
