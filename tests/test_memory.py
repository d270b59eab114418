"""How often the body of an answer is in memory at the same time."""

from __future__ import annotations

import os
import tracemalloc
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from scripts.bench_memory import STREAM, Answers, served
from scripts.bench_records import COLUMNS
from singer_run import catalog_of
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Prepared(Answers):
    """Answers whose body of a report is there before anything is measured."""

    body = b""

    @override
    def report(self, query: Mapping[str, Sequence[str]]) -> bytes:
        if not self.body:
            self.body = super().report(query)
        return self.body


def test_a_body_is_in_memory_once_and_not_as_objects_too() -> None:
    answers = Prepared(accounts=1, ads=20)
    with served(answers) as url, Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        config = {
            "access_token": "none",
            "api_url": url,
            "report_columns": COLUMNS,
            "max_requests_in_flight": 1,
        }
        catalog = catalog_of(config, [STREAM])
        TapPinterest(config=config, catalog=catalog).sync()
        tap = TapPinterest(config=config, catalog=catalog)
        tracemalloc.start()
        code = tap.sync()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert code == 0
    assert tap.run.summary.of(STREAM).rows == 20 * 90
    assert len(answers.body) < peak < 1.5 * len(answers.body)
