"""A local Pinterest that answers API v5 as its description says."""

from __future__ import annotations

from pinterest_sandbox.server import Sandbox
from pinterest_sandbox.world import WorldSize

__all__ = ["Sandbox", "WorldSize"]
