"""All records of a dataset that a token can read: a correct reader must end up with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from pinterest_sandbox import api, children
from pinterest_sandbox.answers.resources import interest_ids
from pinterest_sandbox.kinds import ads, audiences, boards, business, catalogs
from pinterest_sandbox.paging import Listing
from pinterest_sandbox.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pinterest_sandbox.api import Place
    from pinterest_sandbox.collection import Kind, Member
    from pinterest_sandbox.world import AdAccount, User, World

Values: TypeAlias = "dict[str, Any]"
Choices: TypeAlias = "Callable[[World, Values], Iterable[Any]]"
"""The values of a parameter, given those of the parameters before it."""
Ask: TypeAlias = "Callable[[str, Values], Any]"

_ACCOUNT: Final = "/ad_accounts/{ad_account_id}"
_BUSINESS: Final = "/businesses/{business_id}"


class NeedsValueError(ValueError):
    """A parameter must be fixed, since its values are not records of the world."""


def records(
    world: World, ask: Ask, key: str, fixed: Mapping[str, Any]
) -> Iterator[tuple[Values, Any]]:
    """Every record of an operation, each with the parameters of its call.

    `ask` answers an operation; `fixed` parameters are sent as they are, and are not varied. What
    is refused, such as an account without the role for it, has no records.

    Raises:
        NeedsValueError: the operation needs a parameter that nothing here lists, such as a term.
    """
    operation = api.operation(key)
    needed = [name for name, each in operation.parameters.items() if each.required]
    for name in (operation.body or {}).get("required", ()):
        if name not in fixed:
            raise NeedsValueError(_needs(key, name))
    varied = [*needed, *(name for name in _ALSO.get(key, ()) if name not in needed)]
    always = {
        name: value for name, value in _ALWAYS.items() if name in operation.parameters
    } | dict(fixed)
    for values in _combinations(world, key, [name for name in varied if name not in fixed], always):
        shown = {name: values[name] for name in (*varied, *fixed) if name in values}
        try:
            answer = ask(key, values)
        except Refusal:
            continue
        for record in _records_in(answer, operation.holds):
            yield shown, record


def _combinations(world: World, key: str, names: list[str], values: Values) -> Iterator[Values]:
    if not names:
        yield values
        return
    name, *others = names
    choices = _OF_OPERATION.get(f"{key}?{name}") or _CHOICES.get(name)
    if choices is None:
        allowed = api.operation(key).parameters[name].allowed
        if not allowed:
            raise NeedsValueError(_needs(key, name))
        found: Iterable[Any] = allowed
    else:
        found = choices(world, values)
    for value in found:
        yield from _combinations(world, key, others, {**values, name: value})


def _needs(key: str, name: str) -> str:
    return f"{key} needs a value of {name!r}"


def _records_in(answer: Any, place: Place) -> Iterable[Any]:  # noqa: ANN401  any body
    if isinstance(answer, Listing):
        return answer.records(0, len(answer.keys))
    answer = msgspec.to_builtins(answer)
    if isinstance(answer, list):
        return answer
    if place in {"list", "items", "data"}:
        found: Iterable[Any] = answer["data" if place == "data" else "items"]
        return found
    if place == "map":
        return [
            record
            for name, records in answer.items()
            for record in (records if isinstance(records, list) else [{name: records}])
        ]
    return [answer]


def _account(world: World, values: Values) -> AdAccount:
    account = world.ad_account(values["ad_account_id"])
    if account is None:
        raise KeyError(values["ad_account_id"])
    return account


def _user(world: World, values: Values) -> User:
    return _account(world, values).owner if values.get("ad_account_id") else world.user


def _business(world: World, values: Values) -> business.Business:
    return next(each for each in business.businesses(world) if each.id == values["business_id"])


def _catalogs(world: World, values: Values) -> Iterable[Member[User]]:
    return _user(world, values).all(catalogs.CATALOGS)


def _in_catalogs(kind: Kind[Any]) -> Choices:
    def choices(world: World, values: Values) -> Iterable[str]:
        return [each.id for catalog in _catalogs(world, values) for each in catalog.all(kind)]

    return choices


def _processing_results(world: World, values: Values) -> Iterable[str]:
    for catalog in _catalogs(world, values):
        for feed in catalog.all(catalogs.FEEDS):
            yield from feed.all(catalogs.PROCESSING_RESULTS).ids


def _report_parameters(world: World, values: Values) -> Iterable[Values]:
    of_feed, of_catalog = catalogs.REPORT_TYPES
    for catalog in _catalogs(world, values):
        kind = catalogs.type_of(catalog)
        report: Values = {"report_type": of_catalog, "catalog_id": catalog.id}
        yield {"catalog_type": kind, "report": report}
        for feed_id in catalog.all(catalogs.FEEDS).ids:
            report = {"report_type": of_feed, "feed_id": feed_id}
            yield {"catalog_type": kind, "report": report}


def _sections(world: World, values: Values) -> list[str]:
    wanted = values["board_id"]
    found = (each for each in _user(world, values).boards if each.id == wanted)
    return next(found).all(boards.SECTIONS).ids


def _people(world: World, values: Values) -> Iterable[str]:
    found = _business(world, values)
    return [*found.all(business.MEMBERS).ids, *found.all(business.SYSTEM_USERS).ids]


def _partners(world: World, values: Values) -> Iterable[str]:
    found = _business(world, values)
    kinds = (business.INTERNAL_PARTNERS, business.EXTERNAL_PARTNERS)
    return [partner_id for kind in kinds for partner_id in found.all(kind).ids]


def _owned_audiences(world: World, values: Values) -> Iterable[str]:
    return _account(world, values).all(audiences.AUDIENCES).ids


def _audiences_of_business(world: World, values: Values) -> Iterable[str]:
    received = _business(world, values).all(audiences.AUDIENCES_OF_BUSINESS).ids
    owned = (each.all(audiences.AUDIENCES).ids for each in world.ad_accounts)
    return [*received, *(audience_id for ids in owned for audience_id in ids)]


def _ids_of(level: str) -> Choices:
    def choices(world: World, values: Values) -> Iterable[str]:
        return [str(own) for own in getattr(_account(world, values), level).ids.tolist()]

    return choices


def _all_of(choices: Choices) -> Choices:
    """All at once, however many."""
    return lambda world, values: [found] if (found := list(choices(world, values))) else []


def _product_group_ids(world: World, values: Values) -> Iterable[str]:
    return [child.id for child in children.product_groups(_account(world, values)).members]


def _pins_of_owner(world: World, values: Values) -> Iterable[str]:
    return _account(world, values).owner.pin_ids


def _targeting_types(key: str) -> Choices:
    """Each type by itself, so that one that is withheld does not take the others with it."""
    return lambda _, __: [
        [name] for name in api.operation(key).parameters["targeting_types"].allowed
    ]


def _one_by_one(choices: Choices) -> Choices:
    return lambda world, values: [[value] for value in choices(world, values)]


def _promotions(world: World, values: Values) -> Iterable[str]:
    return _account(world, values).all(ads.PROMOTIONS).ids


def _keyword_parent(level: str) -> Choices:
    """The ids of a level, and none: a keyword has one parent only."""

    def choices(world: World, values: Values) -> Iterable[str | None]:
        return [None, *(() if values.get("campaign_id") else _ids_of(level)(world, values))]

    return choices


_EITHER: Final[Choices] = lambda world, values: (False, True)  # noqa: E731, ARG005

_ALWAYS: Final[Mapping[str, Any]] = {
    "page_size": 250,
    "entity_statuses": ["ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT"],
    "include_protected_pins": True,
    "is_active": False,
}
"""The values that show most."""
_ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    f"GET {_ACCOUNT}/keywords": ("campaign_id", "ad_group_id"),
    f"GET {_ACCOUNT}/product_group_promotions": ("ad_group_id",),
    f"GET {_ACCOUNT}/audiences": ("ownership_type",),
    f"GET {_BUSINESS}/members": ("fetch_system_users",),
    f"GET {_BUSINESS}/assets/{{asset_id}}/members": ("fetch_system_users",),
    f"GET {_BUSINESS}/partners": ("partner_type",),
    f"GET {_BUSINESS}/assets": ("asset_type",),
    f"GET {_BUSINESS}/members/{{member_id}}/assets": ("asset_type",),
    f"GET {_BUSINESS}/partners/{{partner_id}}/assets": ("partner_type", "asset_type"),
    f"GET {_BUSINESS}/invites": ("is_member",),
    f"GET {_ACCOUNT}/ads/analytics": ("ad_ids",),
    "GET /resources/delivery_metrics": ("report_type",),
    "GET /trends/product_categories/trending": ("engagement_type",),
}
"""Optional parameters; without them an answer shows only a part."""
_CHOICES: Final[Mapping[str, Choices]] = {
    "ad_account_id": lambda world, _: [account.id for account in world.ad_accounts],
    "ad_group_id": _ids_of("ad_groups"),
    "ad_group_ids": _one_by_one(_ids_of("ad_groups")),
    "asset_id": lambda world, values: [each.id for each in _business(world, values).assets],
    "board_id": lambda world, values: _user(world, values).board_ids,
    "business_id": lambda world, _: [each.id for each in business.businesses(world)],
    "catalog_id": lambda world, values: [each.id for each in _catalogs(world, values)],
    "entity_ids": _one_by_one(_ids_of("campaigns")),
    "feed_id": _in_catalogs(catalogs.FEEDS),
    "fetch_system_users": _EITHER,
    "interest_id": lambda _, __: interest_ids(),
    "is_active": lambda _, __: [False],
    "is_member": _EITHER,
    "member_id": _people,
    "parameters": _report_parameters,
    "partner_id": _partners,
    "pin_id": lambda world, values: _user(world, values).pin_ids,
    "processing_result_id": _processing_results,
    "product_group_id": _in_catalogs(catalogs.PRODUCT_GROUPS),
    "promotion_ids": _one_by_one(_promotions),
    "section_id": _sections,
    "username": lambda world, _: [world.user.username],
}
_OF_OPERATION: Final[Mapping[str, Choices]] = {
    f"GET {_ACCOUNT}/keywords?campaign_id": _keyword_parent("campaigns"),
    f"GET {_ACCOUNT}/keywords?ad_group_id": _keyword_parent("ad_groups"),
    f"GET {_ACCOUNT}/audiences/shared/accounts?audience_id": _owned_audiences,
    f"GET {_BUSINESS}/audiences/shared/accounts?audience_id": _audiences_of_business,
    **{
        f"GET {_ACCOUNT}/{level}/{report}?{level.removesuffix('s')}_ids": _all_of(_ids_of(level))
        for level in ("campaigns", "ad_groups", "ads")
        for report in ("analytics", "targeting_analytics")
    },
    **{
        f"{key}?targeting_types": _targeting_types(key)
        for level in ("", "/campaigns", "/ad_groups", "/ads")
        for key in [f"GET {_ACCOUNT}{level}/targeting_analytics"]
    },
    f"GET {_ACCOUNT}/product_groups/analytics?product_group_ids": _all_of(_product_group_ids),
    f"GET {_ACCOUNT}/pins/analytics?campaign_id": _ids_of("campaigns"),
    f"GET {_ACCOUNT}/pins/analytics?pin_ids": _all_of(_pins_of_owner),
}
"""The values of parameters that mean another thing than elsewhere, by operation."""
