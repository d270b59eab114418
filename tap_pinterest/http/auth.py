"""Access tokens: where they come from and when they are renewed."""

from __future__ import annotations

import logging
import math
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext

from typing_extensions import override

from tap_pinterest.clock import Clock
from tap_pinterest.config import Settings
from tap_pinterest.http.errors import GrantRefusedError, TokenRefusedError
from tap_pinterest.http.token_file import TokenFile
from tap_pinterest.http.tokens import StoredTokens, TokenAnswer, digest

LEEWAY_SECONDS = 60
FINISH_SECONDS = 10
WARN_DAYS = (1, 7, 14)

_DAY = 86_400
_logger = logging.getLogger("tap-pinterest.auth")

Visibility = list[str] | str
"""How much a token sees in lists: its scopes for secret things, such as secret boards.

If Pinterest has not named the scopes, it is a short hash of the credentials behind the token.
"""
AskForToken = Callable[[Mapping[str, str]], TokenAnswer]
"""Sends the form fields to the token endpoint and returns its answer."""


class AccessToken:
    """The access token that calls carry; here one from the config, which nobody renews."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    def token(self) -> str:
        """A token that is good for at least the next `LEEWAY_SECONDS`."""
        return self._access_token

    def refuse(self, token: str) -> bool:  # noqa: ARG002 - see RenewedToken
        """Note that Pinterest refused a token; return whether another try makes sense."""
        return False

    def scopes(self) -> frozenset[str] | None:
        """The scopes of the token; `None` unless Pinterest has named them in a grant."""
        return None

    def visibility(self) -> Visibility:
        """How much the current token sees in lists, found without a call."""
        return _short(self._access_token)

    def finish(self) -> None:
        """Wait a little for another thread's renewal, so that its tokens are kept."""


class RenewedToken(AccessToken):
    """An access token that is fetched when needed, by one thread for all."""

    def __init__(self, ask: AskForToken, fields: Mapping[str, str], clock: Clock) -> None:
        super().__init__("")
        self._ask = ask
        self._fields = fields
        self._clock = clock
        self._lock = threading.Lock()
        self._expires_at = 0.0
        self._scope = ""

    @override
    def token(self) -> str:
        """The current token, renewed first if it is about to expire.

        Raises:
            TokenRefusedError: Pinterest refuses the credentials.
        """
        with self._lock:
            if not self._is_good():
                self._renew()
            return self._access_token

    @override
    def refuse(self, token: str) -> bool:
        # Another thread may have replaced it already.
        with self._lock:
            if token == self._access_token:
                self._access_token = ""
        return True

    @override
    def scopes(self) -> frozenset[str] | None:
        self.token()
        return self._named_scopes() or None

    @override
    def visibility(self) -> Visibility:
        if named := self._named_scopes():
            return sorted(each for each in named if each.endswith("_secret"))
        return _short(self._origin())

    def _named_scopes(self) -> frozenset[str]:
        return frozenset(re.findall(r"[^\s,]+", self._scope))

    def _origin(self) -> str:
        """A text that stays the same while renewals give the same scopes."""
        return self._fields.get("scope", "")

    @override
    def finish(self) -> None:
        if self._lock.acquire(timeout=FINISH_SECONDS):
            self._lock.release()

    def _is_good(self) -> bool:
        return bool(self._access_token) and self._clock.now() < self._expires_at - LEEWAY_SECONDS

    def _renew(self) -> None:
        self._accept(self._ask(self._fields))

    def _accept(self, answer: TokenAnswer) -> None:
        self._access_token = answer.access_token
        self._expires_at = self._clock.now() + answer.expires_in
        self._scope = answer.scope or ""


