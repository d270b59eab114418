"""Calls to Pinterest: connections, tokens, limits, errors."""

from __future__ import annotations
