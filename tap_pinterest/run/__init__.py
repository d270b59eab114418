"""The parts that all streams of one run share."""

from __future__ import annotations
