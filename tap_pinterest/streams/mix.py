"""Marketing-mix reports, and reports of the brands, categories and SKUs that people bought."""

from __future__ import annotations

import functools
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_pinterest.api import targeting
from tap_pinterest.api.columns import column
from tap_pinterest.api.levels import CONVERSION_PRODUCT, PINNER_LIST, ordered
from tap_pinterest.api.periods import ASYNCHRONOUS, ONE_DAY, DateRange, first_day
from tap_pinterest.config import beta_reports
from tap_pinterest.config.schema import SETTLING_DAYS
from tap_pinterest.http.errors import DaysError
from tap_pinterest.streams.analytics import BY_LEVEL
from tap_pinterest.streams.bases.analytics_stream import AnalyticsStream
from tap_pinterest.streams.bases.level_stream import PERIOD_KEYS
from tap_pinterest.streams.bases.ordering import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_pinterest.api.levels import Entity
    from tap_pinterest.api.periods import Granularity, ReportLimits, Slice
    from tap_pinterest.config.beta_reports import Shape
    from tap_pinterest.run.run import Run
    from tap_pinterest.streams.bases.analytics_stream import Answered
    from tap_pinterest.streams.bases.planned_stream import Part

MMM_REPORTS = "/ad_accounts/{ad_account_id}/mmm_reports"
PRODUCT_REPORTS = "/ad_accounts/{ad_account_id}/reports/brand_category_sku"


class ShapedReportStream(AnalyticsStream):
    """A report that a setting of its own shapes: a stream for each of its levels and granularities.

    The first level and granularity of the description's have the plain name.

    Attributes:
        shape: What the setting may choose.
        entities_of_rows: Entities, beside those of the level, whose attributes its columns are.
    """

    group = "beta"
    broken_down = True
    shape: ClassVar[Shape]
    entities_of_rows: ClassVar[Sequence[Entity]] = ()

    def __init__(
        self,
        run: Run,
        name: str | None = None,
        level: str | None = None,
        granularity: Granularity | None = None,
    ) -> None:
        """A report of a level, as the API names it, by periods of a length."""
        self._report_level = level or self.shape.defaults["levels"][0]
        self.level = ordered()[self._report_level].level
        self.entities = BY_LEVEL[self.level.report].entities
        granularity = granularity or self.shape.defaults["granularities"][0]
        super().__init__(run, name or self._name(self._report_level, granularity), granularity)

    @classmethod
    def _name(cls, level: str, granularity: str) -> str:
        parts = [cls.name]
        if level != cls.shape.defaults["levels"][0]:
            parts.append(ordered()[level].level.name)
        if granularity != cls.shape.defaults["granularities"][0]:
            parts.append(granularity.lower())
        return "_".join(parts)

    @classmethod
    @override
    def variants(cls, run: Run) -> Sequence[AnalyticsStream]:
        choice = getattr(run.settings, cls.shape.setting)
        return [
            cls(run, level=level, granularity=granularity)
            for level in choice["levels"]
            for granularity in choice["granularities"]
        ]

    @classmethod
    @override
    def possible_names(cls) -> Sequence[str]:
        return [
            cls._name(level, granularity)
            for level in cls.shape.allowed("levels")
            for granularity in cls.shape.allowed("granularities")
        ]

    @property
    @override
    def report_level(self) -> str:
        return self._report_level

    @property
    def choice(self) -> Mapping[str, Any]:
        """What the setting asks for."""
        choice: Mapping[str, Any] = getattr(self.settings, self.shape.setting)
        return choice

    @property
    @override
    def natural_keys(self) -> Sequence[str]:
        dimensions = (name.lower() for name in self.dimensions)
        return (self.id_column.lower(), *dimensions, *PERIOD_KEYS[self.granularity])

    @functools.cached_property
    @override
    def columns(self) -> Sequence[str]:
        names = dict.fromkeys((*self.level.ids, *self.choice["columns"]))
        return [
            name
            for name in names
            if name not in self.dimensions
            and (self.level.has(of := column(name).entity) or of in self.entities_of_rows)
        ]

    @override
    def _asked(self, *, asynchronous: bool) -> Sequence[str]:
        known = self.shape.allowed("columns")
        own = next(name for name in (self.id_column, *self.level.other_ids) if name in known)
        return list(dict.fromkeys((own, *(n for n in self.requested_columns if n in known))))

    @override
    def order_of(self, part: Slice) -> dict[str, Any]:
        return {"report_name": f"tap-pinterest {self.name}", **super().order_of(part)}


