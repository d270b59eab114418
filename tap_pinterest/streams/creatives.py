"""Creatives: the Pin that people see in an ad."""

from __future__ import annotations

import functools
import threading
from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from singer_sdk.exceptions import SkippableAPIError
from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.http.errors import PART_ERRORS, PartError, refuses_operation
from tap_pinterest.reading.call import Call
from tap_pinterest.reading.calls import Each, Scope
from tap_pinterest.reading.contexts import AdAccounts
from tap_pinterest.reading.page_store import PageStore
from tap_pinterest.reading.pages import Item
from tap_pinterest.reading.parts import Parts, Tried
from tap_pinterest.reading.tasks import Task, Turn
from tap_pinterest.records.instants import instant
from tap_pinterest.run.run import Run
from tap_pinterest.singer import state
from tap_pinterest.singer.updates import Update, UpdatesProgress
from tap_pinterest.streams.ads import Ads
from tap_pinterest.streams.bases.dataset import DatasetStream
from tap_pinterest.streams.bases.stream import TaskStream
from tap_pinterest.streams.boards import Pins

_TEXT: Mapping[str, Any] = MappingProxyType({"type": "string"})
PIN_FIELDS = (*("title", "description", "alt_text", "link", "creative_type", "dominant_color"),)
"""Fields of the Pin that a creative has."""
MEDIA_FIELDS = ("media_type", "cover_image_url", "video_url", "duration")
"""Fields of the Pin's media that a creative has."""
CARDS = "carousel_cards"
SETTLING_SECONDS = 600
"""The next run reads the ads of these last seconds again: the list may not show yet all ads that
changed before them."""
NO_PIN = "Pinterest names no Pin of the ad"

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Ad(NamedTuple):
    """The parts of an ad that its creative needs."""

    update: Update
    pin_id: str


@dataclass
class Batch:
    """The ads of an ad account in one run.

    Attributes:
        progress: The progress of earlier runs.
        new: The updates of ads that are new or have changed.
        unread: The ads that have no row yet, in order, by update.
        pins: The Pins that take a call in this run.
        lists: The outcomes of the lists of ads.
    """

    progress: UpdatesProgress
    new: Sequence[Update]
    unread: dict[Update, Ad]
    pins: Sequence[str]
    lists: Parts


