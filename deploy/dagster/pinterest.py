"""All connections of tap-pinterest as a Dagster job with dynamic mapping.

Dagster knows the names of connections only. The op calls `pinterest-fleet`, whose options come from
the variables PINTEREST_FLEET_FILE, PINTEREST_FLEET_PROJECT and PINTEREST_FLEET_ROOT.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess

import dagster

FLEET = shlex.split(os.environ.get("PINTEREST_FLEET", "pinterest-fleet"))
NEEDS_A_PERSON = 78


@dagster.op(out=dagster.DynamicOut(str))
def connections():  # noqa: ANN201 - Dagster reads annotations, and this one would be its own
    """Prepare Meltano's database, and yield the name of every enabled connection."""
    subprocess.run([*FLEET, "prime"], check=True)
    listed = subprocess.run(
        [*FLEET, "list", "--format", "json"], check=True, stdout=subprocess.PIPE
    )
    for each in json.loads(listed.stdout)["connections"]:
        key = each["name"].replace("-", "_")
        yield dagster.DynamicOutput(each["name"], mapping_key=key)


@dagster.op(retry_policy=dagster.RetryPolicy(3, 300, dagster.Backoff.EXPONENTIAL))
def load(context: dagster.OpExecutionContext, name: str) -> None:
    """Load one connection; a failure is its own."""
    code = subprocess.run([*FLEET, "run", name], check=False).returncode
    if code == NEEDS_A_PERSON:
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
    schedules=[dagster.ScheduleDefinition(job=pinterest, cron_schedule="0 6 * * *")],
)
