"""Lead forms, which collect addresses of people, and the subscriptions to them."""

# ruff: noqa: ARG001  every `details` is called with the same three arguments
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox.collection import Kind
from pinterest_sandbox.kinds.ads import per_account

if TYPE_CHECKING:
    from pinterest_sandbox.chance import Draws
    from pinterest_sandbox.collection import Details
    from pinterest_sandbox.kinds.ads import OfAccount
    from pinterest_sandbox.world import AdAccount


def _subscription(subscription: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    forms = subscription.owner.all(LEAD_FORMS).ids
    return {
        "user_account_id": subscription.owner.owner.id,
        "lead_form_id": draws.one_of((None, *forms)),
        "webhook_url": "https://hooks.example.com/leads",
        "api_version": "v5",
        "cryptographic_key": "made-up-key-that-must-not-leave-the-tap",
        "cryptographic_algorithm": "AES-256-GCM",
    }


LEAD_FORMS: Final[Kind[AdAccount]] = Kind("lead form", "LeadFormResponse", per_account)
SUBSCRIPTIONS: Final[Kind[AdAccount]] = Kind(
    "lead subscription", "LeadSubscription", per_account, _subscription
)
