"""What kinds of streams there are."""

from __future__ import annotations
