"""Good answers made odd, in the ways that real ones are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Change: TypeAlias = Literal[
    "unknown_field", "numeric_ids", "textual_numbers", "fractions", "odd_text", "repeat", "no_ids"
]

_LARGEST_EXACT = 2**53


class Distortion:
    """One kind of change to the records of answers; `repeat` remembers the page before."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._last: dict[str, list[Any]] = {}

    def __call__(self, body: bytes, path: str) -> bytes:
        """The body with its records changed; one that is not JSON stays as it is.

        Args:
            body: An answer.
            path: What was asked for: pages of one path follow each other.
        """
        try:
            answer = json.loads(body)
        except ValueError:
            return body
        if self._change == "repeat":
            self._repeat(answer, path)
        elif self._change in _OF_RECORDS:
            for record in _records(answer):
                _OF_RECORDS[self._change](record)
        else:
            answer = _walked(answer, _OF_VALUES[self._change])
        return json.dumps(answer, separators=(",", ":")).encode()

    def _repeat(self, answer: Any, path: str) -> None:  # noqa: ANN401
        """Begins a page with the last record of the one before, and ends it with its own twice."""
        records = _lists(answer)[0]
        if records and records != [answer]:
            own = records[-1]
            records[:0] = self._last.get(path, ())
            records.append(own)
            self._last[path] = [own]


def _records(answer: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for found in _lists(answer):
        yield from (each for each in found if isinstance(each, dict))


def _lists(answer: Any) -> list[list[Any]]:  # noqa: ANN401
    """The lists of records of an answer: one, or one per entity in the download of a report."""
    if isinstance(answer, list):
        return [answer]
    for name in ("items", "data"):
        if isinstance(answer.get(name), list):
            return [answer[name]]
    if answer and all(isinstance(each, list) for each in answer.values()):
        return list(answer.values())
    return [[answer]]


def _walked(value: Any, change: Callable[[str, Any], Any], name: str = "") -> Any:  # noqa: ANN401
    """The value with every scalar changed, except those of the answer's own envelope."""
    if isinstance(value, dict):
        return {
            key: member if key == "bookmark" else _walked(member, change, key)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [_walked(item, change, name) for item in value]
    return change(name, value)


def _numeric_id(name: str, value: Any) -> Any:  # noqa: ANN401
    is_id = name.lower().endswith(("id", "ids"))
    return int(value) if is_id and isinstance(value, str) and value.isdecimal() else value


def _fraction(name: str, value: Any) -> Any:  # noqa: ANN401
    is_metric = name.isupper() and not name.endswith("_ID") and isinstance(value, int)
    return value + 0.25 if is_metric and abs(value) < _LARGEST_EXACT else value


def _odd_text(name: str, value: Any) -> Any:  # noqa: ANN401
    is_name = isinstance(value, str) and name.lower().endswith(("name", "description"))
    return f"{value}\x00\ud83d\u2028" if is_name else value


def _add_unknown(record: dict[str, Any]) -> None:
    record["mood_of_the_day"] = {"colour": "teal"}


def _number_texts(record: dict[str, Any]) -> None:
    for name, value in record.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            record[name] = json.dumps(value)


def _drop_ids(record: dict[str, Any]) -> None:
    for name in [name for name in record if name.lower() == "id" or name.endswith("_ID")]:
        del record[name]


_OF_RECORDS: dict[str, Callable[[dict[str, Any]], None]] = {
    "unknown_field": _add_unknown,
    "no_ids": _drop_ids,
    "textual_numbers": _number_texts,
}
_OF_VALUES: dict[str, Callable[[str, Any], Any]] = {
    "numeric_ids": _numeric_id,
    "fractions": _fraction,
    "odd_text": _odd_text,
}
