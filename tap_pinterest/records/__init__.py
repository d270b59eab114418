"""Records: their types, layouts and keys."""

from __future__ import annotations
