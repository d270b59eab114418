"""Marketing-mix reports, and reports of the brands, categories and SKUs that people bought."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from types import MappingProxyType
from typing import Any, ClassVar

from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.api import targeting
from tap_pinterest.api.columns import column
from tap_pinterest.api.levels import CONVERSION_PRODUCT, PINNER_LIST, Entity, ordered
from tap_pinterest.api.periods import (
    ASYNCHRONOUS,
    GRANULARITIES,
    ONE_DAY,
    DateRange,
    ReportLimits,
    Slice,
)
from tap_pinterest.config import beta_reports
from tap_pinterest.config.beta_reports import Shape
from tap_pinterest.config.schema import SETTLING_DAYS
from tap_pinterest.http.errors import DaysError
from tap_pinterest.reports.ordering import Operation
from tap_pinterest.reports.plan import Entities, Part
from tap_pinterest.reports.question import TARGETING, Question
from tap_pinterest.reports.reader import Answered
from tap_pinterest.reports.rows import Record, Rows
from tap_pinterest.run.run import Run
from tap_pinterest.streams.analytics import report_at
from tap_pinterest.streams.bases.report import AdsReport

MMM_REPORTS = "/ad_accounts/{ad_account_id}/mmm_reports"
PRODUCT_REPORTS = "/ad_accounts/{ad_account_id}/reports/brand_category_sku"


@dataclass(frozen=True, eq=False)
class ShapedQuestion(Question):
    """The question of a report that has its own setting.

    Attributes:
        types_key: The part of the setting that has the types of the breakdown.
        body_keys: Parts of the setting that are fields of an order, if they are set.
        attribution_keys: Parts of the setting that are attribution settings.
        entities_of_rows: More entities, beside the level's, whose attributes can be columns.
    """

    shape: ClassVar[Shape]
    types_key: ClassVar[str]
    body_keys: ClassVar[Sequence[str]]
    attribution_keys: ClassVar[Sequence[str]] = ()
    entities_of_rows: ClassVar[Sequence[Entity]] = ()

    @property
    def choice(self) -> Mapping[str, Any]:
        """The value of the setting."""
        choice: Mapping[str, Any] = getattr(self.settings, self.shape.setting)
        return choice

    @functools.cached_property
    @override
    def columns(self) -> Sequence[str]:
        names = dict.fromkeys((*self.level.ids, *self.choice["columns"]))
        return [name for name in names if name not in self.dimensions and self._has(name)]

    def _has(self, name: str) -> bool:
        """Whether a column is a metric, or an attribute of an entity of the row."""
        entity = column(name).entity
        return self.level.has(entity) or entity in self.entities_of_rows

    @property
    @override
    def named_columns(self) -> frozenset[str]:
        names = frozenset(self.choice["columns"])
        not_named = (self.shape.default_columns, self.shape.allowed("columns"))
        return frozenset() if names in map(frozenset, not_named) else names

    @override
    def requested(self, *, asynchronous: bool) -> Sequence[str]:
        known = self.shape.allowed("columns")
        own = next(name for name in (self.level.own_id, *self.level.other_ids) if name in known)
        return list(dict.fromkeys((own, *(name for name in self.wanted if name in known))))

    @functools.cached_property
    @override
    def types(self) -> Sequence[str]:
        types: Sequence[str] = self.choice[self.types_key]
        return types

    @property
    @override
    def types_of_reports(self) -> Sequence[str]:
        return self.types

    @property
    @override
    def body(self) -> Mapping[str, Any]:
        return {name: self.choice[name] for name in self.body_keys if self.choice[name]}

    @property
    @override
    def attribution(self) -> Mapping[str, Any]:
        return {name: self.choice[name] for name in self.attribution_keys}

    @override
    def order(self, part: Slice) -> dict[str, Any]:
        return {"report_name": f"tap-pinterest {self.name}", **super().order(part)}


class ShapedReport(AdsReport):
    """A report that has its own setting, and one stream for each level and granularity in it.

    The stream of the default level and granularity has the plain name.

    Attributes:
        question_type: The question that the setting shapes.
        dimensions: Columns that identify the rows of a breakdown.
    """

    group = "beta"
    question_type: ClassVar[type[ShapedQuestion]]
    dimensions: ClassVar[tuple[str, ...]]

    def __init__(self, run: Run, level: str, granularity: str) -> None:
        """A report of one level, by its name in the API, and of one granularity."""
        reported = ordered()[level].level
        self.entities = report_at(ordered()[level]).entities
        fields = api.schema(self.question_type.shape.body)["properties"]
        ids = reported.id_parameter if reported.id_parameter in fields else ""
        at = replace(reported, path="", targeting_path="", targeting_report=level, id_parameter=ids)
        question = self.question_type(
            name=self._name_of(level, granularity),
            level=at,
            granularity=GRANULARITIES[granularity],
            settings=run.settings,
            dimensions=self.dimensions,
            is_wanted=self.is_needed,
        )
        super().__init__(run, question)

    @classmethod
    def _name_of(cls, level: str, granularity: str) -> str:
        """The plain name, and the level and the granularity if they are not the defaults."""
        usual: Mapping[str, Any] = cls.question_type.shape.defaults
        level_name = {usual["levels"][0]: ""}.get(level, ordered()[level].level.name)
        period = {usual["granularities"][0]: ""}.get(granularity, granularity.lower())
        return "_".join(filter(None, (cls.name, level_name, period)))

    @classmethod
    @override
    def variants(cls, run: Run) -> Sequence[AdsReport]:
        choice = getattr(run.settings, cls.question_type.shape.setting)
        return [cls(run, *each) for each in product(choice["levels"], choice["granularities"])]

    @classmethod
    @override
    def possible_names(cls) -> Mapping[str, str]:
        allowed = map(cls.question_type.shape.allowed, ("levels", "granularities"))
        return {cls._name_of(*each): each[1] for each in product(*allowed)}


class MmmQuestion(ShapedQuestion):
    """The question of a marketing-mix report."""

    shape = beta_reports.MMM
    types_key = "targeting_types"
    body_keys = ("countries",)
    entities_of_rows = (PINNER_LIST,)

    @override
    def in_reports(self, types: Sequence[str]) -> Sequence[tuple[str, ...]]:
        return targeting.groups(types, self.shape.facts("targeting_types")["maxItems"])


class MmmRows(Rows):
    """Rows of a marketing-mix report."""

    @override
    def records(
        self, answered: Answered, entities: Entities, currency: str | None, last: date
    ) -> Iterator[Record]:
        """The records of the entities that pass the filters: an order cannot name them."""
        records = super().records(answered, entities, currency, last)
        if not self.question.settings.filters:
            return records
        own = self.question.level.own_id.lower()
        return (record for record in records if record[own] in entities.rows)

    @override
    def shaped(self, part: Part, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row in the form of its facts: the columns of its types become one type and value."""
        shaped = super().shaped(part, row)
        kind, value = self.question.dimensions
        if kind not in shaped:
            names = tuple(shaped)
            found = [(each, name) for each in part.slice.types if (name := _column(each, names))]
            if found:
                texts = [shaped.pop(name) for _, name in found]
                shaped[kind] = "_AND_".join(each for each, _ in found)
                shaped[value] = "&".join("" if text is None else str(text) for text in texts)
        return shaped


