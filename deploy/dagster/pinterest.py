"""All connections of tap-pinterest as a Dagster job with dynamic mapping.

Dagster knows the names of connections only. The ops call `pinterest-fleet`.

Variables of the environment of Dagster:
    PINTEREST_FLEET: The command, such as /srv/pinterest/.venv/bin/pinterest-fleet.
    PINTEREST_FLEET_FILE, PINTEREST_FLEET_PROJECT, PINTEREST_FLEET_ROOT: Its options.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess

import dagster

FLEET = shlex.split(os.environ.get("PINTEREST_FLEET", "pinterest-fleet"))
NEEDS_A_PERSON = 78
STOP_SECONDS = 120
RETRIES = dagster.RetryPolicy(
    max_retries=3,
    delay=60 * float(os.environ.get("PINTEREST_FLEET_RETRY_MINUTES", "5")),
    backoff=dagster.Backoff.EXPONENTIAL,
)
"""A run that fails because Pinterest does not answer is tried again, ever later."""


def listed() -> list[str]:
    """The names of the enabled connections."""
    done = subprocess.run([*FLEET, "list", "--format", "json"], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        message = "The file of connections has faults; pinterest-fleet check names them."
        raise dagster.Failure(message, allow_retries=False)
    return [each["name"] for each in json.loads(done.stdout)["connections"]]


def called(arguments: list[str]) -> int:
    """Run a command, and pass a stop of the op on to it, so that the state stays right."""
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


@dagster.op(out=dagster.DynamicOut(str), retry_policy=RETRIES)
def connections():  # noqa: ANN201 - Dagster takes no text for the type of its own classes
    """Prepare Meltano's database, and yield the name of every enabled connection."""
    names = listed()
    if code := called([*FLEET, "prime"]):
        message = "Meltano's database cannot be prepared; the log says why."
        raise dagster.Failure(message, allow_retries=code != NEEDS_A_PERSON)
    for number, name in enumerate(names, start=1):
        # Keys have no hyphens; the number keeps a-b and a_b apart.
        yield dagster.DynamicOutput(name, mapping_key=f"{name.replace('-', '_')}__{number}")


@dagster.op(retry_policy=RETRIES)
def load(context, name: str) -> None:  # noqa: ANN001 - as above
    """Load one connection; a failure is its own."""
    code = called([*FLEET, "run", name])
    if code == NEEDS_A_PERSON:
        if name not in listed():
            context.log.warning("%s is not enabled any more, and was not loaded", name)
            return
        message = f"{name}: a person has to act, a retry changes nothing; the log says why."
        raise dagster.Failure(message, allow_retries=False)
    if code:
        message = f"{name}: ended with exit code {code}; the log says what is missing."
        raise dagster.Failure(message)
    context.log.info("%s is loaded", name)


@dagster.job(executor_def=dagster.multiprocess_executor.configured({"max_concurrent": 4}))
def pinterest() -> None:
    """Every connection, four at a time."""
    connections().map(load)


definitions = dagster.Definitions(
    jobs=[pinterest],
    schedules=[
        dagster.ScheduleDefinition(
            job=pinterest,
            cron_schedule="0 6 * * *",
            default_status=dagster.DefaultScheduleStatus.RUNNING,
        )
    ],
)
