"""A table in DuckDB, and the way of a batch of rows into it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from duckdb import ConstraintException, Error

from target_postgres_fast.batch import Written
from target_postgres_fast.duckdb import faults, statements
from target_postgres_fast.duckdb.columns import type_for_both
from target_postgres_fast.errors import UnusableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from target_postgres_fast.batch import Batch
    from target_postgres_fast.duckdb.connector import DuckdbConnector


NEEDS_TYPE = "Give it a type for both, or load into another schema: set default_target_schema."
WAYS_OUT = (
    "Load into another schema, with default_target_schema, or drop the table and let the tap read"
    " all of the stream again."
)


class Table:
    """The table for the rows of one stream."""

    def __init__(
        self, connector: DuckdbConnector, schema: str, name: str, keys: Sequence[str]
    ) -> None:
        """Name it.

        Args:
            connector: The connection to the database.
            schema: The schema that it is in.
            name: Its name.
            keys: The key columns; empty for a table that only grows.
        """
        self._connector = connector
        self._place = (schema, name)
        self._name = statements.name(connector.database, schema, name)
        self._keys = keys
        self._takes_only_new_rows = False
        self._has_primary_key = bool(keys)
        self.types: Mapping[str, str] = {}
        """The types of the columns for new rows."""

    def prepare(self, wanted: Mapping[str, str], texts: Mapping[str | None, str]) -> None:
        """Create the table, or give it the columns, the types and the comments that it lacks.

        Args:
            wanted: The types of the columns for new rows.
            texts: The comments by column, and the table's comment under None.

        Raises:
            NotImplementedError: A column cannot hold the values that are to come.
        """
        self._require_different(wanted)
        with self._connector.transaction() as cursor:
            columns = cursor.execute(statements.COLUMNS, self._place).fetchall()
            # DuckDB ignores upper and lower case.
            there = {name.lower(): (kind, text) for name, kind, text in columns}
            if there:
                self._compare_key(cursor.execute(statements.KEY, self._place).fetchone())
            else:
                self._takes_only_new_rows = bool(self._keys)
                cursor.execute(statements.create_schema(self._connector.database, self._place[0]))
                cursor.execute(statements.create(self._name, wanted, self._keys))
                there = {name.lower(): (kind, None) for name, kind in wanted.items()}
            self.types = {
                column: self._fitting(cursor, column, kind, there.get(column.lower()))
                for column, kind in wanted.items()
            }
            row = cursor.execute(statements.COMMENT, self._place).fetchone()
            known = {name: text for name, (_, text) in there.items()}
            for column, text in texts.items():
                old = known.get(column.lower()) if column is not None else row and row[0]
                if text != old:
                    cursor.execute(statements.comment(self._name, column, text))

    def _require_different(self, names: Iterable[str]) -> None:
        known: dict[str, str] = {}
        for name in names:
            other = known.setdefault(name.lower(), name)
            if other != name:
                message = (
                    f"{other} and {name} of {self._shown} would be one column: DuckDB ignores upper"
                    " and lower case. Rename one of them in stream_maps."
                )
                raise NotImplementedError(message)

    def _compare_key(self, there: tuple[Sequence[str]] | None) -> None:
        self._has_primary_key = there is not None
        keys = {each.lower() for each in self._keys}
        if there and {each.lower() for each in there[0]} != keys:
            old, new = (", ".join(each) or "none" for each in (there[0], self._keys))
            message = f"The key of {self._shown} is {old}, that of its stream is {new}. {WAYS_OUT}"
            raise NotImplementedError(message)

    def _fitting(
        self,
        cursor: DuckDBPyConnection,
        column: str,
        wanted: str,
        there: tuple[str, str | None] | None,
    ) -> str:
        """Let a column hold values of a type, and return the type that it has then."""
        if there is None:
            cursor.execute(statements.add_column(self._name, column, wanted))
            return wanted
        old, _ = there
        kind = type_for_both(old, wanted)
        if kind == old:
            return old
        is_key = column in self._keys and self._has_primary_key
        if kind is None or is_key or self._loses(cursor, column, old, kind):
            remedy = f"DuckDB changes no column of a key. {WAYS_OUT}" if is_key else NEEDS_TYPE
            place = f"{column} of {self._shown}"
            message = f"The column {place} is {old}, and {wanted} is to come. {remedy}"
            raise NotImplementedError(message)
        try:
            cursor.execute(statements.widen(self._name, column, kind))
        except Error as error:
            message = f"The column {column} of {self._shown} cannot become {kind}: {error}"
            raise NotImplementedError(message) from error
        return kind

    @property
    def _shown(self) -> str:
        return ".".join(self._place)

    def _loses(self, cursor: DuckDBPyConnection, column: str, old: str, kind: str) -> bool:
        query = statements.lost(self._name, column, old, kind)
        return bool(cursor.execute(query).fetchone() != (0,))

    def load(self, batch: Batch, names: Sequence[str]) -> Written:
        """Write a batch in one transaction.

        Args:
            batch: The rows.
            names: Columns of the rows' fields.
        """
        types = {name: self.types[name] for name in names}
        with _written(batch.in_order_of_arrival()) as file:
            query = statements.rows(file, types)
            if not self._keys or self._takes_only_new_rows:
                try:
                    return self._append(names, query)
                except ConstraintException:
                    if not self._keys:
                        raise
                    # A key came again in a later batch.
                    self._takes_only_new_rows = False
            return self._merge(names, query, len(batch))

    def _append(self, names: Sequence[str], query: str) -> Written:
        with self._connector.transaction() as cursor:
            return Written(new=_count(cursor, statements.insert(self._name, names, query)))

    def _merge(self, names: Sequence[str], query: str, rows: int) -> Written:
        with self._connector.transaction() as cursor:
            cursor.execute(statements.stage(query))
            # Without a primary key, one row of the batch can change several of the table.
            statement = None if self._has_primary_key else statements.count_changes
            counted = statement and _count(cursor, statement(self._name, names, self._keys))
            written = _count(cursor, statements.update(self._name, names, self._keys))
            changed = written if counted is None else counted
            new = _count(cursor, statements.insert_new(self._name, names, self._keys))
        return Written(new, changed, rows - new - changed)

    def delete_older(self, version: int, *, hard: bool) -> None:
        """Delete rows of older versions, or mark them as deleted."""
        with self._connector.transaction() as cursor:
            delete = statements.delete_older if hard else statements.mark_older
            cursor.execute(delete(self._name), [version])


@contextmanager
def _written(rows: Iterable[bytes]) -> Iterator[str]:
    """A file with these rows as lines, which is gone after the block."""
    with TemporaryDirectory(prefix="target-duckdb-") as folder:
        file = Path(folder) / "rows.csv"
        try:
            file.write_bytes(b"\n".join((*rows, b"")))
        except OSError as error:
            raise UnusableError(faults.NO_ROOM.format(file=file, reason=error.strerror)) from error
        yield str(file)


def _count(cursor: DuckDBPyConnection, statement: str) -> int:
    """Run a statement, and return how many rows it wrote."""
    ((count,),) = cursor.execute(statement).fetchall()
    return int(count)
