"""The options of `pinterest-sandbox`; each sets a knob of the `Sandbox`, its size or its style."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click
import msgspec

from pinterest_sandbox.calls import Merchant
from pinterest_sandbox.faults import Fault
from pinterest_sandbox.files import Layout
from pinterest_sandbox.rate_limits import MINUTE, AccessTier, HeaderStyle, Window
from pinterest_sandbox.refusals import ClosedStatus
from pinterest_sandbox.reports import HourStyle
from pinterest_sandbox.size import WorldSize
from pinterest_sandbox.style import FieldStyle, MixStyle, SavedPins, Style, TimeStyle
from pinterest_sandbox.tokens import ACCESS_SECONDS, REDIRECT_URIS, REFRESH_SECONDS, Rotation

if TYPE_CHECKING:
    from collections.abc import Iterator


def _one_of(values: object, *names: str, default: object, text: str | None = None) -> click.Option:
    """An option whose values are those of a `Literal`."""
    return click.Option(names, type=click.Choice(get_args(values)), default=default, help=text)


def _repeated(*names: str, metavar: str, text: str, kind: Any = str) -> click.Option:  # noqa: ANN401 - click takes many kinds of types
    return click.Option(
        names, multiple=True, type=kind, metavar=metavar, help=f"{text}; may be repeated"
    )


def _number(*names: str, default: float, metavar: str, text: str | None = None) -> click.Option:
    return click.Option(names, type=type(default), default=default, metavar=metavar, help=text)


def _fault(text: str) -> Fault:
    try:
        return msgspec.json.decode(text, type=Fault)
    except msgspec.MsgspecError as error:
        raise click.BadParameter(str(error)) from error


def _folder(text: str) -> Path:
    folder = Path(text)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


_SERVER = (
    click.Option(["--host"], default="127.0.0.1"),
    click.Option(["--port"], type=int, default=0, help="0 takes a free one"),
    click.Option(
        ["--env"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="write the settings with which tap-pinterest reads it, as environment variables",
    ),
    click.Option(["--seed"], type=int, default=1),
    click.Option(
        ["--today"],
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="the day of the world; default: today, UTC",
    ),
    _number("--latency", default=0.0, metavar="MS", text="milliseconds before each answer"),
    click.Option(["--compress"], is_flag=True, help="gzip for those who accept it"),
    click.Option(
        ["--keep"],
        type=_folder,
        metavar="FOLDER",
        help="keep reports there, and take them from there when the same is asked again",
    ),
)
_APP = (
    _one_of(AccessTier, "--access-tier", default="standard"),
    _one_of(Window, "--rate-window", default="fixed"),
    _one_of(HeaderStyle, "--rate-headers", default="windows"),
    _number("--rate-minute", default=MINUTE, metavar="SECONDS", text="less than 60: faster"),
    _repeated(
        *("--redirect-uri", "redirect_uris"),
        metavar="URL",
        text=f"an address of the app that codes may be sent to; default: {REDIRECT_URIS[0]}",
    ),
    _one_of(Rotation, "--rotation", default="keep"),
    _number("--access-seconds", default=ACCESS_SECONDS, metavar="N"),
    _number("--refresh-seconds", default=REFRESH_SECONDS, metavar="N"),
    _one_of(Merchant, "--merchant", default="approved"),
)
_FAULTS = (
    _number("--empty-pages", default=0, metavar="N", text="every N-th page is empty"),
    _repeated(
        *("--withhold", "withheld"),
        metavar="NAME",
        text='an operation, such as "GET /integrations", or a parameter',
    ),
    _repeated(
        "--absent",
        metavar="OPERATION",
        text='in a closed beta, such as "GET /catalogs/reports": 404',
    ),
    _repeated(
        "--unavailable", metavar="COLUMN", text="a column or metric that calls are refused for"
    ),
    _repeated(
        *("--column", "columns"),
        metavar="COLUMN",
        text="a column that the accounts have and nobody describes",
    ),
    _number(
        "--hiccups",
        default=0.0,
        metavar="SHARE",
        text="the share of calls that are refused by mistake, and answered the next time",
    ),
    _repeated(
        *("--fault", "faults"),
        kind=_fault,
        metavar="JSON",
        text='as the control takes it, such as {"kind": "refusal", "refusal": "consumer type"}',
    ),
    click.Option(
        ["--report-seconds"],
        type=float,
        nargs=2,
        metavar="FROM TO",
        help="how long an ordered report takes; by default up to two polls in vain",
    ),
)
_STYLE = (
    _one_of(HourStyle, "--hours", default="iso", text="how rows name their hour"),
    _one_of(Layout, "--layout", default="by account", text="of downloads in JSON"),
    _one_of(MixStyle, "--mmm", default="wrapped", text="answers on marketing mix"),
    _one_of(TimeStyle, "--times", default="described", text="since 1970, in numbers"),
    _one_of(SavedPins, "--saved-pins", default="counted"),
    _one_of(
        ClosedStatus,
        "--closed",
        default=Style().closed,
        text="the status that refuses an operation or parameter that the app was not given",
    ),
    click.Option(
        ["--created"],
        type=click.Choice((200, 201)),
        default=Style().created,
        help="the status of an answer that something was created",
    ),
    _one_of(
        FieldStyle,
        "--fields",
        default="live",
        text="of records: as live answers have them, or only the described ones",
    ),
)


def _sizes() -> Iterator[click.Option]:
    for knob in dataclasses.fields(WorldSize):
        flag, default = "--" + knob.name.replace("_", "-"), knob.default
        if isinstance(default, bool):
            yield click.Option([f"{flag}/--no-{flag[2:]}"], default=default)
        elif isinstance(default, tuple):
            yield click.Option(
                [flag], type=_listed, default=",".join(default), metavar="NAME,NAME..."
            )
        else:
            text = knob.metadata.get("help")
            yield click.Option([flag], type=type(default), default=default, metavar="N", help=text)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


OPTIONS = (*_SERVER, *_APP, *_FAULTS, *_STYLE, *_sizes())
