from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_pinterest import api
from tap_pinterest.api.columns import report_facts
from tap_pinterest.records import conform, strays

FACTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "camelCaseName": {"type": "string"},
        "count": {"type": "integer"},
        "rate": {"type": "number"},
        "flag": {"type": "boolean"},
        "seconds": {"type": "integer", "unit": "s"},
        "milliseconds": {"type": "number", "unit": "ms"},
        "created_time": {"type": "integer", "unit": "ms"},
        "updated_at": {"type": "string", "format": "date-time"},
        "created_day": {"type": "string", "format": "date"},
        "either": {"type": "integer", "unit": "s|ms"},
        "at": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "status": {"type": "string", "enum": ["ACTIVE", "PAUSED"]},
        "texts": {"type": "array", "items": {"type": "string"}},
        "statuses": {"type": "array", "items": {"type": "string", "enum": ["A"]}},
        "inner": {
            "type": "object",
            "properties": {"at": {"type": "integer", "unit": "s"}, "userName": {"type": "string"}},
        },
        "open": {"type": "object"},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
        "mixed": {"type": ["integer", "string"]},
    },
}


@pytest.fixture
def unknowns() -> strays.UnknownCounts:
    return strays.UnknownCounts()


@pytest.fixture
def convert(unknowns: strays.UnknownCounts) -> conform.Converter:
    return conform.Converter(FACTS, strays.KeptStrays(unknowns))


def converter(facts: Any, kind: type[strays.Strays] = strays.KeptStrays) -> conform.Converter:
    return conform.Converter(facts, kind(strays.UnknownCounts()))


