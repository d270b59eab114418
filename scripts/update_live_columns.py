"""Write the names of report columns that live answers list and no description has.

Takes recorded answers of GET /resources/delivery_metrics, or plain lists of names, as JSON files:

    python -m scripts.update_live_columns --seen 2026-07-09 ANSWER...
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scripts.processes import ROOT
from tap_pinterest import api
from tap_pinterest.api.columns import LIVE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FILE = ROOT / "tap_pinterest" / "api" / LIVE_FILE
ORGANIC = "ORGANIC"


def names_in(answer: Any) -> Iterator[str]:  # noqa: ANN401 - whatever JSON a file holds
    """The names of metrics of ads in an answer, its recording, or a list of names."""
    if isinstance(answer, dict):
        answer = answer.get("response", answer)["items"]
    for each in answer:
        if isinstance(each, str):
            yield each
        elif each.get("category") != ORGANIC:
            yield each["name"]


def live_facts(answers: Iterable[Any], seen: str) -> dict[str, Any]:
    """The names that no description has, in order, and the day of the answers."""
    described = {name for enum in ("columns_sync", "columns_async") for name in _described(enum)}
    names = {name for answer in answers for name in names_in(answer)} - described
    return {"seen": seen, "names": sorted(names)}


def _described(enum: str) -> tuple[str, ...]:
    return api.enum(enum, newer=True)


@click.command(help=__doc__)
@click.option("--seen", required=True, help="The day of the answers.")
@click.argument("answers", nargs=-1, required=True, type=click.Path(path_type=Path))
def main(seen: str, answers: Sequence[Path]) -> None:
    """Write the file."""
    found = [json.loads(path.read_text("utf-8")) for path in answers]
    text = json.dumps(live_facts(found, seen), indent=0)
    FILE.write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main()
