"""The command lines beside the tap's own."""

from __future__ import annotations
