"""`target-duckdb-fast`: each key has its last record, whatever its values are."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from singer_sdk.exceptions import InvalidRecord

from both_targets import record, schema, text
from duck import SCHEMA, DuckDatabase
from loader_cases import ADS, EVERY_KIND, REFUSED, VALUES
from scripts.processes import command, running
from target_postgres_fast.duckdb.columns import column_type
from target_postgres_fast.duckdb.connector import DuckdbConnector
from target_postgres_fast.duckdb.faults import Address, connecting, loading
from target_postgres_fast.errors import UnusableError
from test_loader_messages import described

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

UNLIKE_POSTGRESQL: Mapping[str, tuple[Any, ...]] = {
    # Times have an offset here, and one without it is in UTC.
    "moment": ("2026-11-24T06:00:00+02:00", "2026-11-24", "9999-12-31T23:59:59.999999"),
    "hex": ("00ff",),
    "number": (0, 1, 1.5, -0.0, 1e300, 1e-300, "1.50", "NaN", 12345678901234.678),
    "several": ("2026-11-24T06:00:00Z",),
    "text": (*VALUES["text"], "a\0b"),
}


@pytest.fixture
def db(tmp_path: Path) -> DuckDatabase:
    return DuckDatabase(tmp_path / "warehouse.duckdb")


def test_values_of_every_kind_come_through(db: DuckDatabase) -> None:
    values = {**VALUES, **UNLIKE_POSTGRESQL}
    records = [
        record(id=f"{name} {at}", **{name: value})
        for name in values
        for at, value in enumerate((None, *values[name]))
    ]
    messages = [schema(EVERY_KIND), record(id="first"), *records, record(id="last")]

    for size in (3, 1000):
        db.load(messages, batch_size_rows=size)
        assert db.differences(messages) == []

    assert len(db.rows()) == len(records) + 2
    assert db.types() == {
        **dict.fromkeys(("id", "text", "short", "hex", "Odd näme"), "VARCHAR"),
        **dict.fromkeys(("integer", "small"), "BIGINT"),
        **dict.fromkeys(("object", "anything", "either"), "JSON"),
        **dict.fromkeys(("moment", "several"), "TIMESTAMP WITH TIME ZONE"),
        "number": "DOUBLE",
        "truth": "BOOLEAN",
        "day": "DATE",
        "clock": "TIME",
        "uuid": "UUID",
        "texts": "VARCHAR[]",
        "numbers": "DOUBLE[]",
        "objects": "JSON[]",
    }


@pytest.mark.parametrize(
    ("described", "kind"),
    [
        ({"type": "array", "items": {"type": ["null", "integer"]}}, "BIGINT[]"),
        ({"type": "array", "items": {}}, "JSON[]"),
        ({"type": "array"}, "JSON"),
        ({"type": "array", "items": {"type": "array", "items": {"type": "string"}}}, "JSON[]"),
        ({"type": ["string", "integer", "null"]}, "VARCHAR"),
        ({"type": ["number", "integer", "null"]}, "DOUBLE"),
        ({"type": ["array", "string"]}, "JSON"),
        ({"anyOf": [{"type": "string"}, {"type": "object"}]}, "JSON"),
        ({"type": "null"}, "JSON"),
    ],
    ids=str,
)
def test_a_column_has_the_type_that_its_schema_says(described: dict[str, Any], kind: str) -> None:
    assert column_type(described) == kind


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *REFUSED,
        ("integers", [1, 1.5]),
        ("number", True),
        ("number", [1]),
        ("number", 10**400),
        ("number", "1e400"),
        ("object", float("nan")),
        ("object", {"a": [float("nan")]}),
        ("moment", "0001-01-01T00:00:00+01:00"),
        ("texts", {"a": 1}),
    ],
    ids=str,
)
@pytest.mark.parametrize("at", [0, 1])
def test_a_value_that_does_not_fit_is_refused_and_nothing_of_its_batch_is_written(
    db: DuckDatabase, name: str, value: Any, at: int
) -> None:
    kinds = {**EVERY_KIND, "integers": {"type": ["null", "array"], "items": {"type": "integer"}}}
    rows = [record(id="0"), record(id="2")]
    rows.insert(at, record(**{"id": "1", name: value}))

    # The SDK itself parses dates and times of the first record of a stream.
    with pytest.raises((duckdb.Error, InvalidRecord)):
        db.load([schema(kinds), *rows])

    assert db.rows() == []


def test_a_number_with_too_many_digits_is_rounded_and_logged_once(
    db: DuckDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    line = '{{"type":"RECORD","stream":"ads","record":{{"id":"{}","spend":{}}}}}\n'
    numbers = ("1", "0.1000000000000000055511151231257827", "0.0037037037037037037", "1" * 18)
    db.load(text([ADS]) + "".join(line.format(*each) for each in enumerate(numbers)))

    assert sorted(row["spend"] for row in db.rows()) == sorted(map(float, numbers))
    (warning,) = [each for each in caplog.messages if "rounds" in each]
    assert "spend has a number with more than 17 digits: 0.10000000000000000555" in warning


def test_a_number_keeps_its_value_however_it_is_written(db: DuckDatabase) -> None:
    line = '{{"type":"RECORD","stream":"ads","record":{{"id":"{}","spend":{}}}}}\n'
    numbers = (
        *("1", "1e-05", "-1.5E-7", "1e+22", "5e-324", "0.30000000000000004", "12345678901234.678"),
        *("-0.0037037037037037", "0.00000012345678901234567", "100", "null", '"2.50"', "-0.0"),
    )
    db.load(text([ADS]) + "".join(line.format(*each) for each in enumerate(numbers)))

    values = [json.loads(number) for number in numbers]
    found = sorted(db.rows(), key=lambda row: int(row["id"]))
    assert [row["spend"] for row in found] == [each and float(each) for each in values]


def test_a_text_of_several_megabytes_and_lines_comes_through(db: DuckDatabase) -> None:
    long = 'a "quoted" line, and another\r\n\0null\n' * 200_000
    db.load([ADS, *(record(id=str(at), name=long[at:]) for at in range(3))])

    assert {row["id"]: row["name"] for row in db.rows()} == {str(at): long[at:] for at in range(3)}


@pytest.mark.parametrize("number", ["1e400", "-1E+400", "1" * 400, '"1e400"'])
def test_a_number_that_is_too_large_is_refused(db: DuckDatabase, number: str) -> None:
    line = f'{{"type":"RECORD","stream":"ads","record":{{"id":"2","spend":{number}}}}}\n'

    with pytest.raises(duckdb.ConversionException, match="spend is a DOUBLE"):
        db.load(text([ADS, record(id="1")]) + line)


def test_the_last_record_of_a_moment_wins_whatever_its_offset(db: DuckDatabase) -> None:
    keyed = schema({"id": EVERY_KIND["moment"], "clicks": "integer"})
    moments = ("2026-11-24T06:00:00Z", "2026-11-24T08:00:00+02:00", "2026-11-24T06:00:00Z")
    db.load([keyed, *(record(id=key, clicks=at) for at, key in enumerate(moments))])

    assert [row["clicks"] for row in db.rows()] == [2]


def test_a_file_may_have_the_name_of_the_schema(tmp_path: Path) -> None:
    db = DuckDatabase(tmp_path / f"{SCHEMA}.duckdb")
    for clicks in (1, 2):
        db.load([ADS, record(id="1", clicks=clicks)])

    assert db.execute("SELECT id, clicks FROM pinterest.pinterest.ads") == [("1", 2)]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("integer", "string", "VARCHAR"),
        ("integer", "number", "DOUBLE"),
        ("number", "integer", "DOUBLE"),
        ("string", "integer", "VARCHAR"),
        ("string", "object", "VARCHAR"),
        (EVERY_KIND["day"], "string", "VARCHAR"),
    ],
    ids=str,
)
def test_a_column_becomes_wide_enough_for_old_and_new_values(
    db: DuckDatabase, before: Any, after: Any, kind: str
) -> None:
    samples = {"integer": 7, "number": 1.5, "string": "a", "object": {"a": 1}}
    old = schema({"id": "string", "value": before})
    new = schema({"id": "string", "value": after})
    first = samples[before] if isinstance(before, str) else "2026-11-24"
    messages = [old, record(id="1", value=first), new, record(id="2", value=samples[after])]
    db.load(messages)

    assert db.types()["value"] == kind
    values = {row["id"]: row["value"] for row in db.rows()}
    assert values["1"] == (str(first) if kind == "VARCHAR" else first)
    assert values["2"] in (samples[after], json.dumps(samples[after]).replace(" ", ""))


@pytest.mark.parametrize(
    ("value", "before", "after"),
    [
        (2**53 + 1, "integer", "number"),
        ({"a": 1}, "object", "integer"),
        (True, "boolean", "number"),
    ],
)
def test_a_column_that_no_type_can_widen_ends_the_load_and_keeps_its_rows(
    db: DuckDatabase, value: Any, before: str, after: str
) -> None:
    old, new = (schema({"id": "string", "value": kind}) for kind in (before, after))
    db.load([old, record(id="1", value=value)])

    with pytest.raises(NotImplementedError, match=rf"column value of {SCHEMA}\.ads"):
        db.load([new, record(id="2", value=1)])

    assert len(db.rows()) == 1


def test_a_column_that_an_index_holds_is_named_if_it_needs_another_type(db: DuckDatabase) -> None:
    db.load([ADS, record(id="1", clicks=1)])
    db.execute(f"CREATE INDEX by_clicks ON {SCHEMA}.ads (clicks)")
    texts = schema({"id": "string", "clicks": "string"})

    with pytest.raises(
        NotImplementedError, match=rf"clicks of {SCHEMA}\.ads cannot become VARCHAR: .*index"
    ):
        db.load([texts, record(id="2", clicks="x")])

    assert [row["clicks"] for row in db.rows()] == [1]


def test_a_table_that_is_there_without_a_key_and_in_capitals_is_updated(db: DuckDatabase) -> None:
    db.execute(f"CREATE SCHEMA {SCHEMA}")
    db.execute(f"CREATE TABLE {SCHEMA}.ads (ID varchar, NAME varchar, ours int DEFAULT 5)")
    rows = [record(id=str(at % 3), name=str(at), clicks=at) for at in range(10)]
    for _ in range(2):
        db.load([ADS, *rows])

    found = {row["ID"]: (row["NAME"], row["clicks"], row["ours"]) for row in db.rows()}
    assert found == {"0": ("9", 9, 5), "1": ("7", 7, 5), "2": ("8", 8, 5)}


def test_a_schema_called_temp_does_no_harm(db: DuckDatabase) -> None:
    db.execute("CREATE SCHEMA temp")
    for clicks in (1, 2):
        db.load([ADS, record(id="1", clicks=clicks)])

    assert [row["clicks"] for row in db.rows()] == [2]


def test_a_schema_in_capitals_is_the_one_that_is_there(db: DuckDatabase) -> None:
    for name, clicks in ((SCHEMA, 1), (SCHEMA.upper(), 2)):
        db.load([ADS, record(id="1", clicks=clicks)], default_target_schema=name)

    assert [row["clicks"] for row in db.rows()] == [2]


def test_two_streams_that_differ_only_in_capitals_are_refused_by_name(db: DuckDatabase) -> None:
    with pytest.raises(NotImplementedError, match=r"streams ads and Ads .* __alias__"):
        db.load([ADS, record(id="1"), {**ADS, "stream": "Ads"}])


def test_two_columns_that_differ_only_in_capitals_are_refused_by_name(db: DuckDatabase) -> None:
    both = schema({"id": "string", "name": "string", "Name": "string"})

    with pytest.raises(NotImplementedError, match=rf"name and Name of {SCHEMA}\.ads would be one"):
        db.load([both, record(id="1", name="a", Name="b")])


@pytest.mark.parametrize(
    ("before", "after"),
    [("integer", "string"), ("integer", "number"), (EVERY_KIND["day"], "string")],
)
def test_a_key_of_another_type_is_refused_with_its_column_and_a_way_out(
    db: DuckDatabase, before: Any, after: Any
) -> None:
    db.load([schema({"id": before, "clicks": "integer"})])

    with pytest.raises(NotImplementedError, match=rf"column id of {SCHEMA}\.ads .* drop the table"):
        db.load([schema({"id": after, "clicks": "integer"})])


@pytest.mark.parametrize("keys", [["id", "name"], ["name"], []], ids=str)
def test_a_table_with_another_key_is_refused_with_both_keys(
    db: DuckDatabase, keys: list[str]
) -> None:
    db.load([ADS, record(id="1", name="a")])
    shown = ", ".join(keys) or "none"

    with pytest.raises(
        NotImplementedError, match=rf"{SCHEMA}\.ads is id, that of its stream is {shown}\. "
    ):
        db.load([{**ADS, "key_properties": keys}, record(id="1", name="b")])


def test_a_full_folder_for_temporary_files_is_named(
    db: DuckDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)

    with pytest.raises(UnusableError, match=r"rows\.csv: No space left on device\. .* set TMPDIR"):
        db.load([ADS, record(id="1")])


@pytest.mark.parametrize("before", [True, False], ids=["a table with versions", "without"])
def test_rows_without_a_version_outlive_a_new_version_of_the_table(
    db: DuckDatabase, caplog: pytest.LogCaptureFixture, *, before: bool
) -> None:
    rows = [{**record(id=each), "version": 7} for each in "ab"]
    activate = {"type": "ACTIVATE_VERSION", "stream": "ads", "version": 7}
    db.load([ADS, *rows], add_record_metadata=before)

    more = [{**record(id="c"), "version": 8}, {**activate, "version": 8}]
    db.load([ADS, *more], add_record_metadata=False, hard_delete=True)

    assert sorted(row["id"] for row in db.rows()) == ["a", "b", "c"]
    assert "`ACTIVATE_VERSION` messages are not enabled for 'ads'" in caplog.text


def test_a_fault_that_lasts_does_not_promise_that_the_next_run_goes_on() -> None:
    lasting = duckdb.ConstraintException("Constraint Error: NOT NULL constraint failed: ads.ours")

    assert "until the table or the records are corrected" in loading(lasting)
    assert "goes on from there" in loading(duckdb.IOException("IO Error: Something new"))


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, str(2**63)])
def test_a_whole_number_that_is_too_large_is_refused_with_its_column(
    db: DuckDatabase, number: Any
) -> None:
    with pytest.raises(duckdb.ConversionException, match=f"clicks is a BIGINT, .*{number}"):
        db.load([ADS, record(id="1"), record(id="2", clicks=number)])


def test_descriptions_become_comments_and_only_new_texts_are_written(db: DuckDatabase) -> None:
    db.load([described("Ads of an account.", name='It\'s "50 %", {really}; \\ and é')])
    db.load([described("Ads.", name="Name.", late="Late."), record(id="1", late="x")])

    query = "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'ads'"
    found = dict(db.execute(query))
    assert (found["name"], found["late"], found["plain"]) == ("Name.", "Late.", None)
    assert db.execute("SELECT comment FROM duckdb_tables()") == [("Ads.",)]


@pytest.mark.parametrize(
    "settings",
    [
        {"validate_records": True},
        {"add_record_metadata": False},
        {"stream_maps": {"ads": {"name": "name.upper() if name else None"}}},
        {"flattening_enabled": True, "flattening_max_depth": 2},
    ],
    ids=str,
)
def test_settings_of_the_sdk_work_as_in_other_targets(
    db: DuckDatabase, settings: dict[str, Any]
) -> None:
    more = {"type": ["null", "object"], "properties": {"deep": {"type": ["null", "string"]}}}
    wide = schema({**ADS["schema"]["properties"], "more": more})
    rows = [record(id=str(at), name="A", clicks=at, more={"deep": "x"}) for at in range(5)]
    db.load([wide, *rows], **settings)

    assert {row["name"] for row in db.rows()} == {"A"}
    assert len(db.rows()) == 5
    assert ("more__deep" in db.types()) is ("flattening_enabled" in settings)


def refusal(path: object, **more: Any) -> str:
    """The one line about a database that cannot be opened."""
    with pytest.raises(UnusableError) as refused:
        DuckdbConnector({"path": str(path), **more}).check()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_path_that_cannot_be_loaded_is_refused_in_one_line(tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("no database" * 1000)

    assert "No database is named" in refusal("")
    assert "rows are lost when the target ends" in refusal(":memory:")
    assert "begins with postgresql" in refusal("postgresql://me:topsecret@here/db")
    assert "topsecret" not in refusal("postgresql://me:topsecret@here/db")
    assert f"There is no folder {tmp_path / 'none'}" in refusal(tmp_path / "none" / "a.duckdb")
    assert "is a folder" in refusal(tmp_path)
    assert "file of another kind" in refusal(other)
    DuckdbConnector({"path": f"duckdb:///{tmp_path}/a.duckdb"}).check()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_folder_of_somebody_else_is_refused_in_one_line(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    os.seteuid(65534)
    try:
        assert "may not write" in refusal(tmp_path / "a.duckdb")
    finally:
        os.seteuid(0)


def test_a_file_that_another_program_has_open_is_refused_with_the_program(
    db: DuckDatabase,
) -> None:
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    arguments = (sys.executable, "-c", program, str(db.file))
    pipe = subprocess.PIPE
    with running(*arguments, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert f"is open in another program: {sys.executable[:1]}" in refusal(db.file)
        assert f"(PID {process.pid})" in refusal(db.file)
        process.communicate("")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ('IO Error: Could not write file "a.duckdb": No space left on device', "disk .* is full"),
        ('IO Error: Cannot open file "a.duckdb": Read-only file system', "is read-only"),
        ("IO Error: Trying to read a database file with version number 99", "version of DuckDB"),
        ("Invalid Input Error: Your request is not authenticated", "refuses the token"),
        (
            'IO Error: Failed to download extension "motherduck" at URL',
            "its extension for MotherDuck",
        ),
        ("IO Error: Something new?motherduck_token=topsecret&a=b", "cannot open md:numbers"),
    ],
)
def test_other_errors_of_opening_have_advice(said: str, line: str) -> None:
    address = Address("md:numbers?motherduck_token=topsecret", "topsecret")

    refused = str(connecting(duckdb.IOException(said), address))

    assert "topsecret" not in refused
    with pytest.raises(UnusableError, match=line):
        raise UnusableError(refused)


def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"path": str(tmp_path)}), encoding="utf-8")
    arguments = [command("target-duckdb-fast"), "--config", str(config)]
    ended = subprocess.run(arguments, input="", capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.endswith("Name a file in it, such as " + f"{tmp_path}/warehouse.duckdb.")
