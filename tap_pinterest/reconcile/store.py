"""Keeps the findings of a comparison in a table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import sql

from tap_pinterest.reconcile.findings import Finding, Report
from tap_pinterest.reconcile.tables import Tables

COLUMNS = {
    "checked_at": "timestamptz NOT NULL",
    "ad_account_id": "text NOT NULL",
    "start_date": "date NOT NULL",
    "end_date": "date NOT NULL",
    "source": "text NOT NULL",
    "metric": "text NOT NULL",
    "outcome": "text NOT NULL",
    "here": "numeric",
    "pinterest": "numeric",
    "difference": "numeric",
    "unexplained": "numeric",
    "causes": "text",
}
"""The columns of the table, with their types."""


def keep(tables: Tables, name: str, report: Report, now: datetime) -> None:
    """Add a row for each finding; create the table if it does not exist."""
    connection, table = tables.connection, sql.Identifier(tables.schema, name)
    columns = sql.SQL(", ".join(map(" ".join, COLUMNS.items())))
    names, marks = (sql.SQL(", ".join(each)) for each in (COLUMNS, ["%s"] * len(COLUMNS)))
    create = sql.SQL("CREATE TABLE {} ({})").format(table, columns)
    insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(table, names, marks)
    with connection.transaction(), connection.cursor() as cursor:
        # PostgreSQL refuses CREATE TABLE IF NOT EXISTS to a role that may only add rows.
        if not tables.columns(name):
            cursor.execute(create)
        cursor.executemany(insert, [_row(report, each, now) for each in report.findings])


def _row(report: Report, finding: Finding, now: datetime) -> tuple[Any, ...]:
    numbers: tuple[Any, ...] = (None, None, None, None, None)
    if not finding.obstacle:
        causes = "; ".join(f"{each.name}: {each.text}" for each in finding.causes) or None
        difference = (finding.difference, finding.unexplained)
        numbers = (finding.here, finding.pinterest, *difference, causes)
    days = (report.days.start, report.days.end)
    about = (finding.source, finding.metric.lower(), finding.outcome)
    return (now, finding.ad_account_id, *days, *about, *numbers)