class MmmReport(ShapedReportStream):
    """Metrics of a campaign on one day for marketing-mix models, for one value of a targeting type.

    In beta. Never add up rows of different types. Where Pinterest tells the values of several types
    in one row, `targeting_type` is such as APPTYPE_AND_GENDER and `targeting_value` such as
    iphone&female. The description does not lay down the rows: key and columns are unverified.
    Source: POST /ad_accounts/{ad_account_id}/mmm_reports.
    """

    name = "mmm_report"
    path = MMM_REPORTS
    operation = Operation(create=MMM_REPORTS, poll=MMM_REPORTS)
    primary_keys = ("campaign_id", "targeting_type", "targeting_value", "date")
    dimensions = ("TARGETING_TYPE", "TARGETING_VALUE")
    shape = beta_reports.MMM
    entities_of_rows = (PINNER_LIST,)

    @property
    @override
    def body(self) -> Mapping[str, Any]:
        countries = self.choice["countries"]
        return {"countries": countries} if countries else {}

    @property
    @override
    def attribution(self) -> Mapping[str, Any]:
        return {}

    @functools.cached_property
    @override
    def types(self) -> Sequence[str]:
        types: Sequence[str] = self.choice["targeting_types"]
        return types

    @override
    def groups_of_types(self) -> Sequence[tuple[str, ...]]:
        return targeting.groups(self.types, self.shape.facts("targeting_types")["maxItems"])

    @override
    def _limits(self, *, asynchronous: bool) -> ReportLimits:
        # The description names none; these are those of other asynchronous reports.
        return ASYNCHRONOUS

    @property
    @override
    def report_id_parameter(self) -> str:
        return ""

    @override
    def _reports(
        self, ad_account_id: str, entities: Mapping[str, tuple[str, ...]], dates: DateRange
    ) -> list[Part]:
        # No order can name what filters leave: without anything there would be no row to keep.
        if self.settings.filters and not entities:
            return []
        return super()._reports(ad_account_id, entities, dates)

    @override
    def records(self, context: Mapping[str, Any], answered: Answered) -> Iterator[dict[str, Any]]:
        """The records; without those of entities that filters leave out, since no order can be."""
        records = super().records(context, answered)
        if not self.settings.filters:
            return records
        wanted, own = self.reading(context).entities, self.id_column.lower()
        return (record for record in records if record[own] in wanted)

    @override
    def _shaped(self, part: Part, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row in the form of its facts; one of several types, each in a column, as one of all."""
        shaped = super()._shaped(part, row)
        kind, value = self.dimensions
        if kind not in shaped:
            told = [(each, name) for each in part.slice.types if (name := _column(each, shaped))]
            if told:
                texts = [shaped.pop(name) for _, name in told]
                shaped[kind] = "_AND_".join(each for each, _ in told)
                shaped[value] = "&".join("" if text is None else str(text) for text in texts)
        return shaped


def _column(targeting_type: str, row: Mapping[str, Any]) -> str | None:
    """The column that tells the value of a type: APP_TYPE or LOCATION_CODE as well."""
    start = targeting_type.replace("_", "")
    return next((name for name in row if name.replace("_", "").startswith(start)), None)


class BrandCategorySkuReport(ShapedReportStream):
    """What people bought after ads of a campaign, by brand, category or SKU, in one week.

    Restricted. `conversion_product_breakdown` says what the rows tell apart; parts of the key that
    it does not are empty. Never add up rows of different breakdowns. The attribution is the
    report's own, 30 days after a click or a view. The description does not lay down the rows: key
    and columns are unverified.
    Source: POST /ad_accounts/{ad_account_id}/reports/brand_category_sku.
    """

    name = "brand_category_sku_report"
    path = PRODUCT_REPORTS
    operation = Operation(create=PRODUCT_REPORTS, poll=PRODUCT_REPORTS)
    primary_keys = (
        *("campaign_id", "conversion_product_breakdown", "conversion_product_brand"),
        *("conversion_product_category", "conversion_product_id", "date"),
    )
    dimensions = (
        *("CONVERSION_PRODUCT_BREAKDOWN", "CONVERSION_PRODUCT_BRAND"),
        *("CONVERSION_PRODUCT_CATEGORY", "CONVERSION_PRODUCT_ID"),
    )
    shape = beta_reports.PRODUCTS
    entities_of_rows = (CONVERSION_PRODUCT,)

    told_by: ClassVar[Mapping[str, Sequence[str]]] = MappingProxyType(
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
    """The columns that tell the products of each breakdown apart: of a group there is only one."""

    @functools.cached_property
    @override
    def body(self) -> Mapping[str, Any]:
        names = ("conversion_product_attribution_type", "campaign_objective_types")
        given = {name: self.choice[name] for name in (*names, "product_sku_ids")}
        return {name: value for name, value in given.items() if value}

    @property
    @override
    def attribution(self) -> Mapping[str, Any]:
        names = ("click_window_days", "view_window_days", "conversion_report_time")
        return {name: self.choice[name] for name in names}

    @property
    @override
    def _lookback_days(self) -> int:
        if self.settings.lookback_days is not None:
            return self.settings.lookback_days
        click, view = self.choice["click_window_days"], self.choice["view_window_days"]
        return max(int(click), int(view)) + SETTLING_DAYS

    @functools.cached_property
    @override
    def types(self) -> Sequence[str]:
        breakdowns: Sequence[str] = self.choice["conversion_product_breakdowns"]
        return breakdowns

    @override
    def groups_of_types(self) -> Sequence[tuple[str, ...]]:
        return [(breakdown,) for breakdown in self.types]

    @override
    def _limits(self, *, asynchronous: bool) -> ReportLimits:
        first = beta_reports.FIRST_DAYS[self.choice["conversion_product_attribution_type"]]
        days_back = (self.clock.today - first).days
        return replace(ASYNCHRONOUS, days_back=days_back, days=beta_reports.MOST_DAYS)

    @override
    def _what_is_kept(self, *, may_report: bool) -> str:
        return "reports of brands, categories and SKUs"

    @override
    def order_of(self, part: Slice) -> dict[str, Any]:
        (breakdown,) = part.types
        body = super().order_of(replace(part, types=(), dates=self._long_enough(part.dates)))
        body["conversion_product_breakdown"] = breakdown
        group = "CONVERSION_PRODUCT_ID_GROUP"
        body["columns"] = [
            name
            for name in (*body["columns"], *self.told_by[breakdown])
            if name != group or breakdown == beta_reports.SKU_GROUP
        ]
        if breakdown != beta_reports.SKU_GROUP:
            body.pop("product_sku_ids", None)
        return body

    def _long_enough(self, dates: DateRange) -> DateRange:
        """Days that are enough for a report: periods before them as well, if these are too few.

        Raises:
            DaysError: There are none before them.
        """
        if self.granularity == "TOTAL" or dates.days >= beta_reports.LEAST_DAYS:
            return dates
        earliest = self.clock.today - ONE_DAY * self._limits(asynchronous=True).days_back
        start = first_day(dates.end - ONE_DAY * (beta_reports.LEAST_DAYS - 1), self.granularity)
        enough = DateRange(max(start, earliest), dates.end)
        if enough.days < beta_reports.LEAST_DAYS:
            msg = (
                f"{self.name}: Pinterest has reports of {beta_reports.LEAST_DAYS} days or more, "
                f"from {earliest} on; {dates} is not among them: give a later end_date"
            )
            raise DaysError(msg)
        return enough

    @override
    def records(self, context: Mapping[str, Any], answered: Answered) -> Iterator[dict[str, Any]]:
        """The records; without those of periods before the ones that are wanted."""
        first = answered.part.slice.dates.start.isoformat()
        return (each for each in super().records(context, answered) if each["date"] >= first)

    @override
    def _shaped(self, part: Part, row: Mapping[str, Any]) -> dict[str, Any]:
        (breakdown,) = part.slice.types
        shaped = super()._shaped(part, row)
        told = self.told_by[breakdown]
        others = [name for name in self.dimensions if name not in told]
        return {**shaped, **dict.fromkeys(others, ""), "CONVERSION_PRODUCT_BREAKDOWN": breakdown}
