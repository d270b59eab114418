"""Runs all benchmarks, one after the other; `--full` adds those that take many minutes."""

from __future__ import annotations

import sys

from scripts import bench_airbyte, bench_loading, bench_memory, bench_records, bench_runs


def main() -> int:
    """Measure and print all, and return the exit code."""
    bench_records.measure()
    bench_runs.measure(bench_runs.STANDARD_WORLD)
    bench_airbyte.measure()
    if "--full" in sys.argv[1:]:
        bench_runs.measure(bench_runs.MANY_ROWS, bench_runs.AGENCY)
        bench_memory.measure()
    bench_loading.measure()
    return 0


if __name__ == "__main__":
    sys.exit(main())
