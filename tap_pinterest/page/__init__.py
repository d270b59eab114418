"""The page of the loaded data: reads the tables in PostgreSQL, and draws them as one HTML file."""

from __future__ import annotations

from tap_pinterest.page.contents import Contents, NothingLoadedError
from tap_pinterest.page.drawing import page

__all__ = ["Contents", "NothingLoadedError", "page"]
