"""Dates on a command line."""

from __future__ import annotations

from datetime import date

import click
from typing_extensions import override

from tap_pinterest.config import Day


class _Date(click.ParamType):  # type: ignore[type-arg]  # older releases of click have none
    name = "date"

    @override
    def convert(
        self, value: str | date, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        if isinstance(value, date):
            return value
        try:
            if day := Day.parse(value).on:
                return day
        except ValueError:
            pass
        return self.fail(f"{value!r} is no date; allowed: YYYY-MM-DD", param, ctx)


DATE = _Date()
"""The type of an option that takes a date."""
