"""Ad accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_pinterest.reading.owners import AD_ACCOUNTS
from tap_pinterest.streams.bases.stream import PinterestStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Context

    from tap_pinterest.reading.calls import Expected


class AdAccounts(PinterestStream):
    """Ad accounts the token can read, limited by `ad_account_ids`."""

    name = "ad_accounts"
    path = AD_ACCOUNTS
    group = "ads"
    primary_keys = ("id",)

    @override
    def expected(self, context: Context | None) -> Iterator[Expected]:
        _ = self.inventory.owners.ad_accounts
        return iter(())

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        for item in self.inventory.owners.ad_accounts.values():
            yield self.finished(self.convert(item))
            self.summary.read()
        self.run.fail_for_unreadable(self.name, self.inventory.owners.unreadable)
