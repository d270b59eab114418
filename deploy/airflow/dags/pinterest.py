"""Loads all connections of tap-pinterest each morning, and old days again on request.

Airflow knows the names of connections only. Their variables are read by `pinterest-fleet`, in a
process of its own, from where the file of connections says.

Variables of the environment of Airflow:
    PINTEREST_FLEET: The command, such as /srv/pinterest/.venv/bin/pinterest-fleet.
    PINTEREST_FLEET_FILE, PINTEREST_FLEET_PROJECT, PINTEREST_FLEET_ROOT: Its options.
    PINTEREST_FLEET_MODELS: A command that builds the models once the tables are loaded; may be
        left out.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from datetime import UTC, datetime, timedelta

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

FLEET = shlex.split(os.environ.get("PINTEREST_FLEET", "pinterest-fleet"))
MODELS = shlex.split(os.environ.get("PINTEREST_FLEET_MODELS", ""))
NEEDS_A_PERSON = 78
POOL = "pinterest"
STOP_SECONDS = 120
LONGEST_RUN = timedelta(hours=23)
"""A task waits for a pool that was not imported until its run is failed."""
RETRIES = {
    "retries": 3,
    "retry_delay": timedelta(minutes=float(os.environ.get("PINTEREST_FLEET_RETRY_MINUTES", "5"))),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(hours=1),
}
"""Tried again, ever later: a run that fails because Pinterest does not answer, and any task whose
worker was killed."""


def listed() -> dict:
    """Names and schemas of the enabled connections, and the credentials that several share."""
    done = subprocess.run(
        [*FLEET, "list", "--format", "json"], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        message = "The file of connections has faults; pinterest-fleet check names them."
        raise AirflowFailException(message)
    return json.loads(done.stdout)


def called(arguments: list[str]) -> int:
    """Run a command, and pass a stop of the task on to it, so that the state stays right."""
    with subprocess.Popen(arguments, start_new_session=True) as process:
        try:
            return process.wait()
        except BaseException:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                # With all that it has started, or Meltano would go on alone.
                os.killpg(process.pid, signal.SIGKILL)
            raise


@task(**RETRIES)
def check() -> None:
    """Name what each connection lacks. It holds up nothing: such a connection fails alone."""
    if code := called([*FLEET, "check"]):
        message = "Connections have faults; the lines above name them."
        raise (AirflowFailException if code == NEEDS_A_PERSON else RuntimeError)(message)


@task(**RETRIES)
def prime() -> None:
    """Prepare Meltano's database once; connections that start together would all try to."""
    if code := called([*FLEET, "prime"]):
        message = "Meltano's database cannot be prepared; the log above says why."
        raise (AirflowFailException if code == NEEDS_A_PERSON else RuntimeError)(message)


@task(**RETRIES)
def names(credential: str = "") -> list[str]:
    """The connections to load: of one shared credential, or all without such a task of their own.

    The parameter `connections` narrows them; an empty list means all.
    """
    found = listed()["connections"]
    context = get_current_context()
    wanted = context["params"].get("connections") or []
    if unknown := sorted(set(wanted) - {each["name"] for each in found}):
        message = f"No enabled connection is called {', '.join(unknown)}."
        raise AirflowFailException(message)
    mine = {credential} if credential else {each["credential"] for each in found} - pooled(context)
    return [
        each["name"]
        for each in found
        if each["credential"] in mine and (not wanted or each["name"] in wanted)
    ]


def pooled(context) -> set[str]:  # noqa: ANN001 - Airflow has several types for it
    """The credentials that have tasks of their own in this run.

    The file may have changed since Airflow read the tasks from it.
    """
    task = context["ti"]
    states = task.get_task_states(dag_id=task.dag_id, run_ids=[task.run_id])
    own = "names_"
    return {each.removeprefix(own) for each in states[task.run_id] if each.startswith(own)}


@task(map_index_template="{{ connection }}", **RETRIES)
def load(name: str) -> None:
    """Load one connection. A failure is its own: the others go on."""
    context = get_current_context()
    context["connection"] = name
    params = context["params"]
    # The command refuses one without the other.
    days = [f"--{each}={params[each]}" for each in ("from", "to") if params.get(each)]
    code = called([*FLEET, "run", name, *days])
    if code == NEEDS_A_PERSON:
        if name not in {each["name"] for each in listed()["connections"]}:
            message = f"{name} is not enabled any more."
            raise AirflowSkipException(message)
        message = f"{name}: a person has to act, a retry changes nothing; the log above says why."
        raise AirflowFailException(message)
    if code:
        message = f"{name}: ended with exit code {code}; the log above says what is missing."
        raise RuntimeError(message)


@task(trigger_rule="all_done", **RETRIES)
def models() -> None:
    """Build the models from what has arrived, also if a connection has failed."""
    if not MODELS:
        message = "PINTEREST_FLEET_MODELS names no command."
        raise AirflowSkipException(message)
    schemas = [each["schema"] for each in listed()["connections"]]
    variables = json.dumps({"pinterest_schemas": schemas})
    if called([*MODELS, "--vars", variables]):
        message = "The models cannot be built; the log above says why."
        raise AirflowFailException(message)


@task(trigger_rule="none_failed", **RETRIES)
def all_loaded() -> None:
    """Succeed only if every connection has arrived, so that the run shows what is missing."""


def load_all() -> None:
    """Prime, then load every connection, then build the models.

    Pinterest counts calls by app and user, so connections with one credential share a pool. All
    others share the pool `pinterest`.
    """
    primed, built, done = prime(), models(), all_loaded()
    # The shared credentials are read with the DAG, the names at each run.
    for credential in ["", *listed()["shared_credentials"]]:
        suffix = f"_{credential}" if credential else ""
        found = names.override(task_id=f"names{suffix}")(credential)
        loaded = load.override(task_id=f"load{suffix}", pool=f"{POOL}{suffix}").expand(name=found)
        primed >> found
        loaded >> [built, done]


@dag(
    dag_id="pinterest",
    schedule="0 6 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=LONGEST_RUN,
    tags=["pinterest"],
    doc_md=__doc__,
)
def pinterest() -> None:
    """All connections, each morning."""
    check()
    load_all()


@dag(
    dag_id="pinterest_backfill",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=LONGEST_RUN,
    tags=["pinterest"],
    params={
        # Without days it is an ordinary run of some connections.
        "from": Param(None, type=["null", "string"], format="date", description="First day."),
        "to": Param(None, type=["null", "string"], format="date", description="Last day."),
        "connections": Param(
            [], type="array", items={"type": "string"}, description="Names; empty means all."
        ),
    },
    doc_md=__doc__,
)
def pinterest_backfill() -> None:
    """Days of some connections again."""
    load_all()


pinterest()
pinterest_backfill()
