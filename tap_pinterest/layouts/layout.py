"""A layout: the tables that the tap writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_pinterest.layouts.tables import Table


@dataclass(frozen=True)
class Layout:
    """The tables that the tap writes, as the setting `layout` names them.

    Attributes:
        name: The value of the setting.
        title: The name in messages.
        tables: The tables by name; none where each stream is written as it is.
        report_columns: Pinterest's names of the report columns that the tables have.
        refuses: Settings that have to keep their default.
    """

    name: str
    title: str
    tables: Mapping[str, Table] = field(default_factory=dict)
    report_columns: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Naming:
    """The names of report columns, as the setting `column_names` chooses them.

    Attributes:
        name: The value of the setting.
        are_displayed: Whether they are those of Ads Manager, which Pinterest has to be asked for.
    """

    name: str
    are_displayed: bool = False
