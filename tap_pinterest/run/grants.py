"""Finds out which ad accounts grant asynchronous reports, by asking each once a run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from tap_pinterest.http.errors import AccessRefusedError
from tap_pinterest.reading.read_ahead import ReadAhead

_T = TypeVar("_T")


class Grants:
    """Orders the first report of an ad account alone; the others learn from its answer.

    Streams begin at the same time, so that otherwise each would get a refusal of its own. After an
    account has granted a report, its orders wait no longer.
    """

    def __init__(self, read_ahead: ReadAhead) -> None:
        self._read_ahead = read_ahead
        self._granted: set[str] = set()
        self._refusals: dict[str, AccessRefusedError] = {}
        self._locks: dict[str, threading.Lock] = {}

    def refusal(self, ad_account_id: str) -> AccessRefusedError | None:
        """The refusal of an ad account; `None` if it has not refused reports."""
        return self._refusals.get(ad_account_id)

    def ask(self, ad_account_id: str, order: Callable[[], _T], *, for_all: bool) -> _T:
        """Order a report, once it is known that the ad account does not refuse all reports.

        Args:
            ad_account_id: The ad account that is asked.
            order: Orders a report.
            for_all: Whether a refusal holds for all reports, not only for this one.

        Raises:
            AccessRefusedError: Reports are refused, now or before.
        """
        if ad_account_id not in self._granted:
            lock = self._locks.setdefault(ad_account_id, threading.Lock())
            with self._read_ahead.alone_with(lock):
                if refusal := self._refusals.get(ad_account_id):
                    raise refusal
                if ad_account_id not in self._granted:
                    return self._first(ad_account_id, order, for_all=for_all)
        return order()

    def _first(self, ad_account_id: str, order: Callable[[], _T], *, for_all: bool) -> _T:
        try:
            ordered = order()
        except AccessRefusedError as refusal:
            if for_all:
                self._refusals[ad_account_id] = refusal
            raise
        self._granted.add(ad_account_id)
        return ordered
