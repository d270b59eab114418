"""The metrics of a fleet as OpenMetrics, and one view of its last runs over all schemas."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import Request, urlopen

import psycopg
from psycopg import sql

from pinterest_fleet.databases import DatabaseError, connected
from pinterest_fleet.logs import tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pinterest_fleet.connections import Connection, Fleet
    from pinterest_fleet.runs import Place

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PUSH_SECONDS = 30
SECONDS_A_DAY = 86_400
VIEW = "pinterest_freshness"
LOG = "sync_log"


class Family(NamedTuple):
    """A family of metrics.

    Attributes:
        name: The name, with the unit.
        unit: The unit, at the end of the name; an empty text if there is none.
        text: The help text.
    """

    name: str
    unit: str
    text: str


ENABLED = Family("pinterest_connection_enabled", "", "1 for each connection that is to be loaded.")
LAST_RUN = Family("pinterest_last_run_timestamp_seconds", "seconds", "When the last run ended.")
RUNNING = Family(
    "pinterest_running_since_timestamp_seconds",
    "seconds",
    "Start of a run that has not ended, or was killed.",
)
EXIT_CODE = Family(
    "pinterest_last_run_exit_code", "", "Exit code of the last run; 78 needs a person."
)
TOKEN_DAYS = Family(
    "pinterest_refresh_token_days", "days", "Days until Pinterest ends the refresh token."
)
COMPLETE_TO = Family(
    "pinterest_complete_to_timestamp_seconds",
    "seconds",
    "The newest day that is complete in all reports of the ad account, at 0:00 UTC; "
    "no value while a report has no such day.",
)
ROWS = Family("pinterest_last_run_rows", "rows", "Records of the last run.")
CALLS = Family("pinterest_last_run_calls", "calls", "Calls of the last run.")
WAITED = Family(
    "pinterest_last_run_waited_seconds", "seconds", "Seconds that calls waited for quota."
)
MISSING = Family("pinterest_last_run_missing_streams", "streams", "Streams that lack data.")

Sample = tuple[Family, "Mapping[str, str]", float]

_OF_LAST_RUN = """
  WITH log AS NOT MATERIALIZED (
    -- A run on a machine whose clock was ahead is not the last one.
    SELECT *, CASE WHEN run_started_at < now() + interval '1 day' THEN run_started_at END AS began
      FROM {log}
  ),
  last_run AS (
    SELECT * FROM log WHERE run_id = (
      SELECT run_id FROM log ORDER BY began DESC NULLS LAST, run_id DESC LIMIT 1
    )
  ),
  streams AS (
    SELECT stream, bool_or(start_date IS NOT NULL) AS has_days,
           bool_or(result IN ('complete', 'partial')) AS has_come
      FROM log GROUP BY stream
  ),
  known AS (
    SELECT * FROM (
      SELECT *, rank() OVER (PARTITION BY stream ORDER BY began DESC NULLS LAST, run_id DESC) AS age
        FROM log WHERE ad_account_id IS NOT NULL
    ) AS of_accounts WHERE age = 1
  ),
  parts AS (
    SELECT stream, ad_account_id, rows, calls, seconds_waited, result, start_date, complete_to,
           ended_at
      FROM last_run
    UNION ALL
    -- A stream that failed before the run knew its ad accounts counts for the accounts before.
    SELECT stream, known.ad_account_id, 0, 0, 0, last_run.result, known.start_date,
           known.complete_to, known.ended_at
      FROM last_run JOIN known USING (stream)
     WHERE last_run.failed AND last_run.ad_account_id IS NULL AND last_run.user_id IS NULL
  )
  SELECT ad_account_id,
         CASE WHEN ad_account_id IS NOT NULL AND NOT bool_or(
           complete_to IS NULL AND result <> 'skipped' AND (
             start_date IS NOT NULL
             -- A stream that has never come may be a report.
             OR (result <> 'complete' AND (has_days OR NOT has_come))
           )
         ) THEN min(complete_to) END AS complete_to,
         coalesce(sum(rows), 0) AS rows,
         coalesce(sum(calls), 0) AS calls,
         coalesce(sum(seconds_waited), 0) AS seconds_waited,
         count(DISTINCT stream) FILTER (WHERE result IN ('failed', 'partial')) AS missing_streams,
         max(ended_at) AS last_read
    FROM parts JOIN streams USING (stream) GROUP BY ad_account_id
