"""Where a target loads two days of all streams, and what is there afterwards."""

from __future__ import annotations

import functools
import json
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
from typing_extensions import override

from last_records import Keeps, kind_of, last_records
from loading import database
from pinterest_sandbox import Sandbox
from scripts.processes import ROOT, command, running
from singer_pipes import lines
from singer_run import EVERYTHING, run
from singer_run import settings as tap_settings
from test_every_stream import DAY_1, WORLD
from warehouses import in_meltano

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from last_records import LastRecords, Row

ENVIRONMENTS = ROOT / ".venv-warehouses"
SECONDS = 900
"""Longest time that a target may take for a day."""


UNQUOTED = Keeps(quoted_texts=False)
PIPELINEWISE = Keeps(line_breaks=False, quoted_texts=False)
JSONL = Keeps(is_decoded=True)
CSV = Keeps(empty_texts=False, quoted_texts=False)
STORAGE = Keeps(absent_members=False)


@dataclass
class Place:
    """A folder, a schema and a storage of a target's own.

    Attributes:
        folder: A folder for files.
        postgres_url: A PostgreSQL.
        postgres_schema: A schema in it that does not exist yet.
        bin: The folder with the target's programs.
    """

    folder: Path
    postgres_url: str
    postgres_schema: str
    bin: Path
    stack: ExitStack

    @functools.cached_property
    def storage_url(self) -> str:
        """An S3 of its own, with the bucket `pinterest`."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        server = [str(self.bin / "moto_server"), "--port", str(port)]
        self.stack.enter_context(
            running(*server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                requests.put(f"{url}/pinterest", timeout=5)
            except requests.ConnectionError:
                time.sleep(0.1)
            else:
                return url
        message = "the S3 did not start"
        raise RuntimeError(message)

    def stored(self, prefix: str) -> list[Path]:
        """Copies of the files in the storage whose names begin so."""
        bucket = f"{self.storage_url}/pinterest"
        listed = requests.get(bucket, params={"prefix": prefix}, timeout=60)
        names = [part.split("</Key>")[0] for part in listed.text.split("<Key>")[1:]]
        files = []
        for name in names:
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            answer = requests.get(f"{bucket}/{name}", timeout=60)
            file.write_bytes(answer.content)
            files.append(file)
        return files


@dataclass(frozen=True)
class Installed:
    """A target in an environment of its own.

    Attributes:
        name: Its name here, and of its environment.
        loader: Its name in `meltano.yml`, which has its packages and settings.
        packages: Packages to install beside those of `meltano.yml`.
    """

    name: str
    loader: str
    packages: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def bin(self) -> Path:
        """The folder with its programs."""
        return ENVIRONMENTS / self.name / "bin"

    @property
    def is_installed(self) -> bool:
        return (ENVIRONMENTS / self.name / "ready").exists()

    def install(self) -> None:
        """Make its environment, if there is none.

        Raises:
            subprocess.CalledProcessError: A package cannot be installed here.
        """
        if self.is_installed:
            return
        folder = self.bin.parent
        packages = [*in_meltano.packages(self.loader), *self.packages]
        for arguments in (
            ("venv", "--quiet", "--clear", "--python", sys.executable, str(folder)),
            ("pip", "install", "--quiet", "--python", str(folder), *packages),
        ):
            subprocess.run([command("uv"), *arguments], cwd=ROOT, check=True)
        (folder / "ready").touch()

    def load(self, folder: Path) -> Result:
        """Load all streams, and say what is not as it was sent."""
        raise NotImplementedError


@dataclass(frozen=True)
class Target(Installed):
    """A target that loads all streams on two days.

    Attributes:
        place: The settings that say where to load.
        rows: Reads back the rows of a stream: the last one of each key.
        command: Its command, if that differs from its name.
        tap: Settings of the tap that it needs.
        keeps: Differences that it makes by its nature.
    """

    place: Callable[[Place], Mapping[str, Any]]
    rows: Callable[[Place, str, LastRecords], Iterable[Row]]
    command: str = ""
    tap: Mapping[str, Any] = field(default_factory=dict)
    keeps: Keeps = field(default_factory=Keeps)

    @override
    def load(self, folder: Path) -> Result:
        return load_two_days(self, folder)


@dataclass(frozen=True)
class TypedTarget(Installed):
    """A target whose warehouse cannot run here.

    Attributes:
        program: Python that defines `types_of`: the types of a schema's columns, by name.
        types: The type of columns by their kind in JSON Schema.
    """

    program: str
    types: Mapping[str, str]

    @override
    def load(self, folder: Path) -> Result:
        days = two_days()
        schemas = [message for message in _read(days[:1]) if message["type"] == "SCHEMA"]
        started = time.monotonic()
        done = subprocess.run(
            [str(self.bin / "python"), "-c", f"{self.program}\n{PRINT_TYPES}"],
            input=json.dumps([each["schema"] for each in schemas]),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        differences = [
            f"{message['stream']}: {name} is {found.get(name)}, and has to be {wanted}"
            for message, found in zip(schemas, json.loads(done.stdout), strict=True)
            for name, each in message["schema"]["properties"].items()
            if found.get(name) != (wanted := self.types.get(kind_of(each), found.get(name)))
            or name not in found
        ]
        return Result(len(schemas), 0, differences, time.monotonic() - started)


PRINT_TYPES = """
import json, sys
print(json.dumps([types_of(schema) for schema in json.load(sys.stdin)]))
"""


class Result(NamedTuple):
    """The tables of a target after two days.

    Attributes:
        streams: How many streams it loaded.
        rows: How many rows there must be.
        differences: What is not as it was sent.
        seconds: How long the loads took.
    """

    streams: int
    rows: int
    differences: list[str]
    seconds: float


def load_two_days(target: Target, folder: Path) -> Result:
    """Load all streams on two days, and compare every value."""
    days = two_days(**target.tap)
    with database() as (url, schema), ExitStack() as stack:
        place = Place(folder, url.replace("+psycopg", ""), schema, target.bin, stack)
        started = time.monotonic()
        for written in days:
            _load(target, place, written)
        seconds = time.monotonic() - started
        expected = last_records(_read(days))
        differences = [
            f"{stream}: {each}"
            for stream, records in expected.items()
            if records.records
            for each in _differences(target, place, stream, records)
        ]
    rows = sum(len(records.records) for records in expected.values())
    return Result(len(expected), rows, differences, seconds)


def _read(days: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    return map(json.loads, b"".join(days).splitlines())


def _load(target: Target, place: Place, written: bytes) -> None:
    config = place.folder / "config.json"
    settings = in_meltano.settings(target.loader, target.place(place))
    config.write_text(json.dumps(settings), encoding="utf-8")
    arguments = [str(target.bin / (target.command or target.name)), "--config", str(config)]
    done = subprocess.run(
        arguments, input=written, capture_output=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]


def _differences(target: Target, place: Place, stream: str, records: LastRecords) -> Iterable[str]:
    try:
        rows = list(target.rows(place, stream, records))
    except Exception as error:  # noqa: BLE001 - whatever its reader raises
        return [f"cannot be read: {error}"]
    return records.differences(rows, target.keeps)


@functools.cache
def two_days(**tap: Any) -> tuple[bytes, bytes]:
    """The messages of all streams on two successive days."""
    with Sandbox(seed=7, today=DAY_1, size=WORLD, access_tier="unlimited") as sandbox:
        config = tap_settings(sandbox, **EVERYTHING, **tap)
        first = run(config)
        sandbox.today += timedelta(days=1)
        second = run(config, state=first.state)
    return lines(first.messages), lines(second.messages)


def last_of_each_key(rows: Iterable[Row], expected: LastRecords) -> Iterator[Row]:
    """The rows of a store that only grows, without those that a later one replaces."""
    last = {tuple(str(row[key]) for key in expected.keys): row for row in rows}
    return iter(last.values())
