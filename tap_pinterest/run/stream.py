"""A stream as a run sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context

    from tap_pinterest.api.periods import DateRange
    from tap_pinterest.config import Settings
    from tap_pinterest.config.custom_reports import CustomReport
    from tap_pinterest.reading.calls import Expected
    from tap_pinterest.reading.read_ahead import Ahead, Task
    from tap_pinterest.singer.state import Partitions


class RunStream(Protocol):
    """What a run knows of a stream; `PinterestStream` says more of each part.

    Attributes:
        name: Its name.
        is_report: Whether it has metrics by day.
        custom: The entry of `custom_reports` that defines it.
    """

    name: str
    is_report: bool
    custom: CustomReport | None

    @property
    def path(self) -> str:
        """Its path in Pinterest's description."""

    @property
    def group(self) -> str:
        """The entry of `stream_groups` that lists it."""

    @property
    def category(self) -> str:
        """The rate category of its calls."""

    @property
    def remembered(self) -> Partitions:
        """Its contexts in the state."""

    @property
    def named_and_missing(self) -> set[str]:
        """Ids that the config names for it, and that Pinterest has not listed yet."""

    @property
    def replication_key(self) -> str | None:
        """The column that says how far the stream was read, if there is one."""

    @property
    def selected(self) -> bool:
        """Whether the run reads it."""

    @property
    def settings(self) -> Settings:
        """The settings in force for it."""

    @property
    def lists(self) -> Iterator[str]:
        """Paths of the lists that its calls need ids of."""

    @property
    def written_lists(self) -> Sequence[str]:
        """Paths of the lists that it writes as records."""

    @property
    def missing_settings(self) -> Sequence[str]:
        """Settings without which there is nothing to ask for."""

    @property
    def knows_contexts(self) -> bool:
        """Whether it takes no call to tell the contexts."""

    @property
    def partitions(self) -> list[dict[str, Any]] | None:
        """The contexts; `None` for a stream that has just one, without a name."""

    def get_records(self, context: Context | None) -> Iterable[Any]:
        """The records of a context."""

    def found(self) -> Iterator[Task[Any]]:
        """Find out the contexts."""

    def ahead(self, context: Context | None) -> Ahead[Any] | None:
        """What may begin before a context's turn; `None` if nothing may."""

    def expected(self, context: Context | None) -> Iterator[Expected]:
        """The calls that a context takes."""

    def ranges(self, context: Context | None) -> Sequence[DateRange]:
        """The days that a run reads of a context."""
