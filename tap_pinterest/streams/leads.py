"""Lead ads: forms, their questions and subscriptions. The tap does not read the leads."""

from __future__ import annotations

from typing_extensions import override

from tap_pinterest.http.answers import decoder
from tap_pinterest.reading.pages import Decode, Page
from tap_pinterest.streams.bases.dataset import DatasetStream

_decode_anything = decoder(object)


class LeadForms(DatasetStream):
    """Forms of lead ads. In beta."""

    name = "lead_forms"
    path = "/ad_accounts/{ad_account_id}/lead_forms"
    group = "beta"


class LeadAdsSubscriptions(DatasetStream):
    """Addresses that Pinterest sends new leads to; the key that decrypts them is left out."""

    name = "lead_ads_subscriptions"
    path = "/ad_accounts/{ad_account_id}/leads/subscriptions"
    group = "conversions"


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
