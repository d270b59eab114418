"""Answers as they are sent."""

from __future__ import annotations

import msgspec


class Response(msgspec.Struct):
    """A whole answer, ready to be sent."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
