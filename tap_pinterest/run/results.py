"""The end of a run: people get a table and a line for each cause, programs get JSON."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from tap_pinterest.run import causes, table
from tap_pinterest.run.causes import Remark
from tap_pinterest.run.outcome import Outcome, left_to_later_runs
from tap_pinterest.run.summary import Summary
from tap_pinterest.singer.process import is_watched

_logger = logging.getLogger("tap-pinterest.summary")


def write_results(summary: Summary, outcomes: Sequence[Outcome], log_format: str) -> None:
    """Write the results of a run to the terminal or into the log.

    Args:
        summary: The results of the run.
        outcomes: The results by ad account and user.
        log_format: `text` for the table, `json` for the line of JSON; `auto` for the table at a
            terminal, and for both elsewhere.
    """
    if log_format != "json":
        _write(table.lines(outcomes))
    for line in _remarks(summary):
        _logger.warning("%s", line)
    for line in _news(summary):
        _logger.info("%s", line)
    if log_format != "json":
        _write(_next(summary, outcomes))
    if log_format == "json" or (log_format == "auto" and not is_watched()):
        _logger.info("Summary: %s", msgspec.json.encode(summary.as_json()).decode())


def _write(lines: Iterable[str]) -> None:
    """Write lines for people: at a terminal as they are, elsewhere into the log."""
    for line in lines:
        if is_watched():
            sys.stderr.write(f"{line}\n")
        else:
            _logger.info("%s", line)


def _remarks(summary: Summary) -> Iterator[str]:
    for word, kind in (("FAILED", "failures"), ("Skipped", "skipped")):
        remarks = (
            Remark(name, context, reason)
            for name, part in summary.streams.items()
            for context, reason in getattr(part, kind).items()
        )
        yield from (f"{word} {phrase}" for phrase in causes.phrases(remarks))
    for name, part in summary.streams.items():
        if part.left:
            yield f"{name}: {left_to_later_runs(part.left)}"


def _news(summary: Summary) -> Iterator[str]:
    """Fields and values from Pinterest that the tap does not know yet."""
    for name, part in summary.streams.items():
        if part.unknown:
            listed = ", ".join(f"{what} ({count})" for what, count in part.unknown.items())
            kept = "; the column extra_fields has the fields" if part.keeps_extra_fields else ""
            yield f"New from Pinterest in {name}: {listed}{kept}"


def _next(summary: Summary, outcomes: Iterable[Outcome]) -> Iterator[str]:
    """The next step for the user; nothing if the line that ended the run names it."""
    if summary.ended_by:
        return
    if summary.failed:
        yield "Next: solve each FAILED line and run again; the next run reads the missing data."
        return
    days = [each.complete_to for each in outcomes if each.complete_to and each.ranges]
    complete = f"Numbers are complete to {min(days)}. " if days else ""
    if any(part.skipped for part in summary.streams.values()):
        yield f"{complete}Next: nothing, if you can do without what was skipped."
    else:
        yield f"{complete}Next: nothing; the next run goes on from here."
