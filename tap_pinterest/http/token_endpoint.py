"""Asks for access tokens: Pinterest itself, or a proxy that holds the app's secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from requests.auth import HTTPBasicAuth
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SkippableAPIError

from tap_pinterest.clock import Clock
from tap_pinterest.config import Settings
from tap_pinterest.http.answers import decoded
from tap_pinterest.http.auth import AskForToken
from tap_pinterest.http.errors import (
    AwayError,
    GrantRefusedError,
    QuotaError,
    StaleTokenError,
    TokenRefusedError,
)
from tap_pinterest.http.patience import Patience
from tap_pinterest.http.redaction import Secrets
from tap_pinterest.http.refusals import raise_for
from tap_pinterest.http.tokens import TokenAnswer, decode_granted
from tap_pinterest.http.transport import Request, Transport

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path

_OR_AGAIN = "; authorise the app again if the token was revoked or has ended"
_SIGN_IN = "run tap-pinterest-login if the token was revoked or has ended"
_TO_CHECK = {
    "refresh_token": f"client_id, client_secret and refresh_token; {_SIGN_IN}",
    "client_credentials": "client_id, client_secret and scopes",
    "authorization_code": "client_id and client_secret, and sign in again",
}


class _Question(NamedTuple):
    """A request for a token.

    Attributes:
        who: The service that answers, in the words of a message.
        to_check: The settings to check if it refuses.
    """

    who: str
    request: Request
    to_check: str


class TokenEndpoint:
    """Asks for tokens, with further tries if needed."""

    def __init__(
        self, transport: Transport, clock: Clock, patience: Patience, secrets: Secrets
    ) -> None:
        self._secrets = secrets
        self._transport = transport
        self._clock = clock
        self._patience = patience

    def of_pinterest(self, settings: Settings) -> AskForToken:
        """The function with which an authenticator asks Pinterest for tokens."""
        app = (settings.client_id or "", settings.client_secret or "")
        self._secrets.add_pair(*app)
        url = settings.api_url + TOKEN_PATH

        def ask(fields: Mapping[str, str]) -> TokenAnswer:
            request = Request("POST", TOKEN_PATH, url, fields, HTTPBasicAuth(*app))
            self._secrets.add(fields.get("refresh_token"), fields.get("code"))
            return self._ask(_Question("Pinterest", request, _TO_CHECK[fields["grant_type"]]))

        return ask

    def of_proxy(self, url: str, authorization: str) -> AskForToken:
        """The function with which an authenticator asks a proxy that holds the app's secret."""
        self._secrets.add(authorization, authorization.rpartition(" ")[2])

        def ask(fields: Mapping[str, str]) -> TokenAnswer:
            body = {name: fields[name] for name in ("grant_type", "refresh_token")}
            headers = {"Content-Type": "application/json", "Accept": "application/json"}
            if authorization:
                headers["Authorization"] = authorization
            content = msgspec.json.encode(body)
            request = Request("POST", "refresh_proxy_url", url, content, headers=headers)
            self._secrets.add(body["refresh_token"])
            to_check = f"oauth_credentials{_OR_AGAIN}"
            return self._ask(_Question("The refresh proxy", request, to_check))

        return ask

    def _ask(self, question: _Question) -> TokenAnswer:
        """The tokens that the service grants.

        Raises:
            TokenRefusedError: It grants none.
        """
        try:
            return self._granted(question)
        except (RetriableAPIError, QuotaError, AwayError) as error:
            msg = f"{question.who} gives no access token: {error}. Try again later."
            raise TokenRefusedError(msg) from None
        except (FatalAPIError, SkippableAPIError, StaleTokenError) as error:
            msg = f"{question.who} refuses the credentials: {error}. Check {question.to_check}."
            raise GrantRefusedError(msg) from None

    def _granted(self, question: _Question) -> TokenAnswer:
        request, what = question.request, str(question.request)
        tries = self._patience.tries(request.path)
        while True:
            self._clock.check()
            try:
                answer = self._transport.exchange(request)
                raise_for(answer, what, self._secrets)
                granted = decoded(decode_granted, answer.body, what)
            except RetriableAPIError as error:
                self._patience.wait(tries, error)
            else:
                self._secrets.add(granted.access_token, granted.refresh_token)
                return granted
