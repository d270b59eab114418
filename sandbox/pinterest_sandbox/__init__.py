"""A local Pinterest that answers API v5 as its description says."""

from __future__ import annotations

from pinterest_sandbox.access import BETA_PARAMETERS, beta_operations
from pinterest_sandbox.server import Sandbox
from pinterest_sandbox.size import WorldSize
from pinterest_sandbox.style import Style

__all__ = ["BETA_PARAMETERS", "Sandbox", "Style", "WorldSize", "beta_operations"]