@pytest.mark.parametrize(
    ("field", "value", "converted"),
    [
        ("id", "007", "007"),
        ("id", 18446744073709551615, "18446744073709551615"),
        ("id", 5.0, "5"),
        ("id", True, "true"),
        ("count", 5, 5),
        ("count", 5.0, 5),
        ("count", "-12", -12),
        ("count", "12.0", 12),
        ("rate", 0.25, 0.25),
        ("rate", 412345.0, 412345),
        ("rate", "0.5", 0.5),
        ("rate", "7", 7),
        ("rate", 1e300, 1e300),
        ("flag", False, False),
        ("flag", "true", True),
        ("flag", 0, False),
        ("seconds", 1432744744, "2015-05-27T16:39:04Z"),
        ("seconds", "1432744744", "2015-05-27T16:39:04Z"),
        ("seconds", 1432744744.9, "2015-05-27T16:39:04Z"),
        ("seconds", 253402300799, "9999-12-31T23:59:59Z"),
        ("seconds", 0, None),
        ("seconds", -1, None),
        ("seconds", 1783587041000, "2026-07-09T08:50:41Z"),
        ("seconds", 1783587041000000, "2026-07-09T08:50:41Z"),
        ("seconds", 253402300799000, "9999-12-31T23:59:59Z"),
        ("seconds", 86400, "1970-01-02T00:00:00Z"),
        ("milliseconds", 1783587041, "2026-07-09T08:50:41Z"),
        ("milliseconds", 1783587041.5, "2026-07-09T08:50:41Z"),
        ("created_time", 1783587041, "2026-07-09T08:50:41Z"),
        ("created_time", 1783587041000, "2026-07-09T08:50:41Z"),
        ("created_time", "1783587041000000", "2026-07-09T08:50:41Z"),
        ("created_time", 1230768000, "2009-01-01T00:00:00Z"),
        ("created_time", 4133980799, "2100-12-31T23:59:59Z"),
        ("created_time", 0, None),
        ("updated_at", "2026-07-09T10:43:45.109000", "2026-07-09T10:43:45Z"),
        ("updated_at", 1783587041000, "2026-07-09T08:50:41Z"),
        ("created_day", "2026-07-09T10:43:45", "2026-07-09"),
        ("seconds", "2015-05-27T16:39:04", "2015-05-27T16:39:04Z"),
        ("milliseconds", 1599030000000, "2020-09-02T07:00:00Z"),
        ("either", 1621350033000, "2021-05-18T15:00:33Z"),
        ("either", 1621350033, "2021-05-18T15:00:33Z"),
        ("at", "2020-01-01T20:10:40", "2020-01-01T20:10:40Z"),
        ("at", "2020-01-01T20:10:40Z", "2020-01-01T20:10:40Z"),
        ("at", "2020-01-01T20:10:40-00:00", "2020-01-01T20:10:40Z"),
        ("at", "2020-01-01T20:10:40.602000", "2020-01-01T20:10:40Z"),
        ("at", "2020-01-01T20:10:40+02:00", "2020-01-01T18:10:40Z"),
        ("at", "2020-01-01 20:10:40", "2020-01-01T20:10:40Z"),
        ("at", 1432744744, "2015-05-27T16:39:04Z"),
        ("at", "", None),
        ("day", "2026-11-20", "2026-11-20"),
        ("day", "2026-11-20T00:00:00", "2026-11-20"),
        ("day", "", None),
        ("status", "PAUSED", "PAUSED"),
        ("texts", ["a", 1], ["a", "1"]),
        (
            "inner",
            {"at": 1432744744, "userName": 3},
            {"at": "2015-05-27T16:39:04Z", "userName": "3"},
        ),
        ("open", {"any": [1, {"thing": None}]}, {"any": [1, {"thing": None}]}),
        ("map", {"2026-01-05": 3.0}, {"2026-01-05": 3}),
        ("mixed", "a", "a"),
        ("mixed", 1, 1),
    ],
)
def test_values_of_each_type_fit_without_a_warning(
    field: str,
    value: object,
    converted: object,
    convert: conform.Converter,
    unknowns: strays.UnknownCounts,
) -> None:
    result = convert({field: value})[field]
    assert result == converted
    assert type(result) is type(converted)
    assert not unknowns


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", {"a": 1}),
        ("id", ["a"]),
        ("count", 1.5),
        ("count", "many"),
        ("count", True),
        ("rate", "n/a"),
        ("rate", "NaN"),
        ("rate", float("inf")),
        ("flag", "maybe"),
        ("flag", 2),
        ("flag", {}),
        ("seconds", 10**18),
        ("seconds", -86400),
        ("seconds", True),
        ("created_time", 1230767999),
        ("created_time", 4133980800),
        ("created_time", 86400),
        ("created_time", 1783587041000000000),
        ("updated_at", "0001-01-01T00:00:00"),
        ("updated_at", "2101-01-01T00:00:00"),
        ("created_day", "1970-01-20"),
        ("seconds", "soon"),
        ("at", "yesterday"),
        ("day", "2026-13-01"),
        ("day", "2026-11-20 and more"[:10] + "x"),
        ("day", 20261120),
        ("status", {"is": "ACTIVE"}),
        ("texts", "a"),
        ("inner", "a"),
        ("open", [1]),
        ("mixed", {}),
    ],
)
def test_a_value_that_does_not_fit_is_null_in_its_column_and_kept_in_extra_fields(
    field: str, value: object, convert: conform.Converter, unknowns: strays.UnknownCounts
) -> None:
    record = convert({field: value})
    assert record[field] is None
    assert record["extra_fields"] == {field: value}
    assert dict(unknowns.misfits) == {(field, type(value).__name__): 1}
    assert convert({"id": "2"})["extra_fields"] is None


@pytest.mark.parametrize(
    ("field", "value"), [("rate", "n/a"), ("count", {}), ("day", "2026-13-01"), ("rate", True)]
)
def test_a_value_that_does_not_fit_fails_the_report_and_is_named(field: str, value: object) -> None:
    convert = converter(FACTS, strays.RefusedStrays)
    with pytest.raises(strays.MisfitError, match=f"a row has {field} as {type(value).__name__},"):
        convert({"id": "1", field: value})
    assert convert({"id": "1", "rate": 2.5})["rate"] == 2.5


def test_a_record_without_extra_fields_leaves_out_what_does_not_fit() -> None:
    unknowns = strays.UnknownCounts()
    record = conform.Converter(FACTS, strays.Strays(unknowns))({"id": "1", "count": "x", "new": 1})
    assert list(record) == list(conform.singer_schema(FACTS)["properties"])
    assert record["count"] is None
    assert dict(unknowns.fields) == {"new": 1}
    assert dict(unknowns.misfits) == {("count", "str"): 1}


