"""Asks for access tokens: Pinterest itself, or a proxy that holds the app's secret."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from requests.auth import HTTPBasicAuth
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SkippableAPIError

from tap_pinterest.clock import Clock
from tap_pinterest.config import Settings
from tap_pinterest.http.auth import AskForToken
from tap_pinterest.http.errors import (
    AwayError,
    GrantRefusedError,
    QuotaError,
    StaleTokenError,
    TokenRefusedError,
    UnsignedRefusalError,
)
from tap_pinterest.http.patience import Patience
from tap_pinterest.http.redaction import Secrets
from tap_pinterest.http.refusals import content_of
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
            return self._granted("Pinterest", request, _TO_CHECK[fields["grant_type"]])

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
            return self._granted("The refresh proxy", request, to_check)

        return ask

    def _granted(self, who: str, request: Request, to_check: str) -> TokenAnswer:
        """The tokens that a service grants.

        Args:
            who: The service, in the words of a message.
            request: What it is asked.
            to_check: The settings to check if it refuses.

        Raises:
            GrantRefusedError: It refuses.
            TokenRefusedError: It gives no answer.
        """
        try:
            return self._answered(request)
        except (RetriableAPIError, QuotaError, AwayError) as error:
            msg = f"{who} gives no access token: {error}. Try again later."
            raise TokenRefusedError(msg) from None
        except (FatalAPIError, SkippableAPIError, StaleTokenError) as error:
            msg = f"{who} refuses the credentials: {error}. Check {to_check}."
            raise GrantRefusedError(msg) from None

    def _answered(self, request: Request) -> TokenAnswer:
        tries = self._patience.tries(request.path)
        while True:
            self._clock.check()
            try:
                answer = self._transport.exchange(request)
                granted = content_of(answer, decode_granted, str(request), self._secrets)
            except RetriableAPIError as error:
                self._patience.wait(tries, error)
            except StaleTokenError as error:
                if error.code is not None:
                    raise
                # A gateway may have sent it. To believe it might cost the newest refresh token.
                self._patience.wait(tries, UnsignedRefusalError(error))
            else:
                if request.path == TOKEN_PATH:
                    self._clock.hear(answer.headers.get("Date"))
                self._secrets.add(granted.access_token, granted.refresh_token)
                return granted
