"""`python -m tap_pinterest` is the tap's command line."""

from __future__ import annotations

from tap_pinterest.tap import TapPinterest

TapPinterest.cli()
