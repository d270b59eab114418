"""A made-up fleet: connections with a made-up Pinterest each, one PostgreSQL, one file."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
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
LARGER = dataclasses.replace(SMALL, campaigns=4, ad_groups=8, ads=60)
"""More rows for each ad account than the tap writes at once."""
TOO_MANY_REQUESTS = 429
ARRIVAL_SECONDS = 900
POLL_SECONDS = 0.5
NOT_ACCEPTED = "not-accepted-by-pinterest"


@dataclass(frozen=True)
class FleetWorld:
    """Connections, each to a Pinterest of its own.

    Attributes:
        folder: The folder of the file of connections.
        sandboxes: The made-up Pinterests, by the names of the connections.
        database: The address of the PostgreSQL, for psql.
        program: The command line of `pinterest-fleet`, without its arguments.
    """

    folder: Path
    sandboxes: Mapping[str, Sandbox]
    database: str
    program: Sequence[str] = (command("pinterest-fleet"),)

    @property
    def names(self) -> Sequence[str]:
        """The names of the connections."""
        return list(self.sandboxes)

    @property
    def options(self) -> dict[str, str]:
        """The variables for `pinterest-fleet`: file, project, root and database."""
        return {
            "PINTEREST_FLEET_FILE": str(self.folder / "connections.yml"),
            "PINTEREST_FLEET_PROJECT": str(ROOT),
            "PINTEREST_FLEET_ROOT": str(self.folder / "fleet"),
            "PINTEREST_FLEET_DATABASE": self.database,
        }

    def write_variables(self, name: str, **other: str) -> None:
        """Write the env file of a connection, with some values replaced."""
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
            [*self.program, *arguments],
            env={**os.environ, **self.options},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    @contextmanager
    def in_the_middle(self, names: Sequence[str]) -> Iterator[None]:
        """During the block, loads of connections stop in the middle.

        The first ad account is answered, and the others are not. With a loader that uses small
        batches the tables then have a part of their rows.
        """
        for name in names:
            sandbox = self.sandboxes[name]
            for account in sandbox.world.ad_accounts[1:]:
                sandbox.fail(f"/ad_accounts/{account.id}/ads*", kind="hang", times=None)
        try:
            yield
        finally:
            for name in names:
                self.sandboxes[name].heal()

    def wait_until_in_the_middle(self, names: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """Wait until numbers of ads of each connection have arrived.

        Returns:
            The numbers of rows of each connection's tables at that moment.

        Raises:
            TimeoutError: They do not arrive.
        """
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while time.monotonic() < deadline:
            found = {name: self.rows(f"pinterest_{name}") for name in names}
            if all(rows.get("ad_analytics") for rows in found.values()):
                return found
            time.sleep(POLL_SECONDS)
        message = f"no numbers have arrived after {ARRIVAL_SECONDS} s"
        raise TimeoutError(message)

    def rows(self, schema: str) -> dict[str, int]:
        """The number of rows of each table."""
        return {table: count for table, (count, _) in self.contents(schema).items()}

    def write_alone(self, names: Sequence[str]) -> Path:
        """Write a file of the same connections with new states, tokens and schemas."""
        lines = ["env_file: shared.env\n", "connections:\n"]
        lines += [
            f"- name: alone-{name}\n  env_file: {name}.env\n  schema: alone_{name}\n"
            for name in names
        ]
        file = self.folder / "alone.yml"
        file.write_text("".join(lines), encoding="utf-8")
        return file

    def differing(self, name: str) -> Sequence[str]:
        """The tables of a connection that differ from the tables of its single run."""
        fleet, alone = self.contents(f"pinterest_{name}"), self.contents(f"alone_{name}")
        return [table for table in {*fleet, *alone} if fleet.get(table) != alone.get(table)]

    @property
    def refused_calls(self) -> int:
        """Calls that any of the Pinterests has answered with 429."""
        return sum(
            request.status == TOO_MANY_REQUESTS
            for sandbox in self.sandboxes.values()
            for request in sandbox.requests
        )

    def contents(self, schema: str) -> Mapping[str, tuple[int, str]]:
        """For each table the number of rows, and a hash of all columns except the loader's own."""
        with psycopg.connect(self.database) as connection:
            tables = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
                " AND table_name <> 'sync_log'",
                (schema,),
            ).fetchall()
            return {table: _content(connection, schema, table) for (table,) in tables}


@contextmanager
def fleet_world(
    folder: Path,
    count: int,
    size: WorldSize = SMALL,
    shared: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[FleetWorld]:
    """A fleet of `count` connections, during the block.

    Args:
        folder: The folder for its files.
        count: The number of connections; each has a credential of its own.
        size: The size of each Pinterest.
        shared: More variables of all connections.
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
        variables = {
            "TARGET_POSTGRES_SQLALCHEMY_URL": database.url,
            "MELTANO_DATABASE_URI": database.url.removesuffix("postgres") + "meltano",
        }
        _write_private(folder / "shared.env", {**variables, **shared})
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
