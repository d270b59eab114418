"""What of a run's errors is a failure, and what may be skipped with a warning."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from singer_sdk.exceptions import SingerSDKError, SkippableAPIError

from tap_pinterest import api
from tap_pinterest.config import CONFIG_SCHEMA
from tap_pinterest.http.errors import (
    DaysError,
    FeatureRefusedError,
    GoneError,
    NoEndpointError,
    NotOfferedError,
)
from tap_pinterest.reading.contexts import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.helpers.types import Context

    from tap_pinterest.config import Settings
    from tap_pinterest.http.client import PinterestClient
    from tap_pinterest.reading.inventory import Inventory
    from tap_pinterest.reading.refusals import Refusals
    from tap_pinterest.run.stream import RunStream
    from tap_pinterest.run.summary import Summary
    from tap_pinterest.singer.state import ReadBefore

_DEFAULT_GROUPS = frozenset(CONFIG_SCHEMA["properties"]["stream_groups"]["default"])

_logger = logging.getLogger("tap-pinterest")


class AccessPolicy:
    """Takes note in the summary of what a run could not read.

    What the config names, what an earlier run has read, and reports that everybody gets must
    arrive. What is merely discovered, and may not be read, is skipped. All other errors are
    failures.
    """

    def __init__(  # noqa: PLR0913 - what of a run it judges by, named one by one
        self,
        streams: Mapping[str, RunStream],
        *,
        settings: Settings,
        summary: Summary,
        read_before: ReadBefore,
        client: PinterestClient,
        inventory: Inventory,
    ) -> None:
        self._streams = streams
        self._settings = settings
        self._summary = summary
        self._read_before = read_before
        self._client = client
        self._inventory = inventory

    def judge(self, stream: str, context: Context | None, error: Exception) -> None:
        """Take note of an error that ended a context."""
        account = name_of(context)
        part = self._summary.of(stream)
        if not isinstance(error, SkippableAPIError) or self._is_no_matter_of_access(stream, error):
            part.failures[account] = str(error) or type(error).__name__
            # What the machine refuses, such as room on a disk, names its cause itself.
            if not isinstance(error, (SingerSDKError, OSError)):
                _logger.error("Unexpected error in %s", stream, exc_info=error)
            return
        must_arrive = self._must_arrive(stream, context, error)
        if isinstance(error, DaysError):
            (part.failures if must_arrive else part.skipped)[account] = str(error)
            return
        reason = self._reason(stream, context, error, str(error))
        if must_arrive:
            way_out = "; exclude_ad_account_ids stops reading the account" if account else ""
            part.failures[account] = f"{reason}{way_out}"
        else:
            part.skipped[account] = reason

    def _is_no_matter_of_access(self, stream: str, error: SkippableAPIError) -> bool:
        """What was listed a moment ago and is gone now, or what everybody is offered and is not."""
        offered_to_all = self._streams[stream].group in _DEFAULT_GROUPS
        return isinstance(error, GoneError) or (
            offered_to_all and isinstance(error, NotOfferedError)
        )

    def left_out(self, stream: RunStream, context: Context | None, refusals: Refusals) -> None:
        """Take note of parts of a dataset that may not be read, while others may.

        What the config names must arrive; what is merely discovered is skipped.
        """
        part = self._summary.of(stream.name)
        ids = self._settings.named_ids
        named = any(value in ids for call in refusals.calls for value in call.values)
        where = part.failures if named else part.skipped
        told = self._reason(stream.name, context, refusals.first, str(refusals))
        where[name_of(context)] = told

    def _reason(
        self, stream: str, context: Context | None, error: Exception | None, told: str
    ) -> str:
        """The words of a refusal, with what would change it where that is known."""
        if isinstance(error, NoEndpointError):
            return f"{told}. Pinterest has no such endpoint for this app"
        if isinstance(error, FeatureRefusedError):
            return told
        return f"{told}. {self._what_it_needs(stream, context)}"

    def _what_it_needs(self, stream: str, context: Context | None) -> str:
        operation = api.operation(f"GET {self._streams[stream].path}")
        creation = api.operations().get(f"POST {self._streams[stream].path}", operation)
        needs = f"It needs the scope {' and '.join(operation.scopes)}, and a role that may read it"
        if operation.beta or operation.since or creation.beta:
            needs += "; Pinterest does not open it to every app"
        if missing := self.missing_scopes(stream):
            return f"{needs}; the token lacks {' and '.join(missing)}"
        roles = ""
        if context and "ad_account_id" in context:
            account = self._inventory.ad_accounts.get(context["ad_account_id"], {})
            roles = ", ".join(map(str, account.get("permissions") or ()))
        return f"{needs}; there the token's user is {roles}" if roles else needs

    def missing_scopes(self, stream: str) -> list[str]:
        """Scopes that a stream needs and the token was not granted, as far as Pinterest says."""
        granted = self._granted_scopes
        needed = api.operation(f"GET {self._streams[stream].path}").scopes
        return [] if granted is None else sorted({*needed} - granted)

    def tell_missing_scopes(self) -> None:
        """Warn once of all selected streams that the token's scopes do not reach."""
        lacking = {name: self.missing_scopes(name) for name in self._summary.streams}
        if told := [f"{name} ({', '.join(scopes)})" for name, scopes in lacking.items() if scopes]:
            _logger.warning("The token lacks scopes; not to be read: %s", "; ".join(told))

    @functools.cached_property
    def _granted_scopes(self) -> frozenset[str] | None:
        """What the token was granted; `None` where Pinterest has not said."""
        return self._client.authenticator.scopes() if self._client.authenticator else None

    def _must_arrive(self, stream: str, context: Context | None, error: SkippableAPIError) -> bool:
        """Whether the config names it, or an earlier run has read it.

        The config names the entities and reports of an ad account. Everything else may depend on
        roles and on access that the user of an ad account need not have.
        """
        if self._streams[stream].custom:
            return True
        if not context or isinstance(error, NoEndpointError):
            return stream in self._read_before.streams
        if self._streams[stream].group != "ads":
            return self._streams[stream].remembered.of(context) is not None
        named = (*self._settings.ad_account_ids, *self._read_before.ad_accounts)
        return context["ad_account_id"] in named

    def refuse_what_is_missing(self) -> None:
        """Turn into a failure what was left out and may not be."""
        self._refuse_if_no_account_had_it()
        self._fail_for_what_is_missing()

    def _refuse_if_no_account_had_it(self) -> None:
        """What no account or user lets the token read is a failure if it was read before.

        A default report is one on the first run too.
        """
        for name, part in self._summary.streams.items():
            nothing = part.skipped and not part.answered
            stream = self._streams[name]
            by_default = stream.is_report and stream.group in _DEFAULT_GROUPS
            expected = by_default and self._client.may_ask(api.operation(f"GET {stream.path}"))
            if nothing and (expected or name in self._read_before.streams):
                way_out = f"; deselecting {name} stops reading it"
                part.failures |= {where: why + way_out for where, why in part.skipped.items()}
                part.skipped.clear()

    def _fail_for_what_is_missing(self) -> None:
        """What the config names by its id and nobody has is a failure."""
        for name, part in self._summary.streams.items():
            stream = self._streams[name]
            whole = part.contexts and not (part.failures or part.skipped)
            if whole and stream.named_and_missing:
                ids = ", ".join(sorted(stream.named_and_missing))
                part.failures[""] = f"the config names {ids}, which Pinterest does not list"