class AdCreatives(TaskStream, DatasetStream):
    """The Pin that an ad promotes, as it was when the ad last changed.

    If the run lists a Pin for another stream, the record comes from that list: in every run, as the
    Pin is now. Any other Pin takes a call if the ad is new or has changed, at most `creative_calls`
    in a run.
    """

    name = "ad_creatives"
    path = "/pins/{pin_id}"
    contexts = AdAccounts()
    group = "ads"
    replication_key = "updated_time"
    primary_keys = ("ad_id",)
    per = (Each(Ads, pin_id="pin_id"),)
    comes_late = True

    def __init__(self, run: Run, name: str | None = None) -> None:
        super().__init__(run, name)
        # The list of ads has pages.
        self.may_change = True
        self._lock = threading.Lock()
        self._allotments: dict[Turn, Sequence[str]] = {}
        """The Pins of each ad account that take a call in this run."""
        self._batches: dict[Turn, Batch] = {}

    @functools.cached_property
    @override
    def facts(self) -> Mapping[str, Any]:
        pin = api.record_facts(self.path)["properties"]
        media = pin["media"]["properties"]
        sizes = media["images"]["properties"]
        return {
            "properties": {
                **dict.fromkeys(("ad_id", "ad_account_id", "pin_id"), _TEXT),
                "updated_time": {"type": "string", "format": "date-time"},
                **{name: pin[name] for name in PIN_FIELDS},
                **{name: media[name] for name in MEDIA_FIELDS},
                **dict.fromkeys(map(_image_column, sizes), _TEXT),
                CARDS: media["items"],
                "unavailable_reason": _TEXT,
            }
        }

    @functools.cached_property
    def fingerprint(self) -> str:
        """A fingerprint of the settings that choose and shape the rows, for the state."""
        columns = {*self.schema["properties"]} - {*self._deselected}
        return state.fingerprint(
            {
                "columns": sorted(columns),
                **{name: sorted(ids) for name, ids in self.settings.filters.items()},
                **self.settings.sync_key_shape(self.name),
            }
        )

    @property
    @override
    def written_lists(self) -> Sequence[str]:
        # The run then keeps the pages of these lists until this stream has read them too.
        return (Ads.path, Pins.path)

    @override
    def tasks(self, context: Context) -> Iterator[Task[Tried[Item]]]:
        # The lists are read here, where no other stream waits for them.
        batch = self._batches[self.turn(context)] = self._batch(context)
        for pin_id in batch.pins:
            ids = {"pin_id": pin_id}
            call = Call(self.path, ids, query=dict(context), part=ids)
            yield Task(functools.partial(self._asked, call))

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        parts = Parts()
        with closing(self._rows(context or {}, parts)) as rows:
            yield from self.finished_once(rows, {})
        self.conclude(context, parts)

    def _rows(self, context: Context, parts: Parts) -> Generator[dict[str, Any]]:
        """The rows of an ad account: those whose Pins are listed, then those that take calls."""
        answers = iter(self.answers(context))
        first = next(answers, None)
        batch = self._batches.pop(self.turn(context))
        try:
            for ad in self._ads(context, Parts()):
                if not ad.pin_id:
                    yield self._row(context, ad, reason=NO_PIN)
                elif self._listed.has(ad.pin_id.encode()):
                    yield self._row(context, ad, self._listed_pin(ad.pin_id))
                else:
                    continue
                # By now the row has been written.
                batch.unread.pop(ad.update, None)
            tried = chain([first] if first else [], answers)
            for ad, each in self._answered(batch, tried, parts):
                reason = _reason(each.error) if each.error else None
                yield self._row(context, ad, each.answer, reason)
                del batch.unread[ad.update]
            if batch.lists.refused_calls:
                self.run.access_policy.left_out(self, context, batch.lists)
        finally:
            if not (parts.refused_calls or batch.lists.refused_calls):
                self._end(context, batch, parts)

    def _answered(
        self, batch: Batch, answers: Iterable[Tried[Item]], parts: Parts
    ) -> Iterator[tuple[Ad, Tried[Item]]]:
        """Each ad whose Pin took a call, with the answer or the refusal."""
        ads: dict[str, list[Ad]] = defaultdict(list)
        for ad in batch.unread.values():
            ads[ad.pin_id].append(ad)
        for tried in answers:
            call, error, pin_id = tried.call, tried.error, tried.call.ids["pin_id"]
            if isinstance(error, SkippableAPIError):
                if refuses_operation(error) and not parts.is_answered:
                    parts.add_error(call, error)
                    return
            elif error:
                parts.failed(call, error)
                continue
            else:
                parts.answered()
                self._listed.add(pin_id.encode(), msgspec.json.encode(tried.answer))
            yield from ((ad, tried) for ad in ads[pin_id])

    def _end(self, context: Context, batch: Batch, parts: Parts) -> None:
        """Write into the state and the summary which ads are left to later runs."""
        failed = {value for call in parts.failed_calls for value in call.ids.values()}
        in_vain = {ad.update.id for ad in batch.unread.values() if ad.pin_id in failed}
        settled = self.clock.pinterest_time() - SETTLING_SECONDS
        until = instant(settled, when_made=False) or ""
        progress = batch.progress.after(batch.new, [*batch.unread], in_vain, until)
        progress.write_to(self.remembered.made(context), self.column("updated_time"))
        self.summary.current.left += len(batch.unread) - len(in_vain)

    def _batch(self, context: Context) -> Batch:
        """The ads of an ad account, and the Pins to ask for in this run."""
        progress, lists = self._progress(context), Parts()
        new = (ad for ad in self._ads(context, lists) if progress.is_left(ad.update))
        unread = {ad.update: ad for ad in sorted(new, key=_in_order)}
        fresh, failed = self._to_ask(unread.values(), progress)
        pins = self._allotted(context, fresh, failed)
        return Batch(progress, [*unread], unread, pins, lists)

    def _to_ask(
        self, unread: Collection[Ad], progress: UpdatesProgress
    ) -> tuple[Sequence[str], Sequence[str]]:
        """The Pins of ads that take a call: new Pins, and Pins whose call failed earlier."""
        in_vain = {ad.pin_id for ad in unread if ad.update.id in progress.pending}
        pins = dict.fromkeys(ad.pin_id for ad in unread if ad.pin_id)
        left = [each for each in pins if not self._listed.has(each.encode())]
        return [e for e in left if e not in in_vain], [e for e in left if e in in_vain]

    def _progress(self, context: Context) -> UpdatesProgress:
        """The progress of earlier runs; empty if they have read other ads or other columns."""
        progress = UpdatesProgress.of(self.remembered.of(context) or {})
        if progress.settings == self.fingerprint:
            return progress
        return UpdatesProgress(settings=self.fingerprint)

    def _ads(self, context: Context, parts: Parts) -> Iterator[Ad]:
        """The ads of an ad account; `parts` gets the errors of lists that cannot be read.

        Raises:
            SkippableAPIError: Pinterest refuses the list.
            FatalAPIError: The list cannot be read whole.
            RetriableAPIError: The list cannot be read whole.
        """
        scope = Scope(self.inventory, self.settings, context, parts)
        for _, item in self.inventory.again(Ads.listing(self.settings), scope):
            update = Update(_time_of(item), str(item["id"]))
            yield Ad(update, str(item.get("pin_id") or ""))
        parts.raise_if_nothing_was_read()
        parts.raise_if_any_failed()

    def _asked(self, call: Call) -> Tried[Item]:
        get = functools.partial(self.run.client.get, self.path, self.decoder())
        return Tried.by(call, lambda: get(ids=call.ids, query=call.query).items[0])

    def _allotted(
        self, context: Context, fresh: Sequence[str], failed: Sequence[str]
    ) -> Sequence[str]:
        """The first Pins of an ad account, within the calls of the run.

        A Pin whose call failed may fail for good. It gets a call only if no new Pin of any ad
        account needs that call.
        """
        turn = self.turn(context)
        needed = self._fresh_pins if failed else {}
        with self.run.read_ahead.alone_with(self._lock):
            if turn not in self._allotments:
                done = {*self._allotments, turn}
                spent = sum(map(len, self._allotments.values()))
                room = max(self.settings.creative_calls - spent, 0)
                kept = len(fresh) + sum(pins for other, pins in needed.items() if other not in done)
                again = failed[: max(room - kept, 0)]
                self._allotments[turn] = [*fresh[:room], *again]
        return self._allotments[turn]

    @functools.cached_property
    def _fresh_pins(self) -> Mapping[Turn, int]:
        """The number of new Pins of each ad account that take a call."""
        return {self.turn(each): self._count_of_fresh(each) for each in self.partitions or ()}

    def _count_of_fresh(self, context: Context) -> int:
        progress = self._progress(context)
        try:
            unread = [ad for ad in self._ads(context, Parts()) if progress.is_left(ad.update)]
        except PART_ERRORS:
            # The error is reported in the turn of the ad account.
            return 0
        return len(self._to_ask(unread, progress)[0])

    @property
    def _listed(self) -> PageStore:
        """The Pins of ads that other streams list or that a call has read."""
        with self.run.read_ahead.alone_with(self._lock):
            return self._found_pins

    @functools.cached_property
    def _found_pins(self) -> PageStore:
        found, inventory = PageStore(), self.inventory
        if not inventory.is_shared(Pins.path):
            return found
        promoted = self._promoted_pins()
        # Filters narrow the other streams, not this one: each Pin on their pages can be used.
        listing = replace(Pins.listing(self.settings), filters={})
        users = Pins.contexts.of(inventory.owners)
        for context in [None] if users is None else users:
            scope = Scope(inventory, self.settings, context, Parts())
            for _, pin in inventory.again(listing, scope):
                key = str(pin.get("id")).encode()
                if key in promoted and not found.has(key):
                    found.add(key, msgspec.json.encode(pin))
        return found

    def _promoted_pins(self) -> frozenset[bytes]:
        """The Pins of all ads of the run."""
        inventory, settings = self.inventory, self.settings
        place = Ads.listing(settings).fields.index("pin_id")
        accounts = (
            inventory.entities(Ads, settings, each, Parts())
            for each in inventory.owners.ad_account_ids
        )
        return frozenset(row[place].encode() for rows in accounts for row in rows.values())

    def _listed_pin(self, pin_id: str) -> Item:
        body = next(self._listed.read(pin_id.encode(), forget=False))
        return _decode(body)

    def _row(
        self, context: Context, ad: Ad, pin: Item | None = None, reason: str | None = None
    ) -> dict[str, Any]:
        ids = {"ad_id": ad.update.id, "pin_id": ad.pin_id or None, **context}
        own = {"updated_time": ad.update.time, "unavailable_reason": reason}
        return self.convert({**ids, **own, **(_creative(pin) if pin else {})})


