"""Many connections: the file of them, the environment of a run, exit codes, metrics."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import psycopg
import pytest
import yaml
from click.testing import CliRunner
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from psycopg import sql

import forked_programs
from loading import database
from pinterest_fleet import cli, connections, credentials, errors, observations, runs, turns
from pinterest_fleet.databases import connected
from pinterest_fleet.runs import Place
from scripts import loader_messages
from scripts.fleet_world import LARGER, fleet_world
from scripts.killed_loads import SMALL_BATCHES, kill_run_all, partial
from scripts.processes import ROOT, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from click.testing import Result

    from scripts.fleet_world import FleetWorld

SECRET = "s3cr3t-of-acme"
MELTANO = """#!{python}
import json, os, sys, time
with open(os.environ.get("SEEN", os.devnull), "a") as seen:
    seen.write(json.dumps([sys.argv[1:], dict(os.environ)]) + "\\n")
print(os.environ.get("PRINTED", ""), flush=True)
if os.environ.get("WAITS"):
    import signal
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("waiting", flush=True)
    time.sleep(60)
if os.environ.get("KILLED"):
    os.kill(os.getpid(), int(os.environ["KILLED"]))
sys.exit(int(os.environ.get("CODE", "0")))
"""
PROGRAM = """
import sys
from pinterest_fleet import cli, runs
runs._meltano = lambda: {meltano!r}
own = cli._own_command
cli._own_command = lambda settings: [sys.executable, __file__, *own(settings)[3:]]
cli.main()
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
        f"SEEN={tmp_path}/seen\nTAP_PINTEREST_CLIENT_SECRET={SECRET}\n"
        "TAP_PINTEREST_REFRESH_TOKEN=token-of-acme\n",
        encoding="utf-8",
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
    written(file.parent / "meltano.yml", "plugins: {loaders: [{name: target-postgres}]}")
    place = [f"--connections={file}", f"--project={file.parent}", f"--root={file.parent / 'fleet'}"]
    return CliRunner().invoke(cli.main, [*place, *arguments], env=variables)


