"""`python -m pinterest_sandbox` serves until a signal stops it."""

from __future__ import annotations

from pinterest_sandbox.server import main

if __name__ == "__main__":
    main()
