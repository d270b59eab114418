"""Counts what the calls of a run take: by stream, and by ad account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(slots=True)
class Tally:
    """What some calls have taken.

    Attributes:
        calls: Calls made, further tries included.
        retries: Tries beyond the first.
        seconds_waited: Seconds of waiting for quota, or before a further try.
    """

    calls: int = 0
    retries: int = 0
    seconds_waited: float = 0.0


class Tallies:
    """The tallies of a run, by the stream or path that calls count for, and by ad account."""

    def __init__(self) -> None:
        self._tallies: dict[str, dict[str, Tally]] = {}

    def of(self, counts_for: str, ad_account_id: str) -> Tally:
        """The tally of one ad account; calls that name none have an empty id."""
        return self._tallies.setdefault(counts_for, {}).setdefault(ad_account_id, Tally())

    def total(self, counts_for: str) -> Tally:
        """The sum over all ad accounts."""
        # Threads that the run has left behind may still add one.
        found = tuple(self._tallies.get(counts_for, {}).values())
        return Tally(
            calls=sum(each.calls for each in found),
            retries=sum(each.retries for each in found),
            seconds_waited=sum(each.seconds_waited for each in found),
        )

    @property
    def names(self) -> Collection[str]:
        """The streams and paths that calls have counted for."""
        return tuple(self._tallies)
