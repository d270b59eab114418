"""Options of `pinterest-sandbox`: fields of settings say their text, type and default."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import click


class Option:
    """Beside the type of a field: the text of its option, and how the command line takes it."""

    def __init__(self, text: str, *, flag: str | None = None, **how: Any) -> None:  # noqa: ANN401  click's
        """Describes an option.

        Args:
            text: What the field does.
            flag: The option, if it is named otherwise than the field.
            how: Arguments of `click.Option` that do not follow from the field's type and default.
        """
        self._flag = flag
        self._how = {"help": text, **how}

    def named(self, field: str, kind: Any, default: object) -> click.Option:  # noqa: ANN401  any type
        """The option for a field of a name, a type and a default."""
        flag = self._flag or f"--{field.replace('_', '-')}"
        if kind is bool:
            flag += f"/--no-{flag[2:]}"
        return click.Option([flag, field], **{"default": default, **_of_kind(kind), **self._how})


def options_of(settings: object) -> Iterator[click.Option]:
    """The options for the fields of settings, whose values here are the defaults."""
    for field, annotated in get_type_hints(type(settings), include_extras=True).items():
        if get_origin(annotated) is Annotated:
            kind, option = get_args(annotated)
            yield option.named(field, kind, getattr(settings, field))


def _of_kind(kind: Any) -> dict[str, Any]:  # noqa: ANN401  any type
    """The arguments of `click.Option` that follow from the type of a field."""
    if get_origin(kind) is Literal:
        return {"type": click.Choice(get_args(kind))}
    if get_origin(kind) is Collection:
        return {"multiple": True}
    return {"type": kind, "metavar": "N"} if kind in (int, float) else {}
