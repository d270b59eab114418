"""The log of requests, for tests."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request to the API and how it was answered."""

    at: float
    """Seconds of a clock that only goes forward."""
    method: str
    path: str
    """Below the API's base, so without `/v5`."""
    query_string: str
    operation: str | None
    """The operation's key, such as `GET /boards`; None where the API has none."""
    category: str | None
    """The rate-limit category."""
    ad_account_id: str | None
    status: int
    """0 where the connection was dropped without one."""
    fault: str | None = None
    """The kind of fault that was played, if any."""
    body: Any = None
    """The JSON that was sent, if any."""

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's parameters in order, a repeated one as often as it was sent."""
        return parse_qsl(self.query_string, keep_blank_values=True)

    def as_dict(self) -> dict[str, object]:
        """For the control endpoint."""
        fields: dict[str, object] = msgspec.structs.asdict(self)
        del fields["query_string"]
        return {**fields, "query": self.query}
