"""The tables of a report as the file that is downloaded."""

from __future__ import annotations

import csv
import functools
import io
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from pinterest_sandbox.orders import Download

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pinterest_sandbox.reports import Table

Layout: TypeAlias = Literal["by account", "object", "array"]
"""The layout of a download in JSON: an object of rows by entity, or an array of rows. By account:
the first account's are objects, the second's arrays, and so on."""
JSON: Final = "application/json"
CSV: Final = "text/csv"

_encoder = msgspec.json.Encoder()


class Ordered(msgspec.Struct, frozen=True):
    """The rows of an ordered report, one column after the other, those of zeros left out."""

    columns: dict[str, list[Any]]
    id_column: str
    metrics: frozenset[str]

    def rows(self) -> list[msgspec.Struct]:
        """One after the other, without what has no value."""
        return list(map(_row_type(tuple(self.columns)), *self.columns.values()))

    def where(self, wanted: Callable[[dict[str, Any]], bool]) -> Ordered:
        """With some of the rows only."""
        names = list(self.columns)
        rows = zip(*self.columns.values(), strict=True)
        kept = [row for row in rows if wanted(dict(zip(names, row, strict=True)))]
        columns = {name: [row[place] for row in kept] for place, name in enumerate(names)}
        return msgspec.structs.replace(self, columns=columns)

    def as_json(self, *, grouped: bool) -> Download:
        """Rows as objects without empty values, grouped by entity or one after the other."""
        rows = self.rows()
        if not grouped:
            return Download(JSON, _encoder.encode(rows))
        groups: dict[str, list[msgspec.Struct]] = {}
        for own_id, row in zip(self.columns[self.id_column], rows, strict=True):
            groups.setdefault(str(own_id), []).append(row)
        return Download(JSON, _encoder.encode(groups))

    def as_csv(self) -> Download:
        """With 0 for metrics that have no value, and nothing for attributes."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(self.columns)
        empty = [0 if name in self.metrics else "" for name in self.columns]
        writer.writerows(
            [
                nothing if value is msgspec.UNSET else value
                for value, nothing in zip(row, empty, strict=True)
            ]
            for row in zip(*self.columns.values(), strict=True)
        )
        return Download(CSV, out.getvalue().encode())


@functools.cache
def _row_type(names: tuple[str, ...]) -> type[msgspec.Struct]:
    """A row of these columns, whose names may be any text."""
    fields = {f"_{place}": name for place, name in enumerate(names)}
    columns = [(field, Any, msgspec.UNSET) for field in fields]
    return msgspec.defstruct("Row", columns, rename=fields, gc=False)


def table_of(rows: Sequence[Mapping[str, Any]]) -> Download:
    """Records as a table in CSV."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(rows)
    return Download(CSV, out.getvalue().encode())


def ordered(
    tables: Sequence[tuple[str | None, Table]],
    id_column: str,
    *,
    targeting_names: tuple[str, str],
    by_date: bool,
) -> Ordered:
    """Puts the tables of a report together, each with its targeting type."""
    columns: dict[str, list[Any]] = {}
    metrics: set[str] = set()
    type_name, value_name = targeting_names
    for targeting_type, table in tables:
        own = dict(table.columns)
        if targeting_type is not None:
            count = len(table.targeting)
            own = {type_name: [targeting_type] * count, value_name: table.targeting, **own}
        kept = _with_numbers(table)
        for name, values in own.items():
            found = values if len(kept) == len(values) else [values[row] for row in kept]
            columns.setdefault(name, []).extend(found)
        metrics.update(table.metrics)
    columns[id_column] = [_mixed(own_id) for own_id in columns[id_column]]
    if by_date and "DATE" in columns:
        order = sorted(range(len(columns["DATE"])), key=columns["DATE"].__getitem__)
        columns = {name: _picked(values, order) for name, values in columns.items()}
    return Ordered(columns, id_column, frozenset(metrics))


def _with_numbers(table: Table) -> Sequence[int]:
    """The rows in which anything is counted; all of them when nothing was to be."""
    rows = range(len(next(iter(table.columns.values()))))
    if not table.metrics:
        return rows
    metrics = [table.columns[name] for name in table.metrics]
    return [row for row in rows if any(values[row] is not msgspec.UNSET for values in metrics)]


def _mixed(own_id: str) -> str | int:
    """Ids that are odd as numbers, the others as text."""
    return int(own_id) if own_id[-1] in "13579" else own_id


def _picked(values: list[Any], order: list[int]) -> list[Any]:
    return list(itemgetter(*order)(values)) if len(order) > 1 else values
