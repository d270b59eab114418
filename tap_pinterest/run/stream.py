"""A stream as a run sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context

    from tap_pinterest.api.periods import DateRange
    from tap_pinterest.config import Settings
    from tap_pinterest.config.custom_reports import CustomReport
    from tap_pinterest.reading.calls import Expected
    from tap_pinterest.reading.contexts import Contexts
    from tap_pinterest.reading.read_ahead import Ahead, Task
    from tap_pinterest.singer.state import Partitions


class RunStream(Protocol):
    """The parts of a stream that a run uses; `PinterestStream` describes each.

    Attributes:
        name: Its name.
        is_report: Whether it has metrics by day.
        is_about_the_run: Whether its records are about the run, and not from Pinterest.
        custom: The entry of `custom_reports` that defines it.
    """

    name: str
    is_report: bool
    is_about_the_run: bool
    custom: CustomReport | None

    @property
    def contexts(self) -> Contexts: ...
    @property
    def path(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def remembered(self) -> Partitions: ...
    @property
    def named_and_missing(self) -> set[str]: ...
    @property
    def replication_key(self) -> str | None: ...
    @property
    def selected(self) -> bool: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def lists(self) -> Iterator[str]: ...
    @property
    def written_lists(self) -> Sequence[str]: ...
    @property
    def missing_settings(self) -> Sequence[str]: ...
    @property
    def unreadable(self) -> Mapping[str, Exception]: ...
    @property
    def why_nothing(self) -> str: ...
    @property
    def period(self) -> str: ...
    @property
    def knows_contexts(self) -> bool: ...
    @property
    def partitions(self) -> list[dict[str, Any]] | None: ...
    def get_records(self, context: Context | None) -> Iterable[Any]: ...
    def found(self) -> Iterator[Task[Any]]: ...
    def ahead(self, context: Context | None) -> Ahead[Any] | None: ...
    def expected(self, context: Context | None) -> Iterator[Expected]: ...
    def ranges(self, context: Context | None) -> Sequence[DateRange]: ...
