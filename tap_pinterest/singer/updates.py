"""The state of a stream that reads entities in the order of their last update.

A context is one partition, a plain dict in the Singer state::

    {"context": {"ad_account_id": "549…"}, "replication_key": "updated_time",
     "replication_key_value": "2026-11-20T10:00:00Z", "last_id": "687…", "settings": "1a2b3c4d"}

Many entities may share a time, so that the bookmark is a time and an id. `pending` has the ids of
earlier entities that could not be read. `ahead` has later entities that were read: by id, the time
of their update.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

LAST_ID = "last_id"
"""A key that partitions of such streams have and partitions of reports do not have."""
MOST_PENDING = 1_000
"""Most unread entities that the bookmark may pass."""
MOST_AHEAD = 100
"""Most entities after the bookmark that are remembered; others are read again."""


class Update(NamedTuple):
    """The last update of an entity. Updates have a fixed order, and no two are equal.

    Attributes:
        time: An ISO date-time; empty if Pinterest gives none.
    """

    time: str
    id: str


@dataclass(frozen=True)
class UpdatesProgress:
    """The entities of a context that earlier runs have read.

    Attributes:
        last: The update up to which all entities were read, apart from `pending`.
        pending: Entities before `last` that could not be read.
        ahead: Updates after `last` that were read.
        settings: Fingerprint of the settings that the entities were read with.
    """

    last: Update | None = None
    pending: tuple[str, ...] = ()
    settings: str | None = None
    ahead: tuple[Update, ...] = ()

    @classmethod
    def of(cls, partition: Mapping[str, Any]) -> UpdatesProgress:
        """Progress from a partition of the state; empty from an empty partition."""
        time, last_id = partition.get("replication_key_value"), partition.get(LAST_ID)
        return cls(
            last=Update(time, str(last_id)) if time and last_id else None,
            # Edited by hand, ids may have become numbers.
            pending=tuple(map(str, partition.get("pending") or ())),
            settings=partition.get("settings"),
            ahead=tuple(Update(str(at), id_) for id_, at in (partition.get("ahead") or {}).items()),
        )

    def write_to(self, partition: dict[str, Any], replication_key: str) -> None:
        """Write the progress into a partition of the state, next to its context."""
        values = {
            "replication_key": replication_key if self.last else None,
            "replication_key_value": self.last.time if self.last else None,
            LAST_ID: self.last.id if self.last else None,
            "settings": self.settings,
            "pending": list(self.pending),
            "ahead": {each.id: each.time for each in self.ahead},
        }
        for name in values:
            partition.pop(name, None)
        partition.update({name: value for name, value in values.items() if value})

    def back_to(self, day: date) -> UpdatesProgress:
        """The progress without the updates since the beginning of a day."""
        start = Update(f"{day}T00:00:00Z", "0")
        return replace(self, last=self.last and min(self.last, start), ahead=())

    def is_left(self, update: Update) -> bool:
        """Whether an entity has to be read: it is new, has changed, or is pending."""
        if update in self.ahead:
            return False
        return (
            self.last is None or not update.time or update > self.last or update.id in self.pending
        )

    def after(
        self,
        new: Collection[Update],
        unread: Sequence[Update],
        failed: Collection[str],
        settled: str,
    ) -> UpdatesProgress:
        """The progress after a run.

        Args:
            new: The updates of the entities that were left to read.
            unread: The updates of `new` that were not read, in order.
            failed: The ids of entities whose calls failed.
            settled: The time up to which no more updates will appear in the list.
        """
        postponed = [each.id for each in unread if each.id in failed or each.id in self.pending]
        pending = tuple(postponed[:MOST_PENDING])
        first = min((each for each in unread if each.time and each.id not in pending), default=None)
        settled_ones = {each for each in (*new, *self.ahead) if each.time and each.time <= settled}
        read = (each for each in settled_ones if first is None or each < first)
        last = max((*read, *filter(None, [self.last])), default=None)
        left = {*unread}
        ahead = (e for e in settled_ones if e not in left and (last is None or e > last))
        return UpdatesProgress(last, pending, self.settings, tuple(sorted(ahead)[:MOST_AHEAD]))
