"""`tap-pinterest --test`: find out with one call each which datasets can be read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, TypeVar, cast

from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_pinterest.api.naming import of_context
from tap_pinterest.config import Day
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.errors import TokenRefusedError
from tap_pinterest.reading.pages import Page
from tap_pinterest.run.access import described
from tap_pinterest.run.run import Run
from tap_pinterest.run.stream import RunStream
from tap_pinterest.run.summary import StreamSummary
from tap_pinterest.singer.sdk import EndOfRun

_T = TypeVar("_T")


class Answered(BaseException):
    """Pinterest has answered a call of the dataset. Not an `Exception`: nothing has failed."""


class PeekingClient(PinterestClient):
    """A client that reads only the first page of a list.

    Attributes:
        awaited: The path whose first good answer ends the reading. While it is `None`, lists are
            read to their end.
    """

    awaited: str | None = ""

    @override
    def get(self, path: str, decode: Callable[[bytes], _T], **how: Any) -> _T:
        answer: _T = super().get(path, decode, **how)
        if path == self.awaited:
            raise Answered
        if self.awaited is not None and isinstance(answer, Page):
            answer.bookmark = None
        return answer


def asking(run: Run) -> Run:
    """A run that asks each dataset for yesterday only, one call after the other."""
    yesterday = Day(days_ago=1)
    settings = dataclasses.replace(
        run.settings,
        start_date=yesterday,
        end_date=yesterday,
        lookback_days=0,
        backfill=None,
        max_requests_in_flight=1,
    )
    return Run(run.sdk_tap, settings, run.clock, run.memory, PeekingClient)


class Check:
    """Asks each dataset of a run whether it can be read, and writes no record."""

    def __init__(self, run: Run, needed_scopes: Sequence[str]) -> None:
        self._run = run
        self._needed_scopes = needed_scopes
        self._client = cast("PeekingClient", run.client)

    def report(self, write: Callable[[str], None]) -> int:
        """Ask, and write the results; the exit code is 1 if required data cannot be read.

        Reports and datasets that the config names are required.
        """
        try:
            for line in described(
                self._client.authenticator.scopes() or (),
                self._needed_scopes,
                self._client,
                self._run.inventory,
            ):
                write(line)
            write("")
            streams = list(self._run.streams.values())
            self._ask_all(streams)
        except (EndOfRun, TokenRefusedError) as reason:
            write(f"Nothing can be read: {reason}")
            return 1
        finally:
            self._run.close()
        self._run.access_policy.fail_for_missing_parts()
        width = max((len(each.name) for each in streams), default=0)
        for stream in streams:
            for outcome in self._outcomes(stream):
                write(f"{stream.name:{width}}  {outcome}")
        write("")
        write(self._total(streams))
        return int(self._run.summary.failed)

    def _ask_all(self, streams: Iterable[RunStream]) -> None:
        for stream in streams:
            self._run.clock.check()
            part = self._run.summary.of(stream.name)
            for context in self._contexts(stream):
                answers = self._answers(stream, context)
                part.contexts += answers
                if self._is_named(context):
                    continue
                if answers or self._run.access_policy.missing_scopes(stream.name):
                    break

    def _contexts(self, stream: RunStream) -> Sequence[Context | None]:
        """The contexts that the config names; all contexts if it names none."""
        try:
            found = stream.all_contexts
        except Exception as error:  # noqa: BLE001 - after any error, other streams can be read
            self._run.failed(stream.name, None, error)
            return []
        self._run.fail_for_unreadable(stream.name, stream.unreadable)
        named = [each for each in found if self._is_named(each)]
        return named or found

    def _is_named(self, context: Context | None) -> bool:
        return bool(context) and (context or {}).get("ad_account_id") in (
            self._run.settings.ad_account_ids
        )

    def _answers(self, stream: RunStream, context: Context | None) -> bool:
        named = stream.written_lists and stream.missing_ids
        part = self._run.summary.of(stream.name)
        before = (part.unasked, len(part.failures))
        # Only the whole list shows whether an id that the config names exists.
        self._client.awaited = None if named else stream.path
        records = cast("Generator[dict[str, Any]]", stream.get_records(context))
        try:
            with closing(records):
                for _ in records:
                    if not named:
                        break
        except Answered:
            return True
        except Exception as error:  # noqa: BLE001 - after any error, other datasets can be read
            self._run.failed(stream.name, context, error)
            return False
        finally:
            self._client.awaited = ""
        return (part.unasked, len(part.failures)) == before

    def _outcomes(self, stream: RunStream) -> Iterator[str]:
        part = self._run.summary.of(stream.name)
        lacking = " and ".join(self._run.access_policy.missing_scopes(stream.name))
        scope = f"the token lacks the scope {lacking}" if lacking else ""
        for where, reason in part.failures.items():
            yield f"CANNOT be read{of_context(where)}, and must be: {scope or reason}"
        for where, reason in part.skipped.items():
            yield f"cannot be read{of_context(where)}, and is left out: {scope or reason}"
        if part.answered and "" not in part.failures:
            yield "can be read"
        elif not (part.failures or part.skipped):
            is_empty = part.unasked and not stream.missing_settings
            why = "no account has any of it" if is_empty else stream.why_nothing
            yield f"has nothing to ask for: {why}"

    def _total(self, streams: Sequence[RunStream]) -> str:
        parts: list[StreamSummary] = [self._run.summary.of(each.name) for each in streams]
        good = sum(bool(part.answered) and not part.failures for part in parts)
        failed = sum(bool(part.failures) for part in parts)
        idle = sum(not (part.answered or part.failures or part.skipped) for part in parts)
        more = f"; {idle} have nothing to ask for" if idle else ""
        more += f"; required and not readable: {failed}" if failed else ""
        return f"{good} of {len(parts)} datasets can be read{more}."
