"""`tap-pinterest-reconcile`: compares loaded tables and exports with Pinterest's own totals."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SkippableAPIError

from tap_pinterest.clock import Interrupted
from tap_pinterest.commands.command import like_the_tap
from tap_pinterest.commands.dates import DATE
from tap_pinterest.config.database import SCHEMA, URL
from tap_pinterest.http.errors import TokenRefusedError
from tap_pinterest.reconcile import text
from tap_pinterest.reconcile.request import Request, RequestError
from tap_pinterest.singer.process import leave
from tap_pinterest.singer.sdk import EndOfRun
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from singer_sdk.plugin_base import _ConfigInput as ConfigInput

HELP = (
    "Compare loaded tables, and an export of Ads Manager if one is given, with fresh totals from "
    "Pinterest. The exit code is 1 if spend differs and no proven cause explains it."
)
TABLE = "reconciliation"
NOT_INSTALLED = "This command needs psycopg: pip install 'tap-pinterest[reconcile]'"
_NOT_READ = (FatalAPIError, RetriableAPIError, SkippableAPIError, TokenRefusedError, EndOfRun)


def main() -> None:
    """Run the command; the exit code is 1 if spend differs and nothing explains it."""
    kept = ("--version", "--config")
    like_the_tap("tap-pinterest-reconcile", HELP, _compare, kept, *options())()


def options() -> list[click.Option]:
    """The options beside those of the tap."""
    file = click.Path(path_type=Path, exists=True, dir_okay=False)
    forms = click.Choice(["text", "json"])
    return [
        click.Option(["--database"], envvar=URL, metavar="URL", help="Database of the tables."),
        click.Option(
            ["--schema"],
            envvar=SCHEMA,
            default="pinterest",
            show_default=True,
            help="Schema of the tables.",
        ),
        click.Option(
            ["--account", "accounts"], multiple=True, help="Only this ad account. Repeatable."
        ),
        click.Option(["--from", "first"], type=DATE, help="First day; by default a week."),
        click.Option(["--to", "last"], type=DATE, help="Last day; by default two days ago."),
        click.Option(["--export"], type=file, help="An export of Ads Manager, as CSV."),
        click.Option(
            ["--exported-on"], type=DATE, help="Day of the export; by default the file's."
        ),
        click.Option(
            ["--store"],
            is_flag=False,
            flag_value=TABLE,
            metavar="TABLE",
            help=f"Add the results to a table of the schema; without a name, {TABLE}.",
        ),
        click.Option(
            ["--format", "form"], type=forms, default="text", show_default=True, help="Output."
        ),
    ]


def _compare(*, form: str, config: ConfigInput | None = None, **given: Any) -> None:  # noqa: ANN401 - see `options`
    """Compare, print the findings, and end with the exit code."""
    tap = TapPinterest.from_options(config, None, None)
    if importlib.util.find_spec("psycopg") is None:
        tap.logger.error(NOT_INSTALLED)
        leave(1)
    from tap_pinterest.reconcile.comparison import compared  # noqa: PLC0415 - needs psycopg

    try:
        report = compared(tap.run, Request(**given))
    except RequestError as refusal:
        tap.logger.error("%s", refusal)  # noqa: TRY400 - a traceback would say nothing more
        leave(2)
    except _NOT_READ as reason:
        tap.logger.error("Nothing can be compared: %s", reason)  # noqa: TRY400
        leave(1)
    except Interrupted:
        leave(128 + (tap.clock.interrupted_by or 0))
    finally:
        tap.run.close()
    if form == "json":
        facts = {
            "start_date": report.days.start,
            "end_date": report.days.end,
            "failed": report.failed,
            "findings": [each.as_json() for each in report.findings],
            "notes": report.notes,
        }
        click.echo(msgspec.json.encode(facts))
    else:
        for line in text.lines(report):
            click.echo(line)
    leave(1 if report.failed else 0 if report.is_stored else 2)


if __name__ == "__main__":
    main()
