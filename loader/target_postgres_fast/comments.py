"""Descriptions of a stream and its properties, as comments on the table and its columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, and half a pair of surrogates: databases cannot store these in a text."""
OF_METADATA = {
    "_sdc_extracted_at": "When the tap read the row that was last written here (UTC).",
    "_sdc_received_at": "When the target got that row (UTC).",
    "_sdc_batched_at": "When the target began the batch that the row was in (UTC).",
    "_sdc_deleted_at": "When the row was deleted at its source (UTC); null while it is there.",
    "_sdc_sequence": "When the target got the row, in Unix milliseconds; later rows have more.",
    "_sdc_table_version": "Version of the table that the tap named with the row, if any.",
    "_sdc_sync_started_at": "When the load that wrote the row began, in Unix milliseconds.",
}


def wanted(schema: Mapping[str, Any]) -> dict[str | None, str]:
    """The comments in a SCHEMA: by column, and the table's comment under None."""
    texts = {None: schema.get("description"), **dict(_of_columns(schema["properties"]))}
    return {column: _storable(text) for column, text in texts.items() if isinstance(text, str)}


def _of_columns(properties: Mapping[str, Any]) -> Iterator[tuple[str | None, Any]]:
    for name, described in properties.items():
        yield name, described.get("description") or OF_METADATA.get(name)


def _storable(text: str) -> str:
    return UNSTORABLE.sub("\ufffd", text).strip()
