"""The files that a command line is given may hold anything."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.exceptions import Exit

from singer_run import catalog_of, run, settings
from tap_pinterest.singer.process import UnusableFileError, catalog_in, state_in
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from pinterest_sandbox import Sandbox

DEEP = b'{"a":' * 200_000 + b"1" + b"}" * 200_000


def file(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), "utf-8")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"{", "truncated", id="cut off"),
        pytest.param(b"[1]", "Expected `object`", id="a list"),
        pytest.param(b"null", "Expected `object`", id="null"),
        pytest.param(b"\xff\xfe{", "not UTF-8", id="bytes"),
        pytest.param(DEEP, "recursion", id="two hundred thousand deep"),
    ],
)
def test_a_state_file_that_holds_no_object_is_refused_with_the_reason(
    content: bytes, reason: str
) -> None:
    with pytest.raises(UnusableFileError, match=f"The state file is malformed: .*{reason}"):
        state_in(file(content))


@pytest.mark.parametrize("content", [b"", b" \n", b"\xef\xbb\xbf"], ids=["empty", "blank", "mark"])
def test_an_empty_file_holds_no_state(content: bytes) -> None:
    assert state_in(file(content)) is None
    assert catalog_in(file(content)) is None


def test_the_mark_that_some_editors_begin_a_file_with_is_passed_over() -> None:
    assert state_in(file(b'\xef\xbb\xbf{"bookmarks": {}}')) == {"bookmarks": {}}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"streams": 5}', id="a number of streams"),
        pytest.param(b'{"streams": [5]}', id="a number as a stream"),
        pytest.param(b'{"streams": [{}]}', id="a stream without a name"),
        pytest.param(b'{"streams": [{"tap_stream_id": "ads", "schema": 5}]}', id="no schema"),
        pytest.param(
            b'{"streams": [{"tap_stream_id": "ads", "schema": {}, "metadata": 5}]}',
            id="no metadata",
        ),
    ],
)
def test_a_catalog_file_that_holds_no_catalog_is_refused(content: bytes) -> None:
    with pytest.raises(UnusableFileError, match="The catalog file is malformed"):
        catalog_in(file(content))


def test_a_catalog_that_selects_nothing_fails_before_the_first_call(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    config = settings(sandbox)
    tap = TapPinterest(config=config, catalog=catalog_of(config, ()))

    assert tap.sync() == 1
    (fault,) = (each.getMessage() for each in caplog.records if each.levelno == logging.ERROR)
    assert fault.startswith("No stream is selected, so nothing is read. A rule of select is mis")
    assert sandbox.requests == []
    assert run(config, "boards").records("boards")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        *((text, "it is not a JSON object (") for text in (b"[1]", b"5", b"null", b'"x"', DEEP)),
        *((text, "it is not a JSON object (Input data was truncated)") for text in (b"", b"{")),
        (b'{"a": 1,}', "it is not a JSON object (JSON is malformed: trailing comma"),
        (b"\xff\xfe{", "it is not a JSON object ('utf-8' codec can't decode byte 0xff"),
        (None, "there is no such file"),
    ],
    ids=[
        *("list", "number", "null", "text", "deep", "empty", "cut off", "trailing comma", "bytes"),
        "missing",
    ],
)
def test_a_config_file_that_holds_no_object_is_one_clear_line(
    tmp_path: Path, content: bytes | None, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "config.json"
    if content is not None:
        path.write_bytes(content)
    context = click.Context(TapPinterest.get_singer_command())

    with pytest.raises(Exit) as ended:
        TapPinterest.cb_config(context, click.Option(["--config"]), (str(path),))

    (line,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    assert line.getMessage().startswith(f"The config {path} cannot be read: {reason}")
    assert ended.value.exit_code == 1


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is of Linux")
@pytest.mark.parametrize(
    "command",
    ["tap-pinterest --version", "tap-pinterest-login --help", "tap-pinterest-state show --help"],
)
def test_a_help_that_cannot_be_written_is_one_line(command: str) -> None:
    name, *options = command.split()
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [Path(sys.executable).with_name(name), *options],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert line.endswith("The output cannot be written: No space left on device")


@pytest.mark.skipif(os.name == "nt", reason="of POSIX shells")
@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("tap-pinterest --test=schema >&-", "There is no standard output to write to."),
        ("tap-pinterest-login <&-", "client_id: missing; put TAP_PINTEREST_CLIENT_ID into .env"),
    ],
)
def test_a_command_without_the_input_or_output_that_it_needs_names_it(
    tmp_path: Path, command: str, line: str
) -> None:
    variables = {"PATH": str(Path(sys.executable).parent), "TAP_PINTEREST_ACCESS_TOKEN": "-"}
    ended = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=tmp_path,
        env=variables,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert line in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("variable", ["TAP_PINTEREST_LOGLEVEL", "LOGLEVEL"])
def test_a_log_level_that_does_not_exist_is_one_line(variable: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tap_pinterest", "--version"],
        env={variable: "verbose"},
        capture_output=True,
        text=True,
        check=False,
    )

    allowed = "allowed: DEBUG, INFO, WARNING, ERROR, CRITICAL"
    assert ended.returncode == 1
    assert ended.stderr == f"{variable}: 'verbose' is refused; {allowed}\n"
