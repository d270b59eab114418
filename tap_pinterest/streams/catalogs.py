"""Catalogs: their feeds, product groups and products, and what is wrong with them."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_pinterest.calls import Each
from tap_pinterest.streams.base import SnapshotStream, UserDatasetStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_pinterest.calls import Call, Dataset, Row, Scope
    from tap_pinterest.pages import Item

WITH_REPORTS = ("RETAIL", "HOTEL")
"""Types of catalogs that have reports."""

_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/@\s]*@")


class Catalogs(UserDatasetStream):
    """Catalogs of a user.

    Source: GET /catalogs.
    """

    name = "catalogs"
    path = "/catalogs"
    group = "catalogs"
    primary_keys = ("id",)
    parent_fields = ("catalog_type",)


class CatalogsFeeds(UserDatasetStream):
    """Feeds that fill a catalog; credentials for their locations are left out.

    Source: GET /catalogs/feeds.
    """

    name = "catalogs_feeds"
    path = "/catalogs/feeds"
    group = "catalogs"
    primary_keys = ("id",)
    parent_fields = ("catalog_id", "catalog_type")

    @override
    def complete(self, record: Item, call: Call) -> dict[str, Any]:
        complete = super().complete(record, call)
        if isinstance(location := complete.get("location"), str):
            complete["location"] = _CREDENTIALS_IN_URL.sub("", location)
        return complete


class CatalogsFeedProcessingResults(UserDatasetStream):
    """How the last 250 times went that a feed was processed.

    Source: GET /catalogs/feeds/{feed_id}/processing_results.
    """

    name = "catalogs_feed_processing_results"
    path = "/catalogs/feeds/{feed_id}/processing_results"
    group = "catalogs"
    primary_keys = ("id",)
    per = (Each(CatalogsFeeds, feed_id="id"),)
    parent_fields = ("feed_id",)
    # The description says that bookmarks do not work here: the first page is all there is.
    paged = False


class CatalogsItemIssues(UserDatasetStream):
    """Errors and warnings of items that a feed's processing met, a sample of each kind.

    Source: GET /catalogs/processing_results/{processing_result_id}/item_issues.
    """

    name = "catalogs_item_issues"
    path = "/catalogs/processing_results/{processing_result_id}/item_issues"
    group = "catalogs"
    primary_keys = ("processing_result_id", "item_number")
    per = (Each(CatalogsFeedProcessingResults, processing_result_id="id", feed_id="feed_id"),)


class CatalogsProductGroups(UserDatasetStream):
    """Groups of products in a catalog, by the filters that make them.

    Source: GET /catalogs/product_groups.
    """

    name = "catalogs_product_groups"
    path = "/catalogs/product_groups"
    group = "catalogs"
    primary_keys = ("id",)


class CatalogsProductGroupProductCounts(SnapshotStream, UserDatasetStream):
    """How many products a product group has, in stock and not.

    Source: GET /catalogs/product_groups/{product_group_id}/product_counts.
    """

    name = "catalogs_product_group_product_counts"
    path = "/catalogs/product_groups/{product_group_id}/product_counts"
    group = "catalogs"
    primary_keys = ("product_group_id", "date")
    per = (Each(CatalogsProductGroups, product_group_id="id"),)


class CatalogsProductGroupProducts(UserDatasetStream):
    """Products in a product group, each with its Pin.

    Source: GET /catalogs/product_groups/{product_group_id}/products.
    """

    name = "catalogs_product_group_products"
    path = "/catalogs/product_groups/{product_group_id}/products"
    group = "catalogs"
    primary_keys = ("product_group_id", "pin_id")
    per = (Each(CatalogsProductGroups, product_group_id="id"),)
    lifted = MappingProxyType({"pin_id": ("pin", "id")})


class CatalogsAvailableFilterValues(UserDatasetStream):
    """Values that product groups of a catalog can filter by, from a sample of its items.

    Source: GET /catalogs/available_filter_values.
    """

    name = "catalogs_available_filter_values"
    path = "/catalogs/available_filter_values"
    group = "catalogs"
    primary_keys = ("catalog_id",)
    per = (Each(Catalogs, catalog_id="id"),)


class ReportParameters:
    """The reports to ask for: one of each catalog, and one of each feed."""

    columns = ("catalog_id", "report_type", "feed_id")
    parents: Sequence[Dataset] = (Catalogs, CatalogsFeeds)
    settings: Sequence[str] = ()

    def rows(self, path: str, scope: Scope) -> Iterator[Row]:
        """One row for each report, in the form that the parameter has."""
        reported = {"catalog_type": WITH_REPORTS}
        catalogs = Each(Catalogs, where=reported, catalog_id="id", catalog_type="catalog_type")
        for row in catalogs.rows(path, scope):
            report = {"report_type": "DISTRIBUTION_ISSUES", "catalog_id": row["catalog_id"]}
            yield self._row(row, report, feed_id="")
        feeds = Each(
            CatalogsFeeds,
            where=reported,
            feed_id="id",
            catalog_id="catalog_id",
            catalog_type="catalog_type",
        )
        for row in feeds.rows(path, scope):
            report = {"report_type": "FEED_INGESTION_ISSUES", "feed_id": row["feed_id"]}
            yield self._row(row, report, feed_id=row["feed_id"])

    def _row(self, row: Row, report: Row, *, feed_id: str) -> Row:
        parameters = {"catalog_type": row["catalog_type"], "report": report}
        return {
            "parameters": parameters,
            "catalog_id": row["catalog_id"],
            "report_type": report["report_type"],
            "feed_id": feed_id,
        }


class CatalogsReportStats(SnapshotStream, UserDatasetStream):
    """How often an issue occurs, in the last processing of a feed or in a catalog's distribution.

    `feed_id` is empty where the issue is one of distribution.
    Source: GET /catalogs/reports/stats.
    """

    name = "catalogs_report_stats"
    path = "/catalogs/reports/stats"
    group = "catalogs"
    primary_keys = ("catalog_id", "report_type", "feed_id", "code", "date")
    per = (ReportParameters(),)


class CatalogsLocalStores(UserDatasetStream):
    """Shops of a catalog. Unverified: known from API 5.28 only.

    Source: GET /catalogs/{catalog_id}/local_stores.
    """

    name = "catalogs_local_stores"
    path = "/catalogs/{catalog_id}/local_stores"
    group = "beta"
    primary_keys = ("catalog_id", "id")
    per = (Each(Catalogs, catalog_id="id"),)
