"""Many connections: the file of them, the environment of a run, exit codes, metrics."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import psycopg
import pytest
import yaml
from click.testing import CliRunner
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from psycopg import sql

from loading import database
from pinterest_fleet import cli, connections, observations, runs
from scripts.fleet_world import fleet_world
from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from click.testing import Result


SECRET = "s3cr3t-of-acme"
MELTANO = """#!{python}
import json, os, sys, time
with open(os.environ["SEEN"], "a") as seen:
    seen.write(json.dumps([sys.argv[1:], dict(os.environ)]) + "\\n")
print(os.environ.get("PRINTED", ""), flush=True)
if os.environ.get("WAITS"):
    import signal
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("waiting", flush=True)
    time.sleep(60)
sys.exit(int(os.environ.get("CODE", "0")))
"""


@pytest.fixture
def meltano(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Meltano that notes how it is called, prints what it is told, and ends as it is told."""
    program = tmp_path / "bin" / "meltano"
    program.parent.mkdir()
    program.write_text(MELTANO.format(python=sys.executable), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(runs, "_meltano", lambda: str(program))
    return program


@pytest.fixture
def fleet_file(tmp_path: Path) -> Path:
    """A file of two connections that share a credential, and one that is not enabled."""
    (tmp_path / "acme.env").write_text(
        f"SEEN={tmp_path}/seen\nTAP_PINTEREST_CLIENT_SECRET={SECRET}\n", encoding="utf-8"
    )
    file = tmp_path / "connections.yml"
    file.write_text(
        """
connections:
- name: acme
  env_file: acme.env
  credential: agency
- name: globex
  env_file: acme.env
  credential: agency
  schema: globex
- name: initech
  env_file: acme.env
  enabled: false
""",
        encoding="utf-8",
    )
    return file


def call(file: Path, *arguments: str, **variables: str) -> Result:
    """Run `pinterest-fleet` in this process."""
    place = [f"--connections={file}", f"--project={file.parent}", f"--root={file.parent / 'fleet'}"]
    return CliRunner().invoke(cli.main, [*place, *arguments], env=variables)


def seen(file: Path) -> list[tuple[list[str], dict[str, str]]]:
    """How Meltano was called: arguments and environment."""
    text = (file.parent / "seen").read_text(encoding="utf-8")
    return [tuple(json.loads(line)) for line in text.splitlines()]


def written(path: Path, text: str) -> Path:
    """A file of connections with a text."""
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", ":1: the file: refused; allowed: members connections, env_file, secret, loader"),
        ("connections: []", ":1: connections: refused; allowed: a list of at least one connection"),
        ("connections:\n- name: Acme\n  env_file: own.env", ":2: a connection: name: refused"),
        ("connections:\n- name: a", ":2: a: refused; allowed: either env_file or secret"),
        (
            "connections:\n- name: a\n  env_file: none.env",
            ":3: a: env_file: refused; allowed: a file",
        ),
        (
            "connections:\n- name: a\n  secret: vault:x",
            ":3: a: secret: refused; allowed: one of file:",
        ),
        ("connections:\n- name: a\n  shema: b\n  env_file: own.env", "did you mean schema?"),
        ("connections:\n- name: a\n  env_file: own.env\n  schema: B", ":4: a: schema: refused"),
        (
            "connections:\n- name: a\n  env_file: own.env\n  enabled: maybe",
            ":4: a: enabled: refused",
        ),
        (
            "connections:\n- {name: a, env_file: own.env}\n- {name: a, env_file: own.env}",
            ":3: name a: refused; allowed: a name of its own; line 2 has it too",
        ),
        (
            "connections:\n- {name: a-b, env_file: own.env}\n- {name: a_b, env_file: own.env}",
            ":3: schema pinterest_a_b: refused; allowed: a schema of its own; line 2 has it too",
        ),
        ("connections: [", ": not YAML"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "own.env").write_text("A=1\n", encoding="utf-8")

    result = call(written(tmp_path / "connections.yml", text), "check")

    assert result.exit_code == runs.NEEDS_A_PERSON
    assert fault in result.output


@pytest.mark.parametrize("value", ["pina_ABC123", "command:echo postgresql://me:pw@host/db"])
def test_a_secret_in_the_file_is_refused_and_not_shown(tmp_path: Path, value: str) -> None:
    text = f"connections:\n- name: a\n  secret: {value}"

    result = call(written(tmp_path / "connections.yml", text), "check")

    assert ":3: a: secret: refused; allowed: a reference" in result.output
    assert value not in result.output


def test_variables_come_from_files_directories_commands_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.env").write_text("TAP_A='1'\n", encoding="utf-8")
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted" / "TAP_A").write_text("2\n", encoding="utf-8")
    (tmp_path / "mounted" / "..data").write_text("no variable", encoding="utf-8")
    monkeypatch.setenv("TAP_A", "4")
    references = ["file:own.env", "directory:mounted", "command:echo TAP_A=3", "environment:TAP_"]
    listed = "".join(
        f"- {{name: c{number}, secret: '{each}'}}\n" for number, each in enumerate(references)
    )
    fleet = connections.read(written(tmp_path / "connections.yml", f"connections:\n{listed}"))

    found = [each.secret.variables()["TAP_A"] for each in fleet.connections]

    assert found == ["1", "2", "3", "4"]


def test_a_secret_store_that_fails_is_named_without_its_output(tmp_path: Path) -> None:
    text = "connections:\n- name: a\n  secret: command:sh -c 'echo hidden; exit 3'"

    result = call(written(tmp_path / "connections.yml", text), "check")

    assert result.exit_code == runs.NEEDS_A_PERSON
    assert "a: sh ended with exit code 3" in result.output
    assert "hidden" not in result.output


@pytest.mark.usefixtures("meltano")
def test_a_run_sees_nothing_of_the_schedulers_variables(fleet_file: Path) -> None:
    parents = {
        "AIRFLOW_HOME": "x",
        "AIRFLOW__CORE__FERNET_KEY": "x",
        "MELTANO_ENVIRONMENT": "x",
        "TAP_PINTEREST_AD_ACCOUNT_IDS": "x",
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "x",
        "PYTHONPATH": "x",
    }

    result = call(fleet_file, "run", "acme", **parents)

    assert result.exit_code == 0, result.output
    ((arguments, variables),) = seen(fleet_file)
    assert arguments == ["run", "--state-id-suffix", "acme", "tap-pinterest", "target-postgres"]
    assert {name for name, value in variables.items() if value == "x"} == set()
    assert variables["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"] == "pinterest_acme"
    assert variables["MELTANO_SYS_DIR_ROOT"].endswith("fleet/connections/acme/meltano")


@pytest.mark.usefixtures("meltano")
def test_connections_of_one_credential_share_its_tokens_and_nothing_else(fleet_file: Path) -> None:
    call(fleet_file, "run", "acme")
    call(fleet_file, "run", "globex")

    acme, globex = (variables for _, variables in seen(fleet_file))
    tokens = "TAP_PINTEREST_TOKEN_FILE"
    assert acme[tokens] == globex[tokens]
    differing = {name for name in acme if acme[name] != globex[name]}
    assert differing == {"MELTANO_SYS_DIR_ROOT", "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"}


@pytest.mark.usefixtures("meltano")
def test_a_backfill_reads_the_days_that_were_asked_for(fleet_file: Path) -> None:
    call(fleet_file, "run", "acme", "--from", "2026-01-01", "--to", "2026-01-31")

    ((_, variables),) = seen(fleet_file)
    days = json.loads(variables["TAP_PINTEREST_BACKFILL"])
    assert days == {"start_date": "2026-01-01", "end_date": "2026-01-31"}


@pytest.mark.parametrize("days", [["--from=2026-01-01"], ["--from=2026-02-01", "--to=2026-01-01"]])
def test_half_a_backfill_is_refused(fleet_file: Path, days: list[str]) -> None:
    assert call(fleet_file, "run", "acme", *days).exit_code == 2


@pytest.mark.usefixtures("meltano")
@pytest.mark.parametrize(
    ("printed", "code", "exit_code"),
    [
        ("", 0, 0),
        ("Pinterest did not answer", 1, 1),
        ("[error    ] tap-pinterest refresh_token: refused; allowed: printable ASCII", 1, 78),
        ("[error    ] tap-pinterest refresh_token: refused; allowed: printable ASCII", 0, 0),
        ("[warning  ] tap-pinterest The refresh token ends soon: tap-pinterest-login.", 1, 1),
    ],
)
def test_the_exit_code_says_whether_a_retry_helps(
    fleet_file: Path, printed: str, code: int, exit_code: int
) -> None:
    with (fleet_file.parent / "acme.env").open("a", encoding="utf-8") as file:
        file.write(f"PRINTED='{printed}'\nCODE={code}\n")

    assert call(fleet_file, "run", "acme").exit_code == exit_code


@pytest.mark.usefixtures("meltano")
def test_the_log_shows_no_secret(fleet_file: Path) -> None:
    with (fleet_file.parent / "acme.env").open("a", encoding="utf-8") as file:
        file.write("TARGET_POSTGRES_SQLALCHEMY_URL=postgresql://me:pass-of-db@host/db\n")
        file.write(f"PRINTED='a trace with {SECRET} and pass-of-db'\n")

    output = call(fleet_file, "run", "acme").output

    assert "a trace with *** and ***" in output


def test_a_signal_reaches_the_run(fleet_file: Path, tmp_path: Path, meltano: Path) -> None:
    with (tmp_path / "acme.env").open("a", encoding="utf-8") as file:
        file.write("WAITS=1\n")
    code = (
        "from pinterest_fleet import cli, runs\n"
        f"runs._meltano = lambda: {str(meltano)!r}\n"
        "cli.main()"
    )
    place = [f"--connections={fleet_file}", f"--root={tmp_path / 'fleet'}"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *place, "run", "acme"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "waiting\n":
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM


def test_unknown_and_disabled_connections_are_refused_by_name(fleet_file: Path) -> None:
    assert (
        "no connection is called acne (did you mean acme?)"
        in call(fleet_file, "run", "acne").output
    )
    assert "connection initech is not enabled" in call(fleet_file, "run", "initech").output


def test_lists_are_for_people_airflow_and_github(fleet_file: Path) -> None:
    assert call(fleet_file, "list").output.splitlines() == [
        "acme\tpinterest_acme\tagency",
        "globex\tglobex\tagency",
    ]
    matrix = json.loads(call(fleet_file, "list", "--format", "matrix").output)
    assert matrix == {"connection": ["acme", "globex"]}
    pools = json.loads(call(fleet_file, "list", "--format", "pools", "--slots", "2").output)
    assert {name: pool["slots"] for name, pool in pools.items()} == {
        "pinterest": 2,
        "pinterest_agency": 2,
    }


class Gateway(BaseHTTPRequestHandler):
    """Takes what is pushed."""

    taken: list[tuple[str, str, str]]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.taken.append((self.path, self.headers["Content-Type"], body))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[HTTPServer]:
    """A push gateway."""
    Gateway.taken = []
    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


LOG = """
CREATE TABLE {} (stream text, account_id text, ad_account_id text,
  started_at timestamptz, ended_at timestamptz, rows bigint, calls bigint,
  seconds_waited numeric, complete_to date, result text)
"""
LOG_ROWS: list[tuple[object, ...]] = [
    # stream, account, day of the run, rows, calls, seconds waited, complete to, result
    ("ad_analytics", "7", "2026-03-01", 9, 2, 0, "2026-02-27", "complete"),
    ("ad_analytics", "7", "2026-03-02", 5, 3, 1.5, "2026-02-28", "complete"),
    ("campaign_analytics", "7", "2026-03-02", 4, 1, 0, "2026-02-26", "failed"),
    ("boards", None, "2026-03-02", 4, 1, 0, None, "complete"),
]


def sampled(text: str) -> Mapping[tuple[str, str], float]:
    """The values of OpenMetrics text, by family and labels; the reference parser reads it."""
    return {
        (family.name, "/".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


@pytest.fixture
def loaded(fleet_file: Path) -> Iterator[tuple[str, str]]:
    """The address of a database in which acme has a log of runs, and acme's schema."""
    with database() as (url, schema):
        text = fleet_file.read_text("utf-8")
        own = text.replace(
            "  credential: agency\n", f"  credential: agency\n  schema: {schema}\n", 1
        )
        fleet_file.write_text(own, encoding="utf-8")
        log = sql.Identifier(schema, "sync_log")
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
            connection.execute(sql.SQL(LOG).format(log))
            for stream, account, day, *rest in LOG_ROWS:
                row = (stream, account or "(none)", account, day, day, *rest)
                places = sql.SQL(", ").join(map(sql.Literal, row))
                connection.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(log, places))
        yield url, schema


@pytest.mark.usefixtures("meltano")
def test_metrics_tell_of_each_connection_and_account(
    fleet_file: Path, loaded: tuple[str, str], gateway: HTTPServer
) -> None:
    call(fleet_file, "run", "acme")
    tokens = fleet_file.parent / "fleet" / "tokens" / "agency.json"
    tokens.write_text(json.dumps({"refresh_token_expires_at": 4_000_000_000}), encoding="utf-8")
    url, _ = loaded
    address = f"http://127.0.0.1:{gateway.server_port}/metrics/job/pinterest"
    file = fleet_file.parent / "pinterest.prom"

    result = call(
        fleet_file, "metrics", "--database", url, "--output", str(file), "--push", address
    )

    assert result.exit_code == 0, result.output
    text = file.read_text(encoding="utf-8")
    found = sampled(text)
    assert found["pinterest_last_run_exit_code", "acme"] == 0
    assert found["pinterest_refresh_token_days", "acme"] > 10_000
    assert found["pinterest_complete_to_timestamp_seconds", "acme/7"] == 1_772_064_000
    assert found["pinterest_last_run_rows", "acme/7"] == 9
    assert found["pinterest_last_run_calls", "acme/7"] == 4
    assert found["pinterest_last_run_waited_seconds", "acme/7"] == 1.5
    assert found["pinterest_last_run_missing_streams", "acme/7"] == 1
    assert Gateway.taken == [("/metrics/job/pinterest", observations.CONTENT_TYPE, text)]


def test_one_view_is_over_all_schemas(fleet_file: Path, loaded: tuple[str, str]) -> None:
    url, schema = loaded

    viewed = call(fleet_file, "view", "--database", url, "--schema", schema)

    assert viewed.output == "globex: nothing is loaded yet, so the view leaves it out\n"
    query = sql.SQL("SELECT connection, ad_account_id, complete_to::text FROM {}").format(
        sql.Identifier(schema, observations.VIEW)
    )
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        assert connection.execute(query).fetchall() == [("acme", "7", "2026-02-26")]


def test_every_alert_is_about_a_metric_that_exists() -> None:
    rules = yaml.safe_load((ROOT / "deploy/alerts/pinterest.rules.yml").read_text("utf-8"))
    families = {
        value.name
        for value in vars(observations).values()
        if isinstance(value, observations.Family)
    }

    for rule in rules["groups"][0]["rules"]:
        named = {word for word in rule["expr"].split() if word.startswith("pinterest_")}
        assert named
        assert named <= families


def test_one_poisoned_connection_fails_alone_and_recovers(tmp_path: Path) -> None:
    with fleet_world(tmp_path, 2) as world:
        world.poison("client01")
        first = world.fleet("run-all", "--at-once", "2")
        assert first.returncode == 1
        assert "client01\texit code 78" in first.stdout
        assert "client02\tok" in first.stdout
        log = (tmp_path / "fleet/connections/client01/last_run.log").read_text("utf-8")
        assert world.sandboxes["client01"].credentials["client_secret"] not in log

        world.write_variables("client01")
        second = world.fleet("run", "client01")
        assert second.returncode == 0, second.stdout
        assert world.contents("pinterest_client01")["ads"][0] > 0
        assert world.refused_calls == 0
        files = {each.name for each in (tmp_path / "fleet" / "tokens").glob("*.json")}
        assert files == {"client01.json", "client02.json"}
