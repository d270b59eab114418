"""What is the same for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinterest_sandbox.parameters import read_date
from pinterest_sandbox.refusals import refuse

if TYPE_CHECKING:
    from pinterest_sandbox.calls import Call


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
