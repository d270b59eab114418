"""The columns of ads reports, by level and by kind.

The API lists the names, but not their types. Columns that are not listed here as an attribute of an
entity are metrics, and every metric is a number: counts, rates and money.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from tap_pinterest import api
from tap_pinterest.api.levels import (
    AD,
    AD_ACCOUNT,
    AD_GROUP,
    CAMPAIGN,
    PRODUCT_GROUP,
    PRODUCT_ITEM,
    Entity,
    Level,
    entities,
)
from tap_pinterest.api.likeness import hint

Setting: TypeAlias = "Literal['default', 'all'] | Iterable[str]"
"""The setting `report_columns`: one of our choices, or names that the user gives."""


DATE = "DATE"
"""The day of a row: Pinterest always sends it, and refuses a request for it."""

LIVE_FILE = "live_columns.json"

_TEXT = re.compile(
    r"_(?:BRAND|CATEGORY|CURRENCY|DESCRIPTION|IDS?|LABELS?|NAME|OBJECTIVE|REFERENCE|STATUS|TAG|TYPE|URL)$"
)
_BEGINS_WITH: Mapping[str, Entity] = {
    "ADVERTISER_": AD_ACCOUNT,
    "AD_ACCOUNT_": AD_ACCOUNT,
    "CAMPAIGN_": CAMPAIGN,
    "AD_GROUP_": AD_GROUP,
    "AD_": AD,
    "PIN_PROMOTION_": AD,
    "PRODUCT_GROUP_": PRODUCT_GROUP,
    "PRODUCT_ITEM_": PRODUCT_ITEM,
}
"""How names of attributes begin; `AD_GROUP_` comes before `AD_`."""
_CONVERSION = re.compile(
    r"CONVERSION|CHECKOUT|SIGNUP|LEAD|ADD_TO_|PAGE_VISIT|SUBSCRIBE|VIEW_CATEGORY|WATCH_VIDEO|SEARCH"
    r"|CUSTOM|UNKNOWN|APP_INSTALL|COST_PER_ACTION|ROAS"
)

DEFAULT_COLUMNS = (
    *("SPEND_IN_MICRO_DOLLAR", "PAID_IMPRESSION", "SPEND_IN_DOLLAR", "CPC_IN_MICRO_DOLLAR"),
    *("ECPC_IN_MICRO_DOLLAR", "ECPC_IN_DOLLAR", "CTR", "ECTR", "OUTBOUND_CTR_1", "CAMPAIGN_NAME"),
    *("PIN_ID", "TOTAL_ENGAGEMENT", "ENGAGEMENT_1", "ENGAGEMENT_2", "ECPE_IN_DOLLAR"),
    *("ENGAGEMENT_RATE", "EENGAGEMENT_RATE", "ECPM_IN_MICRO_DOLLAR", "REPIN_RATE", "CTR_2"),
    *("CAMPAIGN_ID", "ADVERTISER_ID", "AD_ACCOUNT_ID", "PIN_PROMOTION_ID", "AD_ID"),
    *("AD_GROUP_ID", "CAMPAIGN_ENTITY_STATUS", "CAMPAIGN_OBJECTIVE_TYPE", "CPM_IN_MICRO_DOLLAR"),
    *("CPM_IN_DOLLAR", "AD_GROUP_NAME", "AD_GROUP_ENTITY_STATUS", "CLICKTHROUGH_1", "REPIN_1"),
    *("IMPRESSION_1", "IMPRESSION_1_GROSS", "CLICKTHROUGH_1_GROSS", "OUTBOUND_CLICK_1"),
    *("CLICKTHROUGH_2", "REPIN_2", "IMPRESSION_2", "OUTBOUND_CLICK_2", "TOTAL_CLICKTHROUGH"),
    *("TOTAL_IMPRESSION", "TOTAL_IMPRESSION_USER", "TOTAL_IMPRESSION_FREQUENCY"),
    *("TOTAL_ENGAGEMENT_SIGNUP", "TOTAL_ENGAGEMENT_CHECKOUT", "TOTAL_ENGAGEMENT_LEAD"),
    *("TOTAL_CLICK_SIGNUP", "TOTAL_CLICK_CHECKOUT", "TOTAL_CLICK_ADD_TO_CART"),
    *("TOTAL_CLICK_LEAD", "TOTAL_VIEW_SIGNUP", "TOTAL_VIEW_CHECKOUT", "TOTAL_VIEW_ADD_TO_CART"),
    *("TOTAL_VIEW_LEAD", "TOTAL_CONVERSIONS", "TOTAL_ENGAGEMENT_SIGNUP_VALUE_IN_MICRO_DOLLAR"),
    "TOTAL_ENGAGEMENT_CHECKOUT_VALUE_IN_MICRO_DOLLAR",
    *("TOTAL_CLICK_SIGNUP_VALUE_IN_MICRO_DOLLAR", "TOTAL_CLICK_CHECKOUT_VALUE_IN_MICRO_DOLLAR"),
    *("TOTAL_VIEW_SIGNUP_VALUE_IN_MICRO_DOLLAR", "TOTAL_VIEW_CHECKOUT_VALUE_IN_MICRO_DOLLAR"),
    *("TOTAL_WEB_SESSIONS", "WEB_SESSIONS_1", "WEB_SESSIONS_2", "AD_NAME"),
    *("CAMPAIGN_LIFETIME_SPEND_CAP", "CAMPAIGN_DAILY_SPEND_CAP", "TOTAL_PAGE_VISIT"),
    *("TOTAL_SIGNUP", "TOTAL_CHECKOUT", "TOTAL_CUSTOM", "TOTAL_LEAD"),
    *("TOTAL_SIGNUP_VALUE_IN_MICRO_DOLLAR", "TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR"),
    *("TOTAL_CUSTOM_VALUE_IN_MICRO_DOLLAR", "PAGE_VISIT_COST_PER_ACTION", "PAGE_VISIT_ROAS"),
    *("CHECKOUT_ROAS", "CUSTOM_ROAS", "VIDEO_3SEC_VIEWS_2", "VIDEO_P100_COMPLETE_2"),
    *("VIDEO_P0_COMBINED_2", "VIDEO_P25_COMBINED_2", "VIDEO_P50_COMBINED_2"),
    *("VIDEO_P75_COMBINED_2", "VIDEO_P95_COMBINED_2", "VIDEO_MRC_VIEWS_2", "VIDEO_LENGTH"),
    *("ECPV_IN_DOLLAR", "ECPCV_IN_DOLLAR", "ECPCV_P95_IN_DOLLAR", "TOTAL_VIDEO_3SEC_VIEWS"),
    *("TOTAL_VIDEO_P100_COMPLETE", "TOTAL_VIDEO_P0_COMBINED", "TOTAL_VIDEO_P25_COMBINED"),
    *("TOTAL_VIDEO_P50_COMBINED", "TOTAL_VIDEO_P75_COMBINED", "TOTAL_VIDEO_P95_COMBINED"),
    *("TOTAL_VIDEO_MRC_VIEWS", "TOTAL_VIDEO_AVG_WATCHTIME_IN_SECOND", "TOTAL_REPIN_RATE"),
    *("WEB_CHECKOUT_COST_PER_ACTION", "WEB_CHECKOUT_ROAS", "TOTAL_WEB_CHECKOUT"),
    *("TOTAL_WEB_CHECKOUT_VALUE_IN_MICRO_DOLLAR", "TOTAL_WEB_CLICK_CHECKOUT"),
    *("TOTAL_WEB_CLICK_CHECKOUT_VALUE_IN_MICRO_DOLLAR", "TOTAL_WEB_ENGAGEMENT_CHECKOUT"),
    *("TOTAL_WEB_ENGAGEMENT_CHECKOUT_VALUE_IN_MICRO_DOLLAR", "TOTAL_WEB_VIEW_CHECKOUT"),
    *("TOTAL_WEB_VIEW_CHECKOUT_VALUE_IN_MICRO_DOLLAR", "INAPP_CHECKOUT_COST_PER_ACTION"),
    *("TOTAL_OFFLINE_CHECKOUT", "IDEA_PIN_PRODUCT_TAG_VISIT_1", "IDEA_PIN_PRODUCT_TAG_VISIT_2"),
    *("TOTAL_IDEA_PIN_PRODUCT_TAG_VISIT", "LEADS", "COST_PER_LEAD"),
)
"""The columns of `report_columns: default`; a level has the columns of its entities."""


class Column(NamedTuple):
    """A column of a report.

    Money is in the currency of the ad account, whatever the column's name says.
    """

    name: str
    kind: Literal["text", "number", "metric"]
    """A text or a number that describes an entity, or a metric."""
    entity: Entity | None
    """The entity that it describes; metrics have none."""


@functools.cache
def column(name: str) -> Column:
    """The column that has this name in the API.

    If no description has the name, its ending shows whether it is a text.
    """
    for entity in entities():
        if name in entity.columns:
            return Column(name, "number" if name in entity.numbers else "text", entity)
    if name not in described() and _TEXT.search(name):
        owners = (owner for start, owner in _BEGINS_WITH.items() if name.startswith(start))
        return Column(name, "text", next(owners, None))
    return Column(name, "metric", None)


class AccountColumns(NamedTuple):
    """The columns that Pinterest lists for the token, by the kind of reports that have them."""

    synchronous: frozenset[str] = frozenset()
    asynchronous: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        """The columns of any kind of report."""
        return self.synchronous | self.asynchronous


NOT_ASKED = AccountColumns()


def columns_for(
    level: Level, setting: Setting, account: AccountColumns = NOT_ASKED
) -> tuple[str, ...]:
    """The API names of a level's columns without `DATE`, its ids first.

    Names that only other levels have are skipped, because one setting is for all levels.

    Args:
        level: The level of a row.
        setting: `default`, `all`, or names.
        account: Columns that Pinterest lists; `all` adds the live columns that both kinds of
            reports have.

    Raises:
        ValueError: the setting names an unknown column; `unknown_columns` has the message.
    """
    if setting == "default":
        chosen: Iterable[str] = DEFAULT_COLUMNS
    elif setting == "all":
        in_all_reports = account.synchronous & account.asynchronous
        live = (name for name in live_columns() if name in in_all_reports)
        chosen = (*offered_columns(), *live)
    else:
        chosen = list(setting)
        listed = account.all
        if faults := unknown_columns(name for name in chosen if name.upper() not in listed):
            raise ValueError("; ".join(faults))
        chosen = map(str.upper, chosen)
    found = dict.fromkeys((*level.ids, *chosen))
    return tuple(name for name in found if level.has(column(name).entity))


@functools.cache
def offered_columns(*, newer: bool = False) -> tuple[str, ...]:
    """The columns that an ads report can have, in synchronous calls or asynchronous reports.

    Days from synchronous calls and from asynchronous reports go into the same table. `newer` adds
    columns that releases after the description have: a config may name them, `all` lacks them.
    """
    asynchronous = frozenset(api.enum("columns_async", newer=newer))
    return tuple(name for name in api.enum("columns_sync", newer=newer) if name in asynchronous)


@functools.cache
def live_columns() -> tuple[str, ...]:
    """Columns in live answers that no description has; not every account has them."""
    text = resources.files(__package__).joinpath(LIVE_FILE).read_bytes()
    return tuple(msgspec.json.decode(text)["names"])


@functools.cache
def described() -> frozenset[str]:
    """The columns that a description has."""
    return frozenset(
        name for enum in ("columns_sync", "columns_async") for name in api.enum(enum, newer=True)
    )


def is_undescribed(name: str) -> bool:
    """Whether no description has a column of this name; Pinterest may still have it."""
    return name.upper() != DATE and name.upper() not in described()


def is_unheard_of(name: str) -> bool:
    """Whether neither a description nor a live answer has a column of this name."""
    return is_undescribed(name) and name.upper() not in live_columns()


def only_asynchronous(names: Iterable[str], account: AccountColumns = NOT_ASKED) -> list[str]:
    """The names that only asynchronous reports have."""
    synchronous = frozenset(api.enum("columns_sync", newer=True))
    asynchronous = frozenset(api.enum("columns_async", newer=True))
    of_account = account.asynchronous - described()
    only = (asynchronous - synchronous) | (of_account - account.synchronous)
    return [name for name in names if name in only]


def is_conversion(name: str) -> bool:
    """Whether a column is about conversions, which are credited late and not by hour."""
    return column(name).kind == "metric" and bool(_CONVERSION.search(name))


def setting_of(names: Iterable[object]) -> str | tuple[str, ...]:
    """A list as a setting: `default`, `all`, or the names in Pinterest's spelling, each once.

    Among other names, `default` and `all` are unknown names.
    """
    upper = tuple(dict.fromkeys(str(name).upper() for name in names))
    return upper[0].lower() if upper in {("DEFAULT",), ("ALL",)} else upper


def unknown_columns(names: Iterable[str], *, offered: Sequence[str] = ()) -> list[str]:
    """One fault for each name that is not an offered column, with similar names.

    Args:
        names: Names in a config.
        offered: All columns; by default the columns of ads reports.
    """
    known = offered or (*api.enum("columns_async", newer=True), *live_columns())
    others = () if offered else api.enum("columns_sync", newer=True)
    return [_fault(name, known, others) for name in names if name.upper() not in known]


def _fault(name: str, offered: Sequence[str], only_synchronous: Sequence[str]) -> str:
    upper = name.upper()
    if upper == DATE:
        return f"{name} is in every row already"
    if upper in only_synchronous:
        return (
            f"{name} is only in synchronous reports, and a table has rows of both kinds: "
            "leave it out"
        )
    # Among names with the same beginning a default column comes first: `SPEND` is most likely
    # `SPEND_IN_DOLLAR`.
    return f"{name} is no column{hint(name, offered, first=DEFAULT_COLUMNS)}"


def report_facts(names: Iterable[str]) -> Mapping[str, Any]:
    """The facts of a report row with these columns and `DATE`, in the form for `conform`."""
    kinds = {"text": "string", "number": "number", "metric": "number"}
    properties: dict[str, Any] = {name: {"type": kinds[column(name).kind]} for name in names}
    properties[DATE] = {"type": "string", "format": "date"}
    return {"type": "object", "properties": properties}
