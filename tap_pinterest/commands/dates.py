"""Dates on a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tap_pinterest.config import Day

if TYPE_CHECKING:
    import datetime as dt


def date(value: str) -> dt.date:
    """The type of an option that takes a date.

    Raises:
        BadParameter: The text is no date.
    """
    try:
        if day := Day.parse(value).on:
            return day
    except ValueError:
        pass
    message = f"{value!r} is no date; allowed: YYYY-MM-DD"
    raise click.BadParameter(message)
