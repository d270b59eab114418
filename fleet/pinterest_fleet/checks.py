"""Checks of a fleet and of the variables of its connections, without any call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from pinterest_fleet import runs
from pinterest_fleet.credentials import TOKEN_FILE, token_of
from pinterest_fleet.errors import FleetError
from pinterest_fleet.references import SecretError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pinterest_fleet.connections import Connection, Fleet
    from pinterest_fleet.runs import Place


def faults(fleet: Fleet, place: Place, parent: Mapping[str, str]) -> Sequence[FleetError]:
    """The faults of the enabled connections, a line each.

    Args:
        fleet: All connections.
        place: The folders.
        parent: The variables of this process.
    """
    try:
        fleet.shared_variables  # noqa: B018 - read before the variables of a connection
    except SecretError as error:
        return [_about("the shared variables cannot be read", error)]
    found = [*map(FleetError, _of_project(fleet, place))]
    variables: list[tuple[Connection, Mapping[str, str]]] = []
    for each in fleet.enabled:
        if fault := fleet.unreadable.get(each.name):
            found.append(FleetError(fault))
            continue
        try:
            variables.append((each, runs.environment(fleet, each, place, parent)))
        except SecretError as error:
            found.append(_about(each.name, error))
    return [*found, *map(FleetError, _of_credentials(variables))]


def _about(what: str, error: FleetError) -> FleetError:
    return FleetError(f"{what}: {error}", may_pass=error.may_pass)


def _of_project(fleet: Fleet, place: Place) -> Iterator[str]:
    """A fault if `meltano.yml` has no such loader; files that it includes are not looked at."""
    file = place.project / "meltano.yml"
    try:
        project = yaml.safe_load(file.read_text(encoding="utf-8"))
        loaders = [each["name"] for each in project["plugins"]["loaders"]]
        is_all = "include_paths" not in project
    except OSError as error:
        yield f"{file}: {error.strerror}; --project names its folder"
    except (yaml.YAMLError, ValueError, LookupError, TypeError):
        return  # Meltano itself names the fault
    else:
        if is_all and fleet.loader not in loaders:
            yield f"{file}: it has no loader {fleet.loader}; it has {', '.join(loaders)}"


def _of_credentials(
    variables: Sequence[tuple[Connection, Mapping[str, str]]],
) -> Iterator[str]:
    """The faults of connections that share a token but not a credential, or the reverse."""
    tokens: dict[str, Connection] = {}
    files: dict[str, Connection] = {}
    credentials: dict[str, tuple[Connection, str, str]] = {}
    for each, own in variables:
        # An empty text: no token, and no token file.
        token, file = token_of(own), own[TOKEN_FILE]
        other = tokens.setdefault(token, each) if token else each
        if other.credential != each.credential:
            # A renewed token would reach only one of them, and they would not share a quota.
            yield f"{each.name}: it has the token of {other.name}; give both one credential"
        other = files.setdefault(file, each) if file else each
        if other.credential != each.credential:
            yield f"{each.name}: it has the token file of {other.name}; each would overwrite it"
        other, *its = credentials.setdefault(each.credential, (each, token, file))
        if [token, file] != its:
            what = "token" if token != its[0] else "token file"
            yield (
                f"{each.name}: it has the credential {each.credential} of {other.name},"
                f" but another {what}"
            )
