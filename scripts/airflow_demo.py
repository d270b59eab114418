"""Loads a fleet on Airflow 3, four connections at a time; one has a bad token until it is mended.

Then ten loads are killed in the middle, once under `pinterest-fleet run-all` and once with all of
Airflow, and the next run has to complete their tables.

The demo needs no account, no database and no Airflow, and leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import psycopg
import requests
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.fleet_world import LARGER, fleet_world
from scripts.killed_loads import SMALL_BATCHES, kill_run_all, kill_with_all, partial
from scripts.processes import ROOT, command, end_of, running

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.fleet_world import FleetWorld

AIRFLOW = ROOT / ".venv-airflow" / "bin" / "airflow"
START_SECONDS = 300
RUN_SECONDS = 3600
POLL_SECONDS = 2
AT_ONCE = 4
COLUMNS = 10
MARKS = {"success": "[green]ok[/]", "failed": "[red]FAILED[/]", None: "waiting"}
_OTHERS = ("AIRFLOW", "PINTEREST_FLEET", "MELTANO_", "TAP_", "TARGET_")

console = Console(highlight=False, soft_wrap=True)


class AirflowDemoError(RuntimeError):
    """Airflow did not start, or a run had another result than expected."""


class Airflow:
    """A scheduler with its own database, apart from any Airflow of the user."""

    def __init__(self, folder: Path, world: FleetWorld, at_once: int) -> None:
        """Prepare its environment; it starts with `started`."""
        folder.mkdir()
        self._folder = folder
        self._log = folder / "airflow.log"
        self._port = _free_port()
        with psycopg.connect(world.database, autocommit=True) as connection:
            connection.execute("CREATE DATABASE airflow")
        self._database = world.database.removesuffix("postgres") + "airflow"
        address = self._database.replace("postgresql:", "postgresql+psycopg2:", 1)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)},
            **world.options,
            "PATH": f"{AIRFLOW.parent}{os.pathsep}{os.environ['PATH']}",
            "PINTEREST_FLEET": command("pinterest-fleet"),
            "PINTEREST_FLEET_RETRY_MINUTES": "0.1",
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": address,
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "deploy" / "airflow" / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": str(at_once),
            # After a power cut it misses its tasks sooner than after five minutes.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "100",
            # Only the runs that are triggered.
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
            "AIRFLOW__API__PORT": str(self._port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(32),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self._port}/execution/",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }

    def prepare(self, pools: str) -> None:
        """Make its database and its pools.

        Args:
            pools: As `pinterest-fleet list --format pools` prints them.
        """
        self.run("db", "migrate")
        (self._folder / "pools.json").write_text(pools, encoding="utf-8")
        self.run("pools", "import", str(self._folder / "pools.json"))

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[str]]:
        """Run the scheduler with all its processes during the block."""
        options: dict[str, Any] = {"cwd": self._folder, "env": self.environment}
        with (
            self._log.open("a", encoding="utf-8") as log,
            running(str(AIRFLOW), "standalone", stdout=log, stderr=log, **options) as process,
        ):
            self._wait_until_healthy()
            yield process

    def run(self, *arguments: str) -> None:
        """Run a command of Airflow to its end.

        Raises:
            AirflowDemoError: It fails.
        """
        with (
            self._log.open("a", encoding="utf-8") as log,
            running(
                str(AIRFLOW),
                *arguments,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=self.environment,
            ) as process,
        ):
            if process.wait():
                self._fail(f"airflow {' '.join(arguments)} failed")

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        url = f"http://127.0.0.1:{self._port}/api/v2/monitor/health"
        while time.monotonic() < deadline:
            try:
                health = requests.get(url, timeout=POLL_SECONDS).json()
            except (requests.RequestException, ValueError):
                health = {}
            parts = [health.get(each, {}).get("status") for each in ("scheduler", "dag_processor")]
            if parts == ["healthy", "healthy"] and self._rows("SELECT 1 FROM dag LIMIT 1"):
                return
            time.sleep(POLL_SECONDS)
        self._fail("Airflow did not start")

    def _fail(self, what: str) -> None:
        message = f"{end_of(self._log)}\n{what}"
        raise AirflowDemoError(message)

    def load(self, run_id: str, dag: str = "pinterest", **parameters: Any) -> str:  # noqa: ANN401
        """Trigger a DAG, wait for its end, and return its state."""
        self.trigger(run_id, dag, **parameters)
        return self.end_of(run_id)

    def trigger(self, run_id: str, dag: str = "pinterest", **parameters: Any) -> None:  # noqa: ANN401
        """Begin a run of a DAG."""
        self.run("dags", "unpause", "--yes", dag)
        given = ["--conf", json.dumps(parameters)] if parameters else []
        self.run("dags", "trigger", "--run-id", run_id, *given, dag)

    def end_of(self, run_id: str) -> str:
        """Wait for the end of a run, and return its state."""
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            states = self._rows("SELECT state FROM dag_run WHERE run_id = %s", run_id)
            if states and states[0][0] in {"success", "failed"}:
                return str(states[0][0])
            time.sleep(POLL_SECONDS)
        self._fail(f"the run {run_id} did not end")
        return ""

    def tasks(self, run_id: str) -> Sequence[tuple[str, str, str | None, int, float]]:
        """The tasks of a run: task, connection, state, tries and seconds."""
        return self._rows(
            "SELECT task_id, coalesce(rendered_map_index, ''), state, try_number,"
            " extract(epoch FROM end_date - start_date)::float FROM task_instance"
            " WHERE run_id = %s ORDER BY task_id, map_index",
            run_id,
        )

    def holds(self, text: str) -> bool:
        """Whether a text is anywhere in its database or its logs."""
        with psycopg.connect(self._database) as connection:
            tables = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            ).fetchall()
            for (table,) in tables:
                query = f'SELECT 1 FROM "{table}" AS t WHERE t::text LIKE %s LIMIT 1'  # noqa: S608
                if connection.execute(query, (f"%{text}%",)).fetchone():
                    return True
        files = [each for each in self._folder.rglob("*.log") if each.is_file()]
        return any(text in each.read_text(encoding="utf-8", errors="replace") for each in files)

    def _rows(self, query: str, *parameters: str) -> Sequence[Any]:
        with psycopg.connect(self._database) as connection:
            return connection.execute(query, parameters or None).fetchall()


@click.command()
@click.option("--connections", default=40, show_default=True, type=click.IntRange(2))
@click.option("--killed", default=10, show_default=True, help="Loads to kill in the middle.")
@click.option("--only-killed", is_flag=True, help="Leave out the fleet of many connections.")
def main(connections: int, killed: int, *, only_killed: bool) -> None:
    """Load a made-up fleet on Airflow: one connection fails alone, and killed loads recover."""
    try:
        if not only_killed:
            with _folder() as folder, fleet_world(folder, connections) as world:
                _load_many(folder, world)
        if killed:
            with _folder() as folder, fleet_world(folder, killed, LARGER, SMALL_BATCHES) as world:
                _kill_run_all(world)
            with _folder() as folder, fleet_world(folder, killed, LARGER, SMALL_BATCHES) as world:
                _kill_airflow(folder, world)
    except (AirflowDemoError, TimeoutError) as error:
        console.print(Text(str(error)))
        sys.exit(1)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tap-pinterest-airflow-") as folder:
        yield Path(folder)


def _load_many(folder: Path, world: FleetWorld) -> None:
    with ExitStack() as stack:
        with console.status("Starting made-up Pinterests, a PostgreSQL and Airflow ..."):
            airflow = Airflow(folder / "airflow", world, AT_ONCE)
            airflow.prepare(_pools(world, AT_ONCE))
            stack.enter_context(airflow.started())
        _show(airflow, world)


def _pools(world: FleetWorld, slots: int) -> str:
    return world.fleet("list", "--format", "pools", "--slots", str(slots)).stdout


def _kill_run_all(world: FleetWorld) -> None:
    """Kill `pinterest-fleet run-all` in the middle of its loads, and run it again."""
    names = world.names
    with console.status(f"{len(names)} loads with pinterest-fleet run-all ..."):
        before = kill_run_all(world, names, len(names))
    console.print(f"pinterest-fleet run-all and its {len(names)} loads were killed in the middle.")
    with console.status("The next run ..."):
        done = world.fleet("run-all", "--at-once", str(AT_ONCE))
    _expect(done.returncode, 0, f"the exit code of the next run\n{done.stdout}")
    _print_recovery(world, before)


def _kill_airflow(folder: Path, world: FleetWorld) -> None:
    """Kill the whole Airflow in the middle of its loads, and start it again."""
    names = world.names
    airflow = Airflow(folder / "airflow", world, len(names))
    with console.status(f"{len(names)} loads at once on Airflow ..."):
        airflow.prepare(_pools(world, len(names)))
        with airflow.started() as process, world.in_the_middle(names):
            airflow.trigger("killed")
            before = world.wait_until_in_the_middle(names)
            count = kill_with_all(process)
    console.print(f"Airflow and its {len(names)} loads, {count} processes, were killed.")
    with console.status("Airflow starts again, and tries its tasks again ..."), airflow.started():
        state = airflow.end_of("killed")
        console.print("Airflow started again, and tried again:")
        _print_grid(airflow.tasks("killed"))
        _expect(state, "success", "the run that was killed")
    _print_recovery(world, before)


def _print_recovery(world: FleetWorld, before: Mapping[str, Mapping[str, int]]) -> None:
    """Print the rows that arrived before the kill, and compare the tables after the next run."""
    for name, tables in partial(before, world).items():
        arrived, now = sum(before[name].values()), sum(world.rows(f"pinterest_{name}").values())
        _expect(bool(tables), True, f"{name} was killed while a table had a part of its rows")  # noqa: FBT003
        console.print(
            f"{name}: {arrived:,} of {now:,} rows at the kill; in part {', '.join(tables)}"
        )
    _compare(world, world.names)


def _show(airflow: Airflow, world: FleetWorld) -> None:
    poisoned = world.names[len(world.names) // 2]
    world.poison(poisoned)
    _expect(airflow.load("morning"), "failed", "the run with a poisoned connection")
    console.print(f"{poisoned} has a refresh token that Pinterest refuses:")
    _print_grid(airflow.tasks("morning"))
    failed = [
        name for task, name, state, *_ in airflow.tasks("morning") if _is_failed_load(task, state)
    ]
    _expect(failed, [poisoned], "the failed connections")
    world.write_variables(poisoned)
    _expect(airflow.load("next"), "success", "the next run")
    console.print("Its token is mended, and the next run:")
    _print_grid(airflow.tasks("next"))
    _compare(world, world.names)
    held = [
        name
        for name, sandbox in world.sandboxes.items()
        if airflow.holds(sandbox.credentials["refresh_token"])
    ]
    _expect(held, [], "connections whose secrets Airflow knows")
    console.print("No refresh token is in Airflow's database or in its logs.")
    _measure(airflow, world)


def _is_failed_load(task: str, state: str | None) -> bool:
    return task.startswith("load") and state != "success"


def _measure(airflow: Airflow, world: FleetWorld) -> None:
    """Print the extra time of a task compared with the bare command, with nothing else running."""
    name = world.names[0]
    started = time.monotonic()
    world.fleet("run", name)
    bare = time.monotonic() - started
    airflow.load("one", "pinterest_backfill", connections=[name])
    (task,) = [each for each in airflow.tasks("one") if each[0] == "load" and each[1] == name]
    console.print(f"One connection: {bare:.1f} s as a command, {task[4]:.1f} s as a task.")


def _expect(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        message = f"{what}: {found}, not {wanted}"
        raise AirflowDemoError(message)


def _print_grid(tasks: Sequence[tuple[str, str, str | None, int, float]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True)
    for heading in ("task", "connection", "state", "tries"):
        table.add_column(heading, no_wrap=True)
    table.add_column("seconds", justify="right")
    loads = [each for each in tasks if each[0].startswith("load")]
    for task, name, state, tries, seconds in tasks:
        if task.startswith("load") and state == "success":
            continue
        table.add_row(task, name, MARKS.get(state, state), str(tries), f"{seconds or 0:.1f}")
    console.print(table)
    arrived = [f"{name} ok" for _, name, state, *_ in loads if state == "success"]
    for first in range(0, len(arrived), COLUMNS):
        console.print("  " + "  ".join(arrived[first : first + COLUMNS]))
    console.print(f"{len(arrived)} of {len(loads)} connections loaded\n")


def _compare(world: FleetWorld, names: Sequence[str]) -> None:
    """Load connections once more, each alone in a new schema; all tables must be equal."""
    with console.status("Each connection in a run of its own ..."):
        done = world.fleet(
            "--connections", str(world.write_alone(names)), "run-all", "--at-once", str(AT_ONCE)
        )
    _expect(done.returncode, 0, f"the exit code of the runs alone\n{done.stdout}")
    differing = {name: tables for name in names if (tables := world.differing(name))}
    _expect(differing, {}, "the tables that differ from the tables of a single run")
    counts = [world.rows(f"pinterest_{name}") for name in names]
    count, rows = sum(map(len, counts)), sum(sum(each.values()) for each in counts)
    console.print(
        f"{len(names)} connections: {count} tables, {rows:,} rows, equal to runs of their own"
    )
    _expect(world.refused_calls, 0, "the calls answered with 429")
    console.print(f"Calls answered with 429 in {len(world.names)} Pinterests: none\n")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
