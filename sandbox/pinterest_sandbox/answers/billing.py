"""Billing, insertion orders and terms of service."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox import specimens
from pinterest_sandbox.answers.entities import of, where
from pinterest_sandbox.chance import Draws
from pinterest_sandbox.kinds import billing as kinds
from pinterest_sandbox.paging import Listing
from pinterest_sandbox.parameters import read_date
from pinterest_sandbox.refusals import not_found, refuse

if TYPE_CHECKING:
    from pinterest_sandbox.calls import Call

SSIO_ROLES: Final = frozenset(
    {"OWNER", "ADMIN", "FINANCE_MANAGER", "FINANCE_EDIT", "FINANCE_VIEW", "CAMPAIGN_MANAGER"}
)
_INACTIVE: Final = frozenset({"INVALID", "DELETED"})
_SORTS: Final[dict[str, str]] = {
    "DUE_DATE": "invoice_due_date",
    "BILLING_PERIOD": "billing_period_start_date",
    "DOCUMENT_TYPE": "document_type",
    "TOTAL_AMOUNT": "amount_billed_micro_currency",
    "INVOICE_NUMBER": "id",
}


def profiles(call: Call) -> Listing[Any]:
    """Ways of paying; those not in use only when all are asked for."""
    found = list(call.readable_ad_account().all(kinds.BILLING_PROFILES))
    if not call.values["is_active"]:
        return of(found)
    used = [profile.record() for profile in found]
    return Listing([record for record in used if record["status"] not in _INACTIVE], dict)


def invoices(call: Call) -> Listing[Any]:
    """Invoices by status, kind and due date, in the order asked for."""
    values = call.values
    first, last = (_day(call, name) for name in ("start_due_date", "end_due_date"))
    if first and last and last < first:
        refuse("end_due_date must not be before start_due_date.")
    found = []
    for invoice in call.readable_ad_account().all(kinds.INVOICES):
        record = invoice.record()
        due = date.fromisoformat(record["invoice_due_date"])
        if (
            values["status"] in (None, record["status"])
            and values["document_type"] in (None, record["document_type"])
            and (first or due) <= due <= (last or due)
        ):
            found.append(record)
    found.sort(key=lambda record: (record[_SORTS[values["sort"]]], record["id"]))
    return Listing(call.in_order(found), dict)


def invoice_download(call: Call) -> dict[str, Any]:
    """The link to an invoice."""
    invoice_id = call.values["billing_invoice_id"]
    if call.readable_ad_account().all(kinds.INVOICES).get(invoice_id) is None:
        raise not_found(404, "invoice")
    return {"id": invoice_id, "download_url": f"https://files.example.com/{invoice_id}.pdf"}


def ssio_account(call: Call) -> dict[str, Any]:
    """Who pays for insertion orders."""
    account = call.readable_ad_account(SSIO_ROLES)
    made = specimens.record("SSIOAccountResponse", Draws(call.world.seed, *account.parts, "ssio"))
    return {**made, "currency": account.currency, "eligible": not account.empty}


def ssio_order_lines(call: Call) -> Listing[Any]:
    """Lines of insertion orders, or of one of them."""
    account = call.readable_ad_account(SSIO_ROLES)
    order = call.values["pin_order_id"]
    lines = list(account.all(kinds.SSIO_ORDER_LINES))
    return where(lines, pin_order_id={order} if order else None)


def terms_of_service(call: Call) -> dict[str, Any]:
    """The terms and whether they were accepted; their text when asked for."""
    account = call.readable_ad_account()
    draws = Draws(call.world.seed, *account.parts, "terms")
    made = {
        "id": str(1 + draws.below(10**9)),
        "ad_account_id": account.id,
        "has_accepted": draws.chance(0.8),
        "html": None,
    }
    if call.values["include_html"]:
        made["html"] = "<p>These terms are made up &amp; bind nobody. © 2026</p>"
    return made


def _day(call: Call, name: str) -> date | None:
    text = call.values[name]
    if text is None or isinstance(text, date):
        return text
    try:
        return read_date(text)
    except ValueError:
        refuse(f"Parameter {name!r} must be a date of the form YYYY-MM-DD.")