@functools.lru_cache(maxsize=256)  # the rows of a report have the same columns
def _column(targeting_type: str, names: tuple[str, ...]) -> str | None:
    """The column with the value of a type, which may be APP_TYPE or LOCATION_CODE."""
    start = targeting_type.replace("_", "")
    return next((name for name in names if name.replace("_", "").startswith(start)), None)


class MmmReport(ShapedReport):
    """Metrics of a campaign on one day for marketing-mix models, for one value of a targeting type.

    In beta. Never add up rows of different types. A row can have the values of several types:
    then `targeting_type` is, for example, APPTYPE_AND_GENDER and `targeting_value` iphone&female.
    The description does not define the rows: key and columns are unverified.
    """

    name = "mmm_report"
    path = MMM_REPORTS
    operation = Operation(create=MMM_REPORTS, poll=MMM_REPORTS)
    dimensions = TARGETING
    question_type = MmmQuestion
    rows_type = MmmRows


class ProductQuestion(ShapedQuestion):
    """The question of a report of brands, categories and SKUs."""

    shape = beta_reports.PRODUCTS
    types_key = "conversion_product_breakdowns"
    body_keys = (
        *("conversion_product_attribution_type", "campaign_objective_types", "product_sku_ids"),
    )
    attribution_keys = ("click_window_days", "view_window_days", "conversion_report_time")
    entities_of_rows = (CONVERSION_PRODUCT,)

    product_columns: ClassVar[Mapping[str, Sequence[str]]] = MappingProxyType(
        {
            "PRODUCT_BRAND": ("CONVERSION_PRODUCT_BRAND",),
            "PRODUCT_CATEGORY": ("CONVERSION_PRODUCT_CATEGORY",),
            "PRODUCT_BRAND_AND_CATEGORY": (
                *("CONVERSION_PRODUCT_BRAND", "CONVERSION_PRODUCT_CATEGORY"),
            ),
            "PRODUCT_SKU": ("CONVERSION_PRODUCT_ID",),
            beta_reports.SKU_GROUP: (),
        }
    )
    """The columns that identify a product, by breakdown; a SKU group is one product."""

    @property
    @override
    def lookback_days(self) -> int:
        if self.settings.lookback_days is not None:
            return self.settings.lookback_days
        click, view = self.choice["click_window_days"], self.choice["view_window_days"]
        return max(int(click), int(view)) + SETTLING_DAYS

    @override
    def in_reports(self, types: Sequence[str]) -> Sequence[tuple[str, ...]]:
        return [(breakdown,) for breakdown in types]

    @property
    def first_day(self) -> date:
        """The first day for which Pinterest has these reports."""
        return beta_reports.FIRST_DAYS[self.choice["conversion_product_attribution_type"]]

    @override
    def limits(self, today: date, *, asynchronous: bool) -> ReportLimits:
        days_back = (today - self.first_day).days
        return replace(ASYNCHRONOUS, days_back=days_back, days=beta_reports.MOST_DAYS)

    @override
    def kind(self, *, asynchronous: bool) -> str:
        return "reports of brands, categories and SKUs"

    @override
    def order(self, part: Slice) -> dict[str, Any]:
        (breakdown,) = part.types
        body = super().order(replace(part, types=(), dates=self.long_enough(part.dates)))
        body["conversion_product_breakdown"] = breakdown
        group = "CONVERSION_PRODUCT_ID_GROUP"
        body["columns"] = [
            name
            for name in (*body["columns"], *self.product_columns[breakdown])
            if name != group or breakdown == beta_reports.SKU_GROUP
        ]
        if breakdown != beta_reports.SKU_GROUP:
            body.pop("product_sku_ids", None)
        return body

    def long_enough(self, dates: DateRange) -> DateRange:
        """Days with earlier periods before them, if they are too few for a report."""
        if self.granularity.is_total or dates.days >= beta_reports.LEAST_DAYS:
            return dates
        start = self.granularity.first_day(dates.end - ONE_DAY * (beta_reports.LEAST_DAYS - 1))
        enough = DateRange(max(start, self.first_day), dates.end)
        if enough.days < beta_reports.LEAST_DAYS:
            msg = (
                f"{self.name}: Pinterest has reports of {beta_reports.LEAST_DAYS} days or more, "
                f"from {self.first_day} on; {dates} is too short: give a later end_date"
            )
            raise DaysError(msg)
        return enough


