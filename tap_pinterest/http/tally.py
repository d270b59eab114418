"""Counts what the calls of a run take: by stream, and by ad account."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """The cost of some calls.

    Attributes:
        calls: Calls made, further tries included.
        retries: Tries beyond the first.
        seconds_waited: Seconds of waiting for quota, or before a further try.
    """

    calls: int = 0
    retries: int = 0
    seconds_waited: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        """The sum of both."""
        return Tally(
            calls=self.calls + other.calls,
            retries=self.retries + other.retries,
            seconds_waited=self.seconds_waited + other.seconds_waited,
        )


class Tallies:
    """The tallies of a run, by the stream or path that calls count for, and by ad account."""

    def __init__(self) -> None:
        self._tallies: dict[str, dict[str, Tally]] = {}

    def of(self, counts_for: str, ad_account_id: str) -> Tally:
        """The tally of one ad account; calls that name none have an empty id."""
        return self._tallies.setdefault(counts_for, {}).setdefault(ad_account_id, Tally())

    def total(self, counts_for: str) -> Tally:
        """The sum over all ad accounts."""
        return sum(self.by_account(counts_for).values(), Tally())

    def by_account(self, counts_for: str) -> Mapping[str, Tally]:
        """The tallies by ad account."""
        # Threads that the run has abandoned may still add one.
        return dict(self._tallies.get(counts_for, {}))

    @property
    def names(self) -> Collection[str]:
        """The streams and paths that calls have counted for."""
        return tuple(self._tallies)
