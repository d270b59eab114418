"""Singer tap for Pinterest."""

from __future__ import annotations
