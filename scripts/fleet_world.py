"""A made-up fleet: connections to Pinterests of their own, one PostgreSQL, and the file of them."""

from __future__ import annotations

import hashlib
import os
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from pinterest_sandbox.server import Sandbox
from pinterest_sandbox.size import WorldSize
from scripts.embedded_postgres import EmbeddedPostgres
from scripts.processes import ROOT, command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SMALL = WorldSize(
    accounts=2, empty_accounts=0, campaigns=2, ad_groups=3, ads=6, boards=2, pins=6, days=40
)
TOO_MANY_REQUESTS = 429
NOT_ACCEPTED = "not-accepted-by-pinterest"


@dataclass(frozen=True)
class FleetWorld:
    """Connections, each to a Pinterest of its own.

    Attributes:
        folder: Where the file of connections is.
        sandboxes: The made-up Pinterests, by the names of the connections.
        database: The address of the PostgreSQL, for psql.
    """

    folder: Path
    sandboxes: Mapping[str, Sandbox]
    database: str

    @property
    def names(self) -> Sequence[str]:
        """The names of the connections."""
        return list(self.sandboxes)

    @property
    def options(self) -> dict[str, str]:
        """The variables that tell `pinterest-fleet` where everything is."""
        return {
            "PINTEREST_FLEET_FILE": str(self.folder / "connections.yml"),
            "PINTEREST_FLEET_PROJECT": str(ROOT),
            "PINTEREST_FLEET_ROOT": str(self.folder / "fleet"),
            "PINTEREST_FLEET_DATABASE": self.database,
        }

    def write_variables(self, name: str, **other: str) -> None:
        """Write the env file of a connection, with other values than its own for some."""
        sandbox = self.sandboxes[name]
        variables = {
            "TAP_PINTEREST_API_URL": sandbox.url,
            **{
                f"TAP_PINTEREST_{each.upper()}": sandbox.credentials[each]
                for each in ("client_id", "client_secret", "refresh_token")
            },
            **other,
        }
        _write_private(self.folder / f"{name}.env", variables)

    def poison(self, name: str) -> None:
        """Give a connection a refresh token that Pinterest refuses, until its file is rewritten."""
        self.write_variables(name, TAP_PINTEREST_REFRESH_TOKEN=NOT_ACCEPTED)

    def fleet(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `pinterest-fleet` to its end."""
        return subprocess.run(
            [command("pinterest-fleet"), *arguments],
            env={**os.environ, **self.options},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    @property
    def refused_calls(self) -> int:
        """Calls that any of the Pinterests has answered with 429."""
        return sum(
            request.status == TOO_MANY_REQUESTS
            for sandbox in self.sandboxes.values()
            for request in sandbox.requests
        )

    def contents(self, schema: str) -> dict[str, tuple[int, str]]:
        """The rows of each table: how many, and a hash of all columns but the loader's own."""
        with psycopg.connect(self.database) as connection:
            tables = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
                " AND table_name <> 'sync_log'",
                (schema,),
            ).fetchall()
            return {table: _content(connection, schema, table) for (table,) in tables}


@contextmanager
def fleet_world(folder: Path, count: int, size: WorldSize = SMALL) -> Iterator[FleetWorld]:
    """A fleet of `count` connections while the block lasts.

    Args:
        folder: Where its files go.
        count: How many connections; each credential is its own.
        size: How much each Pinterest has.
    """
    names = [f"client{number:02}" for number in range(1, count + 1)]
    with ExitStack() as stack:
        database = stack.enter_context(EmbeddedPostgres())
        sandboxes = {
            name: stack.enter_context(Sandbox(seed=number, size=size))
            for number, name in enumerate(names, start=1)
        }
        with psycopg.connect(database.psql_url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE meltano")
        shared = {
            "TARGET_POSTGRES_SQLALCHEMY_URL": database.url,
            "MELTANO_DATABASE_URI": database.url.removesuffix("postgres") + "meltano",
        }
        _write_private(folder / "shared.env", shared)
        lines = ["env_file: shared.env\n", "connections:\n"]
        lines += [f"- name: {name}\n  env_file: {name}.env\n" for name in names]
        world = FleetWorld(folder, sandboxes, database.psql_url)
        for name in names:
            world.write_variables(name)
        (folder / "connections.yml").write_text("".join(lines), encoding="utf-8")
        yield world


def _write_private(path: Path, variables: Mapping[str, str]) -> None:
    path.touch(mode=0o600)
    text = "".join(f"{name}='{value}'\n" for name, value in variables.items())
    path.write_text(text, encoding="utf-8")


def _content(connection: psycopg.Connection, schema: str, table: str) -> tuple[int, str]:
    columns = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s"
        r" AND table_name = %s AND column_name NOT LIKE '\_sdc\_%%' ORDER BY 1",
        (schema, table),
    ).fetchall()
    query = sql.SQL("SELECT ROW({columns})::text FROM {table} ORDER BY 1").format(
        columns=sql.SQL(", ").join(sql.Identifier(name) for (name,) in columns),
        table=sql.Identifier(schema, table),
    )
    rows = [text for (text,) in connection.execute(query)]
    return len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
