"""`tap-pinterest-plan`: prints the calls of a run as sentences and a table, or as JSON."""

from __future__ import annotations

import math
from typing import IO, TYPE_CHECKING

import click
import msgspec

from tap_pinterest.commands.command import ending_the_run, with_options_of_the_tap
from tap_pinterest.run.causes import Remark, phrases
from tap_pinterest.run.cost import TRIAL_CALLS, plan
from tap_pinterest.run.table import aligned
from tap_pinterest.singer.process import leave, writing_to_stdout
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.plugin_base import _ConfigInput as ConfigInput

    from tap_pinterest.run.cost import Plan


def main() -> None:
    """Run the command line."""
    with_options_of_the_tap(_count, "--version", "--config", "--catalog", "--state")()


@click.command("tap-pinterest-plan")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def _count(
    *,
    as_json: bool,
    config: ConfigInput | None = None,
    state: IO[str] | None = None,
    catalog: IO[str] | None = None,
) -> None:
    """Show what a run would cost: ad accounts, days, calls and the time that they take.

    The command lists ids to count the calls. It reads no report and writes nothing.
    """
    tap = TapPinterest.from_options(config, state, catalog)
    with ending_the_run(tap, "Nothing can be counted"):
        planned = plan(tap.run)
    with writing_to_stdout(tap.logger):
        if as_json:
            click.echo(msgspec.json.encode(planned.as_json()))
        else:
            for line in described(planned, tap.run.settings.access_tier):
                click.echo(line)
    leave(0)


def described(planned: Plan, access_tier: str) -> Iterator[str]:
    """The plan as sentences and a table."""
    yield from aligned(list(_rows(planned)), {"Accounts", "Calls"})
    yield ""
    faults = (
        Remark(each.stream, context, reason)
        for each in planned.streams
        for context, reason in each.faults.items()
    )
    yield from (f"Not counted: {line}" for line in phrases(faults))
    for each in planned.streams:
        if each.most > each.total:
            yield (
                f"{each.stream}: {each.most:,} calls where Pinterest does not let the app ask for "
                "many at once."
            )
    made = planned.made.total()
    yield f"Counting took {made:,} of these calls, to list ids; a run makes them again."
    categories = ", ".join(f"{name} {calls:,}" for name, calls in planned.all_calls.most_common())
    precision = f"{planned.precision} " if planned.precision else ""
    yield f"A run takes {precision}{planned.total:,} calls: {categories or 'none'}."
    yield f"At the limits of standard access that is {_minutes(planned.minutes)}."
    days = planned.trial_days
    enough = "suffice" if days <= 1 else f"do not suffice: it takes {days:,} days"
    tier = " (access_tier: trial)" if access_tier == "trial" else ""
    yield f"The {TRIAL_CALLS:,} calls of a trial day{tier} {enough}."


def _minutes(minutes: float) -> str:
    if minutes < 1:
        return "less than a minute"
    return "a minute or more" if minutes == 1 else f"{math.ceil(minutes):,} minutes or more"


def _rows(planned: Plan) -> Iterator[tuple[str, ...]]:
    yield "Stream", "Accounts", "Calls", "Days"
    for each in planned.streams:
        calls = f"{each.precision} {each.total:,}".strip()
        yield each.stream, f"{each.contexts:,}", calls, ", ".join(each.ranges)
    if planned.lists:
        yield "(other lists of ids)", "", f"{planned.lists:,}", ""


if __name__ == "__main__":
    main()
