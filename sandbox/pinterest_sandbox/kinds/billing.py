"""Profiles, invoices, discounts, order lines, insertion orders and terms."""

# ruff: noqa: ARG001  every `details` is called with the same three arguments
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox.chance import Draws
from pinterest_sandbox.collection import Kind
from pinterest_sandbox.kinds.ads import per_account

if TYPE_CHECKING:
    from pinterest_sandbox.collection import Details
    from pinterest_sandbox.kinds.ads import OfAccount
    from pinterest_sandbox.world import AdAccount


def _profile(profile: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    return {"status": ("VALID", "INVALID", "SECONDARY", "DELETED")[profile.number % 4]}


def _invoice(invoice: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    billed = (1 + draws.below(900)) * 1_234_567
    month = f"{2025 + invoice.number // 12}-{1 + invoice.number % 12:02}"
    return {
        "ad_account_name": f"Ad account {invoice.owner.number + 1}",
        "amount_billed_micro_currency": billed,
        "currency": invoice.owner.currency,
        "billing_period_start_date": f"{month}-01",
        "billing_period_end_date": f"{month}-28",
        "invoice_due_date": f"{month}-{10 + draws.below(18)}",
        "document_type": "CREDIT_MEMO" if invoice.number % 3 == 1 else "INVOICE",
        "status": ("OPEN", "CLOSED")[invoice.number % 2],
        "payment_terms": "Net 30",
        "bill_to_country": draws.one_of(("US", "DE", "NO")),
    }


def _discount(discount: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    """The last two discounts of an account are equal, so that only their number differs."""
    if discount.number and discount.number == per_account(discount.owner) - 1:
        twin = discount.owner.all(DISCOUNTS).members[discount.number - 1].record()
        made.clear()
        return twin
    if made.get("discountInMicroCurrency") is not None:
        made["discountInMicroCurrency"] = float(1_000_000 * (1 + draws.below(900)))
    if made.get("remainingDiscountInMicroCurrency") is not None:
        made["remainingDiscountInMicroCurrency"] = 0.0
    return {"title": f"{discount.label} credit"} if made.get("title") else {}


def _order_line(line: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    account = line.owner
    of_line = (
        number
        for number in range(account.campaigns.count)
        if order_line_id(account, number) == line.id
    )
    return {
        "name": order_line_name(account, line.id),
        "type": "orderline",
        "campaign_ids": [str(account.campaigns.ids[number]) for number in of_line],
    }


def order_line_id(account: AdAccount, campaign: int) -> str | None:
    """The order line that some campaigns are billed under."""
    lines = account.all(ORDER_LINES).ids
    draws = Draws(int(account.campaigns.words[campaign]), "order line")
    return draws.one_of(lines) if lines and draws.chance(0.3) else None


def order_line_name(account: AdAccount, line_id: str) -> str:
    """The name of an order line."""
    line = account.all(ORDER_LINES).get(line_id)
    return line.label if line else line_id


def _insertion_order(order: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    return {"status": draws.one_of(("Accepted", "Pending", "Expired"))}


def _ssio_line(line: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    """A line of an insertion order of its account; Ads Manager knows it as an order line."""
    orders, lines = line.owner.all(INSERTION_ORDERS).ids, line.owner.all(ORDER_LINES).ids
    people = {
        f"{kind}_contact_{part}": value
        for kind, name in (("billing", "Zoë"), ("media", "Nguyễn"))
        for part, value in (
            ("email", f"{kind}{line.number}@example.com"),
            ("firstname", name),
            ("lastname", "O'Brien-Łukasz"),
        )
    }
    for name in ("accepted_terms_time", "last_modified_date_time"):
        if made.get(name):
            made[name] += f".{draws.below(1000):03}Z"
    return {
        **{name: value for name, value in people.items() if made.get(name) is not None},
        "pin_order_id": orders[line.number % len(orders)],
        "ads_manager_order_line_id": lines[line.number % len(lines)],
        "salesforce_order_line_id": f"a0X{line.id}",
        "order_name": line.label,
        "currency_info": line.owner.currency,
    }


BILLING_PROFILES: Final[Kind[AdAccount]] = Kind(
    "billing profile", "BillingProfilesResponse", per_account, _profile
)
INVOICES: Final[Kind[AdAccount]] = Kind("invoice", "BillingInvoiceResponse", per_account, _invoice)
DISCOUNTS: Final[Kind[AdAccount]] = Kind(
    "discount", "AdsCreditDiscountsResponse", per_account, _discount
)
ORDER_LINES: Final[Kind[AdAccount]] = Kind("order line", "OrderLine", per_account, _order_line)
INSERTION_ORDERS: Final[Kind[AdAccount]] = Kind(
    "insertion order",
    "SSIOInsertionOrderStatus",
    per_account,
    _insertion_order,
    id_field="pin_order_id",
)
SSIO_ORDER_LINES: Final[Kind[AdAccount]] = Kind(
    "insertion order line", "SSIOOrderLine", per_account, _ssio_line, id_field=""
)
