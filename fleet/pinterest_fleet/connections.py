"""Reads the file of connections, and says by name and line what is wrong in it."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import yaml

from pinterest_fleet.references import PROVIDERS, Reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LONGEST_SCHEMA = 63
"""Bytes that PostgreSQL keeps of a name."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
_FORMS = {
    "name": _NAME,
    "credential": _NAME,
    "schema": re.compile(r"[a-z_][a-z0-9_]*"),
    "loader": re.compile(r"target-[a-z0-9-]+"),
}
_SECRET = re.compile(r"pin[acr]_\w+|://[^/@\s]+:[^/@\s]+@")


class ConnectionsError(Exception):
    """The file cannot be used.

    Attributes:
        faults: One line for each fault.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Connection:
    """One credential and the ad accounts that it may read.

    Attributes:
        name: Its name in logs, metrics and the state id.
        secret: Where its variables are, the credential among them.
        schema: The schema that its tables go to.
        credential: The credential's name. Connections with one name share its quota and tokens.
        enabled: Whether it is loaded.
    """

    name: str
    secret: Reference
    schema: str
    credential: str
    enabled: bool = True


@dataclass(frozen=True)
class Fleet:
    """All connections of a file.

    Attributes:
        connections: In the order of the file.
        shared: Where the variables of all connections are; `None` if there are none.
        loader: The loader's name in `meltano.yml`.
    """

    connections: Sequence[Connection]
    shared: Reference | None = None
    loader: str = "target-postgres"

    @property
    def enabled(self) -> Sequence[Connection]:
        """The connections to load."""
        return [each for each in self.connections if each.enabled]

    @property
    def shared_credentials(self) -> Sequence[str]:
        """Names of credentials that several enabled connections use."""
        counts = Counter(each.credential for each in self.enabled)
        return sorted(name for name, count in counts.items() if count > 1)

    def of(self, name: str) -> Connection:
        """The connection of a name.

        Raises:
            ConnectionsError: There is none, or it is not enabled.
        """
        found = next((each for each in self.connections if each.name == name), None)
        if found is None:
            raise ConnectionsError([f"no connection is called {name}{_near(name, self.names)}"])
        if not found.enabled:
            raise ConnectionsError([f"connection {name} is not enabled"])
        return found

    @property
    def names(self) -> Sequence[str]:
        """The names of all connections."""
        return [each.name for each in self.connections]


def read(path: Path) -> Fleet:
    """The connections of a file.

    Raises:
        ConnectionsError: The file is not there, is no YAML, or has faults.
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ConnectionsError([f"{path}: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConnectionsError([f"{path}: not UTF-8"]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark else ""
        raise ConnectionsError([f"{path}{where}: not YAML"]) from None
    return _File(path).fleet(node)


@dataclass(frozen=True)
class _Located:
    """A value of the file, and the line that it stands on."""

    value: Any
    line: int


class _File:
    """A file while its faults are collected."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._faults: list[str] = []
        self._lines: dict[tuple[str, str], int] = {}

    def fleet(self, node: yaml.Node | None) -> Fleet:
        """The connections of the document.

        Raises:
            ConnectionsError: It has faults.
        """
        top = self._members(node, "", ("connections", "env_file", "secret", "loader"))
        listed = top.get("connections")
        nodes = listed.value if listed else None
        if not isinstance(nodes, yaml.SequenceNode) or not nodes.value:
            line = listed.line if listed else 1
            self._fault(line, "connections", "a list of at least one connection")
            raise ConnectionsError(self._faults)
        made = [self._connection(each) for each in nodes.value]
        connections = [each for each in made if each is not None]
        shared = self._secret(top, "", 1) if {"env_file", "secret"} & {*top} else None
        loader = self._text(top, "loader", "", _Located("target-postgres", 1))
        if self._faults:
            raise ConnectionsError(self._faults)
        return Fleet(connections, shared, loader)

    def _connection(self, node: yaml.Node) -> Connection | None:
        line = node.start_mark.line + 1
        allowed = ("env_file", *(each.name for each in fields(Connection)))
        members = self._members(node, "a connection", allowed)
        name = self._text(members, "name", "a connection", _Located("", line))
        faults = len(self._faults)
        secret = self._secret(members, name, line)
        default = f"pinterest_{name}".replace("-", "_")
        schema = self._text(members, "schema", name, _Located(default, line))
        if len(schema) > LONGEST_SCHEMA:
            self._fault(line, f"{name}: schema", f"at most {LONGEST_SCHEMA} characters")
        credential = self._text(members, "credential", name, _Located(name or "unnamed", line))
        enabled = self._enabled(members, name)
        self._refuse_twice("name", name, line)
        self._refuse_twice("schema", schema, line)
        if not name or secret is None or len(self._faults) > faults:
            return None
        return Connection(name, secret, schema, credential, enabled)

    def _refuse_twice(self, what: str, value: str, line: int) -> None:
        """Refuse a value that another connection has; two would load over each other."""
        first = self._lines.setdefault((what, value), line)
        if value and first != line:
            self._fault(line, f"{what} {value}", f"a {what} of its own; line {first} has it too")

    def _members(
        self, node: yaml.Node | None, owner: str, allowed: Sequence[str]
    ) -> Mapping[str, _Located]:
        line = node.start_mark.line + 1 if node else 1
        if not isinstance(node, yaml.MappingNode):
            self._fault(line, owner or "the file", f"members {', '.join(allowed)}")
            return {}
        members: dict[str, _Located] = {}
        for key, value in node.value:
            name, at = str(key.value), key.start_mark.line + 1
            if name not in allowed:
                self._fault(at, name, f"{', '.join(allowed)}{_near(name, allowed)}")
            elif name in members:
                self._fault(at, name, "once")
            else:
                plain = isinstance(value, yaml.ScalarNode)
                found = yaml.SafeLoader("").construct_object(value) if plain else value
                members[name] = _Located(found, value.start_mark.line + 1)
        return members

    def _text(
        self, members: Mapping[str, _Located], member: str, owner: str, default: _Located
    ) -> str:
        given = members.get(member, default)
        form = _FORMS[member]
        text = str(given.value) if isinstance(given.value, (str, int)) else ""
        if form.fullmatch(text):
            return text
        self._fault(given.line, _path(owner, member), f"text of the form {form.pattern}")
        return ""

    def _enabled(self, members: Mapping[str, _Located], name: str) -> bool:
        given = members.get("enabled", _Located(value=True, line=1))
        if not isinstance(given.value, bool):
            self._fault(given.line, f"{name}: enabled", "true or false")
        return bool(given.value)

    def _secret(self, members: Mapping[str, _Located], owner: str, line: int) -> Reference | None:
        given = [name for name in ("env_file", "secret") if name in members]
        if len(given) != 1:
            self._fault(line, owner or "the file", "either env_file or secret")
            return None
        (member,) = given
        value, at = members[member].value, members[member].line
        text = f"file:{value}" if member == "env_file" else str(value)
        provider, _, rest = text.partition(":")
        if _SECRET.search(text):
            # Not shown: it may be the secret itself.
            self._fault(at, _path(owner, member), "a reference; a secret does not belong here")
        elif provider not in PROVIDERS or not rest.strip():
            forms = ", ".join(f"{each}:…" for each in PROVIDERS)
            self._fault(at, _path(owner, member), f"one of {forms}")
        else:
            reference = Reference(provider, rest.strip(), self._path.parent)
            if fault := reference.fault():
                self._fault(at, _path(owner, member), fault)
            return reference
        return None

    def _fault(self, line: int, what: str, allowed: str) -> None:
        self._faults.append(f"{self._path}:{line}: {what}: refused; allowed: {allowed}")


def _path(owner: str, member: str) -> str:
    return f"{owner}: {member}" if owner else member


def _near(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
