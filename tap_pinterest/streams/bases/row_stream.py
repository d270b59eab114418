"""Rows as Pinterest sends them, with the names and places that records have."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from singer_sdk.exceptions import FatalAPIError

from tap_pinterest.api.periods import first_day, last_day
from tap_pinterest.config.custom_reports import event_column
from tap_pinterest.streams.bases.ordering import upper_case
from tap_pinterest.streams.bases.planned_stream import PlannedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_pinterest.streams.bases.planned_stream import Part


class RowStream(PlannedStream):
    """A report whose rows become records."""

    def _shaped(self, part: Part, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row with the names and places that its facts have, whatever the API gave it.

        Raises:
            FatalAPIError: It does not say what it is about, or when.
        """
        shaped = upper_case(row)
        if isinstance(metrics := shaped.pop("METRICS", None), dict):
            shaped |= upper_case(metrics)
        if self.custom and self.custom.event_columns:
            shaped = {event_column(name): value for name, value in shaped.items()}
        if part.slice.within:
            within = self.level.within.upper()
            shaped[within] = shaped.get(within) or part.slice.within
        own = self.id_column
        if shaped.get(own) is None:
            names = (name for name in self.level.other_ids if shaped.get(name) is not None)
            shaped[own] = shaped.get(next(names, own))
        for name in self._other_ids:
            shaped.pop(name, None)
        if shaped[own] is None and self.level.is_listed:
            self._fail_without(own.lower(), row)
        if self.granularity == "TOTAL":
            shaped["START_DATE"] = part.slice.dates.start.isoformat()
            shaped["DATE"] = part.slice.dates.end.isoformat()
        elif self.granularity == "HOUR":
            shaped["DATE"], shaped["HOUR"] = self._moment(shaped)
        return shaped

    @functools.cached_property
    def _other_ids(self) -> Sequence[str]:
        """Other names of the level's own id, where they are no columns of the catalog."""
        known = self.facts["properties"]
        return [name for name in self.level.other_ids if name not in known]

    def _moment(self, row: Mapping[str, Any]) -> tuple[str, int]:
        """The day and the hour (UTC) of a row, as its DATE says or a field beside it."""
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
        msg = f"a row of {self.name} has no {what}; it has: {', '.join(sorted(row))}"
        raise FatalAPIError(msg)

    def _completer(
        self, ad_account_id: str, entities: Mapping[str, tuple[str, ...]]
    ) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """Adds to a row what is known beside it: account, currency, settings, parents' ids."""
        account = self.inventory.ad_account(ad_account_id)
        beside = {
            "ad_account_id": ad_account_id,
            "currency": account.get("currency"),
            **self.in_force,
        }
        id_field = self.id_column.lower()
        parents = [
            (index, field)
            for index, field in enumerate(self.entities.parent_fields if self.entities else (), 1)
            if self.column(field) in self.schema["properties"] and field != id_field
        ]
        values = [name.lower() for name in self.dimensions[1:]]
        periods = self.granularity in {"WEEK", "MONTH"}
        last = self._readings[ad_account_id].range.days.end if periods else None

        def complete(row: dict[str, Any]) -> dict[str, Any]:
            row.update(beside)
            known = entities.get(row[id_field])
            for index, field in parents:
                if row[field] is None and known:
                    row[field] = known[index] or None
            for field in values:
                if row[field] is None:
                    row[field] = ""
            if last is not None and row["date"]:
                row["date_end"] = self._end_of_period(row, last)
            return row

        return complete

    def _end_of_period(self, row: Mapping[str, Any], last: date) -> str:
        """The last day of a row's period that is counted in it.

        Raises:
            FatalAPIError: Its date is not the first day of a period.
        """
        day = date.fromisoformat(row["date"])
        if day != first_day(day, self.granularity):
            msg = f"a row of {self.name} is dated {day}, which is not the first day of a period"
            raise FatalAPIError(msg)
        return min(last_day(day, self.granularity), last).isoformat()
