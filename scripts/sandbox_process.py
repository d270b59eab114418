"""The sandbox as a separate process, as a user would start it."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from scripts.processes import command, end_of, running
from tap_pinterest.http.token_endpoint import TOKEN_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

CONTROL_SECONDS = 30


class SandboxError(RuntimeError):
    """The sandbox ended before it listened."""


@dataclass(frozen=True)
class SandboxProcess:
    """A running sandbox, with the facts that it printed when it began to listen."""

    url: str
    control: str
    client_id: str
    client_secret: str
    refresh_token: str

    def settings(self, folder: Path) -> dict[str, str]:
        """The tap's settings for this sandbox, its renewed tokens kept in `folder`."""
        return {
            "TAP_PINTEREST_API_URL": self.url,
            "TAP_PINTEREST_CLIENT_ID": self.client_id,
            "TAP_PINTEREST_CLIENT_SECRET": self.client_secret,
            "TAP_PINTEREST_REFRESH_TOKEN": self.refresh_token,
            "TAP_PINTEREST_TOKEN_FILE": str(folder / "tokens.json"),
        }

    def asked(self) -> list[dict[str, Any]]:
        """The calls that the sandbox has received, without calls for tokens."""
        asked = requests.get(f"{self.control}/requests", timeout=CONTROL_SECONDS).json()
        return [each for each in asked if each["category"] and each["path"] != TOKEN_PATH]

    def move_to(self, today: date) -> None:
        """Make it `today` there."""
        answer = requests.put(
            f"{self.control}/today", json={"today": today.isoformat()}, timeout=CONTROL_SECONDS
        )
        answer.raise_for_status()


@contextmanager
def sandbox_process(
    today: date, log: Path, **size: int | str | tuple[int, ...]
) -> Iterator[SandboxProcess]:
    """A sandbox that runs during the block.

    Args:
        today: The day that it is there.
        log: File that its own log is added to.
        size: The size of its world, and other options of the command by their names.

    Raises:
        SandboxError: When it ends before it listens.
    """
    options = [
        text
        for name, value in size.items()
        for text in (f"--{name.replace('_', '-')}", *map(str, _values(value)))
    ]
    with (
        log.open("a", encoding="utf-8") as log_file,
        running(
            command("pinterest-sandbox"),
            f"--today={today}",
            *options,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log_file,
        ) as process,
    ):
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            message = f"{end_of(log)}\nThe sandbox ended before it listened."
            raise SandboxError(message)
        said: dict[str, Any] = json.loads(line)
        yield SandboxProcess(**{name: said[name] for name in SandboxProcess.__annotations__})


def _values(value: int | str | tuple[int, ...]) -> tuple[int | str, ...]:
    return value if isinstance(value, tuple) else (value,)