def started(
    file: Path, meltano: Path, *arguments: str
) -> AbstractContextManager[subprocess.Popen[str]]:
    """A process of `pinterest-fleet` with our Meltano, in a group of its own."""
    place = [f"--connections={file}", f"--root={file.parent / 'fleet'}"]
    return running(
        *(*program_with(file.parent, meltano), *place, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def program_with(folder: Path, meltano: Path) -> tuple[str, ...]:
    """The command line of a `pinterest-fleet` that finds only this Meltano."""
    program = written(folder / "program.py", PROGRAM.format(meltano=str(meltano)))
    return (sys.executable, str(program))


def seen(file: Path) -> list[tuple[list[str], dict[str, str]]]:
    """How Meltano was called: arguments and environment."""
    text = (file.parent / "seen").read_text(encoding="utf-8")
    return [tuple(json.loads(line)) for line in text.splitlines()]


def written(path: Path, text: str) -> Path:
    """A file of connections with a text."""
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    """The output of `check` about a file of connections that it refuses."""
    result = call(written(folder / "connections.yml", text), "check")
    assert result.exit_code == errors.NEEDS_A_PERSON, result.output
    return result.output


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", ":1: the file: refused; allowed: members connections, env_file, secret, loader"),
        ("connections: []", ":1: connections: refused; allowed: at least one connection"),
        ("connections:\n\t- name: a", ":2: not YAML; indent with spaces, not with tabs"),
        ("connections:\n- {name: a, env_file: own.env, schema: pg_a}", ":2: a: schema: refused"),
        (
            "connections: [{name: a, env_file: own.env}, {name: a, env_file: own.env}]",
            ":1: name a: refused; allowed: a name of its own; line 1 has it too",
        ),
        ("connections:\n- name: Acme\n  env_file: own.env", ":2: a connection: name: refused"),
        ("connections:\n- name: a", ":2: a: refused; allowed: either env_file or secret"),
        (
            "connections:\n- name: a\n  env_file: none.env",
            ":2: a: its secret: refused; allowed: a file",
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
        ("connections:\n- name: a\n  env_file: !vault own.env", ":3: env_file: refused"),
        ("connections:\n- {name: a, env_file: own.env}\n- name: !!bool x", ":3: name: refused"),
        ("connections:\n- name: a\n  env_file: own.env\n  enabled: !!bool x", ":4: enabled"),
        ("connections:\n- {name: a, env_file: own.env, schema: 2026-02-30}", ":2: a: schema: ref"),
        ("connections:\n- pina_ABC: a", ":2: a name that looks like a secret: refused"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "own.env").write_text("A=1\n", encoding="utf-8")

    assert fault in refusal(tmp_path, text)


@pytest.mark.parametrize("value", ["pina_ABC123", "command:echo postgresql://me:pw@host/db"])
def test_a_secret_in_the_file_is_refused_and_not_shown(tmp_path: Path, value: str) -> None:
    text = f"connections:\n- name: a\n  secret: {value}"

    output = refusal(tmp_path, text)

    assert ":3: a: secret: refused; allowed: a reference" in output
    assert value not in output


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

    assert "a: sh ended with exit code 3" in result.output
    assert "hidden" not in result.output


def test_a_command_may_be_a_path_from_the_file_of_connections(tmp_path: Path) -> None:
    program = written(tmp_path / "secrets.sh", "#!/bin/sh\necho TAP_A=$1\n")
    program.chmod(0o700)
    listed = "- {name: a, secret: 'command:./secrets.sh x'}\n- {name: b, secret: 'command:./no'}"
    file = written(tmp_path / "connections.yml", f"connections:\n{listed}")

    first, second = connections.read(file).connections

    assert first.secret.variables() == {"TAP_A": "x"}
    assert second.secret.fault() == "a command on PATH, or a path from the file of connections"


def test_a_secret_store_does_not_read_the_input_of_a_loop(tmp_path: Path, meltano: Path) -> None:
    text = "connections: [{name: a, secret: 'command:sh -c \"cat; echo TAP_PINTEREST_TERMS=x\"'}]"
    file = written(tmp_path / "connections.yml", text)

    done = subprocess.run(
        [*program_with(tmp_path, meltano), f"--connections={file}", f"--project={ROOT}", "check"],
        input="globex\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert "a: its variables have no credential" in done.stdout


LONG = "x" * 300
"""No file system has a file of this name, and each refuses to look for it."""


@pytest.mark.parametrize(
    ("secret", "tokens", "fault"),
    [
        (f"file:{LONG}", "", "its secret: refused; allowed: a file that is there and may be read"),
        (f"directory:{LONG}", "", "its secret: refused; allowed: a directory that is there"),
        ("file:own.env", LONG, "its variables have no credential"),
        ("file:own.env", "~no-such-user/tokens", "its variables have no credential"),
    ],
    ids=["file", "directory", "token-file", "user"],
)
def test_a_path_that_cannot_be_looked_for_stops_its_own_connection_only(
    tmp_path: Path, secret: str, tokens: str, fault: str
) -> None:
    written(tmp_path / "own.env", f"{APP}TAP_PINTEREST_TOKEN_FILE={tokens}\n")
    text = f"connections: [{{name: a, secret: '{secret}'}}, {{name: b, env_file: own.env}}]"

    output = refusal(tmp_path, text)

    assert f"a: {fault}" in output
    assert call(tmp_path / "connections.yml", "list").exit_code == 0


@pytest.mark.parametrize("content", ["A=1\n".encode("utf-16"), b"A=1\0\n", b"A=\xff\n"])
def test_a_secret_that_is_no_text_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "own.env").write_bytes(content)
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted" / "TAP_A").write_bytes(content)
    secrets = ["file:own.env", "directory:mounted", "command:cat own.env"]
    listed = "".join(f"- {{name: c{at}, secret: '{each}'}}\n" for at, each in enumerate(secrets))

    output = refusal(tmp_path, f"connections:\n{listed}")

    said = [line for line in output.splitlines() if line.endswith("not text in UTF-8")]
    assert [line.split(":")[1] for line in said] == [" own.env", " TAP_A", " cat"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is of Linux")
@pytest.mark.usefixtures("meltano")
def test_a_secret_that_a_disk_does_not_give_is_read_again(tmp_path: Path) -> None:
    text = "connections: [{name: a, env_file: /proc/self/mem}]"

    result = call(written(tmp_path / "connections.yml", text), "run", "a")

    assert result.exit_code == errors.FAILED
    assert "a: its variables cannot be read: file: Input/output error" in result.output


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
    assert arguments == [
        *("--env-file=/dev/null", "run", "--state-id-suffix", "acme"),
        *("tap-pinterest", "target-postgres"),
    ]
    assert {name for name, value in variables.items() if value == "x"} == set()
    assert variables["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"] == "pinterest_acme"
    assert variables["MELTANO_SYS_DIR_ROOT"].endswith("fleet/connections/acme/meltano")


def test_no_other_place_gives_a_run_its_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_meltano", lambda: str(forked_programs.folder() / "meltano"))
    project = tmp_path / "project"
    project.mkdir()
    text = (ROOT / "meltano.yml").read_text("utf-8")
    first = "    executable: tap-pinterest\n"
    config = (
        "    config: {refresh_token: x-of-another, oauth_credentials.access_token: x-of-another}\n"
    )
    written(project / "meltano.yml", text.replace(first, first + config, 1))
    written(project / ".env", "TAP_PINTEREST_ACCESS_TOKEN=x-of-another\nTAP_PINTEREST_TERMS=x-of\n")
    written(tmp_path / "acme.env", "TAP_PINTEREST_REFRESH_TOKEN=x-of-acme\n")
    file = written(tmp_path / "connections.yml", "connections: [{name: acme, env_file: acme.env}]")
    fleet = connections.read(file)
    place = Place(project, tmp_path / "fleet")

    printed = subprocess.run(
        [*runs._command(), "config", "--unsafe", "print", "tap-pinterest"],
        cwd=project,
        env=runs.environment(fleet, fleet.of("acme"), place, os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert printed.returncode == 0, printed.stderr
    values = json.loads(printed.stdout)
    assert [value for value in map(str, values.values()) if "x-of" in value] == ["x-of-acme"]


def test_every_setting_of_a_credential_is_left_to_the_connection() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    (tap,) = project["plugins"]["extractors"]
    groups = {name for group in tap["settings_group_validation"] for name in group}
    sensitive = {each["name"] for each in tap["settings"] if each.get("sensitive")}

    names = {f"TAP_PINTEREST_{name.upper().replace('.', '_')}" for name in groups | sensitive}

    # Not a credential: it chooses one of those that the connection has.
    assert names - {"TAP_PINTEREST_AUTH_METHOD"} == set(credentials.NONE)


APP = "TAP_PINTEREST_CLIENT_ID=1\nTAP_PINTEREST_CLIENT_SECRET=2\n"


@pytest.mark.usefixtures("meltano")
@pytest.mark.parametrize(
    ("own", "shared", "member", "fault"),
    [
        ("env_file: a.env", APP, "", "a: its variables have no credential"),
        ("env_file: a.env", "", "", "a: its variables have no credential"),
        ("secret: 'environment:NOSUCH_'", APP, "", "a: its variables have no credential"),
        ("env_file: a.env", "TAP_PINTEREST_REFRESH_TOKEN=1\n", "", "a: the shared variables have"),
        ("env_file: a.env", "TAP_PINTEREST_REFRESH_TOKEN=1\n", ", credential: all", ""),
        ("env_file: a.env", f"{APP}TAP_PINTEREST_AUTH_METHOD=client_credentials\n", "", ""),
    ],
    ids=["app", "none", "environment", "of-all", "shared", "client-credentials"],
)
def test_a_connection_without_a_credential_is_refused(
    tmp_path: Path, own: str, shared: str, member: str, fault: str
) -> None:
    written(tmp_path / "a.env", "TAP_PINTEREST_START_DATE=2026-01-01\n")
    written(tmp_path / "shared.env", shared)
    text = f"env_file: shared.env\nconnections: [{{name: a, {own}{member}}}]"
    file = written(tmp_path / "connections.yml", text)

    checked, run = call(file, "check"), call(file, "run", "a")

    code = errors.NEEDS_A_PERSON if fault else 0
    assert (checked.exit_code, run.exit_code) == (code, code), checked.output
    assert fault in checked.output


def test_a_connection_with_a_token_has_no_other_token_to_fall_back_on(tmp_path: Path) -> None:
    written(tmp_path / "a.env", "TAP_PINTEREST_ACCESS_TOKEN=own\n")
    written(tmp_path / "shared.env", f"{APP}TAP_PINTEREST_REFRESH_TOKEN=of-the-agency\n")
    text = "env_file: shared.env\nconnections: [{name: a, env_file: a.env}]"
    fleet = connections.read(written(tmp_path / "connections.yml", text))

    variables = runs.environment(fleet, fleet.of("a"), Place(tmp_path, tmp_path / "fleet"), {})

    given = {name: variables[name] for name in credentials.TOKENS if variables[name]}
    assert given == {"TAP_PINTEREST_ACCESS_TOKEN": "own"}


def test_a_connection_that_switches_the_shared_token_off_has_no_credential(tmp_path: Path) -> None:
    written(tmp_path / "a.env", "TAP_PINTEREST_REFRESH_TOKEN=\n")
    written(tmp_path / "shared.env", f"{APP}TAP_PINTEREST_REFRESH_TOKEN=of-the-agency\n")
    text = "env_file: shared.env\nconnections: [{name: a, env_file: a.env, credential: agency}]"

    assert "a: its variables have no credential" in refusal(tmp_path, text)


def test_a_loader_and_a_project_that_are_not_there_are_named(fleet_file: Path) -> None:
    other = call(fleet_file, f"--project={fleet_file.parent}/nosuch", "check")
    text = fleet_file.read_text("utf-8")
    fleet_file.write_text(f"loader: target-nosuch\n{text}", encoding="utf-8")
    checked = call(fleet_file, "check")

    assert (checked.exit_code, other.exit_code) == (errors.NEEDS_A_PERSON, errors.NEEDS_A_PERSON)
    assert "it has no loader target-nosuch; it has target-postgres" in checked.output
    assert "meltano.yml: No such file or directory; --project names its folder" in other.output


@pytest.mark.usefixtures("meltano")
def test_a_stored_token_is_a_credential(tmp_path: Path) -> None:
    written(tmp_path / "a.env", APP)
    file = written(tmp_path / "connections.yml", "connections: [{name: a, env_file: a.env}]")
    fleet = connections.read(file)
    written(Place(tmp_path, tmp_path / "fleet").token_file(fleet.of("a")), "{}")

    assert call(file, "check").exit_code == 0


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
    for command in (["run", "acme"], ["run-all"]):
        assert call(fleet_file, *command, *days).exit_code == errors.NEEDS_A_PERSON


@pytest.mark.usefixtures("meltano")
@pytest.mark.parametrize(
    ("printed", "code", "exit_code"),
    [
        ("", 0, 0),
        ("Pinterest did not answer", 1, 1),
        ("Pinterest did not answer", 2, 1),
        ("Error: Block target-nosuch not found", 1, 78),
        ("[error    ] tap-pinterest refresh_token: refused; allowed: printable ASCII", 1, 78),
        ('{"level": "error", "event": "refresh_token: refused; allowed: printable"}', 1, 78),
        ("level=\\'error\\' event=\\'refresh_token: refused; allowed: printable\\'", 1, 78),
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
@pytest.mark.parametrize(("wanted", "used"), [("plain", "uncolored"), ("json", "json")])
def test_the_log_of_a_run_has_levels(fleet_file: Path, wanted: str, used: str) -> None:
    with (fleet_file.parent / "acme.env").open("a", encoding="utf-8") as file:
        file.write(f"MELTANO_CLI_LOG_FORMAT={wanted}\n")

    call(fleet_file, "run", "acme")

    ((_, variables),) = seen(fleet_file)
    assert variables["MELTANO_CLI_LOG_FORMAT"] == used


@pytest.mark.usefixtures("meltano")
def test_a_secret_that_is_a_word_of_the_log_hides_no_reason(fleet_file: Path) -> None:
    with (fleet_file.parent / "acme.env").open("a", encoding="utf-8") as file:
        file.write("TARGET_POSTGRES_SQLALCHEMY_URL=postgresql://pinterest:pinterest@host/db\n")
        file.write("PRINTED='[error    ] run tap-pinterest-login'\nCODE=1\n")

    result = call(fleet_file, "run", "acme")

    kept = Place(fleet_file.parent, fleet_file.parent / "fleet").result("acme")
    assert result.exit_code == errors.NEEDS_A_PERSON
    assert kept is not None
    assert kept.reason == "[error    ] run tap-***-login"


def noted(line: str) -> str:
    """The reason for a person to act that a run finds in an error with this text."""
    result = runs.Result("acme", "")
    runs._note(f"[error    ] {line}", line, result)
    return result.reason


MAY_PASS = (
    *("No PostgreSQL answers", "is not known", "does not answer", "has no connection left"),
    *("is starting or stopping", "refuses the connection", "is on a standby", "The disk of"),
    *(
        "is out of memory",
        "has ended a statement",
        "Connect to the primary server",
        "was lost",
        "The SSH tunnel",
    ),
    "refuses the records: …. Committed rows stay; the next run goes on",
)
"""Messages of the loader after which the next run may succeed."""


@pytest.mark.parametrize("message", [*itertools.chain(*loader_messages.by_time().values())])
def test_every_message_of_the_loader_is_for_a_person_or_may_pass(message: str) -> None:
    assert bool(noted(message)) != any(each in message for each in MAY_PASS)


@pytest.mark.parametrize("command", [["metrics"], ["view"]])
@pytest.mark.parametrize(
    "address", ["x+psycopg2://x:sekret99@h/x", "postgresql+psycopg2://x:sekret99@127.0.0.1:1/x"]
)
def test_no_address_of_a_database_shows_its_password(
    fleet_file: Path, command: list[str], address: str
) -> None:
    result = call(fleet_file, *command, "--database", address)

    is_address = address.startswith("postgresql")
    assert result.exit_code == (errors.FAILED if is_address else errors.NEEDS_A_PERSON)
    said = "does not answer" if is_address else "is refused; allowed: postgresql:"
    assert said in result.output
    assert "sekret99" not in result.output


def test_a_refused_address_of_a_gateway_is_not_shown(fleet_file: Path) -> None:
    result = call(fleet_file, "metrics", "--push", "http://me:sekret99@host/x")

    assert result.exit_code == 2
    assert "sekret99" not in result.output


def test_a_table_without_a_heading_is_not_shown(tmp_path: Path) -> None:
    table = "acme,file:acme.env,pinr_supersecretvalue123,plain-secret\n"
    (tmp_path / "clients.csv").write_text(table, encoding="utf-8")

    output = refusal(tmp_path, "connections: clients.csv")

    assert "clients.csv:1: the heading: refused; allowed: env_file, name" in output
    assert "secretvalue" not in output
    assert "plain-secret" not in output


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"connection": "acme", "started": ""}'])
def test_results_that_cannot_be_read_end_no_metrics(fleet_file: Path, text: str) -> None:
    place = Place(fleet_file.parent, fleet_file.parent / "fleet")
    fleet = connections.read(fleet_file)
    written(place.folder(fleet.of("acme")) / "last_run.json", text)
    written(
        place.folder(fleet.of("acme")) / "running.json", '{"since": "", "host": "", "process": 1}'
    )
    written(place.token_file(fleet.of("acme")), "[]")
    later = {"connection": "globex", "started": "", "ended": "2026-01-01T00:00:00+00:00"}
    of_a_later_version = json.dumps({**later, "exit_code": 0, "other": "x"})
    written(place.folder(fleet.of("globex")) / "last_run.json", of_a_later_version)

    result = call(fleet_file, "metrics")

    assert result.exit_code == 0
    assert "acme: its last result cannot be read" in result.output
    assert 'pinterest_last_run_exit_code{connection="globex"} 0' in result.output


@pytest.mark.usefixtures("meltano")
def test_a_result_that_may_not_be_replaced_stops_its_own_connection_only(fleet_file: Path) -> None:
    folder = fleet_file.parent / "fleet" / "connections" / "acme"
    (folder / "last_run.json").mkdir(parents=True)

    results = [call(fleet_file, *words) for words in (["run", "acme"], ["run", "globex"])]
    metrics = call(fleet_file, "metrics")

    assert [each.exit_code for each in results] == [errors.FAILED, 0]
    assert f"acme: {folder}" in results[0].output
    assert f"acme: {folder / 'last_run.json'}: Is a directory" in metrics.output
    assert 'pinterest_last_run_exit_code{connection="globex"} 0' in metrics.output
    # Each try would leave one more file.
    assert {each.name for each in folder.iterdir()} == {"last_run.json", "running.json"}


def test_a_root_that_cannot_be_made_is_named_by_every_command(fleet_file: Path) -> None:
    root = f"--root={fleet_file}/fleet"

    for command in (["check"], ["prime"], ["run-all"]):
        result = call(fleet_file, root, *command)
        assert result.exit_code == errors.FAILED
        assert f"Error: {fleet_file}/fleet" in result.output
        assert "Not a directory" in result.output


def test_a_file_of_metrics_that_cannot_be_written_is_named(fleet_file: Path) -> None:
    output = fleet_file.parent / "nosuch" / "x.prom"

    result = call(fleet_file, "metrics", "--output", str(output))

    assert result.exit_code == 1
    assert f"{output} cannot be written: No such file or directory" in result.output


@pytest.mark.usefixtures("meltano")
def test_a_run_that_cannot_begin_leaves_no_note(fleet_file: Path) -> None:
    nosuch = f"--project={fleet_file.parent}/nosuch"

    ended = [call(fleet_file, nosuch, *words) for words in (["run", "acme"], ["prime"])]

    assert [each.exit_code for each in ended] == [1, 1]
    said = "nosuch: No such file or directory"
    assert [said in each.output for each in ended] == [True, True]
    assert Place(fleet_file.parent, fleet_file.parent / "fleet").running("acme") is None


@pytest.mark.usefixtures("meltano")
def test_the_log_shows_no_secret(fleet_file: Path) -> None:
    with (fleet_file.parent / "acme.env").open("a", encoding="utf-8") as file:
        file.write("TARGET_POSTGRES_SQLALCHEMY_URL=postgresql://me:pass-of-db@host/db\n")
        file.write("TARGET_X_CREDENTIALS_JSON=of-json\nTARGET_X_PRIVATE_KEY='line-one\nline-two'\n")
        file.write(f"PRINTED='a trace with {SECRET}, pass-of-db, of-json and\nline-two'\n")

    output = call(fleet_file, "run", "acme").output

    assert "a trace with ***, ***, *** and\n***\n" in output


def test_a_log_in_another_encoding_loses_no_line(fleet_file: Path, meltano: Path) -> None:
    with (fleet_file.parent / "acme.env").open("a", encoding="utf-8") as file:
        file.write("PRINTED='for two 💛'\n")

    done = subprocess.run(
        [
            *program_with(fleet_file.parent, meltano),
            *(f"--connections={fleet_file}", f"--root={fleet_file.parent}/fleet", "run", "acme"),
        ],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "for two \\U0001f49b\n")


def test_a_signal_reaches_the_run(fleet_file: Path, tmp_path: Path, meltano: Path) -> None:
    with (tmp_path / "acme.env").open("a", encoding="utf-8") as file:
        file.write("WAITS=1\n")
    with started(fleet_file, meltano, "run", "acme") as process:
        assert process.stdout is not None
        while process.stdout.readline() != "waiting\n":
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM


SIGNAL_AT_THE_START = """
import signal, subprocess
start = subprocess.Popen.__init__
def started(*arguments, **options):
    start(*arguments, **options)
    signal.raise_signal(signal.SIGTERM)
subprocess.Popen.__init__ = started
"""


def test_a_signal_at_the_start_of_a_run_reaches_it(
    fleet_file: Path, tmp_path: Path, meltano: Path
) -> None:
    with (tmp_path / "acme.env").open("a", encoding="utf-8") as file:
        file.write("WAITS=1\n")
    program_with(tmp_path, meltano)
    program = tmp_path / "program.py"
    written(program, SIGNAL_AT_THE_START + program.read_text("utf-8"))

    done = subprocess.run(
        [
            *(sys.executable, str(program), f"--connections={fleet_file}"),
            *(f"--root={tmp_path}/fleet", "run", "acme"),
        ],
        stdout=subprocess.DEVNULL,
        check=False,
    )

    place = Place(tmp_path, tmp_path / "fleet")
    kept = place.result("acme")
    assert done.returncode == 128 + signal.SIGTERM
    assert kept is not None
    assert kept.exit_code == 128 + signal.SIGTERM
    assert place.running("acme") is None


def test_a_signal_that_comes_while_an_earlier_one_is_passed_on_is_sent_once() -> None:
    """A second signal of one kind would end a load at once, without its state."""
    sent: list[int] = []

    class Process:
        def send_signal(self, number: int) -> None:
            sent.append(number)
            if number == signal.SIGTERM:
                signal.raise_signal(signal.SIGINT)

    with runs._signals_passed_on() as to:
        signal.raise_signal(signal.SIGTERM)
        to(cast("subprocess.Popen[str]", Process()))

    assert sent == [signal.SIGTERM, signal.SIGINT]


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


@pytest.mark.usefixtures("meltano")
@pytest.mark.parametrize(
    ("heading", "row"),
    [
        ("name,env_file,enabled", "acme,own.env,TRUE"),
        ("name;env_file;enabled", "acme;own.env;true"),
        ("name\tenv_file", "acme\town.env"),
    ],
    ids=["commas", "semicolons", "tabs"],
)
def test_connections_stand_in_a_table_that_a_spreadsheet_wrote(
    tmp_path: Path, heading: str, row: str
) -> None:
    (tmp_path / "own.env").write_text("A=1\n", encoding="utf-8")
    (tmp_path / "clients.csv").write_text(f"\ufeff{heading}\r\n{row}\r\n\r\n", encoding="utf-8")
    file = written(tmp_path / "connections.yml", "connections: clients.csv")

    assert call(file, "list").output == "acme\tpinterest_acme\tacme\n"


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("name,shema\nacme,b\n", "clients.csv:1: shema: refused; allowed: env_file, name"),
        ("name,name\n", "clients.csv:1: name: refused; allowed: once"),
        ("name,env_file\nacme,own.env\nacme,own.env\n", "clients.csv:3: name acme: refused"),
        ("name,env_file\nacme,own.env,x\n", "clients.csv:2: the row: refused; allowed: 2 cells"),
        ('name,env_file\nacme,"own.env\n', "the row: refused; allowed: CSV with closed quotes"),
        ("name,env_file,enabled\nacme,own.env,maybe\n", ":2: acme: enabled: refused"),
        ("name,env_file\n", "connections: refused; allowed: at least one connection"),
    ],
)
def test_a_fault_in_a_table_is_named_with_its_line(tmp_path: Path, table: str, fault: str) -> None:
    (tmp_path / "own.env").write_text("A=1\n", encoding="utf-8")
    (tmp_path / "clients.csv").write_text(table, encoding="utf-8")

    assert fault in refusal(tmp_path, "connections: clients.csv")


def test_files_that_windows_wrote_are_read_like_others(tmp_path: Path) -> None:
    (tmp_path / "own.env").write_bytes("\ufeffTAP_A=1\r\nTAP_B='2'\r\n".encode())
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted" / "TAP_A").write_bytes("\ufeff1\r\n".encode())
    text = (
        "\ufeffconnections:\r\n- {name: a, env_file: own.env}\r\n"
        "- {name: b, secret: 'directory:mounted'}\r\n"
    )
    file = tmp_path / "connections.yml"
    file.write_bytes(text.encode())

    a, b = (each.secret.variables() for each in connections.read(file).connections)

    assert (a, b) == ({"TAP_A": "1", "TAP_B": "2"}, {"TAP_A": "1"})


@pytest.mark.parametrize("text", ["A=1\n\n B\n", "A=1\r\n# b\r\nB='2\r\n"])
def test_a_line_of_an_env_file_that_is_not_understood_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.env").write_bytes(text.encode())
    file = written(tmp_path / "connections.yml", "connections:\n- {name: a, env_file: own.env}")

    assert "a: own.env:3: not of the form NAME=value" in call(file, "check").output


def test_a_name_is_the_text_that_stands_there(tmp_path: Path) -> None:
    (tmp_path / "own.env").write_text("A=1\n", encoding="utf-8")
    text = (
        "connections:\n- {name: 0123, env_file: own.env}\n- {name: 2026-01-01, env_file: own.env}"
    )

    fleet = connections.read(written(tmp_path / "connections.yml", text))

    # YAML has a number and a date there.
    assert fleet.names == ["0123", "2026-01-01"]


def test_a_missing_secret_stops_its_own_connection_only(fleet_file: Path, meltano: Path) -> None:
    with fleet_file.open("a", encoding="utf-8") as file:
        file.write("- name: late\n  env_file: late.env\n")

    assert "connections.yml:13: late: its secret: refused" in call(fleet_file, "check").output
    assert call(fleet_file, "run", "late").exit_code == errors.NEEDS_A_PERSON
    assert call(fleet_file, "run", "acme").exit_code == 0
    assert meltano.exists()


@pytest.mark.usefixtures("meltano")
def test_a_secret_store_that_fails_is_asked_again(tmp_path: Path) -> None:
    text = "connections:\n- name: a\n  secret: command:sh -c 'exit 3'"

    assert call(written(tmp_path / "connections.yml", text), "run", "a").exit_code == errors.FAILED


@pytest.mark.usefixtures("meltano")
def test_check_asks_for_a_retry_if_one_can_help_any_connection(tmp_path: Path) -> None:
    gone = "{name: a, env_file: gone.env}"
    text = f"connections: [{gone}, {{name: b, secret: 'command:sh -c \"exit 3\"'}}]"

    result = call(written(tmp_path / "connections.yml", text), "check")

    assert result.exit_code == errors.FAILED
    assert "b: sh ended with exit code 3" in result.output
    assert "a: its secret: refused" in refusal(tmp_path, f"connections: [{gone}]")


@pytest.mark.parametrize(
    ("first", "second", "fault"),
    [
        ("TAP_PINTEREST_REFRESH_TOKEN=1", "TAP_PINTEREST_REFRESH_TOKEN=1", "the token of a"),
        ("TAP_PINTEREST_TOKEN_FILE=t", "TAP_PINTEREST_TOKEN_FILE=t", "the token file of a"),
        ("credential: agency\nTAP_PINTEREST_REFRESH_TOKEN=1", "2", "but another token\n"),
        (
            "credential: agency\nTAP_PINTEREST_REFRESH_TOKEN=1",
            "1\nTAP_PINTEREST_TOKEN_FILE=b",
            "but another token file\n",
        ),
    ],
)
def test_connections_share_a_token_if_and_only_if_they_share_a_credential(
    tmp_path: Path, first: str, second: str, fault: str
) -> None:
    credential, _, first = first.rpartition("\n")
    second = f"TAP_PINTEREST_REFRESH_TOKEN={second}" if credential else second
    # Tokens of their own, where the variables above have none.
    (tmp_path / "a.env").write_text(f"{first}\nTAP_PINTEREST_ACCESS_TOKEN=a", encoding="utf-8")
    (tmp_path / "b.env").write_text(f"{second}\nTAP_PINTEREST_ACCESS_TOKEN=b", encoding="utf-8")
    own = f", {credential}" if credential else ""
    listed = "".join(f"- {{name: {name}, env_file: {name}.env{own}}}\n" for name in "ab")

    output = refusal(tmp_path, f"connections:\n{listed}")

    assert "b: it has the" in output
    assert fault in output


@pytest.mark.usefixtures("meltano")
def test_connections_without_a_token_file_share_none(tmp_path: Path) -> None:
    for name in "ab":
        variables = f"TAP_PINTEREST_TOKEN_FILE=\nTAP_PINTEREST_ACCESS_TOKEN={name}\n"
        written(tmp_path / f"{name}.env", variables)
    text = "connections: [{name: a, env_file: a.env}, {name: b, env_file: b.env}]"

    result = call(written(tmp_path / "connections.yml", text), "check")

    assert result.exit_code == 0, result.output


@contextmanager
def held(file: Path, name: str) -> Iterator[None]:
    """Another run of a connection, which never comes to its end."""
    with turns.turn(file.parent / "fleet" / "connections" / name) as own:
        own.begin("2026-01-01T06:00:00+00:00")
        yield


@pytest.mark.usefixtures("meltano")
def test_a_connection_runs_once_at_a_time(fleet_file: Path) -> None:
    call(fleet_file, "run", "acme")
    with held(fleet_file, "acme"):
        again = call(fleet_file, "run", "acme")
        other = call(fleet_file, "run", "globex")
        metrics = sampled(call(fleet_file, "metrics").output)

    assert (again.exit_code, other.exit_code) == (errors.FAILED, 0)
    assert "acme: not started: the run that began at 2026-01-01T06:00:00+00:00 on" in again.output
    assert metrics["pinterest_last_run_exit_code", "acme"] == 0
    assert metrics["pinterest_running_since_timestamp_seconds", "acme"] == 1_767_247_200
    assert len(seen(fleet_file)) == 2


@pytest.mark.usefixtures("meltano")
def test_no_run_after_a_kill_waits_for_the_killed_one(
    fleet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(fleet_file, "run", "acme")
    with held(fleet_file, "acme"):
        pass  # its end is never noted

    secret = fleet_file.parent / "acme.env"
    secret.rename(fleet_file.parent / "moved.env")
    call(fleet_file, "run", "acme")  # which cannot begin
    (fleet_file.parent / "moved.env").rename(secret)
    after = call(fleet_file, "run", "acme")
    soon = call(fleet_file, "run", "acme")
    monkeypatch.setattr(turns, "MELTANO_WAITS", timedelta(0))
    later = call(fleet_file, "run", "acme")

    assert "was killed; this run completes it" in after.output
    assert "was killed" not in soon.output + later.output
    # Meltano has the killed run in its database for five minutes.
    forced = ["--force" in arguments for arguments, _ in seen(fleet_file)]
    assert forced == [False, True, True, False]


def test_a_killed_command_leaves_the_lock_to_meltano_until_that_ends(
    fleet_file: Path, tmp_path: Path, meltano: Path
) -> None:
    with (tmp_path / "acme.env").open("a", encoding="utf-8") as file:
        file.write("WAITS=1\n")
    with started(fleet_file, meltano, "run", "acme") as process:
        assert process.stdout is not None
        while process.stdout.readline() != "waiting\n":
            pass
        process.kill()
        process.wait()
        busy = call(fleet_file, "run", "acme")
        os.killpg(process.pid, signal.SIGTERM)
        process.stdout.read()  # until Meltano has closed it

    assert "acme: not started" in busy.output


@pytest.mark.usefixtures("meltano")
def test_a_run_that_was_stopped_is_none_that_goes_on_or_was_killed(fleet_file: Path) -> None:
    env = fleet_file.parent / "acme.env"
    before = env.read_text("utf-8")
    env.write_text(f"{before}KILLED=15\n", encoding="utf-8")
    stopped = call(fleet_file, "run", "acme")
    metrics = sampled(call(fleet_file, "metrics").output)
    env.write_text(before, encoding="utf-8")

    after = call(fleet_file, "run", "acme")

    assert stopped.exit_code == 128 + signal.SIGTERM
    assert ("pinterest_running_since_timestamp_seconds", "acme") not in metrics
    assert "was killed" not in after.output
    # Meltano does not know that the first has ended.
    assert "--force" in seen(fleet_file)[-1][0]


@pytest.mark.usefixtures("meltano")
def test_a_run_that_a_signal_ended_is_completed_by_the_next(fleet_file: Path) -> None:
    env = fleet_file.parent / "acme.env"
    before = env.read_text("utf-8")
    env.write_text(f"{before}KILLED=9\n", encoding="utf-8")
    killed = call(fleet_file, "run", "acme")
    env.write_text(before, encoding="utf-8")

    after = call(fleet_file, "run", "acme")

    assert killed.exit_code == 128 + signal.SIGKILL
    assert after.exit_code == 0
    assert "--force" in seen(fleet_file)[-1][0]


def test_run_all_stops_in_order_and_starts_no_other(
    fleet_file: Path, tmp_path: Path, meltano: Path
) -> None:
    with (tmp_path / "acme.env").open("a", encoding="utf-8") as file:
        file.write("WAITS=1\n")
    with started(fleet_file, meltano, "run-all") as process:
        log = tmp_path / "fleet" / "connections" / "acme" / "last_run.log"
        while not (log.exists() and "waiting" in log.read_text("utf-8")):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate()

    assert process.returncode == 128 + signal.SIGTERM
    assert "acme\texit code 143" in output
    assert "globex\tnot started" in output


def test_run_all_fails_if_a_run_was_killed(
    fleet_file: Path, meltano: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert meltano.exists()
    dies = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    monkeypatch.setattr(cli, "_own_command", lambda _: dies)

    result = call(fleet_file, "run-all")

    assert result.exit_code == errors.FAILED
    assert "acme\texit code 137" in result.output


@pytest.mark.usefixtures("meltano")
@pytest.mark.parametrize(
    ("codes", "code"),
    [((78, 1), 1), ((78, 137), 1), ((78, 78), 78), ((0, 78), 78), ((0, 1), 1), ((0, 0), 0)],
    ids=str,
)
def test_run_all_asks_for_a_retry_if_one_can_help_any_connection(
    fleet_file: Path, monkeypatch: pytest.MonkeyPatch, codes: tuple[int, ...], code: int
) -> None:
    commands = iter([sys.executable, "-c", f"import os; os._exit({each})"] for each in codes)
    monkeypatch.setattr(cli, "_own_command", lambda _: next(commands))

    assert call(fleet_file, "run-all").exit_code == code


@pytest.mark.usefixtures("meltano")
def test_run_all_goes_on_if_meltanos_database_does_not_answer_at_first(
    fleet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_own_command", lambda _: [sys.executable, "-c", "pass"])

    result = call(fleet_file, "run-all", CODE="1", PRINTED="the database does not answer")

    assert result.exit_code == 0
    assert "the database does not answer" in result.output
    assert "acme\tok\nglobex\tok\n" in result.output


def test_run_all_goes_on_if_a_run_cannot_be_started(
    fleet_file: Path, meltano: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert meltano.exists()
    commands = iter([["/no/such/program"], [sys.executable, "-c", "pass"]])
    monkeypatch.setattr(cli, "_own_command", lambda _: next(commands))

    result = call(fleet_file, "run-all")

    assert result.exit_code == errors.FAILED
    assert "/no/such/program: No such file or directory\nacme\tnot started\n" in result.output
    assert "globex\tok" in result.output


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is of Linux")
def test_run_all_goes_on_if_nobody_takes_its_output(
    fleet_file: Path, tmp_path: Path, meltano: Path
) -> None:
    place = [f"--connections={fleet_file}", f"--root={tmp_path}/fleet"]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*program_with(tmp_path, meltano), *place, "run-all"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    loads = [arguments for arguments, _ in seen(fleet_file) if "run" in arguments]
    assert (done.returncode, len(loads)) == (0, 2)
    assert "the end of this list is lost: No space left on device" in done.stderr


def test_a_connection_that_is_disabled_in_the_meantime_is_left_out(
    fleet_file: Path, meltano: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert meltano.exists()
    text = fleet_file.read_text("utf-8")
    less = text.replace("  schema: globex\n", "  schema: globex\n  enabled: false\n")
    changes = f"import sys, pathlib; pathlib.Path({str(fleet_file)!r}).write_text({less!r}); "
    ends = "sys.exit(78 if 'globex' in sys.argv else 0)"
    monkeypatch.setattr(cli, "_own_command", lambda _: [sys.executable, "-c", changes + ends])

    result = call(fleet_file, "run-all")

    assert result.exit_code == 0, result.output
    assert "globex\tnot loaded: it is not enabled any more" in result.output


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is of Linux")
@pytest.mark.usefixtures("meltano")
def test_a_log_on_a_full_disk_ends_no_run(fleet_file: Path) -> None:
    result = call(fleet_file, "run", "acme", "--log", "/dev/full")

    assert result.exit_code == 0
    assert "acme: the end of its log is lost: No space left on device" in result.output


@pytest.mark.usefixtures("meltano")
def test_a_root_that_cannot_be_written_is_named(
    fleet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fails(*_: object, **__: object) -> None:
        raise full

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fails)
        before = call(fleet_file, "run", "acme")
    monkeypatch.setattr(tempfile, "mkstemp", fails)
    after = call(fleet_file, "run", "acme")

    root = fleet_file.parent / "fleet"
    for result in (before, after):
        assert result.exit_code == errors.FAILED
        assert f"acme: {root}: No space left on device" in result.output


def test_metrics_show_what_is_known_without_the_database(fleet_file: Path) -> None:
    result = call(fleet_file, "metrics", "--database", "postgresql://127.0.0.1:1/x")

    assert result.exit_code == 1
    assert "# EOF" in result.output
    assert "the database does not answer" in result.output


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
CREATE TABLE {} (stream text, account_id text, ad_account_id text, user_id text,
  run_id text, run_started_at timestamptz, ended_at timestamptz, start_date date,
  rows bigint, calls bigint, seconds_waited numeric, complete_to date, result text, failed boolean)
"""
LOG_ROWS: list[tuple[object, ...]] = [
    # stream, account, day of the run, rows, calls, seconds waited, complete to, result, failed
    ("ad_analytics", "7", "2026-03-01", 9, 2, 0, "2026-02-27", "complete", False),
    ("ad_analytics", "7", "2026-03-02", 5, 3, 1.5, "2026-02-28", "complete", False),
    ("campaign_analytics", "7", "2026-03-02", 4, 1, 0, "2026-02-26", "failed", True),
    ("boards", None, "2026-03-02", 3, 1, 0, None, "complete", False),
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
                row = (stream, account or "(none)", account, None, day, day, day, None, *rest)
                places = sql.SQL(", ").join(map(sql.Literal, row))
                connection.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(log, places))
        yield url, schema


@pytest.mark.usefixtures("meltano")
def test_metrics_show_each_connection_and_account(
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
    assert found["pinterest_last_run_rows", "acme"] == 3
    assert found["pinterest_last_run_calls", "acme/7"] == 4
    assert found["pinterest_last_run_waited_seconds", "acme/7"] == 1.5
    assert found["pinterest_last_run_missing_streams", "acme/7"] == 1
    assert Gateway.taken == [("/metrics/job/pinterest", observations.CONTENT_TYPE, text)]


@pytest.mark.usefixtures("meltano")
def test_a_connection_that_has_never_run_has_an_alert(fleet_file: Path) -> None:
    call(fleet_file, "run", "acme")
    text = (ROOT / "deploy/alerts/pinterest.rules.yml").read_text("utf-8")
    rules = {each["alert"]: each["expr"] for each in yaml.safe_load(text)["groups"][0]["rules"]}
    form = r"(\w+) unless on \(connection\) (\w+)"
    found = re.fullmatch(form, rules["PinterestNeverRan"])
    assert found
    metrics = sampled(call(fleet_file, "metrics").output)

    enabled, ended = (
        {name for family, name in metrics if family == each} for each in found.groups()
    )

    assert (enabled, ended) == ({"acme", "globex"}, {"acme"})


def test_metrics_wait_for_no_database_that_does_not_answer(loaded: tuple[str, str]) -> None:
    url, _ = loaded
    with connected(url) as connection, connected(f"{url}?connect_timeout=3") as other:
        waits = [each.info.get_parameters()["connect_timeout"] for each in (connection, other)]

    assert waits == ["15", "3"]


def test_one_view_is_over_all_schemas(fleet_file: Path, loaded: tuple[str, str]) -> None:
    url, schema = loaded

    viewed = call(fleet_file, "view", "--database", url, "--schema", schema)

    assert viewed.output == "globex: nothing is loaded yet, so the view leaves it out\n"
    query = sql.SQL("SELECT connection, ad_account_id, complete_to::text FROM {}").format(
        sql.Identifier(schema, observations.VIEW)
    )
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rows = connection.execute(query).fetchall()
    assert set(rows) == {("acme", "7", "2026-02-26"), ("acme", None, None)}


def test_a_table_that_cannot_be_read_takes_no_other_out_of_metrics_and_view(
    fleet_file: Path, loaded: tuple[str, str]
) -> None:
    url, schema = loaded
    older = f"{schema}_older"
    text = fleet_file.read_text("utf-8").replace("schema: globex", f"schema: {older}")
    # It comes first.
    first, second = text.split("- name: acme")[1].split("- name: globex")
    written(fleet_file, f"connections:\n- name: globex{second}- name: acme{first}")
    log = sql.Identifier(older, "sync_log")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(older)))
        try:
            connection.execute(sql.SQL("CREATE TABLE {} (stream text)").format(log))
            metrics = call(fleet_file, "metrics", "--database", url)
            viewed = call(fleet_file, "view", "--database", url, "--schema", schema)
            rows = connection.execute(
                sql.SQL("SELECT DISTINCT connection FROM {}").format(
                    sql.Identifier(schema, observations.VIEW)
                )
            ).fetchall()
        finally:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(older)))

    assert (metrics.exit_code, viewed.exit_code) == (errors.NEEDS_A_PERSON, errors.NEEDS_A_PERSON)
    fault = f"globex: the database refuses {older}.sync_log: column "
    assert fault in metrics.output
    assert fault in viewed.output
    assert 'pinterest_last_run_rows{connection="acme",ad_account="7"} 9' in metrics.output
    assert rows == [("acme",)]


def test_a_run_under_a_wrong_clock_does_not_stay_the_last_one(
    fleet_file: Path, loaded: tuple[str, str]
) -> None:
    url, schema = loaded
    log = sql.Identifier(schema, "sync_log")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            sql.SQL(
                "INSERT INTO {} (stream, account_id, run_id, run_started_at, rows)"
                " VALUES ('ad_analytics', '7', '2999', '2999-01-01', 1)"
            ).format(log)
        )

    found = sampled(call(fleet_file, "metrics", "--database", url).output)

    assert found["pinterest_last_run_rows", "acme/7"] == 9


def test_every_alert_is_about_a_metric_that_exists() -> None:
    rules = yaml.safe_load((ROOT / "deploy/alerts/pinterest.rules.yml").read_text("utf-8"))
    families = {
        value.name
        for value in vars(observations).values()
        if isinstance(value, observations.Family)
    }

    for rule in rules["groups"][0]["rules"]:
        named = {*re.findall(r"pinterest_\w+", rule["expr"])}
        assert named
        assert named <= families


class Killed(NamedTuple):
    """A fleet whose worker was killed, and the rows of its tables then."""

    world: FleetWorld
    place: Place
    rows: Mapping[str, Mapping[str, int]]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    """Two connections: one was refused, the other was killed in the middle of its load."""
    folder = tmp_path_factory.mktemp("fleet")
    program = program_with(folder, forked_programs.folder() / "meltano")
    size = dataclasses.replace(LARGER, days=14)
    with fleet_world(folder, 2, size, SMALL_BATCHES) as started_world:
        world = dataclasses.replace(started_world, program=program)
        world.poison("client01")
        with pytest.MonkeyPatch.context() as patch:
            # As in many workflows; the reason of a failure is found nevertheless.
            patch.setenv("FORCE_COLOR", "1")
            rows = kill_run_all(world, ["client02"], at_once=1)
        yield Killed(world, Place(ROOT, folder / "fleet"), rows)


def test_a_refused_credential_fails_alone(killed: Killed) -> None:
    refused = killed.place.result("client01")

    assert refused is not None
    assert refused.exit_code == errors.NEEDS_A_PERSON
    log = (killed.place.root / "connections/client01/last_run.log").read_text("utf-8")
    assert killed.world.sandboxes["client01"].credentials["client_secret"] not in log
    assert killed.rows["client02"]["ad_analytics"] > 0


def test_the_next_run_after_a_kill_brings_all_tables_to_the_truth(killed: Killed) -> None:
    world = killed.world
    assert killed.place.running("client02") is not None
    world.write_variables("client01")

    done = world.fleet("run-all", "--at-once", "2")

    assert done.returncode == 0, done.stdout
    assert "ad_analytics" in partial(killed.rows, world)["client02"]
    alone = str(world.write_alone(["client02"]))
    assert world.fleet("--connections", alone, "run", "alone-client02").returncode == 0
    assert world.differing("client02") == []
    assert world.contents("pinterest_client01")["ads"][0] > 0
    assert world.refused_calls == 0
    assert killed.place.running("client02") is None
    files = {each.name for each in (killed.place.root / "tokens").glob("client*.json")}
    assert files == {"client01.json", "client02.json"}