class ProductRows(Rows):
    """Rows of a report of brands, categories and SKUs."""

    question: ProductQuestion

    @override
    def records(
        self, answered: Answered, entities: Entities, currency: str | None, last: date
    ) -> Iterator[Record]:
        """The records, without the earlier periods that only made the report long enough."""
        first = answered.part.slice.dates.start.isoformat()
        records = super().records(answered, entities, currency, last)
        return (each for each in records if not each["date"] or each["date"] >= first)

    @override
    def first_asked(self, part: Part) -> date:
        return self.question.long_enough(part.slice.dates).start

    @override
    def shaped(self, part: Part, row: Mapping[str, Any]) -> dict[str, Any]:
        (breakdown,) = part.slice.types
        shaped = super().shaped(part, row)
        filled = self.question.product_columns[breakdown]
        others = [name for name in self.question.dimensions if name not in filled]
        return {**shaped, **dict.fromkeys(others, ""), "CONVERSION_PRODUCT_BREAKDOWN": breakdown}


class BrandCategorySkuReport(ShapedReport):
    """Products bought after ads of a campaign, by brand, category or SKU, in one week.

    Restricted. `conversion_product_breakdown` names the breakdown. Key columns that a breakdown
    does not use are empty. Never add up rows of different breakdowns. The report has its own
    attribution, 30 days after a click or a view. The description does not define the rows: key
    and columns are unverified.
    """

    name = "brand_category_sku_report"
    path = PRODUCT_REPORTS
    operation = Operation(create=PRODUCT_REPORTS, poll=PRODUCT_REPORTS)
    dimensions = (
        *("CONVERSION_PRODUCT_BREAKDOWN", "CONVERSION_PRODUCT_BRAND"),
        *("CONVERSION_PRODUCT_CATEGORY", "CONVERSION_PRODUCT_ID"),
    )
    question_type = ProductQuestion
    rows_type = ProductRows
