"""The settings of a sandbox: what each does, its type and its default."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_type_hints

import click
import msgspec

from pinterest_sandbox.access import BETA_PARAMETERS
from pinterest_sandbox.options import Option
from pinterest_sandbox.rate_limits import MINUTE, AccessTier, HeaderStyle, Window
from pinterest_sandbox.size import WorldSize
from pinterest_sandbox.style import Style
from pinterest_sandbox.tokens import (
    ACCESS_SECONDS,
    READ_SCOPES,
    REDIRECT_URIS,
    REFRESH_SECONDS,
    Rotation,
)

Merchant: TypeAlias = Literal["approved", "disapproved", "under review"]
"""Pinterest's decision about the users' catalogs."""


class Readiness(msgspec.Struct, frozen=True):
    """After how many days the metrics of a day are final."""

    delivery_days: int = 1
    conversion_days: int = 2


def _milliseconds(text: str) -> float:
    return float(text) / 1000


def _beside_beta(_context: object, _option: object, names: Collection[str]) -> Collection[str]:
    return (*BETA_PARAMETERS, *names)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a sandbox is like. `Sandbox` takes the fields by name, its command takes options."""

    host: Annotated[str, Option("the address to listen on")] = "127.0.0.1"
    port: Annotated[int, Option("0 takes a free one")] = 0
    seed: Annotated[int, Option("another seed, another world; the same seed, the same bytes")] = 1
    today: Annotated[
        date | None,
        Option(
            "the day of the world; default: today, UTC",
            type=date.fromisoformat,
            metavar="YYYY-MM-DD",
        ),
    ] = None
    size: WorldSize = WorldSize()
    style: Style = Style()
    latency: Annotated[
        float, Option("milliseconds before each answer", type=_milliseconds, metavar="MS")
    ] = 0.0
    """In seconds."""
    compress: Annotated[bool, Option("gzip for clients that accept it")] = False
    keep: Annotated[
        Path | None,
        Option(
            "keep reports there, and take them from there when the same is asked again",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="FOLDER",
        ),
    ] = None
    access_tier: Annotated[AccessTier, Option("whose rate limits hold; unlimited: none")] = (
        "standard"
    )
    rate_window: Annotated[Window, Option("of each quota: fixed windows, or a sliding one")] = (
        "fixed"
    )
    rate_headers: Annotated[
        HeaderStyle, Option("all windows are named, or one number each, or there are none")
    ] = "windows"
    rate_minute: Annotated[
        float,
        Option(
            "how long a minute of the limits takes, and a day in proportion; less than 60: faster",
            metavar="SECONDS",
        ),
    ] = MINUTE
    scopes: Collection[str] = READ_SCOPES
    """What the app was granted."""
    redirect_uris: Annotated[
        Collection[str],
        Option(
            "an address of the app that codes may be sent to; may be repeated",
            flag="--redirect-uri",
            metavar="URL",
        ),
    ] = REDIRECT_URIS
    rotation: Annotated[
        Rotation, Option("whether a refresh token still works after it was used")
    ] = "keep"
    access_seconds: Annotated[int, Option("how long an access token lives")] = ACCESS_SECONDS
    refresh_seconds: Annotated[int, Option("how long a refresh token lives")] = REFRESH_SECONDS
    merchant: Annotated[Merchant, Option("Pinterest's decision about the catalogs")] = "approved"
    readiness: Readiness = Readiness()
    empty_pages: Annotated[
        int, Option("every N-th page of a list is empty and has a bookmark; 0: none")
    ] = 0
    withheld: Annotated[
        Collection[str],
        Option(
            'an operation, such as "GET /integrations", or a parameter, that the app was not given '
            "beside those in beta; may be repeated",
            flag="--withhold",
            metavar="NAME",
            default=(),
            callback=_beside_beta,
        ),
    ] = BETA_PARAMETERS
    """As `Access` takes them; everything in beta: `(*BETA_PARAMETERS, *beta_operations())`."""
    absent: Annotated[
        Collection[str],
        Option(
            'in a closed beta, such as "GET /catalogs/reports": 404; may be repeated',
            metavar="OPERATION",
        ),
    ] = ()
    unavailable: Annotated[
        Collection[str],
        Option("a column or metric that calls are refused for; may be repeated", metavar="COLUMN"),
    ] = ()
    columns: Annotated[
        Collection[str],
        Option(
            "a column that the accounts have and nobody describes; may be repeated",
            flag="--column",
            metavar="COLUMN",
        ),
    ] = ()
    hiccups: Annotated[
        float,
        Option(
            "the share of calls that are refused by mistake, and answered the next time",
            metavar="SHARE",
        ),
    ] = 0.0
    report_seconds: Annotated[
        tuple[float, float] | None,
        Option(
            "how long an ordered report takes; by default up to two polls in vain",
            type=float,
            nargs=2,
            metavar="FROM TO",
        ),
    ] = None


def fields_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Settings` that the options of the command ask for."""
    size, style, fields = (
        {name: options[name] for name in get_type_hints(each) if name in options}
        for each in (WorldSize, Style, Settings)
    )
    return {**fields, "size": WorldSize(**size), "style": Style(**style)}
