from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_pinterest.records.sync_key import key_maker, sync_key

if TYPE_CHECKING:
    import random


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("687200000001", "687200000001", id="text"),
        pytest.param("été 🌲", "été 🌲", id="unicode"),
        pytest.param(30, "30", id="integer"),
        pytest.param(-7, "-7", id="negative integer"),
        pytest.param(True, "true", id="true"),
        pytest.param(False, "false", id="false"),
        pytest.param(None, "", id="null"),
    ],
)
def test_the_key_is_the_md5_of_the_text_that_postgresql_gives(value: object, text: str) -> None:
    assert sync_key({"a": value}, ["a"]) == md5(text)


def test_a_field_that_is_absent_counts_like_null() -> None:
    assert sync_key({"b": "x"}, ["a", "b"]) == sync_key({"a": None, "b": "x"}, ["a", "b"])


def test_fields_are_joined_in_the_order_given_whatever_the_order_in_the_record() -> None:
    assert sync_key({"b": "2", "a": "1"}, ["a", "b"]) == md5("12")
    assert sync_key({"a": "1", "b": "2"}, ["b", "a"]) == md5("21")


def test_a_separator_keeps_fields_apart_that_join_to_the_same_text() -> None:
    one, other = {"a": "1", "b": "23"}, {"a": "12", "b": "3"}

    assert sync_key(one, ["a", "b"]) == sync_key(other, ["a", "b"])
    assert sync_key(one, ["a", "b"], "|") != sync_key(other, ["a", "b"], "|")


@pytest.mark.parametrize("value", [1.5, ["1"], {"a": 1}], ids=["float", "list", "object"])
def test_a_value_without_a_fixed_text_is_refused_with_its_field(value: object) -> None:
    with pytest.raises(TypeError, match="metric cannot be part of __sync_key"):
        sync_key({"metric": value}, ["metric"])


@given(st.lists(st.one_of(st.none(), st.text(), st.integers(), st.booleans()), max_size=6))
def test_the_key_is_32_hex_digits_and_depends_on_nothing_but_the_fields(
    values: list[object],
) -> None:
    fields = [f"f{index}" for index in range(len(values))]
    record = dict(zip(fields, values, strict=True))

    key = sync_key(record, fields)

    assert len(key) == 32
    assert key == sync_key(record | {"other": 1.5}, fields)


values = st.one_of(st.none(), st.text(), st.integers(), st.booleans())
records = st.dictionaries(st.sampled_from("abcdef"), values)
FIELDS = ("c", "a", "e", "b")


@given(records, st.randoms(use_true_random=False))
def test_the_order_of_the_records_keys_makes_no_difference(
    record: dict[str, object], chance: random.Random
) -> None:
    shuffled = dict(chance.sample(list(record.items()), len(record)))

    assert sync_key(shuffled, FIELDS) == sync_key(record, FIELDS)


@given(records)
def test_absent_is_like_null_and_like_the_empty_text(record: dict[str, object]) -> None:
    empty: tuple[object, ...] = (None, "")
    for value in empty:
        filled = {**dict.fromkeys(FIELDS, value), **record}
        assert sync_key(filled, FIELDS) == sync_key(record, FIELDS)


@given(st.text(min_size=1), st.integers(min_value=1, max_value=20_000))
def test_very_long_values_are_hashed_to_their_end(text: str, times: int) -> None:
    long = text * times

    assert sync_key({"a": long}, ["a"]) == md5(long)
    assert sync_key({"a": long + "x"}, ["a"]) != sync_key({"a": long}, ["a"])


@given(st.text(), st.text(), st.text())
def test_only_a_separator_makes_concatenations_differ(one: str, two: str, three: str) -> None:
    left, right = {"a": one + two, "b": three}, {"a": one, "b": two + three}

    assert sync_key(left, ["a", "b"]) == sync_key(right, ["a", "b"]) == md5(one + two + three)
    if two and "|" not in one + two + three:
        assert sync_key(left, ["a", "b"], "|") != sync_key(right, ["a", "b"], "|")


@given(records, st.lists(st.sampled_from("abcdef"), max_size=6), st.sampled_from(["", "|", "::"]))
def test_the_key_is_the_md5_of_the_texts_in_the_fields_order(
    record: dict[str, object], fields: list[str], separator: str
) -> None:
    def text(value: object) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)

    expected = separator.join(text(record.get(field)) for field in fields)
    assert sync_key(record, fields, separator) == md5(expected)


@given(
    records,
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6),
    st.sampled_from(["", "|"]),
)
def test_keys_of_many_records_are_those_of_each(
    record: dict[str, object], fields: list[str], separator: str
) -> None:
    assert key_maker(fields, separator)(record) == sync_key(record, fields, separator)


def test_keys_of_many_records_are_refused_with_their_field_too() -> None:
    with pytest.raises(TypeError, match=r"^b cannot be part of"):
        key_maker(("a", "b"), "")({"a": "x", "b": 1.5})
