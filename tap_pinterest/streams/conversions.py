"""Conversions: tags, their events and the quality of these; and lead ads, without the leads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from typing_extensions import override

from tap_pinterest.config import Settings
from tap_pinterest.http.answers import decoder
from tap_pinterest.reading.calls import Source, Values
from tap_pinterest.reading.pages import MAP_KEY, Decode, Item, Page
from tap_pinterest.streams.bases.dataset import DatasetStream, SnapshotStream

_decode_anything = decoder(object)


class ConversionTags(DatasetStream):
    """Pinterest tags of an ad account, also deleted tags."""

    name = "conversion_tags"
    path = "/ad_accounts/{ad_account_id}/conversion_tags"


class OcpmEligibleConversionTags(DatasetStream):
    """Events of a tag that bidding can be optimised for."""

    name = "ocpm_eligible_conversion_tags"
    path = "/ad_accounts/{ad_account_id}/conversion_tags/ocpm_eligible"
    primary_keys = ("ad_account_id", "conversion_tag_id", "conversion_event")
    # The description does not explain the answer's keys; each record has tag and ad account.
    left_out = frozenset({MAP_KEY})


class PageVisitConversionTags(DatasetStream):
    """Page visits that a tag reports."""

    name = "page_visit_conversion_tags"
    path = "/ad_accounts/{ad_account_id}/conversion_tags/page_visit"
    primary_keys = ("ad_account_id", "conversion_tag_id", "conversion_event")


class AdvertiserDefinedEvents(DatasetStream):
    """Events that an advertiser has defined, and the conversions that they are mapped to."""

    name = "advertiser_defined_events"
    path = "/ad_accounts/{ad_account_id}/advertiser_defined_events"
    primary_keys = ("ad_account_id", "name")


class ConversionEqs(SnapshotStream):
    """Event quality score: the quality of the events of a platform and a way of sending them."""

    name = "conversion_eqs"
    path = "/ad_accounts/{ad_account_id}/conversion_eqs"
    primary_keys: Sequence[str] = (
        *("ad_account_id", "lookback_period", "source_platform", "ingestion_source", "date"),
    )
    per = (Values("lookback_period"),)

    @classmethod
    @override
    def sources(cls, settings: Settings) -> Sequence[Source]:
        asked = {"lookback_period": (), **settings.conversion_quality}
        return [Values(name, *values) for name, values in asked.items()]


class ConversionEqsComponents(ConversionEqs):
    """One component of an event quality score, such as the hashed e-mail addresses, by event."""

    name = "conversion_eqs_components"
    primary_keys = (
        *("ad_account_id", "lookback_period", "source_platform", "ingestion_source"),
        *("component", "event_name", "date"),
    )
    components: ClassVar[str] = "quality_components"

    @classmethod
    @override
    def unpacked(cls, item: Any) -> Iterable[Item]:
        score = {name: value for name, value in item.items() if name != cls.components}
        return [
            {**score, "component": component, "event_name": event, **found}
            for component, events in (item.get(cls.components) or {}).items()
            for event, found in (events or {}).items()
        ]

    @override
    def own_facts(self) -> Mapping[str, Any]:
        score = dict(super().own_facts()["properties"])
        component, *_ = score.pop(self.components)["properties"].values()
        own = {name: {"type": "string"} for name in ("component", "event_name")}
        return {"properties": {**score, **own, **component["additionalProperties"]["properties"]}}


class ConversionDeletionRequests(DatasetStream):
    """Requests to delete conversions. In beta; unverified: known from API 5.28 only."""

    name = "conversion_deletion_requests"
    path = "/ad_accounts/{ad_account_id}/conversion_deletion_requests"
    group = "beta"
    primary_keys = ("request_id",)


class LeadForms(DatasetStream):
    """Forms of lead ads. In beta."""

    name = "lead_forms"
    path = "/ad_accounts/{ad_account_id}/lead_forms"
    group = "beta"


class LeadAdsSubscriptions(DatasetStream):
    """Addresses that Pinterest sends new leads to; the key that decrypts them is left out."""

    name = "lead_ads_subscriptions"
    path = "/ad_accounts/{ad_account_id}/leads/subscriptions"


class LeadFormQuestions(DatasetStream):
    """Names of the questions that a lead form can ask. In beta."""

    name = "lead_form_questions"
    path = "/resources/lead_form_questions"
    group = "beta"
    primary_keys = ("name",)
    texts = ("name",)

    @classmethod
    @override
    def decoder(cls) -> Decode:
        # The description says "a list of all lead form question type names", but not its form.
        def decode(body: bytes) -> Page:
            answer = _decode_anything(body) if body.strip() else None
            lists = answer.values() if isinstance(answer, dict) else (answer,)
            items = [item for each in lists if isinstance(each, list) for item in each]
            return Page([item if isinstance(item, dict) else {"name": item} for item in items])

        return decode
