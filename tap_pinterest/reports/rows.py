"""Turns the rows of an ads report into records."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NoReturn

from singer_sdk.exceptions import FatalAPIError

from tap_pinterest.api.periods import DateRange
from tap_pinterest.config.custom_reports import event_column
from tap_pinterest.http.answers import decode_object
from tap_pinterest.records.conform import Converter
from tap_pinterest.reports.plan import Entities, Part
from tap_pinterest.reports.question import Question
from tap_pinterest.reports.reader import Answered

Record = dict[str, Any]

_logger = logging.getLogger("tap-pinterest.reports")


def upper_case(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with the names of its columns in capitals, as in the enums of the API."""
    return {name.upper(): value for name, value in row.items()}


class Rows:
    """Makes the rows of one report into records."""

    def __init__(self, question: Question, convert: Converter) -> None:
        self.question = question
        self._convert = convert
        self._odd_day: date | None = None
        """The date of the first row that does not begin a period."""
        self._has_begun_a_period = False
        self._has_events = bool(question.custom and question.custom.event_columns)
        self._is_total = question.granularity.is_total
        self._by_hour = "hour" in question.granularity.keys

    def records(
        self, answered: Answered, entities: Entities, currency: str | None, last: date
    ) -> Iterator[Record]:
        """The records of one part of a plan.

        Args:
            answered: The rows that came for the part.
            entities: The entities of the report, with the ids of parents that rows may lack.
            currency: The currency of the ad account.
            last: The last day that the run reads; a period may end after it.

        Raises:
            FatalAPIError: A row has no id of its entity, or no date.
        """
        part, question = answered.part, self.question
        dated = self._is_total or self._by_hour
        if part.asynchronous or question.dimensions or part.slice.within or dated:
            shaped = functools.partial(self.shaped, part)
            converted = map(self._convert, map(shaped, map(decode_object, answered.rows)))
        else:
            converted = map(self._convert.read, answered.rows)
        days = DateRange(self.first_asked(part), last)
        return map(self._completer(entities, currency, days), converted)

    def first_asked(self, part: Part) -> date:
        """The first day that Pinterest was asked for."""
        return part.slice.dates.start

    def shaped(self, part: Part, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row in the form of its facts, which can differ from the form of the answer.

        Raises:
            FatalAPIError: The row has no id of its entity, or no date.
        """
        shaped = upper_case(row)
        if isinstance(metrics := shaped.pop("METRICS", None), dict):
            shaped |= upper_case(metrics)
        if self._has_events:
            shaped = {event_column(name): value for name, value in shaped.items()}
        if part.slice.within:
            within = self.question.level.within.upper()
            shaped[within] = shaped.get(within) or part.slice.within
        self._name_own_id(shaped, row)
        if self._is_total:
            shaped["START_DATE"] = part.slice.dates.start.isoformat()
            shaped["DATE"] = part.slice.dates.end.isoformat()
        elif self._by_hour:
            shaped["DATE"], shaped["HOUR"] = self._moment(shaped)
        return shaped

    def _name_own_id(self, shaped: dict[str, Any], row: Mapping[str, Any]) -> None:
        """Move the level's own id to its column, if the row has it under another name."""
        level = self.question.level
        own = level.own_id
        if shaped.get(own) is None:
            names = (name for name in level.other_ids if shaped.get(name) is not None)
            shaped[own] = shaped.get(next(names, own))
        for name in self._other_ids:
            shaped.pop(name, None)
        if shaped[own] is None and level.is_listed:
            self._fail_without(own.lower(), row)

    @functools.cached_property
    def _other_ids(self) -> Sequence[str]:
        """Other names of the level's own id that are not columns of the catalog."""
        known = self.question.facts["properties"]
        return [name for name in self.question.level.other_ids if name not in known]

    def _moment(self, row: Mapping[str, Any]) -> tuple[str, int]:
        """The day and the hour (UTC) of a row, from its DATE, or from DATE and HOUR."""
        text, hour = str(row.get("DATE") or ""), row.get("HOUR")
        try:
            if hour is not None:
                return date.fromisoformat(text[:10]).isoformat(), int(hour)
            if len(text) > len("YYYY-MM-DD"):
                moment = datetime.fromisoformat(text)
                moment = moment.astimezone(UTC) if moment.tzinfo else moment
                return moment.date().isoformat(), moment.hour
        except (TypeError, ValueError):
            pass
        return self._fail_without("hour", row)

    def _fail_without(self, what: str, row: Mapping[str, Any]) -> NoReturn:
        msg = f"a row of {self.question.name} has no {what}; it has: {', '.join(sorted(row))}"
        raise FatalAPIError(msg)

    def _completer(
        self, entities: Entities, currency: str | None, days: DateRange
    ) -> Callable[[Record], Record]:
        """A function that adds account, currency, settings and parents' ids to a row."""
        question, known_rows = self.question, entities.rows
        beside = {
            "ad_account_id": entities.ad_account_id,
            "currency": currency,
            **question.attribution_columns,
        }
        id_field = question.level.own_id.lower()
        parents = [
            (index, name)
            for index, name in enumerate(entities.fields)
            if index and name.upper() in question.facts["properties"] and name != id_field
        ]
        values = [name.lower() for name in question.dimensions[1:]]
        is_longer = question.granularity.is_longer

        def complete(row: Record) -> Record:
            row.update(beside)
            known = known_rows.get(row[id_field])
            for index, name in parents:
                if row[name] is None and known:
                    row[name] = known[index] or None
            for name in values:
                if row[name] is None:
                    row[name] = ""
            if is_longer and row["date"]:
                row["date_end"] = self._end_of_period(row, days)
            return row

        return complete

    def _end_of_period(self, row: Mapping[str, Any], days: DateRange) -> str:
        """The last day of a row's numbers.

        If no row of a whole period is dated on the first day of one, such as if they are dated on
        the last, all are written as they come, after one warning. Their numbers are right; only the
        meaning of their dates is unclear.

        Raises:
            FatalAPIError: Pinterest's periods begin on another day, so that the first days asked
                for are a part of a period. Their numbers would replace, or add to, those of the
                whole.
        """
        granularity, day = self.question.granularity, date.fromisoformat(row["date"])
        last = granularity.last_day(day)
        if day < days.start:
            self._fail_for_periods(day, f"before the first day asked for, {days.start}")
        if day != granularity.first_day(day):
            if self._odd_day is None:
                self._odd_day = day
                _logger.warning(
                    "a row of %s is dated %s, which is not the first day of a period; such rows "
                    "are written as they come",
                    self.question.name,
                    day,
                )
        elif last <= days.end:
            self._has_begun_a_period = True
        if self._odd_day and self._has_begun_a_period:
            self._fail_for_periods(self._odd_day, "and others on the first day of a period")
        return min(last, days.end).isoformat()

    def _fail_for_periods(self, day: date, reason: str) -> NoReturn:
        msg = (
            f"a row of {self.question.name} is dated {day}, {reason}: Pinterest's "
            f"{self.question.granularity.name} begins on another day than the tap's"
        )
        raise FatalAPIError(msg)


def added_up(rows: Sequence[Record], metrics: Collection[str]) -> Record:
    """One row of several that Pinterest has split it into.

    Counts and amounts are added up. A ratio, an average or a reach that differs has no value for
    the whole row, and is null.

    Args:
        rows: The rows, at least one.
        metrics: The columns that are metrics; other columns have the value of the last row.
    """
    # Loaded late: most runs never add up rows.
    from tap_pinterest.dictionary.metrics import metric  # noqa: PLC0415

    whole = dict(rows[-1])
    for name in differing(rows):
        if name in metrics:
            values = [row[name] for row in rows if row[name] is not None]
            whole[name] = sum(values) if metric(name.upper()).adds_up else None
    return whole


def differing(rows: Sequence[Record]) -> list[str]:
    """The columns in which rows differ."""
    first = rows[0]
    return [name for name in first if any(row[name] != first[name] for row in rows)]