def test_inside_an_object_a_value_of_another_type_stays_where_it_is(
    convert: conform.Converter, unknowns: strays.UnknownCounts
) -> None:
    sent = {"at": "soon", "userName": ["a"]}
    record = convert({"inner": sent, "map": {"a": "many", "b": 2}})
    assert record["inner"] == sent
    assert record["map"] == {"a": "many", "b": 2}
    assert record["extra_fields"] is None
    assert dict(unknowns.misfits) == {
        ("inner.at", "str"): 1,
        ("inner.userName", "list"): 1,
        ("map", "str"): 1,
    }


def test_where_objects_are_flattened_a_member_that_does_not_fit_is_kept_beside() -> None:
    kept = strays.KeptStrays(strays.UnknownCounts(), is_flattened=True)
    record = conform.Converter(FACTS, kept)({"inner": {"at": "soon", "userName": "a"}})
    assert record["inner"] == {"at": None, "userName": "a"}
    assert record["extra_fields"] == {"inner.at": "soon"}


def test_withheld_fields_are_in_no_extra_field() -> None:
    kept = strays.KeptStrays(strays.UnknownCounts(), withheld={"credentials"})
    secret = {"credentials": {"password": "x"}}
    sent = {"id": "1", "brand_new": [{"a": 1, **secret}], "inner": {"new": secret, **secret}}
    record = conform.Converter(FACTS, kept)({**sent, **secret})
    assert record["extra_fields"] == {"brand_new": [{"a": 1}]}
    assert record["inner"] == {"new": {}}


@pytest.mark.parametrize("way", ["read", "__call__"])
def test_a_field_that_is_called_extra_fields_is_not_taken_for_the_column(way: str) -> None:
    convert = getattr(converter(FACTS), way)
    sent: Any = {"id": "1", "extra_fields": {"a": 1}}
    record = convert(msgspec.json.encode(sent) if way == "read" else sent)
    assert record["extra_fields"] == {"extra_fields": {"a": 1}}


def test_every_column_is_in_every_record(convert: conform.Converter) -> None:
    record = convert({"id": "1"})
    assert list(record) == list(conform.singer_schema(FACTS, extra_fields=True)["properties"])
    assert {name for name, value in record.items() if value is not None} == {"id"}


def test_camel_case_is_split_in_columns_and_left_alone_inside() -> None:
    properties = conform.singer_schema(FACTS)["properties"]
    assert "camel_case_name" in properties
    assert "userName" in properties["inner"]["properties"]


def test_unknown_fields_are_kept_and_counted(
    convert: conform.Converter, unknowns: strays.UnknownCounts
) -> None:
    for _ in range(2):
        record = convert({"id": "1", "brand_new": 1, "inner": {"newer": 2}})
    assert record["extra_fields"] == {"brand_new": 1}
    assert record["inner"] == {"newer": 2}
    assert dict(unknowns.fields) == {"brand_new": 2, "inner.newer": 2}


def test_unknown_enum_values_are_kept_and_counted(
    convert: conform.Converter, unknowns: strays.UnknownCounts
) -> None:
    record = convert({"status": "ON_MARS", "statuses": ["A", "B"]})
    assert record["status"] == "ON_MARS"
    assert record["statuses"] == ["A", "B"]
    assert dict(unknowns.values) == {("status", "ON_MARS"): 1, ("statuses", "B"): 1}


def test_an_item_that_does_not_fit_stays_among_the_others(
    convert: conform.Converter, unknowns: strays.UnknownCounts
) -> None:
    assert convert({"texts": ["a", {}, None]})["texts"] == ["a", {}, None]
    assert dict(unknowns.misfits) == {("texts", "dict"): 1}


def test_the_records_given_are_not_changed(convert: conform.Converter) -> None:
    record = {"id": 1, "inner": {"at": 1432744744}, "texts": [1]}
    before = json.dumps(record)
    convert(record)
    assert json.dumps(record) == before


