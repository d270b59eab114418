"""Describes a token to a person who signs in or tests a connection."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tap_pinterest.http.answers import decode_object
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.errors import PART_ERRORS, TokenRefusedError
from tap_pinterest.http.redaction import in_one_line
from tap_pinterest.reading.inventory import USER_ACCOUNT, Inventory


def described(
    granted: Collection[str], needed: Collection[str], client: PinterestClient, inventory: Inventory
) -> Iterator[str]:
    """Lines about the token's scopes, user and ad accounts.

    Raises:
        TokenRefusedError: The token is not accepted.
    """
    yield f"Scopes: {', '.join(sorted(granted)) or 'Pinterest does not say'}"
    if missing := sorted({*needed} - {*granted}) if granted else []:
        yield f"Scopes not granted: {', '.join(missing)}"
    try:
        user = client.get(USER_ACCOUNT, decode_object)
        yield f"User: {in_one_line(user.get('username'))} ({user.get('account_type')})"
    except TokenRefusedError:
        raise
    except PART_ERRORS as error:
        yield f"User: not to be read ({error})"
    try:
        accounts = inventory.owners.ad_accounts
        yield f"Ad accounts: {len(accounts) or 'none'}"
        yield from (f"  {_account(account)}" for account in accounts.values())
    except TokenRefusedError:
        raise
    except PART_ERRORS as error:
        yield f"Ad accounts: not to be read ({error})"


def _account(account: Mapping[str, Any]) -> str:
    roles = ", ".join(map(str, account.get("permissions") or ()))
    parts = (account.get("id"), account.get("name"), account.get("currency"), roles)
    return "  ".join(in_one_line(part) for part in parts if part)
