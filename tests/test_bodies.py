from __future__ import annotations

from typing import Any

import pytest

from tap_pinterest.http.answers import decoder
from tap_pinterest.http.errors import UnreadableAnswerError

as_object = decoder(dict[str, Any])


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(rb'{"a": "x\u0000y"}', "x\ufffdy", id="NUL"),
        pytest.param(rb'{"a": "x\ud800y"}', "x\ufffdy", id="first half of a pair"),
        pytest.param(rb'{"a": "x\udc00y"}', "x\ufffdy", id="second half of a pair"),
        pytest.param(rb'{"a": "\ud83c\udf32"}', "🌲", id="a whole pair"),
        pytest.param(rb'{"a": "\u0000\ud83c\udf32"}', "\ufffd🌲", id="NUL beside a whole pair"),
        pytest.param(rb'{"a": "\\u0000"}', r"\u0000", id="an escaped backslash, no NUL"),
        pytest.param(rb'{"a": "\ud800\\u0000"}', "\ufffd" + r"\u0000", id="both"),
        pytest.param(b'{"a": "x\xffy"}', "x\ufffdy", id="no UTF-8"),
        pytest.param('{"a": "été"}'.encode(), "été", id="plain text"),
        pytest.param(b'\xef\xbb\xbf{"a": "x"}', "x", id="a byte order mark"),
    ],
)
def test_texts_come_out_as_a_database_takes_them(body: bytes, text: str) -> None:
    assert as_object(body) == {"a": text}


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"a": ', b"[]", b"null"],
    ids=["empty", "HTML", "cut", "list", "null"],
)
def test_a_body_without_the_expected_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswerError):
        as_object(body)
