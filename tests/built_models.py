"""Two days of a made-up Pinterest, loaded, and the dbt models built over them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from loading import database, main_job
from pinterest_sandbox import Sandbox, WorldSize
from scripts.dbt_project import Dbt
from test_postgres import REPORTS, Pinterest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from psycopg import Connection

    from scripts.dbt_project import Built
    from scripts.main_job import MainJob

DAY_1 = date(2026, 11, 20)
DAY_2 = date(2026, 11, 21)
START = DAY_1 - timedelta(days=25)
WORLD = WorldSize(accounts=3, campaigns=4, ad_groups=8, ads=20, boards=2, pins=20)
GROUPS = "ads,organic,boards,targeting,keywords,resources"
MODELS = "pinterest_models"
WEEK = "ads_of_a_week"
CUSTOM = json.dumps(
    [
        {
            "name": WEEK,
            "level": "PIN_PROMOTION",
            "granularity": "DAY",
            "columns": "default",
            "click_window_days": 7,
            "engagement_window_days": 7,
            "view_window_days": 0,
        }
    ]
)
MICRO = Decimal(1_000_000)
ROUNDING = Decimal("0.001")
VARIABLES: Mapping[str, Any] = MappingProxyType(
    {
        "pinterest_now": f"{DAY_2} 06:00:00",
        "pinterest_fivetran": True,
        "pinterest_ad_window_tables": [WEEK],
    }
)
MEASURES = """
    SELECT count(*) AS rows, sum(spend) AS spend, sum(impressions) AS impressions,
           sum(clicks) AS clicks, sum(conversions) AS conversions,
           sum(checkouts) AS checkouts, sum(checkout_value) AS checkout_value
      FROM """
LINK = """
    WITH shown AS (
        SELECT ad_id FROM {schema}.ad_analytics GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1
    )
    UPDATE {schema}.ads
       SET destination_url = CASE WHEN id NOT IN (SELECT ad_id FROM shown)
           THEN 'https://shop.example.com:8443/sale'
                '?utm_source=pinterest&utm_medium=paid&utm_term=#top' END
     WHERE right(id, 1) < '5' OR id IN (SELECT ad_id FROM shown)
"""
"""Give half of the ads a link with UTM parameters, one of them empty, and one ad no link."""
ENCODED = {
    "spring%20sale": "spring sale",
    "spring+sale+%E2%82%AC%": "spring sale €%",
    "caf%C3%A9": "café",
    "%f0%9f%8f%96%ef%b8%8f": "🏖️",
    "a%2Bb%26c": "a+b&c",
    "%25C3%25A9": "%C3%A9",
    "{campaignname}": "{campaignname}",
    # Nothing that is encoded: these stay.
    "100%": "100%",
    "50%zz%2": "50%zz%2",
    "%C3%28": "%C3(",
    "%E2%82%AC%80": "€%80",
    "%ED%A0%80": "%ED%A0%80",
    "%C0%AF": "%C0%AF",
    "%F4%90%80%80": "%F4%90%80%80",
    "%00x": "%00x",
}
"""Values of a parameter as they stand in links, and their texts."""
ENCODED_LINKS = """
    WITH numbered AS (
        SELECT id, row_number() OVER (ORDER BY id) AS number
          FROM {schema}.ads WHERE destination_url IS NOT NULL AND right(id, 1) >= '5'
    ), links (number, url) AS (VALUES {links})
    UPDATE {schema}.ads SET destination_url = url FROM numbered JOIN links USING (number)
     WHERE numbered.id = ads.id
