"""The command lines other than the tap's."""

from __future__ import annotations
