"""The mapper as a process: its input and its output, byte for byte."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.processes import command
from singer_pipes import lines, map_pinterest
from singer_run import run, settings
from tap_pinterest.commands.map_pinterest import LineMapper, Options, RefusedLineError
from tap_pinterest.layouts.daasity import TABLES
from tap_pinterest.records.sync_key import sync_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pinterest_sandbox import Sandbox

TEXT = {"type": ["string", "null"]}
SCHEMA = {
    "type": "SCHEMA",
    "stream": "orders",
    "schema": {"type": "object", "properties": {"shop": TEXT, "number": {"type": "integer"}}},
    "key_properties": ["shop", "number"],
    "bookmark_properties": ["number"],
    "x-owner": {"team": "é"},
}


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def mapped(
    written: Iterable[dict[str, Any] | bytes], warnings: list[str] | None = None, **options: Any
) -> list[bytes]:
    warn = ([] if warnings is None else warnings).append
    mapper = LineMapper(Options.from_config(options), warn)
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in written]
    return [line for each in raw if (line := mapper(each)) is not None]


def test_a_record_gets_the_key_of_its_key_properties() -> None:
    record = {"type": "RECORD", "stream": "orders", "record": {"shop": "ü", "number": 7, "x": 1.5}}

    _, line = mapped([SCHEMA, record])

    assert json.loads(line) == {
        **record,
        "record": {"shop": "ü", "number": 7, "x": 1.5, "__sync_key": md5("ü7")},
    }


def test_the_schema_gets_the_property_and_keeps_everything_else() -> None:
    (line,) = mapped([SCHEMA])

    message = json.loads(line)
    added = message["schema"]["properties"].pop("__sync_key")
    assert added.pop("description").startswith("MD5")
    assert added == {"type": ["string", "null"]}
    assert message == SCHEMA


def test_the_mapper_changes_no_byte_except_the_key() -> None:
    record = (
        b'{"number" : 1,"price": 1.10, "big":12345678901234567890123.50, "e":1E+2, "t":"\\u00e9"}'
    )
    line = b'{"type":"RECORD","stream":"orders","record":%b,"version":1.0,"time_extracted":"t"}'

    _, out = mapped([SCHEMA, line % record])

    key = b',"__sync_key":"%b"}' % md5("1").encode()
    assert out == line % (record[:-1] + key)


@pytest.mark.parametrize("record", [b"{}", b"{ }", b'{"x":1}', b'{"shop":null }'], ids=repr)
def test_a_record_without_its_key_fields_is_still_json(record: bytes) -> None:
    _, line = mapped([SCHEMA, b'{"type":"RECORD","stream":"orders","record":%b}' % record])

    assert json.loads(line)["record"] == {**json.loads(record), "__sync_key": md5("")}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"type": "STATE",  "value": {"a": 1.0}}', id="state"),
        pytest.param(b'{"type":"ACTIVATE_VERSION","stream":"orders","version":1}', id="version"),
        pytest.param(b'{"type":"NEWS","stream":"orders","x":[1, 2]}', id="an unknown type"),
        pytest.param(b'{"type":"NEWS","stream":"elsewhere"}', id="of an unknown stream"),
        pytest.param(b'{"no": "type"}', id="without a type"),
        pytest.param(b'{"type":"STATE","value":"\\ud83d"}', id="half a character"),
    ],
)
def test_a_message_of_another_type_passes_byte_for_byte(line: bytes) -> None:
    assert mapped([SCHEMA, line])[1:] == [line]


def test_a_stream_that_has_the_key_already_passes_byte_for_byte() -> None:
    properties = {"id": TEXT, "__sync_key": TEXT}
    schema = {**SCHEMA, "schema": {"properties": properties}, "key_properties": ["id"]}
    raw = [
        json.dumps(schema).encode(),
        b'{"type":"RECORD", "stream":"orders","record": {"id":"1","__sync_key":"own"}}',
    ]

    assert mapped(raw) == raw


def test_a_record_that_has_the_key_though_its_schema_does_not_say_so_keeps_it() -> None:
    line = b'{"type":"RECORD","stream":"orders","record":{"shop":"a","__sync_key":"own"}}'

    assert mapped([SCHEMA, line])[1:] == [line]


def test_the_config_names_other_fields_and_a_separator() -> None:
    record = {"type": "RECORD", "stream": "orders", "record": {"shop": "a", "number": 7}}
    fields = {"orders": ["number", "shop", "number"]}

    _, line = mapped([SCHEMA, record], sync_key_fields=fields, sync_key_separator="|")

    assert json.loads(line)["record"]["__sync_key"] == md5("7|a|7")


def test_a_stream_without_key_properties_passes_with_a_warning() -> None:
    schema = {**SCHEMA, "key_properties": []}
    record = {"type": "RECORD", "stream": "orders", "record": {"shop": "a"}}
    warnings: list[str] = []

    out = mapped([schema, record], warnings)

    assert [json.loads(line) for line in out] == [schema, record]
    assert "orders has no key properties" in warnings[0]
    assert "sync_key_fields" in warnings[0]


def test_a_warning_is_not_repeated_when_the_tap_repeats_its_schema() -> None:
    warnings: list[str] = []

    mapped([{**SCHEMA, "key_properties": []}] * 3, warnings)

    assert len(warnings) == 1


def test_without_the_sync_key_everything_passes() -> None:
    record = {"type": "RECORD", "stream": "orders", "record": {"shop": "a"}}

    out = mapped([SCHEMA, record], sync_key=False)

    assert [json.loads(line) for line in out] == [SCHEMA, record]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(b"hello", "not JSON", id="text"),
        pytest.param(b"", "not JSON", id="an empty line"),
        pytest.param(b'{"type":"STATE","value":{}', "not JSON", id="cut"),
        pytest.param(
            b'{"type":"STATE","value":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
            "nested too deeply",
            id="deep",
        ),
        pytest.param(b'{"type":"STATE","value":NaN}', "not JSON", id="NaN"),
        pytest.param(b'{"type":"STATE","value":"\xff"}', "not JSON", id="not UTF-8"),
        pytest.param(b"[1]", "object", id="no object"),
        pytest.param(b'{"type":"RECORD","stream":"orders"}', "without a record", id="no record"),
        pytest.param(
            b'{"type":"RECORD","stream":"orders","record":[1]}', "object", id="a list as record"
        ),
        pytest.param(
            b'{"type":"RECORD","stream":"orders","record":{"number":1.5}}', "number", id="a float"
        ),
        pytest.param(
            b'{"type":"RECORD","stream":"elsewhere","record":{}}', "before its SCHEMA", id="early"
        ),
        pytest.param(
            b'{"type":"SCHEMA","stream":"x","schema":{}}', "no properties", id="no properties"
        ),
        pytest.param(
            b'{"type":"SCHEMA","stream":"x","key_properties":["t"],'
            b'"schema":{"properties":{"t":{"type":"string","format":"date-time"}}}}',
            "no fixed text",
            id="a time in the key",
        ),
        pytest.param(b'{"type":7}', "no Singer message", id="a number as type"),
        pytest.param(
            b'{"type":"SCHEMA","stream":"x","schema":{"properties":{}},"key_properties":"id"}',
            "no Singer message",
            id="a text as key",
        ),
        pytest.param(b'{"type":"BATCH","stream":"orders"}', "batches", id="batch"),
    ],
)
def test_a_line_that_cannot_be_mapped_is_refused(line: bytes, reason: str) -> None:
    with pytest.raises(RefusedLineError, match=reason):
        mapped([SCHEMA, line])


def test_a_separator_with_a_lone_surrogate_is_refused() -> None:
    record = {"type": "RECORD", "stream": "orders", "record": {"shop": "x", "number": 7}}

    with pytest.raises(RefusedLineError, match="sync_key_separator"):
        mapped([SCHEMA, record], sync_key_separator="\ud800")


def test_a_lone_surrogate_in_a_record_becomes_a_replacement_character() -> None:
    line = rb'{"type":"RECORD","stream":"orders","record":{"shop":"\ud83d\ud83d\ude00\\ud83d"}}'

    _, out = mapped([SCHEMA, line])

    assert json.loads(out)["record"]["shop"] == "\ufffd😀\\ud83d"


values = st.one_of(st.none(), st.text(), st.integers(), st.booleans())


@given(
    st.dictionaries(st.sampled_from(["shop", "number", "a", 'q"\\', "é"]), values),
    st.sampled_from(["ASCII", "UTF-8"]),
    st.sampled_from(["", "|", "é"]),
)
def test_the_key_is_that_of_the_function_that_the_tap_uses(
    record: dict[str, Any], encoding: str, separator: str
) -> None:
    message = {"type": "RECORD", "record": record, "stream": "orders"}
    line = json.dumps(message, ensure_ascii=encoding == "ASCII").encode("utf-8", "surrogatepass")

    _, out = mapped([SCHEMA, line], sync_key_separator=separator)

    key = sync_key(record, ["shop", "number"], separator)
    assert json.loads(out) == {**message, "record": {**record, "__sync_key": key}}


def test_the_process_refuses_a_line_with_its_number_after_writing_those_before(
    tmp_path: Path,
) -> None:
    written = json.dumps(SCHEMA).encode() + b'\n{"type":"STATE","value":{}}\nhello\n{"type":"X"}\n'

    result = map_pinterest(tmp_path, written)

    assert result.returncode == 1
    assert [json.loads(line)["type"] for line in result.stdout.splitlines()] == ["SCHEMA", "STATE"]
    assert b"Line 3 is refused: it is not JSON" in result.stderr
    assert b"Traceback" not in result.stderr


def test_a_last_line_without_an_end_and_a_very_long_one_are_lines(tmp_path: Path) -> None:
    long = {"type": "RECORD", "stream": "orders", "record": {"shop": "x" * 3_000_000}}
    written = lines([SCHEMA, long]) + b'{"type":"STATE","value":{}}'

    out = map_pinterest(tmp_path, written).stdout.splitlines()

    assert json.loads(out[1])["record"]["__sync_key"] == md5("x" * 3_000_000)
    assert out[2] == b'{"type":"STATE","value":{}}'


def test_a_message_does_not_wait_for_the_next_one(tmp_path: Path) -> None:
    state = b'{"type":"STATE","value":{}}\n'
    config = tmp_path / "config.json"
    config.write_text("{}")
    with subprocess.Popen(
        [command("map-pinterest"), "--config", str(config)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(state)
        process.stdin.flush()
        assert process.stdout.readline() == state
        process.stdin.close()


def test_a_bad_config_names_the_setting(tmp_path: Path) -> None:
    result = map_pinterest(tmp_path, b"", layout="mine")

    assert result.returncode == 1
    assert b"layout" in result.stderr
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("variable", "code", "told"),
    [
        ("SYNC_KEY_FIELDS=", 0, ""),
        ("CLICK_WINDOW_DAYS=7", 0, ""),
        ("SYNC_KEY=false", 0, ""),
        ("SYNC_KEY_FIELDS={", 1, "config['sync_key_fields']"),
        ("SYNC_KEY=maybe", 1, "config['sync_key']"),
        ("SYNC_KEY_SEPERATOR=x", 1, "did you mean MAP_PINTEREST_SYNC_KEY_SEPARATOR?"),
    ],
)
def test_settings_of_the_environment_are_used_or_refused(
    variable: str, code: int, told: str
) -> None:
    name, _, text = variable.partition("=")
    ended = subprocess.run(
        [command("map-pinterest"), "--config", "ENV"],
        input=lines([SCHEMA]),
        capture_output=True,
        env={**os.environ, f"MAP_PINTEREST_{name}": text},
        check=False,
    )

    assert ended.returncode == code
    assert told in ended.stderr.decode()
    assert b"Traceback" not in ended.stderr
    assert (b"__sync_key" in ended.stdout) is (code == 0 and name != "SYNC_KEY")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--config none.json", "The config none.json cannot be read: there is no such file"),
        ("> /dev/full", "The output cannot be written: No space left on device"),
        (">&-", "There is no standard input or no standard output."),
        ("<&-", "There is no standard input or no standard output."),
    ],
    ids=["no config", "no room", "no output", "no input"],
)
def test_what_the_mapper_cannot_read_or_write_is_one_line(
    tmp_path: Path, arguments: str, told: str
) -> None:
    if "/dev/full" in arguments and sys.platform != "linux":
        pytest.skip("/dev/full is of Linux")
    ended = subprocess.run(
        ["sh", "-c", f'"$0" {arguments}', command("map-pinterest")],
        input=lines([SCHEMA]),
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )

    (line,) = (each for each in ended.stderr.decode().splitlines() if "| ERROR" in each)
    assert told in line
    assert ended.returncode == 1
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize("option", ["--about", "--version", "--help"])
def test_the_mapper_describes_itself(option: str) -> None:
    shown = subprocess.run(
        [command("map-pinterest"), option], check=True, capture_output=True, text=True
    )

    assert "map-pinterest" in shown.stdout
    if option == "--about":
        assert "sync_key_separator" in shown.stdout


def test_keys_of_the_taps_streams_are_those_that_the_tap_makes(sandbox: Sandbox) -> None:
    config = settings(sandbox, start_date="10 days ago")
    own = run(config)
    plain = run({**config, "sync_key": False})

    out = [json.loads(line) for line in mapped(lines(plain.messages).splitlines())]

    def keys(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
        return [
            (message["stream"], message["record"]["__sync_key"])
            for message in messages
            if message["type"] == "RECORD"
        ]

    assert keys(out) == keys(own.messages)
    assert len({stream for stream, _ in keys(out)}) == len(own.tap.streams)


ATTRIBUTION: dict[str, Any] = {
    "click_window_days": 30,
    "engagement_window_days": 30,
    "view_window_days": 1,
    "conversion_report_time": "TIME_OF_AD_ACTION",
}


def test_daasitys_tables_are_those_that_the_tap_makes(sandbox: Sandbox) -> None:
    config = settings(sandbox, start_date="10 days ago")
    own = run({**config, "layout": "daasity"})
    plain = run(config)

    written = mapped(lines(plain.messages).splitlines(), layout="daasity", **ATTRIBUTION)

    out = [json.loads(line) for line in written]
    for table in TABLES:
        schemas = [
            {name: message[name] for name in ("schema", "key_properties")}
            for messages in (own.messages, out)
            for message in messages
            if message["type"] == "SCHEMA" and message["stream"] == table
        ]
        assert schemas[0] == schemas[1]
        records = [m["record"] for m in out if m["type"] == "RECORD" and m["stream"] == table]
        assert records == own.records(table)
        assert records
    assert {message.get("stream") for message in out} == {*TABLES, None}
    assert out[-1] == plain.messages[-1]


def test_tables_that_the_tap_has_made_already_pass_byte_for_byte(sandbox: Sandbox) -> None:
    written = lines(run(settings(sandbox, layout="daasity")).messages).splitlines()

    assert mapped(written, layout="daasity") == written


def test_without_the_attribution_settings_their_columns_are_null_with_a_warning(
    sandbox: Sandbox,
) -> None:
    written = lines(run(settings(sandbox), "ad_accounts").messages).splitlines()
    warnings: list[str] = []

    out = [json.loads(line) for line in mapped(written, warnings, layout="daasity")]

    records = [message["record"] for message in out if message["type"] == "RECORD"]
    assert {record["__view_window_days"] for record in records} == {None}
    assert "view_window_days" in warnings[0]


def test_a_column_that_the_tap_does_not_send_is_refused_by_name(sandbox: Sandbox) -> None:
    partly = run(settings(sandbox), "campaigns", without=["campaigns.status"])

    with pytest.raises(RefusedLineError, match="campaigns needs status"):
        mapped(lines(partly.messages).splitlines(), layout="daasity")


def test_other_messages_of_a_stream_carry_its_tables_name(sandbox: Sandbox) -> None:
    written = lines(run(settings(sandbox), "user_account").messages).splitlines()
    news = b'{"type":"NEWS","stream":"user_account","x":1}'

    *_, line = mapped([*written, news], layout="daasity")

    assert json.loads(line) == {"type": "NEWS", "stream": "account", "x": 1}
