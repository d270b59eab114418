"""Decides which errors of a run are failures, and which the run may skip with a warning."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Mapping, Sequence

from singer_sdk.exceptions import SingerSDKError, SkippableAPIError
from singer_sdk.helpers.types import Context

from tap_pinterest import api
from tap_pinterest.api.naming import name_of
from tap_pinterest.clock import Interrupted
from tap_pinterest.config import CONFIG_SCHEMA, Settings
from tap_pinterest.http.auth import Visibility
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.errors import (
    AccountKindError,
    DaysError,
    FeatureRefusedError,
    GoneError,
    NoEndpointError,
    NotOfferedError,
    ScopeRefusedError,
)
from tap_pinterest.reading.contexts import AdAccounts
from tap_pinterest.reading.owners import AD_ACCOUNT, AD_ACCOUNTS, Owners
from tap_pinterest.reading.parts import Parts
from tap_pinterest.run.stream import RunStream
from tap_pinterest.run.summary import StreamSummary, Summary

_DEFAULT_GROUPS = frozenset(CONFIG_SCHEMA["properties"]["stream_groups"]["default"])

_SCOPE = re.compile(r"\b[a-z_]+:(?:read|write)\w*")

_logger = logging.getLogger("tap-pinterest")


class AccessPolicy:
    """Records the parts that a run could not read in the summary, as failed or as skipped.

    Three kinds of parts are required: parts that the config names, parts that an earlier run has
    read, and reports that Pinterest offers to everybody. Other parts that the token may not read
    are skipped. All other errors are failures.
    """

    def __init__(  # noqa: PLR0913 - the parts of a run it judges by, each named
        self,
        streams: Mapping[str, RunStream],
        *,
        settings: Settings,
        summary: Summary,
        read_before: Mapping[str, frozenset[tuple[str, str]]],
        client: PinterestClient,
        owners: Owners,
    ) -> None:
        self._streams = streams
        self._settings = settings
        self._summary = summary
        self._read_before = read_before
        self._client = client
        self._owners = owners
        self._not_for_this_kind: set[str] = set()
        self._scopes_refused: dict[str, frozenset[str]] = {}
        """By stream, the scopes that Pinterest has said the token lacks."""

    def judge(self, stream: str, context: Context | None, error: Exception) -> None:
        """Record an error that ended a context."""
        part = self._summary.of(stream)
        if not isinstance(error, SkippableAPIError) or self._is_unexpected(stream, error):
            part.miss(name_of(context), str(error) or type(error).__name__, has_failed=True)
            # An error of the machine, such as a full disk, names its cause itself.
            if not isinstance(error, (SingerSDKError, OSError)):
                _logger.error("Unexpected error in %s", stream, exc_info=error)
            return
        if isinstance(error, AccountKindError):
            self._not_for_this_kind.add(stream)
        if isinstance(error, ScopeRefusedError):
            named = frozenset(_SCOPE.findall(str(error)))
            self._scopes_refused[stream] = named or frozenset(self._needed_scopes(stream))
        is_required = self._is_required(stream, context, error)
        reason = self._reason(stream, context, error, str(error))
        if is_required and "ad_account_id" in (context or {}) and not isinstance(error, DaysError):
            reason += "; exclude_ad_account_ids stops reading the account"
        part.miss(name_of(context), reason, has_failed=is_required)

    def _is_unexpected(self, stream: str, error: SkippableAPIError) -> bool:
        """Whether an entity is gone since it was listed, or everybody should get the stream."""
        offered_to_all = self._streams[stream].group in _DEFAULT_GROUPS
        return isinstance(error, GoneError) or (
            offered_to_all and isinstance(error, NotOfferedError)
        )

    def left_out(self, stream: RunStream, context: Context | None, parts: Parts) -> None:
        """Record the parts of a dataset that the token may not read, while it may read others.

        Parts that the config names are failures; other parts are skipped.
        """
        ids = self._settings.named_ids
        named = any(value in ids for call in parts.refused_calls for value in call.values)
        reason = self._reason(stream.name, context, parts.refusal, parts.refusals_in_words)
        self._summary.of(stream.name).miss(name_of(context), reason, has_failed=named)

    def _reason(
        self, stream: str, context: Context | None, error: Exception | None, text: str
    ) -> str:
        """The text of a refusal and, if known, the scopes and the role that the token needs."""
        if isinstance(error, NoEndpointError):
            return f"{text}. Pinterest has no such endpoint for this app"
        if isinstance(error, (AccountKindError, DaysError, FeatureRefusedError)):
            return text
        return f"{text}. {self._needs(stream, context)}"

    def _needs(self, stream: str, context: Context | None) -> str:
        operation = api.operation(f"GET {self._streams[stream].path}")
        creation = api.operations().get(f"POST {self._streams[stream].path}", operation)
        needs = f"It needs the scope {' and '.join(operation.scopes)}, and a role that may read it"
        if operation.beta or operation.since or creation.beta:
            needs += "; Pinterest does not open it to every app"
        if missing := self.missing_scopes(stream):
            lacking = f"the token lacks {' and '.join(missing)}"
            return f"{needs}; {lacking}: sign in with tap-pinterest-login, which asks for it"
        roles = ""
        if context and "ad_account_id" in context:
            account = self._owners.ad_accounts.get(context["ad_account_id"], {})
            roles = ", ".join(map(str, account.get("permissions") or ()))
        return f"{needs}; there the token's user is {roles}" if roles else needs

    def missing_scopes(self, stream: str) -> list[str]:
        """Scopes that a stream needs and the token lacks, as the token or a refusal says."""
        granted = self._granted[0]
        said = self._scopes_refused.get(stream, frozenset())
        return sorted(said if granted is None else {*self._needed_scopes(stream)} - granted | said)

    def _needed_scopes(self, stream: str) -> Sequence[str]:
        return api.operation(f"GET {self._streams[stream].path}").scopes

    def warn_of_missing_scopes(self) -> None:
        """Warn about all selected streams for which the token lacks scopes."""
        lacking = {name: self.missing_scopes(name) for name in self._summary.streams}
        if named := [f"{name} ({', '.join(scopes)})" for name, scopes in lacking.items() if scopes]:
            _logger.warning("The token lacks scopes; not to be read: %s", "; ".join(named))

    @property
    def visibility(self) -> Visibility:
        """How much the run's first token sees in lists."""
        return self._granted[1]

    @property
    def visibility_is_unchanged(self) -> bool:
        """Whether the current token shows the same in lists as the run's first one."""
        return self._client.authenticator.visibility() == self.visibility

    @functools.cached_property
    def _granted(self) -> tuple[frozenset[str] | None, Visibility]:
        """Scopes and visibility of the first token, kept before the first list is read."""
        authenticator = self._client.authenticator
        return authenticator.scopes(), authenticator.visibility()

    def _is_required(self, stream: str, context: Context | None, error: SkippableAPIError) -> bool:
        """Whether the config names the context, or an earlier run has read it.

        An ad account in the config requires its entities and reports. All other data may depend on
        roles and on access that the user of an ad account need not have.
        """
        if self._streams[stream].custom:
            return True
        if not context or isinstance(error, NoEndpointError):
            return stream in self._read_before
        is_of_ads = self._streams[stream].group == "ads"
        if not (is_of_ads and self._streams[stream].path.startswith(AD_ACCOUNT)):
            return self._streams[stream].remembered.of(context) is not None
        (account,) = context.items()
        was_read = any(account in contexts for contexts in self._read_before.values())
        return was_read or context["ad_account_id"] in self._settings.ad_account_ids

    def fail_for_missing_parts(self) -> None:
        """Turn skipped parts that are required into failures, and add failures for missing ones."""
        self._fail_for_refused_streams()
        self._fail_for_missing_ids()
        self._fail_for_gone_contexts()
        self._fail_for_incomplete_list()
        self._fail_without_ad_accounts()
        self._fail_if_all_was_skipped()

    def _fail_for_refused_streams(self) -> None:
        """Fail a stream that was read before, if no account or user lets the token read it.

        A report of the default groups fails on the first run too, unless the token lacks its scope
        or accounts of this kind do not have it.
        """
        for name, part in self._summary.streams.items():
            nothing = part.skipped and not part.answered
            if nothing and (self._is_expected(name) or name in self._read_before):
                way_out = "; to do without, deselect the stream"
                part.failures |= {where: why + way_out for where, why in part.skipped.items()}
                part.skipped.clear()

    def _is_expected(self, name: str) -> bool:
        """Whether everybody with the token's scopes gets a stream."""
        stream = self._streams[name]
        by_default = stream.is_report and stream.group in _DEFAULT_GROUPS
        if not by_default or name in self._not_for_this_kind or self.missing_scopes(name):
            return False
        return self._client.may_ask(api.operation(f"GET {stream.path}"))

    def _fail_for_gone_contexts(self) -> None:
        """Fail for ad accounts and users that were read before but are no longer listed."""
        gone: dict[tuple[str, str], str] = {}
        for name in self._summary.streams:
            for each in sorted(self._read_before.get(name, ())):
                if each not in gone and self._is_gone(*each):
                    gone[each] = name
        for (kind, value), name in gone.items():
            way_out = f"tap-pinterest-state forget --account {value} stops expecting it"
            if kind == "ad_account_id":
                way_out = f"get the role back, or name it in exclude_ad_account_ids; {way_out}"
            self._summary.of(name).failures[name_of({kind: value})] = (
                f"Pinterest no longer lists it, and an earlier run has read it: {way_out}"
            )

    def _is_gone(self, kind: str, value: str) -> bool:
        """Whether a context of an earlier run is not listed, although the config wants it."""
        owners, settings = self._owners, self._settings
        if settings.ad_account_ids or owners.cut_short:
            return False
        try:
            if kind == "user_id":
                known = owners.knows_users and not settings.exclude_ad_account_ids
                return known and value not in owners.users and not owners.shows_user(value)
            if kind != "ad_account_id" or not owners.knows_ad_accounts:
                return False
            if value in owners.ad_accounts or value in settings.exclude_ad_account_ids:
                return False
            # If the token can read the account, it is a shared one, which the config leaves out.
            return settings.include_shared_accounts or not owners.may_read(value)
        except Interrupted:
            # A stopped run makes no more calls; the next run finds out.
            return False

    def _fail_for_incomplete_list(self) -> None:
        """Fail the first stream of ad accounts if only the first pages of their list were read."""
        if self._owners.cut_short and (part := self._first_of_ad_accounts()):
            part.miss(
                "",
                "Pinterest lists ad accounts on several pages, and those on the later ones are not "
                f"read: {self._owners.cut_short}",
                has_failed=True,
            )

    def _fail_without_ad_accounts(self) -> None:
        """Fail the first stream of ad accounts if the token has no ad account."""
        owners = self._owners
        if not owners.knows_ad_accounts or owners.ad_account_ids or owners.unreadable:
            return
        if part := self._first_of_ad_accounts():
            part.failures.setdefault(
                "",
                "Pinterest lists no ad account for this token: ask for a role in one, or "
                "leave groups of ads out of stream_groups",
            )

    def _first_of_ad_accounts(self) -> StreamSummary | None:
        """The summary of the first stream that needs the list of ad accounts."""
        for name, part in self._summary.streams.items():
            stream = self._streams[name]
            if stream.path == AD_ACCOUNTS or isinstance(stream.contexts, AdAccounts):
                return part
        return None

    def _fail_if_all_was_skipped(self) -> None:
        """Fail the first stream if every stream was skipped."""
        parts = [*self._summary.streams.values()]
        if parts and all(part.skipped and not part.answered for part in parts):
            parts[0].failures[""] = "nothing could be read: every selected stream was left out"

    def _fail_for_missing_ids(self) -> None:
        """Fail a stream if the config names an id that Pinterest does not list."""
        for name, part in self._summary.streams.items():
            stream = self._streams[name]
            whole = part.contexts and not (part.failures or part.skipped)
            if whole and stream.missing_ids:
                ids = ", ".join(sorted(stream.missing_ids))
                part.failures[""] = f"the config names {ids}, which Pinterest does not list"
