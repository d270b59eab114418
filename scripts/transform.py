"""The models of `transform/` on the demo's made-up Pinterest, in PostgreSQL and in DuckDB.

It loads the same world as the demo on the same two days, with the groups of streams that models
exist for, and builds, tests and shows the models. It leaves nothing behind.
"""

from __future__ import annotations

import sys
import tempfile
import textwrap
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
from psycopg import sql
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts import demo
from scripts.dbt_project import Dbt, DbtError
from scripts.embedded_postgres import EmbeddedPostgres, PostgresUnavailableError
from scripts.main_job import MainJob, MainJobError
from scripts.sandbox_process import SandboxError, sandbox_process

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import LiteralString

    from psycopg import Connection

    from scripts.dbt_project import Built

MODELS = "pinterest_models"
SETTINGS = {
    "TAP_PINTEREST_STREAM_GROUPS": "ads,organic,boards,targeting,keywords,resources",
    "TAP_PINTEREST_TARGETING_TYPES": "COUNTRY,REGION,GENDER",
}
READY_AT_ONCE = (0, 0)
DAYS = 45

SPEND = """
    SELECT channel, campaign_name, activity_date, original_currency,
           sum(total_spend), sum(vendor_reported_orders)
      FROM ums.vendor_performance
     WHERE activity_date > (SELECT max(activity_date) - 3 FROM ums.vendor_performance)
     GROUP BY channel, campaign_name, activity_date, original_currency
     ORDER BY activity_date DESC, sum(total_spend) DESC NULLS LAST
     LIMIT 12
"""
RECONCILIATION = """
    SELECT ad_account_name, currency, replace(level, '_', ' ') || 's', count(*),
           sum(account_spend), sum(spend),
           count(*) FILTER (WHERE NOT is_equal)
      FROM pinterest__reconciliation
     GROUP BY ad_account_name, currency, level
     ORDER BY ad_account_name, level
"""
FRESHNESS = """
    SELECT ad_account_name, newest_date, newest_delivery_date, newest_complete_date
      FROM pinterest__freshness
     ORDER BY ad_account_name
"""
HISTORY = """
    SELECT 'campaigns', count(DISTINCT campaign_id), count(*),
           count(*) FILTER (WHERE dbt_valid_to IS NOT NULL)
      FROM pinterest__campaign_history
    UNION ALL
    SELECT 'ads', count(DISTINCT ad_id), count(*),
           count(*) FILTER (WHERE dbt_valid_to IS NOT NULL)
      FROM pinterest__ad_history
"""
FIVETRAN = """
    SELECT table_name, string_agg(column_name, ', ' ORDER BY ordinal_position)
      FROM information_schema.columns
     WHERE table_schema = current_schema AND table_name LIKE 'pinterest\\_ads\\_\\_%'
     GROUP BY table_name
     ORDER BY table_name
"""
SAME_SUMS = "SELECT count(*), sum(total_spend), sum(total_clicks) FROM ums.vendor_performance"

