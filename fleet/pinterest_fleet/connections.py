"""Reads the file of connections; each fault has a line number and a name."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections import Counter
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml

from pinterest_fleet.errors import FleetError
from pinterest_fleet.references import PROVIDERS, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

LONGEST_SCHEMA = 63
"""Bytes that PostgreSQL keeps of a name."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
_FORMS = {
    "name": _NAME,
    "credential": _NAME,
    # PostgreSQL keeps pg_ for itself.
    "schema": re.compile(r"(?!pg_)[a-z_][a-z0-9_]*"),
    "loader": re.compile(r"target-[a-z0-9-]+"),
}
_SECRET = re.compile(r"pin[acr]_\w+|://[^/@\s]+:[^/@\s]+@")


class ConnectionsError(FleetError):
    """The file cannot be used; the text has a line for each fault."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))


@dataclass(frozen=True)
class Connection:
    """One credential and the ad accounts that it may read.

    Attributes:
        name: The name in logs, metrics and the state id.
        secret: The place of its variables, which include the credential.
        schema: The schema of its tables.
        credential: The credential's name. Connections with the same name share quota and tokens.
        enabled: Whether it is loaded.
    """

    name: str
    secret: Reference
    schema: str
    credential: str
    enabled: bool = True


MEMBERS = ("env_file", *(each.name for each in fields(Connection)))
"""Members of a connection in a list, and columns of a table of connections."""


@dataclass(frozen=True)
class Fleet:
    """All connections of a file.

    Attributes:
        connections: In the order of the file.
        shared: The place of the variables of all connections; `None` if there are none.
        loader: The loader's name in `meltano.yml`.
        unreadable: Why the variables of a connection cannot be read, by its name.
    """

    connections: Sequence[Connection]
    shared: Reference | None = None
    loader: str = "target-postgres"
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def shared_variables(self) -> Mapping[str, str]:
        """The variables of all connections, read once.

        Raises:
            SecretError: They cannot be read.
        """
        return self.shared.variables() if self.shared else {}

    @property
    def enabled(self) -> Sequence[Connection]:
        """The connections to load."""
        return [each for each in self.connections if each.enabled]

    @property
    def shared_credentials(self) -> Sequence[str]:
        """Names of credentials that several enabled connections use."""
        counts = Counter(each.credential for each in self.enabled)
        return sorted(name for name, count in counts.items() if count > 1)

    def shares(self, connection: Connection) -> bool:
        """Whether the file says that a connection has the credential of others."""
        is_named = connection.credential != connection.name
        return is_named or self._users[connection.credential] > 1

    @cached_property
    def _users(self) -> Mapping[str, int]:
        """How many connections have a credential."""
        return Counter(each.credential for each in self.connections)

    def of(self, name: str) -> Connection:
        """The connection of this name.

        Raises:
            ConnectionsError: There is no such connection, or it is not enabled.
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
        node = yaml.compose(_text(path), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark else ""
        hint = "; indent with spaces, not with tabs" if "\\t" in str(error) else ""
        raise ConnectionsError([f"{path}{where}: not YAML{hint}"]) from None
    return _File(path).fleet(node)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConnectionsError([f"{path}: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConnectionsError([f"{path}: not UTF-8"]) from None


@dataclass(frozen=True)
class _Located:
    """A value of the file, its text and its line."""

    value: Any
    line: int
    text: str = ""


class _File:
    """A file while its faults are collected."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._faults: list[str] = []
        self._lines: dict[tuple[str, str], int] = {}
        self._unreadable: dict[str, str] = {}

    def fleet(self, node: yaml.Node | None) -> Fleet:
        """The connections of the document.

        Raises:
            ConnectionsError: It has faults.
        """
        top = self._members(node, "", ("connections", "env_file", "secret", "loader"))
        shared = self._shared(top)
        loader = self._text(top, "loader", "", _Located("", 1, "target-postgres"))
        made = [self._connection(*each) for each in self._listed(top.get("connections"))]
        if not made:
            self._fault(1, "connections", "at least one connection, in a list or a CSV file")
        if self._faults:
            raise ConnectionsError(self._faults)
        connections = [each for each in made if each]
        return Fleet(connections, shared, loader, self._unreadable)

    def _listed(self, listed: _Located | None) -> Iterator[tuple[Mapping[str, _Located], int]]:
        """The members of each connection and its line, from the list or from a table."""
        if listed and isinstance(listed.value, str) and listed.value:
            self._path = self._path.parent / listed.value
            yield from self._rows()
            return
        nodes = listed.value if listed else None
        for node in nodes.value if isinstance(nodes, yaml.SequenceNode) else ():
            yield self._members(node, "a connection", MEMBERS), node.start_mark.line + 1

    def _rows(self) -> Iterator[tuple[Mapping[str, _Located], int]]:
        """The rows of a CSV file with a heading, as spreadsheets and databases write it."""
        text = _text(self._path)
        delimiter = next((each for each in ";\t" if each in text.partition("\n")[0]), ",")
        reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
        try:
            columns = self._columns(next(reader, []))
            for row in reader:
                if members := self._cells(columns, row, reader.line_num):
                    yield members, reader.line_num
        except csv.Error:
            self._fault(reader.line_num, "the row", "CSV with closed quotes")

    def _columns(self, heading: Sequence[str]) -> Sequence[str]:
        columns = [each.strip().lower() for each in heading]
        if columns and not {*columns} & {*MEMBERS}:
            # The heading is not shown, because it may be a row with a secret.
            self._fault(1, "the heading", ", ".join(MEMBERS))
            return columns
        for number, column in enumerate(columns):
            if column not in MEMBERS:
                self._fault(1, column, f"{', '.join(MEMBERS)}{_near(column, MEMBERS)}")
            elif column in columns[:number]:
                self._fault(1, column, "once")
        return columns

    def _cells(
        self, columns: Sequence[str], row: Sequence[str], line: int
    ) -> Mapping[str, _Located]:
        """The members of a row; an empty cell is a missing member."""
        if len(row) > len(columns):
            self._fault(line, "the row", f"{len(columns)} cells")
        texts = zip(columns, (each.strip() for each in row), strict=False)
        return {column: _Located(_of_cell(text), line, text) for column, text in texts if text}

    def _connection(self, members: Mapping[str, _Located], line: int) -> Connection | None:
        faults = len(self._faults)
        name = self._text(members, "name", "a connection", _Located("", line))
        secret = self._secret(members, name, line)
        default = f"pinterest_{name}".replace("-", "_")
        schema = self._text(members, "schema", name, _Located("", line, default))
        if len(schema) > LONGEST_SCHEMA:
            self._fault(line, f"{name}: schema", f"at most {LONGEST_SCHEMA} characters")
        credential = self._text(members, "credential", name, _Located("", line, name or "unnamed"))
        enabled = self._enabled(members, name)
        self._refuse_twice("name", name, line)
        self._refuse_twice("schema", schema, line)
        if secret is None or len(self._faults) > faults:
            return None
        if fault := secret.fault():
            self._unreadable[name] = self._said(line, f"{name}: its secret", fault)
        return Connection(name, secret, schema, credential, enabled)

    def _shared(self, top: Mapping[str, _Located]) -> Reference | None:
        """The place of the variables of all connections."""
        if not {"env_file", "secret"} & {*top}:
            return None
        reference = self._secret(top, "", 1)
        if reference and (fault := reference.fault()):
            self._fault(1, "the shared variables", fault)
        return reference

    def _refuse_twice(self, what: str, value: str, line: int) -> None:
        """Refuse a value of another connection: the two would overwrite each other."""
        first = self._lines.get((what, value))
        if value and first:
            self._fault(line, f"{what} {value}", f"a {what} of its own; line {first} has it too")
        self._lines.setdefault((what, value), line)

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
                found = self._constructed(name, value) if plain else value
                line = value.start_mark.line + 1
                members[name] = _Located(found, line, value.value if plain else "")
        return members

    def _constructed(self, name: str, node: yaml.ScalarNode) -> object:
        """The value of a node; its text if it only looks like a day or a number."""
        try:
            return yaml.SafeLoader("").construct_object(node)
        except ValueError:
            return node.value
        except (yaml.YAMLError, LookupError, TypeError, AttributeError):
            self._fault(node.start_mark.line + 1, name, "a value that fits its tag, or no tag")
            return node.value

    def _text(
        self, members: Mapping[str, _Located], member: str, owner: str, default: _Located
    ) -> str:
        given = members.get(member, default)
        form = _FORMS[member]
        # The text in the file counts: to YAML 0123 is the number 83, and 2026-01-01 a date.
        if form.fullmatch(given.text):
            return given.text
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
        value, at = members[member].text, members[member].line
        text = f"file:{value}" if member == "env_file" else value
        provider, _, rest = text.partition(":")
        if _SECRET.search(text):
            # The value is not shown, because it may be the secret itself.
            self._fault(at, _path(owner, member), "a reference; a secret does not belong here")
        elif provider not in PROVIDERS or not rest.strip():
            forms = ", ".join(f"{each}:…" for each in PROVIDERS)
            self._fault(at, _path(owner, member), f"one of {forms}")
        else:
            return Reference(provider, rest.strip(), self._path.parent)
        return None

    def _fault(self, line: int, what: str, allowed: str) -> None:
        self._faults.append(self._said(line, what, allowed))

    def _said(self, line: int, what: str, allowed: str) -> str:
        shown = "a name that looks like a secret" if _SECRET.search(what) else what
        return f"{self._path}:{line}: {shown}: refused; allowed: {allowed}"


def _of_cell(text: str) -> str | bool:
    """The value of a cell; spreadsheets write TRUE and FALSE."""
    return {"true": True, "false": False}.get(text.lower(), text)


def _path(owner: str, member: str) -> str:
    return f"{owner}: {member}" if owner else member


def _near(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
