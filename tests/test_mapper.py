from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_pinterest.mapper import sync_key


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


def test_a_separator_keeps_apart_what_looks_like_each_others_concatenation() -> None:
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
