"""An ads report: its question, plan, orders and rows, as separate objects."""

from __future__ import annotations
