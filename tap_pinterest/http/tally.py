"""Counts what the calls of a run take: by stream, and by ad account."""

from __future__ import annotations

from dataclasses import dataclass


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
        self._tallies: dict[tuple[str, str], Tally] = {}

    def of(self, counts_for: str, ad_account_id: str) -> Tally:
        """The tally of one ad account; calls that name none have an empty id."""
        return self._tallies.setdefault((counts_for, ad_account_id), Tally())

    def total(self, counts_for: str) -> Tally:
        """The sum over all ad accounts."""
        total = Tally()
        # Threads that the run has left behind may still add one.
        for (name, _), each in tuple(self._tallies.items()):
            if name == counts_for:
                total.calls += each.calls
                total.retries += each.retries
                total.seconds_waited += each.seconds_waited
        return total

    @property
    def names(self) -> frozenset[str]:
        """The streams and paths that calls have counted for."""
        return frozenset(name for name, _ in tuple(self._tallies))