"""
Row = dict[str, Any]


@dataclass
class World:
    """A client's schemas, the models over them, and what Pinterest says."""

    folder: Path
    url: str
    schema: str
    db: Connection[Row]
    pinterest: Pinterest
    job: MainJob
    gone: str
    """A Pin that somebody removes after the first day."""
    truth: dict[date, Mapping[str, list[Row]]] = field(default_factory=dict)
    sums: dict[date, Mapping[str, Row]] = field(default_factory=dict)
    built: dict[date, Built] = field(default_factory=dict)

    def dbt(self, schema: str = MODELS, **variables: Any) -> Dbt:
        """The project on the database, as of the morning of the second day."""
        said = {**VARIABLES, "pinterest_schemas": [self.schema], **variables}
        return Dbt(self.folder, url=self.url, schema=schema, variables=said)

    def dbt_in(self, file: Path) -> Dbt:
        """The project on a DuckDB with the same tables."""
        return Dbt(self.folder / "duckdb", duckdb=file, variables=VARIABLES)

    def rows(self, query: str, *values: object) -> list[Row]:
        """The rows of a query, which finds models and tables by their names."""
        return self.db.execute(query.encode(), values).fetchall()

    def one(self, query: str, *values: object) -> Row:
        """The only row of a query."""
        (row,) = self.rows(query, *values)
        return row

    def learn(self, today: date) -> None:
        """Ask Pinterest for all rows up to the day before, and sum the models up."""
        end = today - timedelta(days=1)
        self.truth[today] = {
            name: list(self.pinterest.report(name, START, end).values()) for name in REPORTS
        }
        self.sums[today] = {name: self.sum_of(name) for name in SUMMED}

    def sum_of(self, model: str) -> Row:
        """The measures of a model over all rows, and how many there are."""
        return self.one(MEASURES + model)


SUMMED = (
    "pinterest__account_daily",
    "pinterest__campaign_daily",
    "pinterest__ad_group_daily",
    "pinterest__ad_daily",
    "pinterest__url_daily",
    "pinterest__country_daily",
    "pinterest__region_daily",
)


@contextmanager
def two_days(folder: Path) -> Iterator[World]:
    """Two days of a small world, loaded and built after each."""
    with (
        database() as (url, schema),
        Sandbox(seed=7, today=DAY_1, size=WORLD, report_seconds=(0.0, 0.0)) as sandbox,
        psycopg.connect(url.replace("+psycopg", ""), row_factory=dict_row, autocommit=True) as db,
    ):
        path = sql.SQL("SET search_path TO {}, ums, {}")
        db.execute(path.format(sql.Identifier(MODELS), sql.Identifier(schema)))
        pinterest = Pinterest(sandbox.url, sandbox.credentials["access_token"])
        job = main_job(
            folder,
            sandbox,
            url,
            schema,
            start_date=START.isoformat(),
            stream_groups=GROUPS,
            targeting_types="COUNTRY,REGION,GENDER",
            custom_reports=CUSTOM,
            removed_items="true",
        )
        with job.env_file.open("a", encoding="utf-8") as settings:
            settings.write(f"TARGET_DUCKDB_PATH='{folder / 'warehouse.duckdb'}'\n")
        gone, *_ = (pin["id"] for _, pin in sandbox.truth("GET /pins"))
        found = World(folder, url, schema, db, pinterest, job, gone)
        for day in (DAY_1, DAY_2):
            sandbox.today = day
            job.run()
            sandbox.remove(gone)
            give_links(db, schema)
            found.built[day] = found.dbt().build()
            found.learn(day)
        yield found


def give_links(db: Any, schema: str) -> None:
    """Give ads the links that tests look at, in PostgreSQL or in DuckDB."""
    links = ", ".join(
        f"({number}, 'https://encoded.example.com/?utm_campaign={text}')"
        for number, text in enumerate(ENCODED, 1)
    )
    for query in (LINK, ENCODED_LINKS):
        db.execute(query.replace("{schema}", schema).replace("{links}", links))


def total(rows: Iterable[Row], *columns: str) -> Decimal:
    """The sum of some columns of Pinterest's rows."""
    return sum(
        (Decimal(str(row[name])) for row in rows for name in columns if row.get(name) is not None),
        Decimal(0),
    )


def sums(rows: list[Row]) -> dict[str, Decimal]:
    """The measures that the models have, of Pinterest's rows."""
    return {
        "spend": total(rows, "SPEND_IN_MICRO_DOLLAR") / MICRO,
        "impressions": total(rows, "IMPRESSION_1", "IMPRESSION_2"),
        "clicks": total(rows, "CLICKTHROUGH_1", "CLICKTHROUGH_2"),
        "conversions": total(rows, "TOTAL_CONVERSIONS"),
        "checkouts": total(rows, "TOTAL_CHECKOUT"),
        "checkout_value": total(rows, "TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR") / MICRO,
    }
