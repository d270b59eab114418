"""Lists, their pages, and the order of requests in flight."""

from __future__ import annotations
