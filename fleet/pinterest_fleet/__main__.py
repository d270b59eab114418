"""`python -m pinterest_fleet`."""

from __future__ import annotations

from pinterest_fleet.cli import main

main()
