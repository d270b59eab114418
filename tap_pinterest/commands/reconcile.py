"""`tap-pinterest-reconcile`: compares loaded tables and exports with Pinterest's own totals."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tap_pinterest.commands import dates
from tap_pinterest.commands.command import ending_the_run, with_options_of_the_tap
from tap_pinterest.config.database import SCHEMA, URL
from tap_pinterest.reconcile import text
from tap_pinterest.reconcile.request import Request, RequestError
from tap_pinterest.singer.process import leave, writing_to_stdout
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from singer_sdk.plugin_base import _ConfigInput as ConfigInput

TABLE = "reconciliation"
NOT_INSTALLED = "This command needs psycopg: pip install 'tap-pinterest[reconcile]'"
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FORMS = click.Choice(["text", "json"])


def main() -> None:
    """Run the command line."""
    with_options_of_the_tap(_compare, "--version", "--config")()


@click.command("tap-pinterest-reconcile")
@click.option("--database", envvar=URL, metavar="URL", help="Database of the tables.")
@click.option(
    "--schema", envvar=SCHEMA, default="pinterest", show_default=True, help="Schema of the tables."
)
@click.option("--account", "accounts", multiple=True, help="Only this ad account. Repeatable.")
@click.option(
    "--from", "first", type=dates.date, help="First day; by default a week before the last."
)
@click.option("--to", "last", type=dates.date, help="Last day; by default two days ago.")
@click.option("--export", type=_FILE, help="An export of Ads Manager, as CSV.")
@click.option("--exported-on", type=dates.date, help="Day of the export; by default the file's.")
@click.option(
    "--store",
    is_flag=False,
    flag_value=TABLE,
    metavar="TABLE",
    help=f"Add the results to a table of the schema; without a name, {TABLE}.",
)
@click.option("--format", "form", type=_FORMS, default="text", show_default=True, help="Output.")
def _compare(*, form: str, config: ConfigInput | None = None, **given: Any) -> None:  # noqa: ANN401 - the fields of `Request`
    """Compare loaded tables, an export of Ads Manager, or both, with fresh totals from Pinterest.

    The exit code is 1 if spend differs and no proven cause explains it.
    """
    tap = TapPinterest.from_options(config, None, None)
    if importlib.util.find_spec("psycopg") is None:
        tap.logger.error(NOT_INSTALLED)
        leave(1)
    from tap_pinterest.reconcile.comparison import compared  # noqa: PLC0415 - needs psycopg

    with ending_the_run(tap, "Nothing can be compared"):
        try:
            report = compared(tap.run, Request(**given))
        except RequestError as refusal:
            tap.logger.error("%s", refusal)  # noqa: TRY400 - a traceback would say nothing more
            leave(2)
    with writing_to_stdout(tap.logger):
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
