"""Decides if a call is tried again, how long it waits, and when Pinterest counts as away."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator

import backoff
from singer_sdk.exceptions import RetriableAPIError

from tap_pinterest.clock import Clock
from tap_pinterest.http.errors import (
    AwayError,
    EmptyAnswerError,
    LaterError,
    QuotaError,
    ReachError,
    SlowAnswerError,
    UnreachableError,
    UnsignedRefusalError,
    WaitError,
)
from tap_pinterest.http.tally import Tally

ATTEMPTS = 7
"""Most tries of one call; without answers, they and their waits last about half a minute."""
FEW_TRIES = 2
"""Further tries after an answer that may be a mistake: a refusal of days within reach, or an answer
that a gateway may have sent."""
_MISTAKES = (EmptyAnswerError, ReachError, UnsignedRefusalError)
LONGEST_BACKOFF = 60
FIRST_PAUSE = 2
"""Seconds to wait if Pinterest asks to come back later, but does not say when."""
MOST_GIVEN_UP = 20
"""Most calls in a row whose tries all failed; after these, Pinterest counts as away.

If all belong to one operation, only this operation may be down: its further calls get one try."""

NOBODY_SECONDS = 40
"""Seconds from the first call within which the first answer must come."""

_logger = logging.getLogger("tap-pinterest.client")


class Tries:
    """Counts the tries of one call, and limits its waits for quota.

    Attributes:
        counts_for: The stream or path that they count for.
        tally: Where its retries and waits are counted.
        begun: When the try that is under way began, in the clock's monotonic seconds.
    """

    def __init__(self, counts_for: str, tally: Tally, max_wait: float, begun: float) -> None:
        self.counts_for = counts_for
        self.tally = tally
        self.begun = begun
        self._waits = itertools.islice(_growing(1), ATTEMPTS - 1)
        self._pauses = _growing(FIRST_PAUSE)
        self._few_waits = itertools.islice(_growing(1), FEW_TRIES)
        self._max_wait = max_wait
        self._asked = 0.0

    def seconds_after(self, error: RetriableAPIError) -> float:
        """Seconds to wait before the next try: as Pinterest asks, or else more each time.

        Raises:
            RetriableAPIError: No try is left: the same error.
            QuotaError: The waits that Pinterest asks for exceed `max_wait_seconds`.
        """
        if isinstance(error, WaitError) and error.seconds != 0:
            return self._patient(error, error.seconds or next(self._pauses))
        longest = next(self._few_waits if isinstance(error, _MISTAKES) else self._waits, None)
        if isinstance(error, SlowAnswerError):
            # A slow answer takes so long that it counts as two tries.
            longest = next(self._waits, None)
        if longest is None:
            raise error
        return float(backoff.full_jitter(longest))

    def _patient(self, error: WaitError, seconds: float) -> float:
        # Each wait counts at least a second, so that even many short waits come to an end.
        self._asked += max(seconds, 1.0)
        if self._asked > self._max_wait:
            msg = f"{error}: longer than max_wait_seconds ({self._max_wait:.0f}) allows"
            raise QuotaError(msg)
        return seconds


class Patience:
    """Waits between the tries of all calls of a run, and counts them."""

    def __init__(self, clock: Clock, max_wait_seconds: float) -> None:
        self._clock = clock
        self._max_wait = max_wait_seconds
        self._begun: float | None = None
        self._given_up: list[str] = []
        """Streams or paths of the calls since the last answer whose tries all failed."""
        self._late_since: dict[str, float] = {}
        """When a server first named the time until it is back, by stream or path, since its last
        answer."""

    def tries(self, counts_for: str, tally: Tally | None = None) -> Tries:
        """The tries of a call that begins now."""
        now = self._clock.monotonic()
        self._begun = now if self._begun is None else self._begun
        return Tries(counts_for, tally or Tally(), self._max_wait, now)

    def answered(self, counts_for: str) -> None:
        """Note that a call has been answered: Pinterest is there."""
        self._given_up.clear()
        self._late_since.pop(counts_for, None)

    def wait(self, tries: Tries, error: RetriableAPIError) -> None:
        """Wait as Pinterest asks, or else longer each time.

        Raises:
            RetriableAPIError: No try is left: the same error.
            QuotaError: The waits that Pinterest asks for exceed `max_wait_seconds`.
            AwayError: All tries of this call and of the calls before it have failed.
        """
        now = self._clock.monotonic()
        wait = self._seconds_after(tries, error)
        if isinstance(error, LaterError) and error.seconds:
            since = self._late_since.setdefault(tries.counts_for, now)
            # Who is away for longer is asked as if it had named no time.
            if now + error.seconds <= since + self._max_wait:
                wait = max(wait, error.seconds)
        # Another try is likely to take as long as the last one.
        ends = now + wait + (now - tries.begun)
        if isinstance(error, UnreachableError) and ends > (self._begun or now) + NOBODY_SECONDS:
            raise _nobody(error)
        tries.tally.retries += 1
        tries.tally.seconds_waited += wait
        _logger.info("%s; trying again in %.0f s", error, wait)
        self._clock.sleep(wait)
        tries.begun = self._clock.monotonic()

    def _seconds_after(self, tries: Tries, error: RetriableAPIError) -> float:
        try:
            if self._given_up.count(tries.counts_for) >= MOST_GIVEN_UP:
                raise error
            return tries.seconds_after(error)
        except (EmptyAnswerError, ReachError):
            raise
        except UnsignedRefusalError as unsigned:
            raise unsigned.refusal from None
        except UnreachableError:
            raise _nobody(error) from None
        except RetriableAPIError:
            self._given_up.append(tries.counts_for)
            if (calls := len(self._given_up)) >= MOST_GIVEN_UP and len({*self._given_up}) > 1:
                msg = f"Pinterest has not answered {calls} calls in a row; the last: {error}"
                raise AwayError(msg) from None
            raise


def _nobody(error: RetriableAPIError) -> AwayError:
    return AwayError(f"Nobody is there to answer; check api_url and the network: {error}")


def _growing(first: int) -> Iterator[float]:
    """Waits that double each time."""
    waits = backoff.expo(base=2, factor=first, max_value=LONGEST_BACKOFF)
    next(waits)
    return waits
