"""The target for PostgreSQL: meltanolabs-target-postgres with our reader, sinks and commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from target_postgres.target import TargetPostgres
from typing_extensions import override

from target_postgres_fast.errors import UnusableError
from target_postgres_fast.postgres import faults
from target_postgres_fast.postgres.sink import FastPostgresSink
from target_postgres_fast.target import FastTarget

if TYPE_CHECKING:
    from target_postgres_fast.postgres.connector import FastPostgresConnector


class TargetPostgresFast(FastTarget, TargetPostgres):
    """Singer target for PostgreSQL: meltanolabs-target-postgres with a faster way in."""

    # Its settings, and so their environment variables, are the stock target's.
    name = "target-postgres"
    package_name = "target-postgres-fast"
    command = "target-postgres-fast"
    default_sink_class = FastPostgresSink

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the stock target's arguments
        try:
            super().__init__(*args, **kwargs)
        except AssertionError as error:
            # The stock target raises this for settings that do not go together.
            raise UnusableError(str(error)) from error

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        errors = super()._validate_config(raise_errors=raise_errors)
        faults.require_address(self.config)
        return errors

    @override
    def check_database(self) -> None:
        connector = cast("FastPostgresConnector", self.target_connector)
        connector.check(self.config.get("default_target_schema"))

    @classmethod
    @override
    def database_fault(cls, error: Exception) -> str | None:
        if isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.Error):
            error = error.orig
        if isinstance(error, psycopg.Error):
            return faults.loading(error)
        if isinstance(error, NotImplementedError):
            return faults.other_type(error)
        return faults.other(str(error)) if isinstance(error, SQLAlchemyError) else None