"""


def of_files(fleet: Fleet, place: Place) -> Iterator[Sample]:
    """The metrics in the results and the token files of every enabled connection."""
    for each in fleet.enabled:
        yield ENABLED, {"connection": each.name}, 1
        try:
            yield from _of_files(each, place)
        except OSError as error:
            tell(f"{each.name}: {error.filename or place.root}: {error.strerror}")


def of_tables(fleet: Fleet, database: str) -> Iterator[Sample]:
    """The metrics in the tables of every enabled connection.

    Args:
        fleet: All connections.
        database: Address of the PostgreSQL.

    Raises:
        DatabaseError: The database cannot be used, or it refuses the tables of some connections;
            then the metrics of all others have been yielded.
    """
    refused = []
    with connected(database) as connection:
        for each in fleet.enabled:
            try:
                yield from _of_tables(connection, each)
            except psycopg.ProgrammingError as error:
                refused.append(_refusal(each, error))
    if refused:
        raise DatabaseError("\n".join(refused))


def _refusal(connection: Connection, error: psycopg.Error) -> str:
    log = f"{connection.schema}.{LOG}"
    return f"{connection.name}: the database refuses {log}: {error.diag.message_primary}"


def _of_files(connection: Connection, place: Place) -> Iterator[Sample]:
    labels = {"connection": connection.name}
    if note := place.running(connection.name):
        yield RUNNING, labels, datetime.fromisoformat(note.since).timestamp()
    if result := place.result(connection.name):
        yield LAST_RUN, labels, datetime.fromisoformat(result.ended).timestamp()
        yield EXIT_CODE, labels, result.exit_code
    try:
        tokens = json.loads(place.token_file(connection).read_text(encoding="utf-8"))
        ends = tokens.get("refresh_token_expires_at")
        days = round((ends - time.time()) / SECONDS_A_DAY, 2) if ends else None
    except (OSError, ValueError, TypeError, AttributeError):
        return
    if days is not None:
        yield TOKEN_DAYS, labels, days


def _of_tables(connection: psycopg.Connection, one: Connection) -> Iterator[Sample]:
    if not _has_log(connection, one.schema):
        return
    query = sql.SQL(_OF_LAST_RUN).format(log=sql.Identifier(one.schema, LOG))
    for account, complete_to, rows, calls, waited, missing, _ in connection.execute(query):
        labels = {"connection": one.name, **({"ad_account": account} if account else {})}
        if complete_to is not None:
            day = datetime(complete_to.year, complete_to.month, complete_to.day, tzinfo=UTC)
            yield COMPLETE_TO, labels, day.timestamp()
        yield ROWS, labels, int(rows)
        yield CALLS, labels, int(calls)
        yield WAITED, labels, float(waited)
        yield MISSING, labels, missing


def _has_log(connection: psycopg.Connection, schema: str) -> bool:
    found = connection.execute(
        "SELECT to_regclass(quote_ident(%s) || '.' || quote_ident(%s))", (schema, LOG)
    ).fetchone()
    return bool(found and found[0])


def open_metrics(samples: Iterable[Sample]) -> str:
    """The samples as OpenMetrics text."""
    families: dict[Family, list[str]] = {}
    for family, labels, value in samples:
        listed = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        families.setdefault(family, []).append(f"{family.name}{{{listed}}} {value:.15g}")
    lines = []
    for family, each in families.items():
        lines.append(f"# TYPE {family.name} gauge")
        if family.unit:
            lines.append(f"# UNIT {family.name} {family.unit}")
        lines.append(f"# HELP {family.name} {family.text}")
        lines += each
    return "\n".join([*lines, "# EOF\n"])


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def push(text: str, url: str) -> None:
    """Replace the text at a push gateway.

    Raises:
        OSError: The gateway does not accept it.
    """
    request = Request(  # noqa: S310 - the command refuses other schemes
        url, data=text.encode(), method="PUT", headers={"Content-Type": CONTENT_TYPE}
    )
    with urlopen(request, timeout=PUSH_SECONDS):  # noqa: S310
        pass


def make_view(
    database: str, connections: Sequence[Connection], schema: str
) -> tuple[Sequence[str], Sequence[str]]:
    """Make a view of the last run of every connection, with a row for each ad account.

    A row without an ad account has the streams that are read for the token or a user.

    Args:
        database: Address of the PostgreSQL.
        connections: The connections.
        schema: The schema of the view.

    Returns:
        The names of connections that have loaded nothing yet, and a line for each connection whose
        tables the database refuses. The view leaves both out.

    Raises:
        DatabaseError: The database cannot be used.
    """
    parts, missing, refused = [], [], []
    with connected(database) as connection:
        for each in connections:
            try:
                if _has_log(connection, each.schema):
                    parts.append(_part(connection, each))
                else:
                    missing.append(each.name)
            except psycopg.ProgrammingError as error:
                refused.append(_refusal(each, error))
        view = sql.Identifier(schema, VIEW)
        if parts:
            # Replaced, not dropped: so other users keep their rights on it.
            everything = sql.SQL(" UNION ALL ").join(parts)
            connection.execute(sql.SQL("CREATE OR REPLACE VIEW {} AS {}").format(view, everything))
        elif not refused:
            connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(view))
    return missing, refused


def _part(connection: psycopg.Connection, one: Connection) -> sql.Composed:
    """The query of one connection in the view.

    Raises:
        psycopg.ProgrammingError: The table is an older one, or this user may not read it.
    """
    query = sql.SQL("SELECT {name}::text AS connection, of_log.* FROM ({query}) AS of_log").format(
        name=sql.Literal(one.name),
        query=sql.SQL(_OF_LAST_RUN).format(log=sql.Identifier(one.schema, LOG)),
    )
    connection.execute(sql.SQL("{} LIMIT 0").format(query))
    return query
