"""Who may ask: the app, its tokens, and how they are granted, refreshed and expire."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from pinterest_sandbox.refusals import (
    not_permitted,
    refresh_refused,
    refuse,
    scope_missing,
    unauthenticated,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinterest_sandbox.api import Operation
    from pinterest_sandbox.calendar import Calendar

Grant: TypeAlias = Literal["authorization_code", "refresh_token", "client_credentials"]
Rotation: TypeAlias = Literal["keep", "revoke"]
"""Whether a refresh token still works after it was used once."""

READ_SCOPES = (
    "ads:read",
    "billing:read",
    "biz_access:read",
    "boards:read",
    "boards:read_secret",
    "catalogs:read",
    "pins:read",
    "pins:read_secret",
    "user_accounts:read",
)
REDIRECT_URIS = ("http://localhost:8085/",)
ACCESS_SECONDS = 2_592_000
REFRESH_SECONDS = 5_184_000
CODE_SECONDS = 600
_OPTIONAL_FIELDS = {"continuous_refresh", "refresh_on"}
_FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "authorization_code": ({"code", "redirect_uri"}, set()),
    "refresh_token": ({"refresh_token"}, {"scope"}),
    "client_credentials": ({"scope"}, set()),
}


class Token(msgspec.Struct, frozen=True):
    """The rights behind a token."""

    scopes: tuple[str, ...]
    expires: int
    """Unix seconds."""
    grant: Grant
    redirect_uri: str | None = None
    """The address that a code was sent to; redeeming the code must name it again."""


class Tokens:
    """The app's credentials and every token that was given out for it."""

    def __init__(  # noqa: PLR0913  its knobs
        self,
        seed: int,
        calendar: Calendar,
        *,
        scopes: tuple[str, ...] = READ_SCOPES,
        redirect_uris: tuple[str, ...] = REDIRECT_URIS,
        rotation: Rotation = "keep",
        access_seconds: int = ACCESS_SECONDS,
        refresh_seconds: int = REFRESH_SECONDS,
    ) -> None:
        """Makes up the app, and a first pair of tokens for it."""
        self._secret = f"pinterest-sandbox {seed}".encode()
        self._calendar = calendar
        self._scopes = scopes
        self._redirect_uris = redirect_uris
        self._given_out = 0
        self.rotation = rotation
        self.access_seconds = access_seconds
        self.refresh_seconds = refresh_seconds
        self.client_id = str(1_480_000 + int(self._digest("client")[:4], 16))
        self.client_secret = self._digest("secret")[:40]
        self.proxy_authorization = f"Bearer {self._digest('proxy')[:40]}"
        self._access: dict[str, Token] = {}
        self._refresh: dict[str, Token] = {}
        self._codes: dict[str, Token] = {}
        self.access_token = self._give(self._access, "pina", scopes, "refresh_token")
        self.refresh_token = self._give(self._refresh, "pinr", scopes, "refresh_token")

    @property
    def credentials(self) -> dict[str, str]:
        """The values to configure a tap with."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
            "access_token": self.access_token,
        }

    @property
    def refresh_tokens(self) -> list[str]:
        """The refresh tokens that were not revoked; some of them may have expired."""
        return list(self._refresh)

    def authorize(self, header: str | None, operation: Operation) -> Token:
        """The token of a request, if it is good for this operation.

        Raises:
            Refusal: 401 for a token that is missing, unknown, expired or too narrow; 403 for the
                kind of token that the operation does not take.
        """
        scheme, _, text = (header or "").partition(" ")
        token = self._access.get(text.strip())
        if scheme.lower() != "bearer" or token is None or self._expired(token):
            raise unauthenticated()
        if token.grant == "client_credentials" and not operation.client_credentials:
            raise not_permitted()
        missing = [scope for scope in operation.scopes if scope not in token.scopes]
        if missing:
            raise scope_missing(missing)
        return token

    def asked_scopes(self, query: Mapping[str, str]) -> tuple[str, ...]:
        """The scopes that a link to the consent page asks for.

        Raises:
            Refusal: 400 when the link is not one of this app.
        """
        if query.get("client_id") != self.client_id:
            refuse("Unknown client_id.")
        if query.get("response_type") != "code":
            refuse("response_type must be 'code'.")
        if query.get("redirect_uri") not in self._redirect_uris:
            refuse("redirect_uri is not one of the app's, character by character.")
        return self._read_scopes(query.get("scope"), self._scopes)

    def consent(self, query: Mapping[str, str]) -> str:
        """Consent for the user to the scopes of a link, and return the code for the app.

        Raises:
            Refusal: 400 when the link is not one of this app.
        """
        scopes = self.asked_scopes(query)
        redirect_uri = query["redirect_uri"]
        return self._give(self._codes, "", scopes, "authorization_code", redirect_uri=redirect_uri)

    def grant(self, authorization: str | None, content_type: str, body: bytes) -> dict[str, object]:
        """Answers `POST /oauth/token`.

        Raises:
            Refusal: 401 for another client, 400 for a form or a token that is not good.
        """
        self._check_client(authorization)
        if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            refuse("The body must be application/x-www-form-urlencoded.")
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        grant = form.pop("grant_type", "")
        if grant not in _FIELDS:
            refuse(f"Unknown grant_type: {grant!r}.")
        required, optional = _FIELDS[grant]
        missing = sorted(name for name in required if not form.get(name))
        if missing:
            refuse(f"Missing required field: {missing[0]!r}.")
        unknown = sorted(form.keys() - required - optional - _OPTIONAL_FIELDS)
        if unknown:
            refuse(f"Unknown field: {unknown[0]!r}.")
        if grant == "client_credentials":
            scopes = self._read_scopes(form["scope"], self._scopes)
            return self._answer("client_credentials", scopes)
        if grant == "authorization_code":
            return self._redeem_code(form)
        return self._refresh_access(form)

    def refresh_for_another(self, authorization: str | None, body: bytes) -> dict[str, object]:
        """Answers a refresh proxy's caller, who knows a refresh token and not the app's secret.

        Raises:
            Refusal: 401 for another caller, 400 for a body or a token that is not good.
        """
        if not hmac.compare_digest(authorization or "", self.proxy_authorization):
            raise unauthenticated()
        try:
            form = msgspec.json.decode(body, type=dict[str, str])
        except msgspec.DecodeError:
            form = {}
        if form.keys() != {"grant_type", "refresh_token"} or form["grant_type"] != "refresh_token":
            refuse("The body must be JSON, with grant_type refresh_token and a refresh_token.")
        return self._refresh_access(form)

    def give_refresh_token(self) -> str:
        """One more refresh token for the app, as for one more user."""
        return self._give(self._refresh, "pinr", self._scopes, "refresh_token")

    def revoke(self, text: str) -> None:
        """Makes an access or refresh token unknown, as its owner may at any time."""
        self._access.pop(text, None)
        self._refresh.pop(text, None)

    def _redeem_code(self, form: Mapping[str, str]) -> dict[str, object]:
        code = self._codes.pop(form["code"], None)
        if code is None or self._expired(code):
            refuse("The authorization code is unknown, used or expired.")
        if code.redirect_uri != form["redirect_uri"]:
            refuse("The redirect_uri is not the one of the authorization.")
        return self._answer("authorization_code", code.scopes)

    def _refresh_access(self, form: Mapping[str, str]) -> dict[str, object]:
        old = self._refresh.get(form["refresh_token"])
        if old is None or self._expired(old):
            raise refresh_refused()
        scopes = self._read_scopes(form.get("scope"), old.scopes)
        if self.rotation == "revoke":
            del self._refresh[form["refresh_token"]]
        return self._answer("refresh_token", scopes, old.scopes)

    def _answer(
        self, grant: Grant, scopes: tuple[str, ...], granted: tuple[str, ...] | None = None
    ) -> dict[str, object]:
        answer: dict[str, object] = {
            "access_token": self._give(self._access, "pina", scopes, grant),
            "response_type": grant,
            "token_type": "bearer",
            "expires_in": self.access_seconds,
            "scope": " ".join(scopes),
        }
        if grant != "client_credentials":
            text = self._give(self._refresh, "pinr", granted or scopes, grant)
            answer["refresh_token"] = text
            answer["refresh_token_expires_in"] = self.refresh_seconds
            answer["refresh_token_expires_at"] = self._refresh[text].expires
        return answer

    def _check_client(self, authorization: str | None) -> None:
        scheme, _, encoded = (authorization or "").partition(" ")
        try:
            client = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            client = ""
        expected = f"{self.client_id}:{self.client_secret}"
        if scheme.lower() != "basic" or not hmac.compare_digest(client.encode(), expected.encode()):
            raise unauthenticated()

    def _read_scopes(self, text: str | None, granted: tuple[str, ...]) -> tuple[str, ...]:
        if text is None:
            return granted
        scopes = tuple(text.replace(",", " ").split())
        unknown = [scope for scope in scopes if scope not in granted]
        if unknown or not scopes:
            refuse(f"Scope not granted: {', '.join(unknown) or 'none was named'}.")
        return scopes

    def _give(
        self,
        book: dict[str, Token],
        prefix: str,
        scopes: tuple[str, ...],
        grant: Grant,
        *,
        redirect_uri: str | None = None,
    ) -> str:
        self._given_out += 1
        seconds = {"pina": self.access_seconds, "pinr": self.refresh_seconds}
        lives = seconds.get(prefix, CODE_SECONDS)
        text = f"{prefix}_" * bool(prefix) + self._digest(f"{prefix} {self._given_out}")
        book[text] = Token(scopes, self._calendar.timestamp() + lives, grant, redirect_uri)
        return text

    def _expired(self, token: Token) -> bool:
        return self._calendar.timestamp() >= token.expires

    def _digest(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
