"""What is the same for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinterest_sandbox.parameters import read_date
from pinterest_sandbox.refusals import refuse
from tap_pinterest import api

if TYPE_CHECKING:
    from pinterest_sandbox.calls import Call

DISPLAY_NAMES = {
    "CTR": "CTR (%)",
    "CTR_2": "CTR (%)",
    "ECPM_IN_MICRO_DOLLAR": "CPM",
    "PAID_IMPRESSION": "Paid impressions",
    "SPEND_IN_DOLLAR": "Spend",
    "TOTAL_CONVERSIONS": "Total conversions",
}
"""Names of metrics in Ads Manager; of others, the name in capitals without the underscores."""


def delivery_metrics(call: Call) -> dict[str, list[dict[str, Any]]]:
    """What the columns of reports are called and mean."""
    is_synchronous = call.values["report_type"] != "ASYNC"
    names = api.enum("columns_sync" if is_synchronous else "columns_async")
    return {"items": [_metric(name) for name in names]}


def _metric(name: str) -> dict[str, Any]:
    words = name.replace("_", " ").lower()
    display_name = DISPLAY_NAMES.get(name, words.capitalize())
    definition = f"The metric {words}, as Ads Manager shows it."
    return {
        "name": name,
        "display_name": display_name,
        "definition": definition,
        "category": "ADS",
    }


def metrics_ready_state(call: Call) -> dict[str, bool]:
    """Whether the metrics of a day are final; never for today and later."""
    try:
        day = read_date(call.values["date"]).toordinal()
    except ValueError:
        refuse("Parameter 'date' must be a date of the form YYYY-MM-DD.")
    age = call.today - day
    return {
        "conversion_metrics_ready": age >= call.readiness.conversion_days,
        "non_conversion_metrics_ready": age >= call.readiness.delivery_days,
    }
