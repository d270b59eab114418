"""What one run shares."""

from __future__ import annotations