class RefreshToken(RenewedToken):
    """An access token renewed with a refresh token, which Pinterest replaces each time.

    The newest refresh token is kept in a file between runs: sooner or later the one in the
    config stops working.
    """

    def __init__(
        self,
        ask: AskForToken,
        refresh_token: str | None,
        clock: Clock,
        file: TokenFile | None,
        access_token: str = "",
    ) -> None:
        """An authenticator that starts from the config's refresh token, or the file's.

        Args:
            ask: Calls the token endpoint.
            refresh_token: The refresh token of the config, if there is one.
            clock: Where the time comes from.
            file: The file that keeps the newest tokens.
            access_token: An access token to use until Pinterest refuses it.
        """
        super().__init__(ask, {}, clock)
        self._access_token = self._known = access_token
        self._expires_at = math.inf
        self._given = StoredTokens.configured_as(refresh_token)
        self._tokens = self._given
        self._file = file
        self._refused = ""
        self._has_warned_of_place = False

    @override
    def refuse(self, token: str) -> bool:
        self._refused = token
        return super().refuse(token)

    @override
    def _origin(self) -> str:
        # Renewals keep the scopes of the configured refresh token, and no others are configured.
        is_given = self._known and self._access_token == self._known
        return (not is_given and self._given.refresh_token) or self._access_token

    @override
    def _renew(self) -> None:
        with self._file.lock() if self._file else nullcontext():
            self._load()
            if self._is_good() and self._access_token != self._refused:
                return
            answer = self._granted()
            self._accept(answer)
            self._keep(answer)

    def _granted(self) -> TokenAnswer:
        """A new access token; if the stored refresh token fails, with the configured one."""
        try:
            return self._ask_with(self._tokens.refresh_token)
        except GrantRefusedError as error:
            if self._given.refresh_token in {"", self._tokens.refresh_token}:
                raise
            _logger.warning(
                "The stored refresh token is refused, so the configured one is tried: %s", error
            )
        self._tokens = self._given
        return self._ask_with(self._given.refresh_token)

    def _ask_with(self, refresh_token: str) -> TokenAnswer:
        if not refresh_token:
            msg = "There is no refresh token any more. Sign in with tap-pinterest-login."
            raise TokenRefusedError(msg)
        return self._ask(
            {
                "grant_type": "refresh_token",
                "refresh_token": refresh_token,
                "continuous_refresh": "true",
            }
        )

    def _load(self) -> None:
        """Use the tokens that another run has stored, unless the config has another token now."""
        stored = self._file.read() if self._file else None
        given = self._given
        if stored and (stored.configured == given.configured or not given.refresh_token):
            self._tokens = stored
            self._access_token, self._expires_at = stored.access_token, stored.expires_at
            self._scope = stored.scope

    def _keep(self, answer: TokenAnswer) -> None:
        rotated = answer.refresh_token not in {None, self._tokens.refresh_token}
        self._tokens = StoredTokens.of(answer, self._tokens, self._clock.now())
        self._warn_of_expiry()
        if self._file:
            if self._file.write(self._tokens) and rotated:
                self._warn_of_place(self._file)
        elif rotated:
            _logger.warning(
                "Pinterest replaced the refresh token, and token_file is switched off: the new "
                "one is lost at the end of this run. Set token_file, so that access lasts."
            )

    def _warn_of_place(self, file: TokenFile) -> None:
        if not self._has_warned_of_place and file.is_short_lived:
            self._has_warned_of_place = True
            _logger.warning(
                "token_file %s is gone when this container or machine ends, and with it the "
                "refresh token that Pinterest has just replaced. Set token_file to a place that "
                "is kept, such as a volume.",
                file.path,
            )

    def _warn_of_expiry(self) -> None:
        if not self._tokens.refresh_token_expires_at:
            return
        left = self._tokens.refresh_token_expires_at - self._clock.now()
        if any(left <= days * _DAY for days in WARN_DAYS):
            _logger.warning(
                "The refresh token ends in %.1f days. Before that, sign in: tap-pinterest-login.",
                max(left / _DAY, 0),
            )


def _short(text: str) -> str:
    return digest(text)[:8]


def redeem(ask: AskForToken, code: str, redirect_uri: str) -> TokenAnswer:
    """Exchange the code of a consent for tokens; a code works once.

    Raises:
        TokenRefusedError: Pinterest refuses the code or the app's credentials.
    """
    # An app from before 2025-09-25 gets a renewable refresh token only with continuous_refresh.
    return ask(
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "continuous_refresh": "true",
        }
    )


def keep(settings: Settings, answer: TokenAnswer, clock: Clock) -> None:
    """Store new tokens in the file that a run with these settings reads.

    Raises:
        TokenRefusedError: A run uses the file.
        OSError: The file cannot be written.
    """
    if settings.token_path is None:
        return
    file = TokenFile(settings.token_path)
    before = StoredTokens.configured_as(settings.refresh_token)
    with file.lock():
        file.replace(StoredTokens.of(answer, before, clock.now()))


def authenticator_for(settings: Settings, ask: AskForToken, clock: Clock) -> AccessToken:
    """The authenticator that the settings name."""
    match settings.auth_method:
        case "access_token":
            return AccessToken(settings.access_token or "")
        case "client_credentials":
            fields = {"grant_type": "client_credentials", "scope": ",".join(settings.scopes)}
            return RenewedToken(ask, fields, clock)
        case _:
            file = TokenFile(settings.token_path) if settings.token_path else None
            known = settings.access_token if settings.refresh_proxy_url else None
            return RefreshToken(ask, settings.refresh_token, clock, file, known or "")
