"""The contexts that a stream is read in: the token, each ad account, or each user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_pinterest.reading.owners import Owners

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Contexts:
    """The contexts that a stream is read in; here a single one, which has no name.

    Attributes:
        columns: Ids of the context that every record of a dataset carries.
    """

    columns: Sequence[str] = ()

    def are_known(self, owners: Owners) -> bool:  # noqa: ARG002 - see subclasses
        """Whether the contexts are known without a call."""
        return True

    def of(self, owners: Owners) -> list[dict[str, Any]] | None:  # noqa: ARG002
        """The contexts; `None` for a single one without a name."""
        return None

    def unreadable(self, owners: Owners) -> Mapping[str, Exception]:  # noqa: ARG002
        """Ad accounts that the config names and the token cannot read, each with the reason."""
        return {}

    def parameters(self, context: Context | None, owners: Owners) -> Mapping[str, str]:  # noqa: ARG002
        """The parameters of a call that name the context."""
        return _NOTHING

    def may_overlap(self, owners: Owners) -> bool:  # noqa: ARG002
        """Whether the same record may occur in two contexts."""
        return False


class Token(Contexts):
    """The stream is read once, for the token."""


class AdAccounts(Contexts):
    """The stream is read for each ad account of the run."""

    columns = ("ad_account_id",)

    @override
    def are_known(self, owners: Owners) -> bool:
        return owners.knows_ad_accounts

    @override
    def of(self, owners: Owners) -> list[dict[str, Any]] | None:
        return [{"ad_account_id": each} for each in owners.ad_account_ids]

    @override
    def unreadable(self, owners: Owners) -> Mapping[str, Exception]:
        return owners.unreadable

    @override
    def parameters(self, context: Context | None, owners: Owners) -> Mapping[str, str]:
        return context or _NOTHING


class Users(Contexts):
    """The stream is read for each user that `organic_accounts` wants.

    By default that is the token's user alone, whose context has no name.
    """

    def __init__(self, *, always_named: bool = False) -> None:
        """Contexts of users; with `always_named` the token's user alone has a name, too."""
        self._always_named = always_named

    def _are_named(self, owners: Owners) -> bool:
        return self._always_named or not owners.reads_only_token_user

    @override
    def are_known(self, owners: Owners) -> bool:
        return not self._are_named(owners) or owners.knows_users

    @override
    def of(self, owners: Owners) -> list[dict[str, Any]] | None:
        if not self._are_named(owners):
            return None
        return [{"user_id": each} for each in owners.users]

    @override
    def parameters(self, context: Context | None, owners: Owners) -> Mapping[str, str]:
        through = owners.users[context["user_id"]] if context else None
        return {"ad_account_id": through} if through else _NOTHING

    @override
    def may_overlap(self, owners: Owners) -> bool:
        return not owners.reads_only_token_user
