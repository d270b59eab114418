"""The files for schedulers: what Kubernetes, GitHub and Airflow say of them."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml

from pinterest_fleet import connections, errors
from scripts.processes import ROOT, command

if TYPE_CHECKING:
    from pathlib import Path

DEPLOY = ROOT / "deploy"
AIRFLOW = ROOT / ".venv-airflow" / "bin" / "python"
DAGSTER = ROOT / ".venv-dagster" / "bin" / "dagster"
KUBERNETES = "1.37"
FLEET = """#!{python}
import os, sys
from pinterest_fleet import cli
arguments = sys.argv[1:]
if arguments[0] == "prime":
    sys.exit(0)
if arguments[0] == "run":
    print("loading", *arguments[1:])
    if len(arguments) == 3:  # one day of two
        sys.exit(78)
    if arguments[1] == "disabled":
        with open(os.environ["PINTEREST_FLEET_FILE"], "r+") as file:
            text = file.read().replace("name: disabled,", "name: disabled, enabled: false,")
            file.seek(0)
            file.write(text)
    sys.exit({{"globex": 78, "disabled": 78, "initech": 1}}.get(arguments[1], 0))
sys.argv[0] = "pinterest-fleet"
cli.main()
"""
RUN_DAG = """
import json, os, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
found = {"errors": bag.import_errors, "dags": sorted(bag.dag_ids)}
with open(os.environ["PINTEREST_FLEET_FILE"], "a") as file:
    file.write(os.environ.get("ADDED", ""))
if len(sys.argv) > 2:
    run = bag.get_dag(sys.argv[2]).test(run_conf=json.loads(sys.argv[3]))
    found["state"] = run.state
    found["tasks"] = [
        [each.task_id, each.rendered_map_index, each.state] for each in run.get_task_instances()
    ]
print("FOUND" + json.dumps(found))
"""
in_dagster = pytest.mark.skipif(not DAGSTER.exists(), reason="make dagster-test installs Dagster")
in_airflow = pytest.mark.skipif(not AIRFLOW.exists(), reason="make airflow-demo installs Airflow")


def manifests() -> list[dict[str, Any]]:
    """The objects of the Kubernetes file."""
    return [*yaml.safe_load_all((DEPLOY / "kubernetes/cronjob.yml").read_text("utf-8"))]


@pytest.mark.parametrize("manifest", manifests(), ids=lambda each: each["kind"])
def test_kubernetes_accepts_the_objects(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_cron_job_never_runs_twice_and_stops_retrying_when_a_person_has_to_act() -> None:
    (job,) = [each["spec"] for each in manifests() if each["kind"] == "CronJob"]
    (rule,) = job["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]

    assert job["concurrencyPolicy"] == "Forbid"
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [errors.NEEDS_A_PERSON])


def test_the_connections_of_kubernetes_can_be_read(tmp_path: Path) -> None:
    (config,) = [each["data"] for each in manifests() if each["kind"] == "ConfigMap"]
    (tmp_path / "secret").mkdir()
    text = config["connections.yml"].replace("/run/secrets/acme", str(tmp_path / "secret"))
    file = tmp_path / "connections.yml"
    file.write_text(text, encoding="utf-8")

    assert [each.name for each in connections.read(file).enabled] == ["acme"]


def test_github_accepts_the_workflow() -> None:
    checker = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
    ]

    done = subprocess.run(
        [*checker, str(DEPLOY / "github/pinterest.yml")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_the_workflow_has_a_job_for_each_connection_and_none_stops_another() -> None:
    workflow = yaml.safe_load((DEPLOY / "github/pinterest.yml").read_text("utf-8"))
    strategy = workflow["jobs"]["load"]["strategy"]

    assert strategy["fail-fast"] is False
    assert strategy["matrix"] == "${{ fromJSON(needs.connections.outputs.matrix) }}"


def test_the_workflow_keeps_renewed_tokens_like_that_of_one_connection() -> None:
    documented = (ROOT / "docs/running.md").read_text("utf-8")
    (block,) = re.findall(r"^```yaml workflow\n(.+?)^```$", documented, re.DOTALL | re.MULTILINE)
    text = (DEPLOY / "github/pinterest.yml").read_text("utf-8")

    def of_tokens(workflow: str) -> list[Any]:
        steps = yaml.safe_load(workflow)["jobs"]["load"]["steps"]
        return [each for each in steps if "tokens." in str(each)]

    found = of_tokens(text.replace("pinterest-${{ matrix.connection }}:", "pinterest-"))
    assert len(found) == 4
    assert found == of_tokens(block)
    assert "TAP_PINTEREST_TOKEN_FILE: ${{ github.workspace }}/tokens.json\n" in text


@pytest.fixture
def fleet(tmp_path: Path) -> dict[str, str]:
    """The variables of a scheduler with a fleet in which two connections fail.

    The secret of one is missing.
    """
    (tmp_path / "own.env").write_text("TAP_PINTEREST_CLIENT_SECRET=of-the-env-file\n", "utf-8")
    lines = ["connections:\n"]
    for name, credential in [
        *(("acme", "acme"), ("globex", "globex"), ("initech", "initech"), ("disabled", "disabled")),
        *(("no-rth", "agency"), ("no_rth", "agency")),
    ]:
        secret = "lost" if name == "globex" else "own"
        own = f"env_file: {secret}.env, credential: {credential}, schema: s{len(lines)}"
        lines.append(f"- {{name: {name}, {own}}}\n")
    (tmp_path / "connections.yml").write_text("".join(lines), encoding="utf-8")
    program = tmp_path / "pinterest-fleet"
    program.write_text(FLEET.format(python=command("python")), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    others = ("AIRFLOW", "DAGSTER", "PINTEREST")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(others)},
        "PINTEREST_FLEET": str(program),
        "PINTEREST_FLEET_RETRY_MINUTES": "0",
        "PINTEREST_FLEET_FILE": str(tmp_path / "connections.yml"),
        "PINTEREST_FLEET_PROJECT": str(tmp_path),
        "PINTEREST_FLEET_ROOT": str(tmp_path / "fleet"),
    }


@pytest.fixture
def airflow(tmp_path: Path, fleet: dict[str, str]) -> dict[str, str]:
    """The variables of an Airflow of our own with the fleet."""
    variables = {
        **fleet,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DEPLOY / "airflow/dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    program = AIRFLOW.with_name("airflow")
    for arguments in (["db", "migrate"], ["dags", "reserialize"]):
        subprocess.run(
            [program, *arguments], env=variables, cwd=tmp_path, check=True, capture_output=True
        )
    return variables


def said_by_airflow(airflow: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Airflow's report about the DAGs, and about a run of one of them."""
    done = subprocess.run(
        [AIRFLOW, "-c", RUN_DAG, airflow["AIRFLOW__CORE__DAGS_FOLDER"], *arguments],
        env=airflow,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "FOUND" in done.stdout, done.stdout + done.stderr
    assert "of-the-env-file" not in done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.partition("FOUND")[2].splitlines()[0])
    return found


