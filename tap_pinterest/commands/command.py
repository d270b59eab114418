"""Command lines with some of the tap's own options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import click


def like_the_tap(
    name: str,
    text: str,
    run: Callable[..., Any],
    kept: Collection[str],
    *own: click.Option,
) -> click.Command:
    """A command with some of the tap's options, whose lookup also sets up the log."""
    command = TapPinterest.cli
    command.name, command.help, command.callback = name, text, run
    command.params = [*(each for each in command.params if {*kept} & {*each.opts}), *own]
    return command
