"""Finds settings without effect: misspelt settings, and variables that Meltano does not pass on."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import Any

_NEAR = 0.8
"""Likeness from which a name counts as a misspelling of another; 1 is equal."""
_SCHEMA = "default_target_schema"
_ADDRESS = frozenset({"host", "port", "user", "password", "database"})
"""Kubernetes makes variables of these names for a service that is called target-postgres."""


def misspelt(config: Collection[str], known: Collection[str]) -> Iterator[str]:
    """A fault for each setting whose name is almost the name of another setting.

    Args:
        config: The names of the settings in the config.
        known: The names of all settings.
    """
    for name in config:
        near = difflib.get_close_matches(name, known, n=1, cutoff=_NEAR)
        if name not in known and near:
            yield f"{name}: there is no such setting; did you mean {near[0]}?"


def misspelt_variables(
    prefix: str, environment: Collection[str], known: Collection[str]
) -> Iterator[str]:
    """A fault for each variable whose name is almost that of a setting.

    Others may share the prefix: Kubernetes makes TARGET_POSTGRES_SERVICE_HOST, and a loader that
    is called target-postgres-stock has TARGET_POSTGRES_STOCK_USE_COPY.

    Args:
        prefix: The beginning of the variables' names.
        environment: The names of all variables.
        known: The names of all settings.
    """
    for variable in sorted(environment):
        name = variable.removeprefix(prefix).lower()
        near = difflib.get_close_matches(name, known, n=1, cutoff=_NEAR)
        if not variable.startswith(prefix) or name in known or not near:
            continue
        if not name.startswith(f"{near[0]}_") and not name.endswith(f"_{near[0]}"):
            ours = f"{prefix}{near[0].upper()}"
            yield f"{variable}: there is no such setting; did you mean {ours}?"


def without_effect(
    prefix: str, environment: Mapping[str, str], config: Mapping[str, Any], known: Collection[str]
) -> Iterator[str]:
    """A sentence for each setting that changes nothing.

    Args:
        prefix: The beginning of the variables' names.
        environment: All variables.
        config: The settings in force.
        known: The names of all settings.
    """
    for name in config:
        if name not in known:
            yield f"{name} has no effect: the loader has no such setting."
    if config.get(_SCHEMA) == "":
        yield (
            f"{_SCHEMA} is empty, so the tables go to the schema that the database takes by itself."
            " Name one, such as pinterest."
        )
    for name in known:
        if f"{prefix}{name.upper()}" in environment and name not in {*config, *_ADDRESS}:
            yield (
                f"{prefix}{name.upper()} has no effect: the loader's config does not have {name}."
                " In meltano.yml, write it under the config of the loader."
            )
