"""`tap-pinterest-report`: draws the data in PostgreSQL as a page for any browser."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import click
from singer_sdk.exceptions import ConfigValidationError

from tap_pinterest.config.database import EXAMPLE, SCHEMA, URL, plain_url
from tap_pinterest.config.environment import load_env_file
from tap_pinterest.singer.process import checking_output, writing_to_stdout

_logger = logging.getLogger("tap-pinterest")
CONNECT_SECONDS = 15
NEEDS = (
    "tap-pinterest-report needs psycopg, which is not installed. Install it with:"
    " pip install 'tap-pinterest[report]', or in a clone: pip install '.[report]'"
)
NO_DATABASE = f"no database is named: --database {EXAMPLE}, or {URL} in .env"


@checking_output
@click.command()
@click.option("--database", metavar="URL", help=f"The PostgreSQL. Default: {URL}.")
@click.option("--schema", metavar="NAME", help=f"Default: {SCHEMA}, or else pinterest.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("pinterest.html"),
    show_default=True,
    help="The file to write.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 36_500),
    default=90,
    show_default=True,
    help="Number of days to show, up to the newest.",
)
@click.option("--compare-with", metavar="NAME", help="A schema with older tables to compare with.")
def main(
    database: str | None, schema: str | None, output: Path, days: int, compare_with: str | None
) -> None:
    """Draw the data in PostgreSQL as one page of HTML.

    The address and the schema may be variables of the environment or of a file .env. The page needs
    no other file and no network. The command only reads the database.
    """
    try:
        load_env_file()
    except ConfigValidationError as error:
        raise click.ClickException("; ".join(error.errors)) from None
    address = database or os.environ.get(URL)
    if not address:
        raise click.ClickException(NO_DATABASE)
    schema = schema or os.environ.get(SCHEMA) or "pinterest"
    text = drawn(address, schema, days, compare_with)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{output} cannot be written: {error.strerror}"
        raise click.ClickException(message) from None
    with writing_to_stdout(_logger):
        click.echo(f"Open it in a browser: {output.resolve()}")


def drawn(address: str, schema: str, days: int, copy: str | None) -> str:
    """The page of a schema.

    Raises:
        ClickException: The database cannot be reached, or has no tables there.
    """
    try:
        # psycopg comes with the extra `report` only; the tap must start without it.
        import psycopg  # noqa: PLC0415

        from tap_pinterest import page  # noqa: PLC0415
    except ImportError:
        raise click.ClickException(NEEDS) from None
    try:
        url = plain_url(address)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
            connection.read_only = True
            # All queries see the same moment, also while a load is running.
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute("SET TIME ZONE 'UTC'")
            return page.page(page.Contents.read(connection, schema, days=days, copy=copy))
    except psycopg.Error as error:
        reason = str(error).strip().partition("\n")[0]
        message = f"PostgreSQL: {reason}"
        raise click.ClickException(message) from None
    except page.NothingLoadedError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
