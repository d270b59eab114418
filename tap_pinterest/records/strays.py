"""Fields and values that do not fit the columns of a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from singer_sdk.exceptions import FatalAPIError
from typing_extensions import override

from tap_pinterest import api

EXTRA_FIELDS = "extra_fields"
"""The column for fields that have no column."""


class UnknownCounts:
    """Counts fields, values and types that the schema of a stream does not have."""

    def __init__(self) -> None:
        self.fields: Counter[str] = Counter()
        self.values: Counter[tuple[str, str]] = Counter()
        self.misfits: Counter[tuple[str, str]] = Counter()

    def __bool__(self) -> bool:
        """Whether anything has been counted."""
        return bool(self.fields or self.values or self.misfits)

    def field(self, name: str) -> None:
        """Count a field."""
        self.fields[name] += 1

    def value(self, field: str, value: str) -> None:
        """Count a value of an enum."""
        self.values[field, value] += 1

    def misfit(self, field: str, value: object) -> None:
        """Count a value by its type only: it may hold what logs must not."""
        self.misfits[field, type(value).__name__] += 1


class Strays:
    """Counts fields and values of a record that do not fit its columns, and leaves them out.

    Inside an object, a value of the wrong type stays. If objects are flattened, their members are
    columns, and such a value is left out as well.

    Attributes:
        has_column: Whether records have the column `extra_fields`.
        extra: Content for this column from the record that is being converted.
    """

    has_column = False

    def __init__(
        self,
        unknowns: UnknownCounts,
        *,
        withheld: Collection[str] = frozenset(),
        is_flattened: bool = False,
    ) -> None:
        """Strays of one stream's records.

        Args:
            unknowns: Counts each stray.
            withheld: Names of fields that never leave the tap.
            is_flattened: Whether members of objects become columns.
        """
        self.unknowns = unknowns
        self.extra: dict[str, Any] = {}
        self._withheld = withheld
        self._is_flattened = is_flattened

    def field(self, name: str, value: Any) -> None:  # noqa: ANN401, ARG002 - see KeptStrays
        """A field that the schema lacks."""
        self.unknowns.field(name)

    def misfit(self, name: str, value: Any) -> None:  # noqa: ANN401
        """A value that does not fit its column."""
        self.unknowns.misfit(name, value)

    def inner_field(self, name: str, key: str, value: Any, into: dict[str, Any]) -> None:  # noqa: ANN401
        """A member that the schema of an object lacks."""
        self.unknowns.field(name)
        if key not in self._withheld:
            into[key] = api.without(value, self._withheld)

    def inner_misfit(self, name: str, value: Any) -> Any:  # noqa: ANN401
        """Return the value to keep inside an object for a value that does not fit."""
        if self._is_flattened:
            return self.misfit(name, value)
        self.unknowns.misfit(name, value)
        return value

    def taken(self) -> dict[str, Any]:
        """Take the content of the column for a record; the next record starts without any."""
        extra, self.extra = self.extra, {}
        return extra


class KeptStrays(Strays):
    """Strays that the column `extra_fields` keeps unchanged, each under its name."""

    has_column = True

    @override
    def field(self, name: str, value: Any) -> None:
        super().field(name, value)
        if name not in self._withheld:
            self.extra[name] = api.without(value, self._withheld)

    @override
    def misfit(self, name: str, value: Any) -> None:
        super().misfit(name, value)
        self.extra[name] = api.without(value, self._withheld)


class MisfitError(FatalAPIError):
    """A value does not fit its column, and a null would overwrite a right value."""


class RefusedStrays(Strays):
    """Strays of reports: a number that cannot be read must not overwrite a right one with null."""

    @override
    def misfit(self, name: str, value: Any) -> None:
        super().misfit(name, value)
        msg = f"a row has {name} as {type(value).__name__}, which does not fit its column"
        raise MisfitError(msg)
