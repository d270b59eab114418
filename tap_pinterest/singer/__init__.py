"""Singer: the SDK's parts that we override, state, the process."""

from __future__ import annotations
