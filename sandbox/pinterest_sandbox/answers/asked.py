"""The period and the attribution windows of a request for numbers of ads."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from pinterest_sandbox.numbers import ACTIONS, View
from pinterest_sandbox.refusals import not_served, refuse

if TYPE_CHECKING:
    from pinterest_sandbox.calls import Call

HOURLY_DAYS_BACK: Final = 8
HOURLY_DAYS_WIDE: Final = 3
HOURS_BEHIND: Final = 8
"""Hours from the beginning of a day in UTC to its beginning in an ad account's time zone."""
REFUSED_WINDOWS: Final = frozenset(
    {(1, 30, 1), (1, 60, 1), (1, 60, 30), (14, 1, 1), (14, 1, 30), (14, 1, 60), (14, 30, 1)}
)
"""Click, engagement and view windows that do not go together; the description names none, other
readers of the API these."""


def view(call: Call) -> View:
    """The attribution, day and time zone of the numbers that a request asks for.

    Raises:
        Refusal: 400 for windows that do not go together, 501 for what the sandbox does not know.
    """
    unknown = "aggregate_report_rows"
    if call.values.get(unknown):
        raise not_served(unknown)
    click, engagement, view_days = windows = tuple(
        call.values.get(f"{action}_window_days", 30) for action in ACTIONS
    )
    if windows in REFUSED_WINDOWS:
        refuse(
            "The combination of attribution windows is not supported: "
            f"click_window_days {click}, engagement_window_days {engagement}, "
            f"view_window_days {view_days}."
        )
    local = call.values.get("reporting_timezone") == "AD_ACCOUNT_TIME_ZONE"
    return View(
        call.today,
        (click, engagement, view_days),
        by_conversion_time=call.values.get("conversion_report_time") == "TIME_OF_CONVERSION",
        ready_days=call.settings.readiness.delivery_days,
        conversions_ready_days=call.settings.readiness.conversion_days,
        hours_behind=HOURS_BEHIND if local else 0,
    )


def check_period(call: Call, back: int, wide: int) -> None:
    """Lets a period pass that begins and ends within limits, in days; other ones by the hour.

    Raises:
        Refusal: 400 for another.
    """
    start, end = call.values["start_date"], call.values["end_date"]
    today = date.fromordinal(call.today)
    if call.values["granularity"] == "HOUR":
        back, wide = HOURLY_DAYS_BACK, HOURLY_DAYS_WIDE
    if end < start:
        refuse("end_date must not be before start_date.")
    if end > today:
        refuse(f"end_date cannot be after today, {today}.")
    if call.truth:
        return
    if start < today - timedelta(days=back):
        refuse(f"start_date cannot be more than {back} days back from today, {today}.")
    if (end - start).days > wide:
        refuse(f"end_date cannot be more than {wide} days past start_date.")
