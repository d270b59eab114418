"""The models of `transform/` on the demo's made-up Pinterest, in PostgreSQL and in DuckDB.

It loads the same world as the demo on the same two days, with the groups of streams that models
exist for, and builds, tests and shows the models. It leaves nothing behind.
"""

from __future__ import annotations

import sys
import tempfile
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
    SELECT ad_account_name, currency, level, count(*), sum(account_spend), sum(spend),
           count(*) FILTER (WHERE NOT is_equal)
      FROM pinterest__reconciliation
     GROUP BY ad_account_name, currency, level
     ORDER BY ad_account_name, level
"""
FRESHNESS = """
    SELECT ad_account_name, newest_date, newest_complete_date, told_by, age_hours
      FROM pinterest__freshness
     ORDER BY ad_account_name
"""
HISTORY = """
    SELECT 'campaigns', count(*), count(*) FILTER (WHERE dbt_valid_to IS NOT NULL)
      FROM pinterest__campaign_history
    UNION ALL
    SELECT 'ads', count(*), count(*) FILTER (WHERE dbt_valid_to IS NOT NULL)
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
        "ums.vendor_performance, the newest days",
        ("channel", "campaign", "day", "", "spend", "orders"),
        SPEND,
    ),
    (
        "Reconciliation",
        ("ad account", "", "level", "days", "spend of the account", "of the level", "differ"),
        RECONCILIATION,
    ),
    ("Freshness", ("ad account", "newest day", "complete to", "told by", "hours old"), FRESHNESS),
    ("Snapshots", ("history of", "states", "of the past"), HISTORY),
)

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
        told = made.execute(SAME_SUMS).fetchall()
    if told != (known := connection.execute(SAME_SUMS).fetchall()):
        message = f"DuckDB and PostgreSQL differ: {told} and {known}"
        raise DbtError(message)
    console.print("DuckDB and PostgreSQL have the same sums in ums.vendor_performance.")


def _show_build(title: str, built: Built) -> None:
    told = []
    for kind, word in (("model", "models"), ("test", "tests"), ("snapshot", "snapshots")):
        statuses = built.statuses(kind)
        warned = f" ({statuses['warn']} with a warning)" if statuses["warn"] else ""
        told.append(f"{sum(statuses.values())} {word}{warned}")
    console.print(f"{title}: [bold]dbt build[/]  {', '.join(told)}  {built.seconds:.1f} s")


def _show(connection: Connection) -> None:
    connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(MODELS)))
    for title, columns, query in SHOWN:
        _show_table(title, columns, connection.execute(query))
    _show_fivetran(connection)


def _show_fivetran(connection: Connection) -> None:
    rows = []
    for name, columns in connection.execute(FIVETRAN).fetchall():
        count_rows = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
        ((count,),) = connection.execute(count_rows).fetchall()
        rows.append((name, count, columns))
    _show_table("The models of Fivetran's package", ("model", "rows", "columns"), rows)


def _show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for name in columns:
        wide = name == "columns"
        table.add_column(name, no_wrap=not wide, max_width=100 if wide else demo.NAME_WIDTH)
    for row in rows:
        table.add_row(*(Text(_text(value)) for value in row))
    console.print(table)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.2f}" if isinstance(value, Decimal) else str(value)


if __name__ == "__main__":
    sys.exit(main())
