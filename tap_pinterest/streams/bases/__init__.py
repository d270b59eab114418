"""The kinds of streams."""

from __future__ import annotations
