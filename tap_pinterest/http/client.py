"""One call to Pinterest: a permit, a token, an answer, and another try if that makes sense."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SkippableAPIError

from tap_pinterest import api
from tap_pinterest.api import Operation
from tap_pinterest.api.naming import of_context
from tap_pinterest.clock import Clock
from tap_pinterest.config import Settings
from tap_pinterest.http.answers import decode_object, is_empty_object
from tap_pinterest.http.auth import AccessToken, authenticator_for
from tap_pinterest.http.downloads import Downloads
from tap_pinterest.http.errors import (
    AccessRefusedError,
    AppRefusedError,
    EmptyAnswerError,
    QuotaError,
    ReachError,
    SlowAnswerError,
    StaleTokenError,
    TokenRefusedError,
)
from tap_pinterest.http.patience import Patience
from tap_pinterest.http.rate_limit import RateLimiter
from tap_pinterest.http.reach import Reach
from tap_pinterest.http.redaction import Secrets
from tap_pinterest.http.refusals import NOT_AUTHENTICATED, TOO_MANY, content_of
from tap_pinterest.http.tally import Tallies
from tap_pinterest.http.token_endpoint import TokenEndpoint
from tap_pinterest.http.transport import Request, Transport
from tap_pinterest.http.urls import Query, path_with, query_string

_T = TypeVar("_T")

_OF_THE_TOKEN = frozenset({None, NOT_AUTHENTICATED})
"""Codes of a 401 that are about the access token; a 401 without a body is, too."""
_FOR_EVERY_TOKEN = ("/user_account", "/ad_accounts")
"""Paths that show whether Pinterest takes a token."""
_ALONE_SECONDS = 60
"""How long an operation counts as refused alone; then the token is doubted again."""
_EMPTY_IF_NONE = frozenset({"GET /ad_accounts/{ad_account_id}/conversion_tags/ocpm_eligible"})
"""Operations that answer `{}` for none; the others answer with an empty list or empty parts."""

_logger = logging.getLogger("tap-pinterest.client")


class PinterestClient:
    """Calls operations of the API; shared by all streams and threads of a run.

    One connection pool, one rate limiter and one authenticator serve every call. The throttle is
    inside the retry: an attempt that goes out again needs a permit again.

    Attributes:
        authenticator: Gives out access tokens; `client_for` sets it.
        acts_for_the_app: Whether tokens come by client_credentials, which not every operation
            accepts.
        downloads: Downloads finished reports from other hosts.
        tokens: Asks for access tokens.
        tallies: Calls by stream, or by path for a call that no single stream makes.
        secrets: All texts that no message may repeat.
    """

    def __init__(  # noqa: PLR0913 - the parts that one run shares, each named
        self,
        *,
        api_url: str,
        limiter: RateLimiter,
        clock: Clock,
        timeout: float,
        max_wait_seconds: float,
        connections: int,
    ) -> None:
        """A client that has no access token yet."""
        self._url = api_url
        self._limiter = limiter
        self._clock = clock
        self._transport = Transport(timeout=timeout, connections=connections)
        self._patience = patience = Patience(clock, max_wait_seconds)
        self._reach = Reach(clock)
        self.downloads = Downloads(api_url, timeout=timeout, clock=clock, patience=patience)
        self.secrets = Secrets()
        self.tokens = TokenEndpoint(self._transport, clock, patience, self.secrets)
        self.authenticator = AccessToken("")
        self.acts_for_the_app = False
        self.tallies = Tallies()
        self._refused_alone: dict[str, tuple[str, float]] = {}
        """Operations that refused a token that is good for others: which token, and until when that
        counts."""
        self._bad_tokens: set[str] = set()
        self._asking_elsewhere = threading.Lock()
        self._empty: set[str] = set()
        """The warnings of answers that stayed `{}`."""

    def get(  # noqa: PLR0913 - one call has these parts
        self,
        path: str,
        decode: Callable[[bytes], _T],
        *,
        ids: Mapping[str, str] | None = None,
        query: Query | None = None,
        split_instead: bool = False,
        stream: str | None = None,
        nothing: _T | None = None,
    ) -> _T:
        """Call `GET path` and return the content of its good answer.

        Args:
            path: A path of the description, with its placeholders.
            decode: Reads the body; see `decoder`. A body that it refuses is asked for again.
            ids: Values of the placeholders.
            query: Query parameters; each list is written in the style its parameter has.
            split_instead: Raise `SlowAnswerError` at once, because the caller can ask for less.
            stream: The stream that the call counts for, if its path does not show it.
            nothing: The content to return if Pinterest has none of the days in the query.

        Raises:
            AccessRefusedError: The token may not read this.
            GoneError: It is not there.
            TooLargeError: It asks for too much at once.
            TokenRefusedError: The credentials are not accepted.
            FatalAPIError: The request is refused for another reason.
            RetriableAPIError: No attempt got an answer.
            AwayError: No call gets an answer any more.
        """

        def ask(query: Query) -> _T:
            request = Request("GET", path, self.url(path, ids=ids, query=query))
            call = _Call(request, stream or path, _account(ids, query), query)
            return self._call(call, decode, split_instead=split_instead)

        return self._within_reach(ask, query or {}, nothing)

    def post(  # noqa: PLR0913 - one call has these parts
        self,
        path: str,
        decode: Callable[[bytes], _T],
        body: Mapping[str, Any] | None = None,
        *,
        ids: Mapping[str, str] | None = None,
        query: Query | None = None,
        stream: str | None = None,
        nothing: _T | None = None,
    ) -> _T:
        """Call `POST path`, with a body of JSON, and return the content of its good answer.

        If an answer is lost on its way, Pinterest may create the report twice.
        `nothing` is returned if Pinterest has none of the days in the body.

        Raises:
            Exception: As `get`.
        """
        url = self.url(path, ids=ids, query=query, method="POST")
        account = _account(ids, query)

        def ask(sent: Mapping[str, Any]) -> _T:
            content = None if body is None else msgspec.json.encode(sent)
            call = _Call(Request("POST", path, url, content), stream or path, account, sent)
            return self._call(call, decode)

        return self._within_reach(ask, body or {}, nothing)

    def _within_reach(
        self,
        ask: Callable[[Mapping[str, Any]], _T],
        asked: Mapping[str, Any],
        nothing: _T | None,
    ) -> _T:
        """The answer for some days; without the first one if Pinterest keeps refusing it."""
        try:
            return ask(asked)
        except ReachError as error:
            later = self._reach.a_day_later(asked, error)
            if later is None and nothing is None:
                raise
            return ask(later) if later else cast("_T", nothing)

    def url(
        self,
        path: str,
        *,
        ids: Mapping[str, str] | None = None,
        query: Query | None = None,
        method: str = "GET",
    ) -> str:
        """The URL of a call."""
        operation = api.operation(f"{method} {path}")
        return f"{self._url}{path_with(path, ids)}{query_string(operation, query)}"

    def may_ask(self, operation: Operation) -> bool:
        """Whether Pinterest offers an operation to the kind of token that the client has."""
        return operation.client_credentials or not self.acts_for_the_app

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
        self.downloads.close()

    def _call(
        self, call: _Call, decode: Callable[[bytes], _T], *, split_instead: bool = False
    ) -> _T:
        """The content of a call's answer; an answer that stays `{}` has no rows, with a warning."""
        try:
            return self._answered(call, decode, split_instead=split_instead)
        except EmptyAnswerError as error:
            if str(error) not in self._empty:
                self._empty.add(str(error))
                _logger.warning(
                    "%s again and again; it counts as an answer without rows. If days are missing, "
                    "read them again with the setting backfill.",
                    error,
                )
            return cast("_T", error.content)

    def _answered(self, call: _Call, decode: Callable[[bytes], _T], *, split_instead: bool) -> _T:
        """Make a call, with further tries if needed, until it is answered or refused."""
        operation = api.operation(str(call))
        if not self.may_ask(operation):
            msg = f"{call}: Pinterest does not offer it with auth_method client_credentials"
            raise AccessRefusedError(msg)
        refused = 0
        tally = self.tallies.of(call.counts_for, call.ad_account_id)
        tries = self._patience.tries(call.counts_for, tally)
        while True:
            token = self._token()
            try:
                result = self._send(call, operation.category, token, decode)
            except StaleTokenError as error:
                refused += 1
                self._renew_or_raise(call, token, refused, error)
            except AppRefusedError as error:
                if self._accepts_elsewhere(token, call, error.of_the_call):
                    raise error.of_the_call from None
                raise
            except ReachError as error:
                self._reach.check(call.asked, error)
                self._patience.wait(tries, error)
            except RetriableAPIError as error:
                if split_instead and isinstance(error, SlowAnswerError):
                    raise
                self._patience.wait(tries, error)
            else:
                self._patience.answered(call.counts_for)
                return result

    def _token(self) -> str:
        token = self.authenticator.token()
        self.secrets.add(token)
        return token

    def _renew_or_raise(
        self, call: _Call, token: str, refused: int, error: StaleTokenError
    ) -> None:
        """Have the token renewed for another try, unless the token is not the reason.

        Raises:
            FatalAPIError: Only this call is refused: others may be answered.
            TokenRefusedError: Every call is.
        """
        # An operation that refused an earlier token alone does not have each new one renewed.
        is_suspect = str(call) in self._refused_alone
        accepts = is_suspect and self._accepts_elsewhere(token, call, error)
        if not accepts and refused == 1 and self.authenticator.refuse(token):
            return
        if accepts or self._accepts_elsewhere(token, call, error):
            msg = f"{error}; Pinterest takes the same access token for another call"
            raise FatalAPIError(msg)
        msg = (
            f"Pinterest refuses the access token: {error}. Sign in with tap-pinterest-login, "
            "whose tokens the tap renews, or give a new access_token."
        )
        raise TokenRefusedError(msg)

    def _accepts_elsewhere(self, token: str, refused: _Call, refusal: Exception) -> bool:
        """Whether Pinterest takes a token for another call than one that it refuses.

        Raises:
            FatalAPIError: Pinterest answers no other call. Only the refused one fails then: if the
                token is bad, the next refused call shows it.
        """
        operation = str(refused)
        with self._asking_elsewhere:
            known, until = self._refused_alone.get(operation, ("", 0.0))
            if known == token and self._clock.monotonic() < until:
                return True
            if token in self._bad_tokens:
                return False
            try:
                accepts = self._is_accepted(token, but=refused.request.path)
            except (RetriableAPIError, QuotaError) as error:
                msg = f"{refusal}; no other call shows if the access token is good: {error}"
                raise FatalAPIError(msg) from None
            if accepts:
                until = self._clock.monotonic() + _ALONE_SECONDS
                self._refused_alone[operation] = (token, until)
            else:
                self._bad_tokens.add(token)
            return accepts

    def _is_accepted(self, token: str, *, but: str) -> bool:
        """Whether Pinterest takes a token for a call to another path than `but`.

        Raises:
            RetriableAPIError: No such call is answered.
            QuotaError: No such call may go out.
        """
        unanswered: RetriableAPIError | QuotaError | None = None
        for path in _FOR_EVERY_TOKEN:
            probe = _Call(Request("GET", path, self.url(path)), path)
            operation = api.operation(str(probe))
            if path == but or not self.may_ask(operation):
                continue
            try:
                self._send(probe, operation.category, token, decode_object)
            except StaleTokenError as error:
                return error.code not in _OF_THE_TOKEN
            except (RetriableAPIError, QuotaError) as error:
                unanswered = error
            except TokenRefusedError:
                return False
            except (FatalAPIError, SkippableAPIError):
                # A scope may be missing; the token is known.
                return True
            else:
                return True
        if unanswered:
            raise unanswered
        return False

    def _send(self, call: _Call, category: str, token: str, decode: Callable[[bytes], _T]) -> _T:
        headers = {"Authorization": f"Bearer {token}"}
        if call.request.body is not None:
            headers["Content-Type"] = "application/json"
        request = call.request._replace(headers=headers)
        tally = self.tallies.of(call.counts_for, call.ad_account_id)
        asked = self._clock.monotonic()
        with self._limiter.call(category, str(call), request.url) as permit:
            self._clock.check()
            tally.seconds_waited += self._clock.monotonic() - asked
            tally.calls += 1
            answer = self._transport.exchange(request)
            permit.headers, permit.refused = answer.headers, answer.status == TOO_MANY
        content = content_of(answer, decode, str(call), self.secrets)
        # Only now it is sure that Pinterest has answered, and not a gateway with another clock.
        self._clock.hear(answer.headers.get("Date"))
        if is_empty_object(answer.body) and str(call) not in _EMPTY_IF_NONE:
            of = of_context(call.ad_account_id)
            msg = f"{call.counts_for}{of}: the answer to {call} is an empty object"
            raise EmptyAnswerError(msg, content)
        return content


