"""Reports on an ad account and its entities, by day, hour, week or month, or as a total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from typing_extensions import override

from tap_pinterest.api.levels import LEVELS, Level, Ordered
from tap_pinterest.api.periods import DAY, GRANULARITIES
from tap_pinterest.config.custom_reports import CustomReport
from tap_pinterest.reports.ordering import REPORTS
from tap_pinterest.reports.question import TARGETING, Question
from tap_pinterest.run.run import Run
from tap_pinterest.streams.ads import AdGroups, Ads, Campaigns, ProductGroupPromotions
from tap_pinterest.streams.bases.report import AdsReport


class LevelReport(AdsReport):
    """A report of one level, with one stream for each granularity of the config.

    Rows of different targeting types must never be added up.

    Attributes:
        level: The level of a row.
        broken_down: Whether each row is for one value of a targeting type.
    """

    group = "ads"
    level: ClassVar[Level]
    broken_down: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """The path is the level's own, or the path of orders if the level has no calls."""
        cls.path = (cls.level.targeting_path if cls.broken_down else cls.level.path) or REPORTS
        super().__init_subclass__()

    def __init__(
        self,
        run: Run,
        name: str | None = None,
        granularity: str = DAY.name,
        custom: CustomReport | None = None,
    ) -> None:
        """A report of one granularity; a custom report has its own name and settings."""
        broken_down = custom.at.is_broken_down if custom else self.broken_down
        question = Question(
            name=name or self._name_of(granularity),
            level=self.level,
            granularity=GRANULARITIES[granularity],
            settings=run.settings.of_report(custom),
            dimensions=TARGETING if broken_down else (),
            custom=custom,
            is_wanted=self.is_needed,
            account=run.account_columns,
        )
        super().__init__(run, question)

    @classmethod
    def _name_of(cls, granularity: str) -> str:
        return {DAY.name: cls.name}.get(granularity, f"{cls.name}_{granularity.lower()}")

    @classmethod
    @override
    def variants(cls, run: Run) -> Sequence[AdsReport]:
        return [cls(run, granularity=each) for each in run.settings.granularities]

    @classmethod
    @override
    def possible_names(cls) -> Mapping[str, str]:
        others = {f"{cls.name}_{each.lower()}": each for each in GRANULARITIES}
        return {cls.name: DAY.name, **others}


class AdAccountAnalytics(LevelReport):
    """Metrics of an ad account on one day."""

    name = "ad_account_analytics"
    level = LEVELS["ad_account"]


class CampaignAnalytics(LevelReport):
    """Metrics of a campaign on one day."""

    name = "campaign_analytics"
    level = LEVELS["campaign"]
    entities = Campaigns


class AdGroupAnalytics(LevelReport):
    """Metrics of an ad group on one day."""

    name = "ad_group_analytics"
    level = LEVELS["ad_group"]
    entities = AdGroups


class AdAnalytics(LevelReport):
    """Metrics of an ad on one day."""

    name = "ad_analytics"
    level = LEVELS["ad"]
    entities = Ads


class ProductGroupAnalytics(LevelReport):
    """Metrics of a product group promotion on one day."""

    name = "product_group_analytics"
    group = "products"
    level = LEVELS["product_group"]
    entities = ProductGroupPromotions


class ProductItemAnalytics(LevelReport):
    """Metrics of an item of a catalog on one day, as an asynchronous report."""

    name = "product_item_analytics"
    group = "products"
    level = LEVELS["product_item"]
    narrowed_by = AdGroups


class KeywordAnalytics(LevelReport):
    """Metrics of a keyword on one day, as an asynchronous report."""

    name = "keyword_analytics"
    group = "keywords"
    level = LEVELS["keyword"]
    narrowed_by = AdGroups


class AdPinAnalytics(LevelReport):
    """Metrics of a Pin in a campaign on one day: of all ads that promote it there.

    Asynchronous reports do not have this level. So the report reaches 90 days back, and it lacks
    the columns that only asynchronous reports have.
    """

    name = "ad_pin_analytics"
    group = "targeting"
    level = LEVELS["ad_pin"]
    entities = Ads


class AdAccountTargetingAnalytics(LevelReport):
    """Metrics of an ad account on one day, for one value of a targeting type."""

    name = "ad_account_targeting_analytics"
    group = "targeting"
    level = LEVELS["ad_account"]
    broken_down = True


class CampaignTargetingAnalytics(LevelReport):
    """Metrics of a campaign on one day, for one value of a targeting type."""

    name = "campaign_targeting_analytics"
    group = "targeting"
    level = LEVELS["campaign"]
    broken_down = True
    entities = Campaigns


class AdGroupTargetingAnalytics(LevelReport):
    """Metrics of an ad group on one day, for one value of a targeting type."""

    name = "ad_group_targeting_analytics"
    group = "targeting"
    level = LEVELS["ad_group"]
    broken_down = True
    entities = AdGroups


class AdTargetingAnalytics(LevelReport):
    """Metrics of an ad on one day, for one value of a targeting type."""

    name = "ad_targeting_analytics"
    group = "targeting"
    level = LEVELS["ad"]
    broken_down = True
    entities = Ads


class ProductGroupTargetingAnalytics(LevelReport):
    """Metrics of a product group promotion on one day, for one value of a targeting type."""

    name = "product_group_targeting_analytics"
    group = "products"
    level = LEVELS["product_group"]
    broken_down = True
    entities = ProductGroupPromotions


class ProductItemTargetingAnalytics(LevelReport):
    """Metrics of an item of a catalog on one day, for one value of a targeting type."""

    name = "product_item_targeting_analytics"
    group = "products"
    level = LEVELS["product_item"]
    narrowed_by = AdGroups
    broken_down = True


def report_at(at: Ordered) -> type[LevelReport]:
    """The report at a level: of its breakdown if that has a class, else of the level itself."""
    of_level = [each for each in LevelReport.__subclasses__() if each.level == at.level]
    return next((each for each in of_level if each.broken_down == at.is_broken_down), of_level[0])
