"""Search terms and trends, as of the day of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from tap_pinterest.reading.calls import Batches, Setting, Values
from tap_pinterest.reading.pages import Item
from tap_pinterest.streams.bases.dataset import DatasetStream, SnapshotStream


class RelatedTerms(DatasetStream):
    """Search terms that are close to one of the `terms`."""

    name = "related_terms"
    path = "/terms/related"
    primary_keys = ("input_term", "term")
    per = (Batches(Setting("terms", "terms")),)
    inside = "related_terms_list"
    left_out = frozenset({"related_terms"})

    @override
    def own_facts(self) -> Mapping[str, Any]:
        terms = {name: {"type": "string"} for name in ("input_term", "term")}
        return {"properties": {**terms, **super().own_facts()["properties"]}}

    @classmethod
    @override
    def unpacked(cls, item: Any) -> Iterable[Item]:
        return [
            {**each, "input_term": each.get("term"), "term": term}
            for each in super().unpacked(item)
            for term in each.get("related_terms") or ()
        ]


class SuggestedTerms(DatasetStream):
    """Popular search terms that begin with one of the `terms`."""

    name = "suggested_terms"
    path = "/terms/suggested"
    primary_keys = ("input_term", "term")
    query = MappingProxyType({"limit": 10})
    per = (Setting("terms", "term"),)
    columns = MappingProxyType({"term": "input_term"})
    texts = ("term",)

    @classmethod
    @override
    def unpacked(cls, item: Any) -> Iterable[Item]:
        return ({"term": item},)


class TrendingKeywords(SnapshotStream):
    """The 50 keywords of a region that lead one way of ranking trends."""

    name = "trending_keywords"
    path = "/trends/keywords/{region}/top/{trend_type}"
    primary_keys = ("region", "trend_type", "keyword", "date")
    per = (Setting("trend_regions", "region"), Values("trend_type"))
    inside = "trends"


class FeaturedTopics(SnapshotStream):
    """Topics that are on the rise within an interest, in a region."""

    name = "featured_topics"
    path = "/trends/topics/featured"
    primary_keys = ("region", "interest", "title", "date")
    per = (Setting("trend_regions", "region"),)
    inside = "trends"


class TrendingProductCategories(SnapshotStream):
    """Product categories on the rise in a region, by a kind of engagement."""

    name = "trending_product_categories"
    path = "/trends/product_categories/trending"
    primary_keys = ("region", "engagement_type", "product_category", "date")
    per = (Setting("trend_regions", "region"), Values("engagement_type"))


class ProductCategoryDetails(DatasetStream):
    """The development of engagement with one of the `product_categories` in a region."""

    name = "product_category_details"
    path = "/trends/product_categories/details"
    primary_keys = ("region", "product_category")
    per = (
        Setting("trend_regions", "region"),
        Batches(Setting("product_categories", "product_categories")),
    )


class TrendsEditorialArticles(DatasetStream):
    """Articles on trends in a region. Unverified: known from API 5.28 only."""

    name = "trends_editorial_articles"
    path = "/trends/editorial_articles"
    group = "beta"
    primary_keys = ("region", "title")
    per = (Setting("trend_regions", "region"),)