def client_for(
    settings: Settings,
    limiter: RateLimiter,
    clock: Clock,
    kind: type[PinterestClient] = PinterestClient,
) -> PinterestClient:
    """A client with the limits and the authenticator of the settings."""
    client = kind(
        api_url=settings.api_url,
        limiter=limiter,
        clock=clock,
        timeout=settings.request_timeout,
        max_wait_seconds=settings.max_wait_seconds,
        connections=settings.max_requests_in_flight,
    )
    if settings.refresh_proxy_url and settings.auth_method == "refresh_token":
        proxy = settings.refresh_proxy_url
        ask = client.tokens.of_proxy(proxy, settings.refresh_proxy_url_auth or "")
    else:
        ask = client.tokens.of_pinterest(settings)
    client.authenticator = authenticator_for(settings, ask, clock)
    client.acts_for_the_app = settings.auth_method == "client_credentials"
    return client


def _account(ids: Mapping[str, str] | None, query: Query | None) -> str:
    """The ad account that a call names; empty for none."""
    name = "ad_account_id"
    return str((ids or {}).get(name) or (query or {}).get(name) or "")


class _Call(NamedTuple):
    """One call: its request without a token, what it counts for, and its parameters."""

    request: Request
    counts_for: str
    ad_account_id: str = ""
    asked: Mapping[str, Any] = MappingProxyType({})

    def __str__(self) -> str:
        """The call without its query."""
        return str(self.request)
