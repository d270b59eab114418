"""Make the picture of the page that README and documents show, from the sandbox's data.

It needs a Chromium. Run it when the page has changed.
"""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

import psycopg

from chromium import chromium
from scripts.demo import DAYS, WORLD
from scripts.demo_databases import SCHEMA
from scripts.embedded_postgres import EmbeddedPostgres
from scripts.main_job import MainJob
from scripts.processes import ROOT
from scripts.sandbox_process import sandbox_process
from tap_pinterest.page import Contents, page

PICTURE = ROOT / "docs" / "_static" / "page.png"
TODAY = date(2026, 11, 22)
WIDTH, HEIGHT = 1140, 800


def main() -> None:
    """Load two days and take the picture."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "page.html"
        file.write_text(page(_loaded(Path(name))), encoding="utf-8")
        with chromium() as browser:
            browser.look_as(width=WIDTH, height=HEIGHT)
            browser.open(file.as_uri())
            browser.screenshot(PICTURE)
    print(PICTURE)


def _loaded(folder: Path) -> Contents:
    yesterday = TODAY - timedelta(days=1)
    log = folder / "log"
    with sandbox_process(yesterday, log, **WORLD) as sandbox, EmbeddedPostgres() as database:
        settings = {**sandbox.settings(folder), "TARGET_POSTGRES_SQLALCHEMY_URL": database.url}
        job = MainJob(folder, settings, log=log)
        job.run()
        sandbox.move_to(TODAY)
        job.run()
        with psycopg.connect(database.psql_url) as connection:
            return Contents.read(connection, SCHEMA, days=DAYS)


if __name__ == "__main__":
    main()
