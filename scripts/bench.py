"""What is measured, one after the other."""

from __future__ import annotations

import sys

from scripts import bench_loading


def main() -> int:
    """Measure and print all, and return the exit code."""
    bench_loading.measure()
    return 0


if __name__ == "__main__":
    sys.exit(main())
