"""Streams that the run itself is the source of."""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from tap_pinterest.run.summary import StreamSummary
from tap_pinterest.streams.bases.stream import PinterestStream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from singer_sdk.helpers.types import Context

KEY: Mapping[str, Any] = MappingProxyType({"type": ["string"]})
TEXT: Mapping[str, Any] = MappingProxyType({"type": ["string", "null"]})
DAY: Mapping[str, Any] = MappingProxyType({**TEXT, "format": "date"})
TIME: Mapping[str, Any] = MappingProxyType({**TEXT, "format": "date-time"})
COUNT: Mapping[str, Any] = MappingProxyType({"type": ["integer", "null"]})


class AboutTheRun(PinterestStream):
    """A stream that is written after all others, also by a run that fails or is stopped."""

    path = ""
    group = "ads"
    is_about_the_run = True

    def schema_of(self, columns: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """A schema with these columns."""
        made = {name: dict(schema) for name, schema in columns.items()}
        return {"type": "object", "properties": made, "required": list(self.natural_keys)}

    @functools.cached_property
    @override
    def summary(self) -> StreamSummary:
        # The run does not tell of these rows.
        return StreamSummary()

    @override  # type: ignore[misc]
    def sync(self, context: Context | None = None) -> None:
        # The SDK calls it between other streams, before they have been read.
        """Do nothing."""

    def write(self) -> None:
        """Write its records."""
        super().sync()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], None, None]:
        # The other streams' version ends at a signal, and notes the stream in the state.
        with self._all_written():
            for record in self.arranged(
                cast("Iterable[dict[str, Any]]", self.get_records(context))
            ):
                try:
                    if write_messages:
                        self._write(record)
                except OSError:
                    # The output is broken, not the record.
                    raise
                except Exception as error:  # noqa: BLE001 - a map may raise anything
                    self._fail_to_write(record, None, error)
                    return
                yield record
