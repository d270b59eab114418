"""Commands that share options with the tap and call Pinterest with its run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_pinterest.clock import Interrupted
from tap_pinterest.http.errors import PART_ERRORS, TokenRefusedError
from tap_pinterest.singer.process import leave
from tap_pinterest.singer.sdk import EndOfRun
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click


def with_options_of_the_tap(command: click.Command, *names: str) -> click.Command:
    """The command with some of the tap's options, and with its messages about a bad config."""
    # The lookup of `cli` also sets up the log.
    of_tap = TapPinterest.cli
    of_tap.name, of_tap.help, of_tap.callback = command.name, command.help, command.callback
    kept = [each for each in of_tap.params if {*names} & {*each.opts}]
    of_tap.params = [*kept, *command.params]
    return of_tap


@contextmanager
def ending_the_run(tap: TapPinterest, failure: str) -> Iterator[None]:
    """Close the run, and end the process with 1 if Pinterest gives no answer."""
    try:
        yield
    except (*PART_ERRORS, TokenRefusedError, EndOfRun) as reason:
        tap.logger.error("%s: %s", failure, reason)  # noqa: TRY400 - a traceback says no more
        leave(1)
    except Interrupted:
        leave(128 + (tap.clock.interrupted_by or 0))
    finally:
        tap.run.close()
