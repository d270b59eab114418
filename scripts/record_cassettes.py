"""Record the answers that `tests/test_cassettes.py` plays: from Pinterest, or from the sandbox.

With `TAP_PINTEREST_CLIENT_ID`, `_CLIENT_SECRET` and `_REFRESH_TOKEN` in the environment the answers
come from Pinterest. In both cases the script replaces every token, id, name, number and address in
a cassette.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import ExitStack, contextmanager, redirect_stdout
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vcr
import vcr.stubs
from vcr.stubs import VCRHTTPResponse

from pinterest_sandbox import Sandbox, WorldSize
from scripts.processes import ROOT
from tap_pinterest.config.schema import API_URL
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CASSETTES = ROOT / "tests" / "cassettes"
# One stream for each shape of answer; the token's own answer is in all of them.
STREAMS = {
    "list": "boards",
    "array": "ad_account_analytics",
    "map": "user_account_analytics",
    "object": "user_account",
    "report": "product_group_targeting_analytics",
    "retry_after": "campaign_analytics",
}
# Some answers can be had from the sandbox only: they are always recorded from it.
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "retry_after": {
        "path": "*/campaigns/analytics",
        "status": 400,
        "times": 1,
        "body": {"code": 1, "message": "Too many reports. Retry after 2 seconds."},
    }
}
CREDENTIALS = ("client_id", "client_secret", "refresh_token")
SIZE = WorldSize(accounts=1, empty_accounts=0, campaigns=1, ad_groups=1, ads=2, boards=3, pins=1)

_SECRET_FIELDS = frozenset({"access_token", "refresh_token", "token"})
_SPOKEN_FIELDS = frozenset({"name", "username", "about", "business_name", "description", "title"})
_ADDRESS = re.compile(r"https?://")
_ID = re.compile(r"\d{9,}")
_TOKEN = re.compile(r"(?<=[?&]token=)[^&]+")
_ELSEWHERE = "https://example.com/"


class Pseudonyms:
    """Replaces personal data in an exchange, always by the same pseudonym."""

    def __init__(self, api_url: str) -> None:
        """Keep the URL that stands for Pinterest's."""
        self._api_url = api_url
        self._ids: dict[str, str] = {}

    def request(self, request: Any) -> Any:  # noqa: ANN401 - vcrpy's own, untyped
        """A request without its credentials, to Pinterest's address or to a made-up address."""
        own = request.uri.startswith(self._api_url)
        uri = request.uri.replace(self._api_url, API_URL) if own else _ELSEWHERE
        request.uri = self._without_ids(_TOKEN.sub("recorded_token", uri))
        request.body = None
        request.headers = {}
        return request

    def response(self, response: dict[str, Any]) -> dict[str, Any]:
        """A response without tokens, and with made-up ids, names, numbers and addresses."""
        body = json.dumps(self._value(None, json.loads(response["body"]["string"])))
        kept = ("date", "content-type", "x-ratelimit-limit", "x-ratelimit-remaining")
        headers = {
            name: value for name, value in response["headers"].items() if name.lower() in kept
        }
        return {**response, "headers": headers, "body": {"string": body.encode()}}

    def _value(self, field: str | None, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, dict):
            return {name: self._value(name, item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._value(field, item) for item in value]
        if isinstance(value, str):
            return self._text(field, value)
        if isinstance(value, bool) or value is None or (field and "expires" in field):
            return value
        return type(value)(len(field or "") + 0.5)

    def _text(self, field: str | None, value: str) -> str:
        if field in _SECRET_FIELDS:
            return f"recorded_{field}"
        if field in _SPOKEN_FIELDS and value:
            return f"Some {field}"
        return _ELSEWHERE if _ADDRESS.match(value) else self._without_ids(value)

    def _without_ids(self, text: str) -> str:
        return _ID.sub(lambda match: self._ids.setdefault(match[0], self._new(match[0])), text)

    def _new(self, known: str) -> str:
        return f"{len(self._ids) + 1:0{len(known)}d}"


class PlayedResponse(VCRHTTPResponse):  # type: ignore[misc]
    """A played response that can be read in pieces, as urllib3's own can."""

    def read1(self, size: int = -1, *, decode_content: bool = True) -> bytes:  # noqa: ARG002
        """At most this number of bytes; the cassette holds them decoded."""
        return bytes(self._content.read1(size))


vcr.stubs.VCRHTTPResponse = PlayedResponse


def record(name: str, stream: str, config: Mapping[str, Any]) -> None:
    """Write one cassette: the answers to the tap while it reads one stream."""
    path = CASSETTES / f"{name}.yaml"
    path.unlink(missing_ok=True)
    pseudonyms = Pseudonyms(str(config["api_url"]))
    tap = TapPinterest(config=dict(config))
    for each in tap.streams.values():
        each.selected = each.name == stream
    with (
        vcr.use_cassette(
            str(path),
            record_mode="once",
            before_record_request=pseudonyms.request,
            before_record_response=pseudonyms.response,
        ),
        Path(os.devnull).open("w") as nowhere,
        redirect_stdout(nowhere),
    ):
        tap.sync_all()
    tap.run.close()


@contextmanager
def sandbox_config(fault: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    """The credentials of a sandbox, which plays a fault if one is given."""
    with Sandbox(seed=7, today=date(2026, 11, 20), size=SIZE) as sandbox:
        if fault:
            sandbox.fail(**fault)
        yield {"api_url": sandbox.url} | {name: sandbox.credentials[name] for name in CREDENTIALS}


def main() -> None:
    """Record all cassettes."""
    given = {name: os.environ.get(f"TAP_PINTEREST_{name.upper()}", "") for name in CREDENTIALS}
    common = {
        "token_file": "",
        "max_requests_in_flight": 1,
        "start_date": "5 days ago",
        "stream_groups": "all",
        "targeting_types": "GENDER",
    }
    for name, stream in STREAMS.items():
        with ExitStack() as stack:
            config: dict[str, Any] = {"api_url": API_URL, **given}
            if name in FAULTS or not all(given.values()):
                config = stack.enter_context(sandbox_config(FAULTS.get(name)))
            record(name, stream, config | common)


if __name__ == "__main__":
    main()
