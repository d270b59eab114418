"""Runs the benchmarks, one after the other."""

from __future__ import annotations

import click

from scripts import bench_airbyte, bench_loading, bench_memory, bench_records, bench_runs


@click.command()
@click.option("--full", is_flag=True, help="Also run benchmarks that take many minutes.")
def main(*, full: bool) -> None:
    """Run the benchmarks, one after the other, and print their results."""
    bench_records.measure()
    bench_runs.measure(bench_runs.STANDARD_WORLD)
    bench_airbyte.measure()
    if full:
        bench_runs.measure(bench_runs.MANY_ROWS, bench_runs.AGENCY)
        bench_memory.measure()
    bench_loading.measure()


if __name__ == "__main__":
    main()
