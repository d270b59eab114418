"""Billing profiles, invoices, credit, order lines and insertion orders."""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from typing_extensions import override

from tap_pinterest.reading.call import Call
from tap_pinterest.reading.pages import Item
from tap_pinterest.streams.bases.dataset import DatasetStream


class BillingProfiles(DatasetStream):
    """Payment methods of an ad account, also inactive ones. Not open to every app."""

    name = "billing_profiles"
    path = "/ad_accounts/{ad_account_id}/billing_profiles"
    primary_keys = ("ad_account_id", "id")
    query = MappingProxyType({"is_active": False})


class BillingInvoices(DatasetStream):
    """Invoices and credit memos; amounts are in micro-currency."""

    name = "billing_invoices"
    path = "/ad_accounts/{ad_account_id}/billing_invoices"


class AdsCreditDiscounts(DatasetStream):
    """Advertising credit and the unused part of it, in micro-currency. Not open to every app.

    A discount has no id at Pinterest. `discount_id` is the MD5 of the fields that stay the same
    while the credit is used up. Discounts that are equal in these fields get different ids.
    """

    name = "ads_credit_discounts"
    path = "/ad_accounts/{ad_account_id}/ads_credit/discounts"
    primary_keys = ("ad_account_id", "discount_id")

    @override
    def facts_beside(self) -> Mapping[str, Any]:
        return {**super().facts_beside(), "discount_id": {"type": "string"}}

    @override
    def complete(self, record: Item, call: Call) -> dict[str, Any]:
        complete = super().complete(record, call)
        names = ("title", "discountType", "discountCurrency")
        identity = (
            complete["ad_account_id"],
            *(complete.get(name) for name in names),
            _amount(complete.get("discountInMicroCurrency")),
        )
        alike = msgspec.json.encode(identity)
        self._alike[alike] += 1
        text = msgspec.json.encode((*identity, self._alike[alike]))
        complete["discount_id"] = hashlib.md5(text, usedforsecurity=False).hexdigest()
        return complete

    @functools.cached_property
    def _alike(self) -> Counter[bytes]:
        return Counter()


def _amount(value: object) -> object:
    """An amount as a number; Pinterest may send it as a number or as a text."""
    try:
        return msgspec.convert(value, float, strict=False)
    except msgspec.ValidationError:
        return value


class OrderLines(DatasetStream):
    """Order lines of an ad account; budgets are in micro-currency."""

    name = "order_lines"
    path = "/ad_accounts/{ad_account_id}/order_lines"


class SsioAccounts(DatasetStream):
    """Whether an ad account can place insertion orders, and with whom."""

    name = "ssio_accounts"
    path = "/ad_accounts/{ad_account_id}/ssio/accounts"
    primary_keys = ("ad_account_id",)


class SsioOrderLines(DatasetStream):
    """Order lines of insertion orders; only the group `personal` shows the contacts."""

    name = "ssio_order_lines"
    path = "/ad_accounts/{ad_account_id}/ssio/order_lines"
    primary_keys = ("salesforce_order_line_id",)


class SsioInsertionOrderStatus(DatasetStream):
    """The states of insertion orders."""

    name = "ssio_insertion_order_status"
    path = "/ad_accounts/{ad_account_id}/ssio/insertion_orders/status"
    primary_keys = ("pin_order_id",)


class TermsOfService(DatasetStream):
    """Whether an ad account has accepted the terms of service, without their text."""

    name = "terms_of_service"
    path = "/ad_accounts/{ad_account_id}/terms_of_service"
    primary_keys = ("ad_account_id", "id")
