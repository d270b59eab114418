"""Runs of the tap inside a test: its messages, its exit code, its state."""

from __future__ import annotations

import copy
import functools
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter

from tap_pinterest.clock import Clock
from tap_pinterest.http.auth import AccessToken
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.rate_limit import RateLimiter
from tap_pinterest.singer.process import selected_in
from tap_pinterest.singer.writer import members
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from singer_sdk.singerlib.encoding.simple import Message

    from pinterest_sandbox import Sandbox


EVERYTHING = {
    "stream_groups": "all",
    "start_date": "5 days ago",
    "terms": "kitchen,running shoes",
    "keywords": "desk,lamp",
    "countries": "US",
    "trend_regions": "US",
    "product_categories": "ACCENT_TABLES,ANKLETS",
}
"""Settings with which every stream has something to ask for."""
OF_THE_CONNECTION = {
    *("api_url", "token_file", "max_requests_in_flight"),
    *("client_id", "client_secret", "refresh_token", "access_token"),
}
"""Settings that change nothing in the catalog."""


STARTED = time.monotonic()
BEGINS_AT = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()


class PatientClock(Clock):
    """A clock for which waiting takes no time, and which begins at noon: no test runs at midnight.

    Two clocks of one test run alike.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead

    def now(self) -> float:
        return BEGINS_AT + time.monotonic() - STARTED + self._ahead

    def sleep(self, seconds: float) -> None:
        self.check()
        self.waits.append(seconds)
        self._ahead += seconds


def client_at(
    url: str, clock: Clock, token: str | None = None, *, timeout: float = 5
) -> PinterestClient:
    """A client with one connection, without a tap."""
    client = PinterestClient(
        api_url=url,
        limiter=RateLimiter("standard", clock, 3600),
        clock=clock,
        timeout=timeout,
        max_wait_seconds=3600,
        connections=1,
    )
    client.authenticator = AccessToken(token or "")
    return client


class PatientTap(TapPinterest):
    """The tap with such a clock, or another one, from its first call on."""

    def __init__(self, *, clock: Clock | None = None, **how: Any) -> None:
        self.clock = clock or PatientClock()
        super().__init__(**how)


class Messages(GenericSingerWriter[bytes, "Message"]):
    """Collects messages as a target would read them."""

    def __init__(self, on_message: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.read: list[dict[str, Any]] = []
        self._on_message = on_message

    def serialize_message(self, message: Message) -> bytes:
        return msgspec.json.encode(members(message))

    def write_message(self, message: Message) -> None:
        self._receive(self.serialize_message(message))

    def write_record(self, stream: str, record: dict[str, Any]) -> None:
        moment = datetime.now(tz=UTC).isoformat()
        members = {"type": "RECORD", "stream": stream, "record": record, "time_extracted": moment}
        self._receive(msgspec.json.encode(members))

    def flush(self) -> None:
        """There is no buffer."""

    def _receive(self, line: bytes) -> None:
        read = msgspec.json.decode(line)
        self.read.append(read)
        if self._on_message:
            self._on_message(read)


@dataclass
class Run:
    """A finished run: its output and its exit code."""

    code: int
    messages: list[dict[str, Any]]
    tap: TapPinterest
    clock: Clock

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    def streams(self, kind: str) -> list[str]:
        return [message["stream"] for message in self.messages if message["type"] == kind]

    @property
    def states(self) -> list[dict[str, Any]]:
        return [message["value"] for message in self.messages if message["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any]:
        return copy.deepcopy(self.states[-1]) if self.states else {}

    def partition(self, stream: str, ad_account_id: str) -> dict[str, Any]:
        partitions = self.state["bookmarks"][stream]["partitions"]
        (found,) = (p for p in partitions if p["context"] == {"ad_account_id": ad_account_id})
        return dict(found)


def settings(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """A config for the sandbox, without a token file."""
    names = ("client_id", "client_secret", "refresh_token")
    credentials = {name: sandbox.credentials[name] for name in names}
    return {"api_url": sandbox.url, "token_file": "", **credentials, **more}


def catalog_of(
    config: Mapping[str, Any], streams: Collection[str], without: Collection[str] = ()
) -> dict[str, Any]:
    """The discovered catalog with these streams selected, less properties as `stream.name`."""
    return _selecting(_discovered(_shaping(config)), streams, without)


def selected_of(
    config: Mapping[str, Any], streams: Collection[str], without: Collection[str] = ()
) -> dict[str, Any]:
    """The part of that catalog that a run reads: the streams that are selected."""
    return selected_in(
        _selecting(_discovered(_shaping(config), frozenset(streams)), streams, without)
    )


def _selecting(text: str, streams: Collection[str], without: Collection[str]) -> dict[str, Any]:
    catalog = json.loads(text)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            name = ".".join((entry["tap_stream_id"], *item["breadcrumb"][1::2]))
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = entry["tap_stream_id"] in streams
            elif name in without:
                item["metadata"]["selected"] = False
    return dict(catalog)


def _shaping(config: Mapping[str, Any]) -> str:
    """The settings that a catalog follows from."""
    # Only the names that Pinterest displays take calls to discover.
    asks = config.get("column_names") == "display"
    # The log of the run is an entry of its own, and shapes no other.
    return json.dumps(
        {
            name: value
            for name, value in config.items()
            if name != "sync_log" and (asks or name not in OF_THE_CONNECTION)
        }
    )


@functools.lru_cache(maxsize=64)
def _discovered(config: str, streams: frozenset[str] | None = None) -> str:
    # Discovery writes no records: it needs no stream maps.
    tap = TapPinterest(config=json.loads(config), validate_config=False, setup_mapper=False)
    if streams is not None:
        # The entry of a stream takes a thousandth of a second, and there are a hundred.
        tap._streams = {name: each for name, each in tap.streams.items() if name in streams}
    return json.dumps(tap.catalog_dict)


def run(
    config: Mapping[str, Any],
    *streams: str,
    state: dict[str, Any] | None = None,
    without: Collection[str] = (),
    on_message: Callable[[dict[str, Any]], None] | None = None,
    clock: Clock | None = None,
) -> Run:
    """One run of the tap; all streams of the default groups when none is named.

    The log of the run is there only if it is named, or if the config says so.
    """
    config = {"sync_log": "sync_log" in streams, **config}
    writer = Messages(on_message)
    tap = PatientTap(
        config=dict(config),
        state=copy.deepcopy(state),
        catalog=selected_of(config, streams, without) if streams else None,
        message_writer=writer,
        clock=clock,
    )
    try:
        code = tap.sync()
    except BaseException:
        tap.run.close()
        raise
    return Run(code, writer.read, tap, tap.clock)
