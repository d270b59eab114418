"""The tap's overrides of the SDK have the same signatures and the same output."""

from __future__ import annotations

import inspect
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.io_base import SingerWriter
from singer_sdk.plugin_base import PluginBase
from singer_sdk.singerlib import StateMessage

from singer_run import PatientTap, catalog_of, run, settings
from tap_pinterest.singer.sdk import SingerStream, SingerTap
from tap_pinterest.singer.writer import LineWriter
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from pinterest_sandbox import Sandbox

OVERRIDDEN = [
    (SingerStream, Stream, "_sync_records"),
    (SingerStream, Stream, "_generate_schema_messages"),
    (SingerStream, Stream, "finalize_state_progress_markers"),
    (SingerStream, Stream, "get_replication_key_signpost"),
    (SingerTap, Tap, "load_state"),
    (SingerTap, PluginBase, "_validate_config"),
    (SingerTap, Tap, "_handle_termination"),
    (TapPinterest, Tap, "invoke"),
    (TapPinterest, Tap, "cb_test"),
    (TapPinterest, PluginBase, "cb_config"),
    (SingerTap, Tap, "setup_mapper"),
]


@pytest.mark.parametrize(("ours", "theirs", "name"), OVERRIDDEN, ids=str)
def test_an_overridden_method_has_the_signature_that_the_sdk_calls(
    ours: type, theirs: type, name: str
) -> None:
    own, sdks = (inspect.signature(getattr(cls, name)).parameters for cls in (ours, theirs))
    kinds = [each.kind for each in own.values()]
    called = [each.kind for each in sdks.values()]
    # More of our own is fine if the SDK may leave it out.
    more = [*own.values()][len(called) :]
    assert kinds[: len(called)] == called
    assert all(each.default is not each.empty for each in more)


def private_overrides(cls: type, base: type) -> set[str]:
    return {
        name
        for name in vars(cls)
        if name.startswith("_") and not name.startswith(("__", "_abc"))
        if any(name in vars(above) for above in base.__mro__)
    }


def test_no_other_private_method_of_the_sdk_is_overridden_anywhere() -> None:
    def below(cls: type) -> list[type]:
        subclasses: list[type] = cls.__subclasses__()
        return [cls, *(each for subclass in subclasses for each in below(subclass))]

    found = {
        name
        for base, root in ((Stream, SingerStream), (Tap, SingerTap))
        for cls in below(root)
        for name in private_overrides(cls, base)
    }

    overridden = {name for _, _, name in OVERRIDDEN if name.startswith("_")}
    assert found == overridden | {"_env_var_config"}


class StockWriter(SingerWriter):
    """The SDK's own writer, which has no buffer."""

    def flush(self) -> None:
        """Do nothing."""


class StockPath(PatientTap):
    """The tap with the SDK's own way from a record to its message and its line."""

    message_writer_class = StockWriter

    def discover_streams(self) -> Any:
        streams = super().discover_streams()
        for stream in streams:
            stream._write = stream._write_record_message
            # Not RECURSIVE, which drops the members of objects that are keyed by a value.
            stream.TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.ROOT_ONLY
        return streams


STREAM_MAPS = {
    "campaigns": {"name_length": "str(name)", "name": None},
    "boards": {"__filter__": "privacy == 'PUBLIC'"},
}


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({}, id="as it is"),
        pytest.param({"stream_maps": STREAM_MAPS}, id="with stream maps"),
        pytest.param({"flattening_enabled": True, "flattening_max_depth": 1}, id="flattened"),
    ],
)
def test_all_messages_equal_those_of_the_stock_path(
    sandbox: Sandbox,
    config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    caplog.set_level(logging.ERROR)
    # The log has an id and times that no other run has.
    full = settings(sandbox, start_date="10 days ago", sync_log=False, **config)
    names = [entry["stream"] for entry in catalog_of(full, ())["streams"]]
    without = ["ads.tracking_urls.click", "ads.name", "campaign_analytics.ctr", "pins.media"]
    catalog = catalog_of(full, names, without)

    def written(tap: TapPinterest) -> list[dict[str, Any]]:
        assert tap.sync() == 0
        messages = map(json.loads, capsysbinary.readouterr().out.splitlines())
        return [
            {name: value for name, value in message.items() if name != "time_extracted"}
            for message in messages
        ]

    ours = written(PatientTap(config=full, catalog=catalog))
    assert sum(message["type"] == "RECORD" for message in ours) > 500
    assert ours == written(StockPath(config=full, catalog=catalog))


def test_a_record_is_written_with_the_time_of_its_extraction(
    sandbox: Sandbox, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    before = datetime.now(tz=UTC)
    TapPinterest(config=settings(sandbox, start_date="yesterday")).sync()
    after = datetime.now(tz=UTC)

    messages = map(json.loads, capsysbinary.readouterr().out.splitlines())
    times = [
        datetime.fromisoformat(message["time_extracted"])
        for message in messages
        if message["type"] == "RECORD"
    ]
    assert before <= times[0] <= times[-1] <= after
    assert times == sorted(times)


def test_records_come_before_the_message_that_follows_them(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    writer = LineWriter()
    writer.write_record("ads", {"id": "1"})
    writer.write_message(StateMessage({"ads": 1}))
    writer.write_record("ads", {"id": "2"})
    writer.flush()

    kinds = [json.loads(line)["type"] for line in capsysbinary.readouterr().out.splitlines()]
    assert kinds == ["RECORD", "STATE", "RECORD"]


def test_a_record_that_cannot_be_written_leaves_no_part_of_its_line(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    writer = LineWriter()
    writer.write_record("ads", {"id": "1"})
    with pytest.raises(TypeError):
        writer.write_record("ads", {"id": "2", "clicks": object()})
    writer.write_record("ads", {"id": "3"})
    writer.flush()

    records = [json.loads(line)["record"] for line in capsysbinary.readouterr().out.splitlines()]
    assert records == [{"id": "1"}, {"id": "3"}]


def test_a_deselected_property_inside_an_object_is_left_out(sandbox: Sandbox) -> None:
    kept = run(settings(sandbox), "ads").records("ads")
    without = run(settings(sandbox), "ads", without=["ads.tracking_urls.click"]).records("ads")

    assert any("click" in (record["tracking_urls"] or {}) for record in kept)
    assert not any("click" in (record["tracking_urls"] or {}) for record in without)
