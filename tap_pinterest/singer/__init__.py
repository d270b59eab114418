"""The parts of the Singer SDK that we override, the state, and the process."""

from __future__ import annotations
