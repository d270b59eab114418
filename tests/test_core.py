"""The Singer SDK's standard suite for taps, on the sandbox."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from datetime import date

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from pinterest_sandbox import Sandbox, WorldSize
from singer_run import PatientTap, settings

# The suite discovers streams while pytest collects, so the sandbox must answer by then.
_open = ExitStack()
_sandbox = _open.enter_context(
    Sandbox(
        seed=3,
        today=date(2026, 11, 20),
        size=WorldSize(
            accounts=2, empty_accounts=0, campaigns=2, ad_groups=3, ads=4, boards=2, pins=4
        ),
        access_tier="unlimited",
        report_seconds=(0.0, 0.0),
    )
)
atexit.register(_open.close)

TestTapPinterest = get_tap_test_class(
    PatientTap,
    config=settings(
        _sandbox,
        start_date="5 days ago",
        stream_groups=["all"],
        terms=["sun"],
        keywords=["shoes"],
        countries=["US"],
        trend_regions=["US"],
        product_categories=["ANKLETS"],
        usernames=[_sandbox.world.user.username],
    ),
    # The suite calls `sync_all` alone, after which the tap would write its log.
    suite_config=SuiteConfig(ignore_no_records=False, ignore_no_records_for_streams=["sync_log"]),
)
