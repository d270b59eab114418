"""Handles refusals of the first day of a report, which Pinterest sends by mistake at times."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from tap_pinterest.clock import Clock
from tap_pinterest.http.errors import InvalidRequestError, ReachError

_START, _END = "start_date", "end_date"
_DAY = timedelta(days=1)

_logger = logging.getLogger("tap-pinterest.client")


class Reach:
    """The days that Pinterest has refused in this run although they are within reach."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refused: set[date] = set()

    def check(self, asked: Mapping[str, Any], error: ReachError) -> None:
        """Raise if another try of a call makes no sense.

        Raises:
            InvalidRequestError: Pinterest says that it does not have the first day of the call.
            ReachError: Pinterest has finally refused this day, which should be within its reach.
        """
        start = _day(asked, _START)
        if start is None or start < self._clock.today - error.days * _DAY:
            raise InvalidRequestError(str(error)) from None
        if start in self._refused:
            raise error

    def a_day_later(self, asked: Mapping[str, Any], error: ReachError) -> Mapping[str, Any] | None:
        """The parameters of the call without its first day; each such day gets a warning.

        Returns:
            `None` where no day is left.

        Raises:
            ReachError: The call asks for no days.
        """
        start, end = _day(asked, _START), _day(asked, _END)
        if start is None or end is None:
            raise error
        if start not in self._refused:
            self._refused.add(start)
            _logger.warning(
                "Pinterest refuses %s, which should be within its reach: the rows of this day are "
                "missing, and reports start on %s. %s",
                start,
                start + _DAY,
                error,
            )
        return {**asked, _START: (start + _DAY).isoformat()} if start < end else None


def _day(asked: Mapping[str, Any], name: str) -> date | None:
    try:
        return date.fromisoformat(str(asked.get(name)))
    except ValueError:
        return None
