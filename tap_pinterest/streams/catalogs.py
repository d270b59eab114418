"""Catalogs, their feeds, product groups and products, and the issues of items."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from tap_pinterest.reading.call import Call, Row
from tap_pinterest.reading.calls import Dataset, Each, Scope, Source
from tap_pinterest.reading.pages import Item
from tap_pinterest.streams.bases.dataset import DatasetStream, SnapshotStream

WITH_REPORTS = ("RETAIL", "HOTEL")
"""Types of catalogs that have reports."""
FEED_REPORT = "FEED_INGESTION_ISSUES"
"""The type of report that is about a feed, not about a catalog."""

_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/@\s]*@")


class Catalogs(DatasetStream):
    """Catalogs of a user."""

    name = "catalogs"
    path = "/catalogs"
    parent_fields = ("catalog_type",)


class CatalogsFeeds(DatasetStream):
    """Feeds that fill a catalog; credentials for their locations are left out."""

    name = "catalogs_feeds"
    path = "/catalogs/feeds"
    parent_fields = ("catalog_id", "catalog_type")

    @override
    def complete(self, record: Item, call: Call) -> dict[str, Any]:
        complete = super().complete(record, call)
        if isinstance(location := complete.get("location"), str):
            complete["location"] = _CREDENTIALS_IN_URL.sub("", location)
        return complete


class CatalogsFeedProcessingResults(DatasetStream):
    """Results of the last 250 times that Pinterest processed a feed."""

    name = "catalogs_feed_processing_results"
    path = "/catalogs/feeds/{feed_id}/processing_results"
    per = (Each(CatalogsFeeds, feed_id="id"),)
    parent_fields = ("feed_id",)
    # The description says that bookmarks do not work here, so only the first page can be read.
    paged = False


class CatalogsItemIssues(DatasetStream):
    """Errors and warnings of items in the processing of a feed: a sample of each kind."""

    name = "catalogs_item_issues"
    path = "/catalogs/processing_results/{processing_result_id}/item_issues"
    primary_keys = ("processing_result_id", "item_number")
    per = (Each(CatalogsFeedProcessingResults, processing_result_id="id", feed_id="feed_id"),)
    is_sample = True


class CatalogsProductGroups(DatasetStream):
    """Groups of products in a catalog, by the filters that make them."""

    name = "catalogs_product_groups"
    path = "/catalogs/product_groups"


class CatalogsProductGroupProductCounts(SnapshotStream):
    """The number of products in a product group, in stock and not."""

    name = "catalogs_product_group_product_counts"
    path = "/catalogs/product_groups/{product_group_id}/product_counts"
    primary_keys = ("product_group_id", "date")
    per = (Each(CatalogsProductGroups, product_group_id="id"),)


class CatalogsProductGroupProducts(DatasetStream):
    """Products in a product group, each with its Pin."""

    name = "catalogs_product_group_products"
    path = "/catalogs/product_groups/{product_group_id}/products"
    primary_keys = ("product_group_id", "pin_id")
    per = (Each(CatalogsProductGroups, product_group_id="id"),)
    lifted = MappingProxyType({"pin_id": ("pin", "id")})


class CatalogsAvailableFilterValues(DatasetStream):
    """Values that product groups of a catalog can filter by, from a sample of its items."""

    name = "catalogs_available_filter_values"
    path = "/catalogs/available_filter_values"
    primary_keys = ("catalog_id",)
    per = (Each(Catalogs, catalog_id="id"),)


class ReportParameters(Source):
    """The reports to ask for: one of each type for each catalog, or for each feed."""

    columns = ("catalog_id", "report_type", "feed_id")

    def __init__(self, *types: str) -> None:
        self._catalog_reports = [each for each in types if each != FEED_REPORT]
        self._has_feed_report = FEED_REPORT in types
        self.parents = (
            *([Catalogs] if self._catalog_reports else []),
            *([CatalogsFeeds] if self._has_feed_report else []),
        )

    @override
    def rows(self, path: str, scope: Scope) -> Iterator[Row]:
        """One row for each report, in the form of the parameter.

        Pinterest may not say which catalog a feed fills.
        """
        if self._catalog_reports:
            for item in self._items(Catalogs, scope):
                for kind in self._catalog_reports:
                    report = {"report_type": kind, "catalog_id": item["id"]}
                    yield self._row(item, report, feed_id="", catalog_id=item["id"])
        if self._has_feed_report:
            for item in self._items(CatalogsFeeds, scope):
                known = {"catalog_id": item["catalog_id"]} if item["catalog_id"] else {}
                report = {"report_type": FEED_REPORT, "feed_id": item["id"]}
                yield self._row(item, report, feed_id=item["id"], **known)

    def _items(self, dataset: Dataset, scope: Scope) -> Iterator[Row]:
        reported = {"catalog_type": WITH_REPORTS}
        return scope.inventory.rows(dataset.listing(scope.settings), scope, reported)

    def _row(self, item: Row, report: Row, **columns: str) -> Row:
        parameters = {"catalog_type": item["catalog_type"], "report": report}
        return {"parameters": parameters, "report_type": report["report_type"], **columns}


class CatalogsReportStats(SnapshotStream):
    """The occurrences of an issue in a feed's last processing or in a catalog's distribution.

    `feed_id` is empty for an issue of distribution.
    """

    name = "catalogs_report_stats"
    path = "/catalogs/reports/stats"
    primary_keys = ("catalog_id", "report_type", "feed_id", "code", "date")
    per = (ReportParameters("DISTRIBUTION_ISSUES", FEED_REPORT),)


class CatalogsLocalStores(DatasetStream):
    """Shops of a catalog. Unverified: known from API 5.28 only."""

    name = "catalogs_local_stores"
    path = "/catalogs/{catalog_id}/local_stores"
    group = "beta"
    primary_keys = ("catalog_id", "id")
    per = (Each(Catalogs, catalog_id="id"),)