@in_airflow
def test_airflow_runs_the_dags_and_only_the_failing_connections_fail(
    airflow: dict[str, str],
) -> None:
    found = said_by_airflow(airflow, "pinterest", "{}")

    assert found["errors"] == {}
    assert found["dags"] == ["pinterest", "pinterest_backfill"]
    states = {(task, name): state for task, name, state in found["tasks"]}
    # It names the missing secret, and holds up nothing.
    assert states["check", None] == "failed"
    assert states["load", "acme"] == "success"
    assert states["load", "globex"] == "failed"
    assert states["load", "initech"] in {"up_for_retry", "failed"}
    assert states["load_agency", "no-rth"] == states["load_agency", "no_rth"] == "success"
    # It was disabled after the run had begun.
    assert states["load", "disabled"] == "skipped"


@in_airflow
def test_a_credential_that_is_shared_only_now_loses_no_connection(
    airflow: dict[str, str],
) -> None:
    late = "- {name: late, env_file: own.env, credential: acme, schema: late}\n"
    # A task has this name too.
    late += "- {name: check, env_file: own.env}\n"

    found = said_by_airflow({**airflow, "ADDED": late}, "pinterest", "{}")

    states = {(task, name): state for task, name, state in found["tasks"]}
    # Airflow has read its tasks before, so there are none for this credential.
    loads = [states["load", name] for name in ("acme", "late", "check")]
    assert loads == ["success"] * 3
    assert states["load_agency", "no-rth"] == "success"


@in_airflow
def test_half_a_backfill_fails_at_once(airflow: dict[str, str]) -> None:
    asked = {"to": "2026-01-31", "connections": ["acme"]}

    found = said_by_airflow(airflow, "pinterest_backfill", json.dumps(asked))

    states = {(task, name): state for task, name, state in found["tasks"]}
    assert states["load", "acme"] == "failed"


@in_airflow
def test_a_backfill_reads_the_days_of_the_connections_that_were_named(
    airflow: dict[str, str],
) -> None:
    asked = {"from": "2026-01-01", "to": "2026-01-31", "connections": ["no-rth"]}

    found = said_by_airflow(airflow, "pinterest_backfill", json.dumps(asked))

    states = {(task, name): state for task, name, state in found["tasks"]}
    assert found["state"] == "success"
    assert states["load_agency", "no-rth"] == "success"
    assert ("load", "acme") not in states


@in_dagster
def test_dagster_runs_the_job_and_only_the_failing_connections_fail(
    tmp_path: Path, fleet: dict[str, str]
) -> None:
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")

    done = subprocess.run(
        [DAGSTER, "job", "execute", "-f", DEPLOY / "dagster/pinterest.py", "-j", "pinterest"],
        env={**fleet, "DAGSTER_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    loads = Counter(re.findall(r"loading (\S+)", done.stdout))
    once = dict.fromkeys(("acme", "globex", "disabled", "no-rth", "no_rth"), 1)
    assert loads == {**once, "initech": 4}, done.stdout
    (failed,) = re.findall(r"Steps failed: (\[.+\])", done.stdout)
    assert failed == "['load[globex__2]', 'load[initech__3]']"
    assert "globex: a person has to act, a retry changes nothing" in done.stdout
    assert "disabled is not enabled any more, and was not loaded" in done.stdout
    assert "of-the-env-file" not in done.stdout
