"""A layout: the tables that the tap writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tap_pinterest.layouts.tables import Table


@dataclass(frozen=True)
class Layout:
    """The tables that the tap writes, chosen by the setting `layout`.

    Attributes:
        tables: The tables by name; empty if each stream is its own table.
        report_columns: Pinterest's names of the report columns that the tables have.
        refuses: Settings that must keep their default.
    """

    name: str
    title: str
    tables: Mapping[str, Table] = field(default_factory=dict)
    report_columns: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Naming:
    """The names of report columns, chosen by the setting `column_names`.

    Attributes:
        are_displayed: Whether they are the names in Ads Manager, which take a call.
    """

    name: str
    are_displayed: bool = False
