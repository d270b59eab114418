"""A table, and the way of a batch of rows into it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from psycopg.errors import UniqueViolation

from target_postgres_fast.batch import Written
from target_postgres_fast.postgres import statements

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from psycopg import Cursor, sql

    from target_postgres_fast.batch import Batch
    from target_postgres_fast.postgres.connector import FastPostgresConnector

COPY_ROWS = 500


@dataclass(frozen=True)
class Facts:
    """The catalog's facts about a table.

    Attributes:
        is_empty: Whether it has no rows.
        takes_copy: Whether COPY can write into it.
        types: Type of each column.
        unique: Columns of each index that ON CONFLICT can use.
        is_ours: Whether the user has the rights of its owner.
        comment: The comment on it.
        comments: Comments on its columns, by name.
    """

    is_empty: bool
    takes_copy: bool
    types: Mapping[str, str]
    unique: Collection[Collection[str]]
    is_ours: bool
    comment: str | None
    comments: Mapping[str, str]


class Table:
    """The table for the rows of one stream."""

    def __init__(
        self,
        connector: FastPostgresConnector,
        name: sql.Identifier,
        temporary: sql.Identifier,
        keys: Sequence[str],
    ) -> None:
        """Read from the catalog.

        Args:
            connector: The connection to the database.
            name: Name of the table, with its schema.
            temporary: Name for a temporary table.
            keys: The key columns; empty for a table that only grows.
        """
        self._connector = connector
        self.name = name
        self._temporary = temporary
        self._keys = keys
        with connector.transaction() as cursor:
            query = statements.facts(name, name.as_string(cursor))
            ((facts,),) = cursor.execute(query).fetchall()
        self.facts = Facts(**facts)
        self.has_unique_keys = any(set(keys) == {*columns} for columns in self.facts.unique)
        # Without a unique index, COPY would write a key again that comes in a later batch.
        self._takes_only_new_rows = (
            self.facts.is_empty and self.facts.takes_copy and self.has_unique_keys
        )

    def comment(self, texts: Mapping[str | None, str]) -> bool:
        """Write comments that differ from the existing ones.

        Args:
            texts: The comments by column, and the table's comment under None.

        Returns:
            Whether all comments are written. Only the owner of a table can change them.
        """
        there = self.facts.comments
        differ = {
            column: text
            for column, text in texts.items()
            if text != (self.facts.comment if column is None else there.get(column))
        }
        if differ and self.facts.is_ours:
            with self._connector.transaction() as cursor:
                cursor.execute(statements.comments(self.name, differ))
        return self.facts.is_ours or not differ

    def load(self, batch: Batch, names: Sequence[str]) -> Written:
        """Write a batch in one transaction.

        Args:
            batch: The rows.
            names: Columns of the rows' fields.
        """
        if not self._keys:
            return self._append(batch, names)
        if self._takes_only_new_rows and batch.are_keys_sure:
            try:
                return self._append(batch, names)
            except UniqueViolation:
                # Another load has the same rows, or a key came again in a later batch.
                pass
        self._takes_only_new_rows = False
        return self._merge(batch, names)

    def _append(self, batch: Batch, names: Sequence[str]) -> Written:
        with self._connector.transaction() as cursor:
            _copy(cursor, statements.copy(self.name, names), batch.in_order_of_keys())
        return Written(new=len(batch))

    def _merge(self, batch: Batch, names: Sequence[str]) -> Written:
        with self._connector.transaction() as cursor:
            if self.has_unique_keys and batch.are_keys_sure:
                self._stage(cursor, names, batch.in_order_of_keys())
                return self._upsert(cursor, names, len(batch))
            # The order differs from that of other loads, so two loads could wait for each other.
            cursor.execute(statements.lock(self.name))
            numbered = (b"%b,%d" % (row, at) for at, row in enumerate(batch.in_order_of_arrival()))
            self._stage(cursor, [*names, statements.ARRIVAL], numbered)
            last = cursor.execute(statements.keep_last(self._temporary, self._keys))
            count = len(batch) - last.rowcount
            if self.has_unique_keys:
                return self._upsert(cursor, names, count)
            return self._update_and_insert(cursor, names, count)

    def _stage(self, cursor: Cursor[Any], names: Sequence[str], rows: Iterable[bytes]) -> None:
        cursor.execute(statements.create_temporary(self._temporary, self.name, names))
        _copy(cursor, statements.copy(self._temporary, names), rows)

    def _upsert(self, cursor: Cursor[Any], names: Sequence[str], count: int) -> Written:
        cursor.execute(statements.PLAN)
        merge = statements.merge(self._temporary, self.name, names, self._keys)
        written = cursor.execute(merge).rowcount
        ((changed,),) = cursor.execute(statements.changed(self.name, cursor))
        return Written(written - changed, changed, count - written)

    def _update_and_insert(self, cursor: Cursor[Any], names: Sequence[str], count: int) -> Written:
        """Merge into a table without a unique index on its keys."""
        parts = (self._temporary, self.name, names, self._keys)
        ((changed,),) = cursor.execute(statements.update(*parts))
        new = cursor.execute(statements.insert(*parts)).rowcount
        return Written(new, changed, count - new - changed)

    def delete_older(self, version: int, *, hard: bool) -> None:
        """Delete rows of older versions, or mark them as deleted."""
        delete = statements.delete_older if hard else statements.mark_older
        with self._connector.transaction() as cursor:
            cursor.execute(delete(self.name, version))


def _copy(cursor: Cursor[Any], statement: sql.Composed, rows: Iterable[bytes]) -> None:
    with cursor.copy(statement) as copy:
        for many in _batched(rows):
            copy.write(b"\n".join((*many, b"")))


def _batched(rows: Iterable[bytes]) -> Iterator[tuple[bytes, ...]]:
    """Rows in groups, each large enough for one write."""
    iterator = iter(rows)
    while many := tuple(islice(iterator, COPY_ROWS)):
        yield many
