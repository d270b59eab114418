"""Streams whose source is the run itself."""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, cast

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
    """A stream that is written after all others, also by a run that fails or is stopped.

    Attributes:
        columns: The schemas of the columns; a key property is a text unless it is named here.
    """

    path = ""
    group = "ads"
    is_about_the_run = True
    columns: ClassVar[Mapping[str, Mapping[str, Any]]]

    @override
    def own_schema(self) -> dict[str, Any]:
        keys = self.natural_keys
        columns = {**dict.fromkeys(keys, KEY), **self.columns}
        properties = {name: dict(schema) for name, schema in columns.items()}
        return {"type": "object", "properties": properties, "required": list(keys)}

    @functools.cached_property
    @override
    def summary(self) -> StreamSummary:
        # The summary of the run leaves these rows out.
        return StreamSummary()

    @override  # type: ignore[misc]
    def sync(self, context: Context | None = None) -> None:
        """Do nothing: the SDK calls this between other streams, before they have been read."""

    def write(self) -> None:
        """Write the records."""
        super().sync()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], None, None]:
        # Other streams stop at a signal and have a place in the state; this stream does neither.
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