TIMES = {name for name, facts in FACTS["properties"].items() if {"unit", "format"} & facts.keys()}
# A NUL has been replaced before a record is converted.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ANY_RECORD = st.fixed_dictionaries({}, optional=dict.fromkeys((*FACTS["properties"], "new"), JSON))
SCHEMA = conform.singer_schema(FACTS, extra_fields=True)
COLUMNS_ONLY = {
    **SCHEMA,
    "properties": {
        name: {word: value[word] for word in ("type", "format") if word in value}
        for name, value in SCHEMA["properties"].items()
    },
}
VALIDATOR = jsonschema.Draft7Validator(COLUMNS_ONLY)


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FACTS["properties"], JSON)))
def test_every_column_keeps_its_type_for_any_answer(record: dict[str, Any]) -> None:
    VALIDATOR.validate(converter(FACTS)(record))


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ANY_RECORD, min_size=1, max_size=4))
def test_nothing_that_is_answered_is_lost(records: list[dict[str, Any]]) -> None:
    """Each value is in its column, or in `extra_fields`; an empty time is null."""
    convert = converter(FACTS)
    for sent in records:
        record = convert(sent)
        extra = record["extra_fields"] or {}
        for name, value in sent.items():
            kept = record.get(conform.singer_name(name)) is not None or name in extra
            is_no_time = not value or value in (-1, "0", "-0", "-1")
            assert kept or value is None or (name in TIMES and is_no_time), name
        assert {name: repr(extra[name]) for name in extra} == {
            name: repr(sent[name]) for name in extra
        }


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ANY_RECORD, min_size=1, max_size=4))
def test_every_way_of_conversion_makes_the_same_record(records: list[dict[str, Any]]) -> None:
    ways = []
    for way in ("read", "__call__", "_field_by_field"):
        unknowns = strays.UnknownCounts()
        convert = getattr(conform.Converter(FACTS, strays.KeptStrays(unknowns)), way)
        texts = [msgspec.json.encode(record) for record in records]
        converted = [
            convert(text if way == "read" else msgspec.json.decode(text)) for text in texts
        ]
        ways.append((msgspec.json.encode(converted, order="sorted"), vars(unknowns)))

    assert ways[0] == ways[1] == ways[2]


@pytest.mark.parametrize("way", ["read", "__call__"])
def test_an_id_and_a_metric_keep_their_types_whatever_came_before(way: str) -> None:
    facts = {"properties": {"id": {"type": "string"}, "CTR": {"type": "number"}}}
    values = [("1", 2), (2, 2.5), ("3", None), (4, 7.0), ("5", 1.5), (None, 3), (7, 2.0)]
    convert = getattr(converter(facts), way)
    sent = [msgspec.json.encode({"id": own_id, "CTR": rate}) for own_id, rate in values]

    records = [convert(text if way == "read" else msgspec.json.decode(text)) for text in sent]

    assert [record["id"] for record in records] == ["1", "2", "3", "4", "5", None, "7"]
    assert [str(record["ctr"]) for record in records] == ["2", "2.5", "None", "7", "1.5", "3", "2"]


def test_a_lone_surrogate_in_a_record_is_replaced(convert: conform.Converter) -> None:
    assert convert.read(b'{"id": "a\xff", "rate": 2.0}')["id"] == "a\ufffd"


def test_a_usual_row_is_not_converted_field_by_field(
    unknowns: strays.UnknownCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = dict(report_facts(["AD_ID", "CAMPAIGN_ID", "CAMPAIGN_NAME", "CTR", "REPIN_1"]))
    facts["properties"] |= {"TARGETING_VALUE": {"type": "string"}}
    monkeypatch.setattr(conform.Converter, "_field_by_field", None)
    row = {"AD_ID": "687200000001", "CAMPAIGN_ID": 626700000001, "DATE": "2026-01-05"}
    metrics = {"CAMPAIGN_NAME": "7", "CTR": 0.0, "REPIN_1": 3, "TARGETING_VALUE": 500}

    refused = strays.RefusedStrays(unknowns)
    record = conform.Converter(facts, refused).read(msgspec.json.encode(row | metrics))

    assert list(record.values()) == ["687200000001", "626700000001", "7", 0, 3, "2026-01-05", "500"]
    assert [type(value) for value in record.values()] == [str, str, str, int, int, str, str]


@pytest.mark.parametrize("key", [key for key in api.operations() if key.startswith("GET ")])
def test_schema_and_converter_agree_for_every_operation(key: str) -> None:
    operation = api.operation(key)
    if operation.record is None or "properties" not in api.schema(operation.record):
        return
    facts = api.record_facts(key.removeprefix("GET "))
    record = converter(facts, strays.Strays)({})
    assert list(record) == list(conform.singer_schema(facts)["properties"])
