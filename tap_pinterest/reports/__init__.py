"""An ads report: its question, its plan, its orders and its rows, each by itself."""

from __future__ import annotations
