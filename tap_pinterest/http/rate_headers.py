"""The limits that an answer's headers state.

Today's form begins with the limit of the window that has the fewest calls left. `remaining` and
`reset` are about this window. Each window follows with its name and its width in seconds:

    x-ratelimit-limit: 60, 100;w=1;name="safety_net_user", 60;w=60;name="org_analytics_user"
    x-ratelimit-remaining: 12
    x-ratelimit-reset: 31

The older form has one plain number in each header.

Pinterest sends no `Retry-After`. A gateway in front of it may: seconds, or a moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import NamedTuple

_NUMBER = re.compile(r"\s*(\d{1,15}(?:\.\d*)?)\s*(?:$|[,;])")
_LIMIT = re.compile(r"(?<!\d)(\d{1,15})\s*(;[^,]*)")
_PARAMETER = re.compile(r";\s*(\w+)\s*=\s*\"?([^\";,]*)\"?")
_SECONDS = re.compile(r"[1-9]\d{0,8}")
_LONGEST = 86_400.0
"""Seconds of the longest window. A longer time until a reset is none: some count from 1970."""


class Limit(NamedTuple):
    """The most calls in any span of some seconds; documented limits have no name."""

    calls: int
    seconds: float
    name: str = ""


class Stated(NamedTuple):
    """The limits that the headers of one answer state.

    Attributes:
        limits: The named windows; empty in the older form.
        calls: The limit of the window that `remaining` and `reset` are about.
        remaining: Calls that this window has left.
        reset: Seconds until it is renewed.
    """

    limits: tuple[Limit, ...]
    calls: int | None
    remaining: int | None
    reset: float | None

    @property
    def tightest(self) -> Limit | None:
        """The named window that `remaining` and `reset` are about."""
        if self.reset is None:
            return None
        possible = sorted(
            (each for each in self.limits if self.reset <= each.seconds),
            key=lambda each: (each.calls != self.calls, each.seconds),
        )
        return next(iter(possible), None)


def limits_in(headers: Mapping[str, str]) -> Stated:
    """The limits that the headers of an answer state."""
    calls, remaining = _number(headers, "limit"), _number(headers, "remaining")
    reset = _number(headers, "reset")
    return Stated(
        tuple(_limits(headers.get("x-ratelimit-limit", ""))),
        int(calls) if calls and calls >= 1 else None,
        None if remaining is None else int(remaining),
        None if reset is None or reset > _LONGEST else reset,
    )


def seconds_asked(headers: Mapping[str, str]) -> float | None:
    """Seconds until a call that was one too many may come again; `None` if nothing says so."""
    reset = limits_in(headers).reset
    return retry_after(headers) if reset is None else reset


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of `Retry-After`; `None` without it, or if they are not within a day."""
    text, seconds = headers.get("Retry-After", ""), 0.0
    if match := _NUMBER.match(text):
        seconds = float(match[1])
    else:
        with suppress(OverflowError, TypeError, ValueError):
            # Both moments are by the clock of the same server.
            until = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("Date", ""))
            seconds = until.total_seconds()
    return seconds if 0 < seconds <= _LONGEST else None


def _limits(text: str) -> Iterator[Limit]:
    for number, rest in _LIMIT.findall(text):
        parameters = dict(_PARAMETER.findall(rest))
        seconds = parameters.get("w", "")
        if int(number) and _SECONDS.fullmatch(seconds):
            yield Limit(int(number), float(seconds), parameters.get("name", ""))


def _number(headers: Mapping[str, str], name: str) -> float | None:
    """The number that a header begins with."""
    match = _NUMBER.match(headers.get(f"x-ratelimit-{name}", ""))
    return float(match[1]) if match else None
