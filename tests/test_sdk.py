"""What the tap overrides of the SDK: the same signatures, the same output."""

from __future__ import annotations

import inspect
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.plugin_base import PluginBase

from singer_run import Messages, PatientClock, catalog_of, run, settings
from tap_pinterest.sdk import SingerStream, SingerTap
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from pinterest_sandbox import Sandbox

OVERRIDDEN = [
    (SingerStream, Stream, "_sync_records"),
    (SingerStream, Stream, "_generate_record_messages"),
    (SingerStream, Stream, "finalize_state_progress_markers"),
    (SingerTap, Tap, "load_state"),
    (SingerTap, PluginBase, "_validate_config"),
    (SingerTap, Tap, "_handle_termination"),
    (TapPinterest, Tap, "invoke"),
    (TapPinterest, Tap, "cb_test"),
    (TapPinterest, PluginBase, "cb_config"),
    (SingerTap, Tap, "setup_mapper"),
]


def parameters(method: Any) -> list[tuple[str, Any]]:
    return [(name, each.kind) for name, each in inspect.signature(method).parameters.items()]


@pytest.mark.parametrize(("ours", "theirs", "name"), OVERRIDDEN, ids=str)
def test_an_overridden_method_has_the_signature_that_the_sdk_calls(
    ours: type, theirs: type, name: str
) -> None:
    assert [kind for _, kind in parameters(getattr(ours, name))] == [
        kind for _, kind in parameters(getattr(theirs, name))
    ]


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


class StockPath(TapPinterest):
    """The tap with the SDK's own way from a record to its message."""

    def discover_streams(self) -> Any:
        streams = super().discover_streams()
        for stream in streams:
            stock = partial(Stream._generate_record_messages, stream)
            stream._generate_record_messages = stock  # type: ignore[method-assign]
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
def test_records_and_schemas_equal_those_of_the_stock_path(
    sandbox: Sandbox, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    full = settings(sandbox, start_date="10 days ago", **config)
    names = [entry["stream"] for entry in catalog_of(full, ())["streams"]]
    without = ["ads.tracking_urls.click", "ads.name", "campaign_analytics.ctr", "pins.media"]

    ours = run(full, *names, without=without)
    writer = Messages()
    stock = StockPath(config=full, catalog=catalog_of(full, names, without), message_writer=writer)
    stock.clock = PatientClock()
    stock.run()

    def told(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {name: value for name, value in message.items() if name != "time_extracted"}
            for message in messages
            if message["type"] != "STATE"
        ]

    assert len(ours.records("ads")) > 10
    assert told(ours.messages) == told(writer.read)


def test_a_deselected_property_inside_an_object_is_left_out(sandbox: Sandbox) -> None:
    kept = run(settings(sandbox), "ads").records("ads")
    without = run(settings(sandbox), "ads", without=["ads.tracking_urls.click"]).records("ads")

    assert any("click" in (record["tracking_urls"] or {}) for record in kept)
    assert not any("click" in (record["tracking_urls"] or {}) for record in without)