SHOWN: tuple[tuple[str, tuple[str, ...], LiteralString], ...] = (
    (
        "Spend by channel, campaign and day, from ums.vendor_performance (the newest days)",
        ("channel", "campaign", "day", "money", "spend", "orders"),
        SPEND,
    ),
    (
        "Do campaigns, ad groups and ads add up to their ad account? (pinterest__reconciliation)",
        ("ad account", "money", "level", "days", "spend", "its sum", "differ"),
        RECONCILIATION,
    ),
    (
        "How new are the numbers? (pinterest__freshness)",
        ("ad account", "newest row", "delivery to", "complete to"),
        FRESHNESS,
    ),
    (
        "What names, budgets and states were before (the histories)",
        ("history of", "there are", "states seen", "states of the past"),
        HISTORY,
    ),
)
NAMES = ("ad account", "campaign")
"""Columns that are cut where a table would be wider than 80 characters."""

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Build and show everything and return the exit code: 0 when all models and tests pass."""
    try:
        with ExitStack() as stack:
            prefix = "tap-pinterest-transform-"
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
            _transform(folder, stack)
    except (DbtError, MainJobError, PostgresUnavailableError, SandboxError) as error:
        console.print(Text(str(error)))
        return 1
    return 0


def _transform(folder: Path, stack: ExitStack) -> None:
    today = datetime.now(tz=UTC).date()
    log = folder / "log"
    with console.status("Starting the demo's made-up Pinterest and a PostgreSQL ..."):
        sandbox = stack.enter_context(
            sandbox_process(
                today - timedelta(days=1), log, **demo.WORLD, report_seconds=READY_AT_ONCE
            )
        )
        database = stack.enter_context(EmbeddedPostgres())
    settings = {
        **sandbox.settings(folder),
        **SETTINGS,
        # The same first day on both days, and in both databases.
        "TAP_PINTEREST_START_DATE": (today - timedelta(days=DAYS)).isoformat(),
        "TARGET_POSTGRES_SQLALCHEMY_URL": database.url,
        "TARGET_DUCKDB_PATH": str(folder / "warehouse.duckdb"),
    }
    job = MainJob(folder, settings, log=log)
    dbt = Dbt(folder, url=database.url, variables={"pinterest_fivetran": True})
    _load(job, "Day 1")
    _show_build("PostgreSQL, day 1", dbt.build())
    sandbox.move_to(today)
    _load(job, "Day 2")
    _show_build("PostgreSQL, day 2", dbt.build())
    connection = stack.enter_context(psycopg.connect(database.psql_url, autocommit=True))
    _show(connection)
    _in_duckdb(folder, job, connection)


def _load(job: MainJob, day: str) -> None:
    with console.status(f"{day}: loading ..."):
        seconds = job.run()
    console.print(f"{day}: loaded in {seconds:.1f} s")


def _in_duckdb(folder: Path, job: MainJob, connection: Connection) -> None:
    file = folder / "warehouse.duckdb"
    with console.status("Loading the same into DuckDB ..."):
        job.meltano("run", "tap-pinterest", "target-duckdb")
    built = Dbt(folder, duckdb=file, variables={"pinterest_fivetran": True}).build()
    _show_build("DuckDB", built)
    with duckdb.connect(str(file), read_only=True) as made:
        sums = made.execute(SAME_SUMS).fetchall()
    if sums != (known := connection.execute(SAME_SUMS).fetchall()):
        message = f"DuckDB and PostgreSQL differ: {sums} and {known}"
        raise DbtError(message)
    console.print("DuckDB and PostgreSQL have the same sums in ums.vendor_performance.")


def _show_build(title: str, built: Built) -> None:
    made = sum(built.statuses("model").values()) + sum(built.statuses("snapshot").values())
    tests = built.statuses("test")
    warned = f", {tests['warn']} have a warning" if tests["warn"] else ""
    console.print(
        f"{title}: [bold]dbt build[/] made {made} models and histories;"
        f" {tests['pass']} tests passed{warned}; {built.seconds:.1f} s"
    )
    for line in built.output.splitlines():
        _, found, text = line.partition("Not loaded ")
        if found:
            console.print(Text(f"  {found}{text}"))


def _show(connection: Connection) -> None:
    connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(MODELS)))
    for title, columns, query in SHOWN:
        _show_table(title, columns, connection.execute(query))
    _show_fivetran(connection)


def _show_fivetran(connection: Connection) -> None:
    console.print("[bold]The eight models of Fivetran's package, with its names and columns[/]\n")
    for name, columns in connection.execute(FIVETRAN).fetchall():
        count_rows = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
        ((count,),) = connection.execute(count_rows).fetchall()
        listed = textwrap.fill(columns, width=76, initial_indent="    ", subsequent_indent="    ")
        console.print(Text(f"  {name}: {count:,} rows\n{listed}"))


def _show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    texts = [[_text(value) for value in row] for row in rows]
    for name, *values in zip(columns, *texts, strict=True):
        width = None if name in NAMES else max(len(name), *map(len, values))
        table.add_column(name, no_wrap=True, min_width=width)
    for row in texts:
        table.add_row(*map(Text, row))
    console.print(table)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.2f}"
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