def _time_of(ad: Item) -> str:
    """The time of the last change of an ad; empty if Pinterest has none."""
    try:
        changed = ad.get("updated_time") or ad.get("created_time") or ""
        return instant(changed, when_made=True) or ""
    except (OverflowError, TypeError, ValueError):
        return ""


def _reason(refusal: PartError) -> str:
    """The text of a refusal without the number of the request, which is new in every call."""
    return str(refusal).partition(" [request ")[0]


def _creative(pin: Item) -> Item:
    """The columns of a Pin; fields without a column keep Pinterest's own name."""
    of_pin = {name: pin[name] for name in PIN_FIELDS if name in pin}
    media = pin.get("media") or {}
    if not isinstance(media, dict):
        return {**of_pin, "media": media}
    images = media.get("images") or {}
    if not isinstance(images, dict):
        images = {"": images}
    return {
        **of_pin,
        **{name: media.get(name) for name in MEDIA_FIELDS},
        CARDS: media.get("items"),
        **{
            _image_column(size): image.get("url") if isinstance(image, dict) else image
            for size, image in images.items()
        },
    }


def _image_column(size: str) -> str:
    return f"image_url_{size}"


def _in_order(ad: Ad) -> tuple[bool, Update]:
    """The order of ads: by time; ads without a time are read in every run, after all others."""
    return not ad.update.time, ad.update
