"""Calls of a dataset that Pinterest refuses, while it answers others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from singer_sdk.exceptions import SkippableAPIError

    from tap_pinterest.reading.calls import Call

REFUSED_IN_A_ROW = 5
"""After this many refusals before any answer, the other calls would be refused as well."""


class Refusals:
    """Calls of a dataset that were refused, while others may be answered.

    Attributes:
        calls: The refused calls.
        first: The first refusal.
        is_answered: Whether any call was answered.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.first: SkippableAPIError | None = None
        self.is_answered = False

    def __bool__(self) -> bool:
        """Whether any call was refused."""
        return bool(self.calls)

    def answered(self) -> None:
        """Note an answered call."""
        self.is_answered = True

    def refused(self, call: Call, refusal: SkippableAPIError) -> None:
        """Note a refused call.

        Raises:
            SkippableAPIError: Too many calls were refused.
        """
        self.noted(call, refusal)
        if len(self.calls) >= REFUSED_IN_A_ROW:
            self.raise_if_nothing_was_read()

    def noted(self, call: Call, refusal: SkippableAPIError) -> None:
        """Note a refused call that says nothing about the others."""
        self.first = self.first or refusal
        self.calls.append(call)

    def raise_if_nothing_was_read(self) -> None:
        """Raise the first refusal if no call has been answered.

        Raises:
            SkippableAPIError: All calls were refused.
        """
        if self.first is not None and not self.is_answered:
            raise self.first

    def __str__(self) -> str:
        """The number of refused calls, some of them, and the reason."""
        names = "; ".join(
            " ".join(str(value) for value in call.columns.values()) for call in self.calls[:3]
        )
        more = " and others" if len(self.calls) > 3 else ""  # noqa: PLR2004 - as many as are named
        return f"{len(self.calls)} of its calls were refused ({names}{more}): {self.first}"
