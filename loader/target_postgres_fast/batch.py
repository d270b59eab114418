"""The rows that go into a table together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_postgres_fast.rows import Line


class Batch:
    """Rows that go into a table together: the last row of each key."""

    def __init__(self, *, has_keys: bool) -> None:
        self._has_keys = has_keys
        self._rows: dict[Any, bytes] = {}
        self.bytes = 0
        self.arrived = 0
        self.are_keys_sure = True
        """Whether all rows here have different keys."""

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._rows)

    def add(self, line: Line) -> None:
        """Add a row; it replaces a row with the same key."""
        self.arrived += 1
        self.bytes += len(line.text)
        if not self._has_keys:
            self._rows[len(self._rows)] = line.text
            return
        self.are_keys_sure &= line.has_sure_key
        key = line.key if line.has_sure_key else (line.key,)
        # Without `pop`, the row would keep the place of the row that it replaces.
        self._rows.pop(key, None)
        self._rows[key] = line.text

    def in_order_of_keys(self) -> Iterator[bytes]:
        """All rows, sorted by key: loads in parallel then never wait for each other in a circle."""
        return (row for _, row in sorted(self._rows.items()))

    def in_order_of_arrival(self) -> Iterator[bytes]:
        """All rows, in the order in which they arrived."""
        return iter(self._rows.values())


class Written(NamedTuple):
    """Counts of the rows of a batch after writing."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
