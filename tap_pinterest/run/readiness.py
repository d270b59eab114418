"""Finds the last day whose numbers are complete, so that a bookmark may name it."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import msgspec
from singer_sdk.exceptions import SkippableAPIError

from tap_pinterest.api.periods import ONE_DAY
from tap_pinterest.http.answers import decoder
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.errors import PART_ERRORS

READY_STATE = "/resources/metrics_ready_state"
ASKED_DAYS = 3
ASSUMED_LAG = timedelta(days=3)


class ReadyState(msgspec.Struct):
    """Pinterest's answer about one day. Source: GET /resources/metrics_ready_state."""

    conversion_metrics_ready: bool
    non_conversion_metrics_ready: bool

    @property
    def is_ready(self) -> bool:
        """Whether both kinds of metrics are complete."""
        return self.conversion_metrics_ready and self.non_conversion_metrics_ready


_decode = decoder(ReadyState)


class Readiness:
    """Asks for each day at most once a run."""

    def __init__(self, client: PinterestClient) -> None:
        self._client = client
        self._states: dict[date, ReadyState | Exception] = {}
        self._locks: dict[date, threading.Lock] = {}

    def of(self, day: date) -> ReadyState:
        """Whether a day's numbers are complete.

        Raises:
            SkippableAPIError: This token may not ask.
            Exception: There is no answer.
        """
        # Reports of several accounts begin at once, and all ask.
        with self._locks.setdefault(day, threading.Lock()):
            if day not in self._states:
                self._states[day] = self._asked(day)
        state = self._states[day]
        if isinstance(state, Exception):
            raise state
        return state

    def _asked(self, day: date) -> ReadyState | Exception:
        try:
            return self._client.get(READY_STATE, _decode, query={"date": day.isoformat()})
        except PART_ERRORS as error:
            return error

    def knows(self, day: date) -> bool:
        """Whether a day has been asked for."""
        return day in self._states

    def complete_to(self, last: date, today: date) -> date | None:
        """The newest complete day of the three up to `last`.

        If the token may not ask, numbers count as complete once two whole days have passed.

        Raises:
            Exception: There is no answer.
        """
        try:
            days = (last - ONE_DAY * back for back in range(ASKED_DAYS))
            return next((day for day in days if self.of(day).is_ready), None)
        except SkippableAPIError:
            return min(last, today - ASSUMED_LAG)
