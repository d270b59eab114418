"""The dbt project of `transform/`, run in an environment of its own."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts.processes import ROOT, running

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROJECT = ROOT / "transform"
ENVIRONMENT = ROOT / ".venv-transform"
DBT = ENVIRONMENT / "bin" / "dbt"
ENDS_WELL = {"success", "pass", "warn", "no-op"}


class DbtError(RuntimeError):
    """dbt ended with a failure; the text names the failed models and tests."""


@dataclass(frozen=True)
class Built:
    """One build.

    Attributes:
        seconds: The time of the build.
        nodes: The status and dbt's message of each model, test, snapshot and seed, by its unique
            id.
        output: All lines that dbt wrote.
    """

    seconds: float
    nodes: Mapping[str, tuple[str, str]]
    output: str

    def statuses(self, kind: str) -> Counter[str]:
        """How many models, tests, snapshots or seeds ended how."""
        kinds = (name for name in self.nodes if name.partition(".")[0] == kind)
        return Counter(self.nodes[name][0] for name in kinds)


class Dbt:
    """The project for one database."""

    def __init__(
        self,
        folder: Path,
        *,
        url: str = "",
        duckdb: Path | None = None,
        schema: str = "pinterest_models",
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare.

        Args:
            folder: The folder for compiled files and logs.
            url: Address of a PostgreSQL.
            duckdb: File of a DuckDB, in place of a PostgreSQL.
            schema: Schema that the models go to.
            variables: Variables of the project.
        """
        self._folder = folder
        self._variables = dict(variables or {})
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DBT_")},
            "DBT_PROJECT_DIR": str(PROJECT),
            "DBT_PROFILES_DIR": str(PROJECT),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
            "DBT_PINTEREST_TARGET": "duckdb" if duckdb else "postgres",
            "TARGET_DUCKDB_PATH": str(duckdb or ""),
            "DBT_PINTEREST_SCHEMA": schema,
            "TARGET_POSTGRES_SQLALCHEMY_URL": url,
            "DO_NOT_TRACK": "1",
        }

    def as_package_of(self, project: Path) -> Dbt:
        """Another project that has its own variables, and our project as a package."""
        other = copy.copy(self)
        folders = dict.fromkeys(("DBT_PROJECT_DIR", "DBT_PROFILES_DIR"), str(project))
        other._environment = {**self._environment, **folders}  # noqa: SLF001 - our own
        other._variables = {}  # noqa: SLF001 - our own
        return other

    def build(self, *arguments: str, **variables: Any) -> Built:  # noqa: ANN401 - any value of YAML
        """Build and test everything, or what the arguments select.

        Raises:
            DbtError: When a model or a test fails.
        """
        return self.run("build", *arguments, **variables)

    def run(self, command: str, *arguments: str, **variables: Any) -> Built:  # noqa: ANN401 - see above
        """Run a command of dbt, with more variables for this once.

        Raises:
            DbtError: When it fails.
        """
        self._results.unlink(missing_ok=True)
        started = time.monotonic()
        said = json.dumps(self._variables | variables)
        with running(
            *(str(DBT), "--no-use-colors", command, "--vars", said, *arguments),
            cwd=self._environment["DBT_PROJECT_DIR"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            output, _ = process.communicate()
        built = Built(time.monotonic() - started, self._nodes(), str(output))
        if process.returncode:
            raise DbtError(_failures(built) or output)
        return built

    @property
    def _results(self) -> Path:
        return self._folder / "target" / "run_results.json"

    def _nodes(self) -> dict[str, tuple[str, str]]:
        if not self._results.exists():
            return {}
        results = json.loads(self._results.read_text(encoding="utf-8"))["results"]
        return {each["unique_id"]: (each["status"], each["message"] or "") for each in results}


def _failures(built: Built) -> str:
    failed = [
        f"{name}: {message}"
        for name, (status, message) in built.nodes.items()
        if status not in ENDS_WELL | {"skipped"}
    ]
    return "\n".join(failed)
