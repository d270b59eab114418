"""One call to Pinterest: its URL, the throttle, what an answer means, and when to try again."""

from __future__ import annotations

import io
import itertools
import logging
import re
import ssl
import time
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar
from urllib.parse import quote, urlsplit

import backoff
import msgspec
import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SkippableAPIError
from typing_extensions import override
from urllib3.exceptions import HTTPError, ReadTimeoutError

from tap_pinterest import api
from tap_pinterest.http.answers import UnreadableAnswerError, decoder
from tap_pinterest.http.auth import TokenAnswer, TokenRefusedError, authenticator_for
from tap_pinterest.http.rate_limit import MINUTE, QuotaError, reset_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from tap_pinterest.api import Operation
    from tap_pinterest.clock import Clock
    from tap_pinterest.config import Settings
    from tap_pinterest.http.auth import AskForToken, Authenticator
    from tap_pinterest.http.rate_limit import RateLimiter

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
ATTEMPTS = 7
"""Of one call: with the waits between them they last for about half a minute without answers."""
LONGEST_BACKOFF = 60
MOST_GIVEN_UP = 20
"""Calls in a row that all attempts were in vain for: then nobody is there to answer others.

If all are of one operation, it may be that alone, and no further call of it is tried again."""
MAX_BODY_BYTES = 512 * 1024 * 1024
MAX_ERROR_CHARACTERS = 500

Query = Mapping[str, Any]

_T = TypeVar("_T")

_logger = logging.getLogger("tap-pinterest.client")
# At DEBUG it tells each URL with its query, and some of those let in whoever has them.
logging.getLogger("urllib3").setLevel(logging.INFO)
_PIECE_BYTES = 256 * 1024
_RETRY_AFTER = re.compile(r"retry after (\d+) seconds?", re.IGNORECASE)

_OR_AGAIN = "; authorise the app again if the token was revoked or has ended"
_TO_CHECK = {
    "refresh_token": f"client_id, client_secret and refresh_token{_OR_AGAIN}: tap-pinterest-login",
    "client_credentials": "client_id, client_secret and scopes",
    "authorization_code": "client_id and client_secret, and sign in again",
}
_ACCESS_CODES = frozenset({3, 7, 29})
_NOT_AUTHENTICATED = 2
_INVALID, _UNAUTHORISED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 400, 401, 403, 404, 429
_GONE = 410
_CONFLICT, _NO_CATALOG = 409, 4182
_REPORT_EXPIRED = 1104
_NOT_OFFERED = 501
_TOO_LARGE = frozenset({413, 414})
_SERVER_ERRORS = frozenset({408, 425, 500, 502, 503, 504})


class AccessRefusedError(SkippableAPIError):
    """The token may not read this: a scope, a role or access is missing."""


class GoneError(SkippableAPIError):
    """What the call asks for is not there (any more)."""


class NoCatalogError(SkippableAPIError):
    """The user has no catalog: there is nothing to read."""


class NotOfferedError(SkippableAPIError):
    """Pinterest does not offer this for what the call names."""


class DaysError(NotOfferedError):
    """Days that the settings ask for, and that Pinterest has no such report of."""


class InvalidRequestError(FatalAPIError):
    """Pinterest does not take the request as it is."""


class TooLargeError(FatalAPIError):
    """The call asks for too much at once: a smaller one may do."""


class LinkExpiredError(FatalAPIError):
    """A link to a download is no longer good: a new one has to be asked for."""


class ReportExpiredError(FatalAPIError):
    """A report is not known any more: a new one has to be created."""


class AwayError(FatalAPIError):
    """Nothing has been answered for so long that nothing more can be read in this run."""


class WaitError(RetriableAPIError):
    """The service asks to come back later.

    Attributes:
        seconds: How long it asks to wait.
    """

    def __init__(self, message: str, seconds: float) -> None:
        """An error with the wait that the service asked for."""
        super().__init__(message)
        self.seconds = seconds


class SlowAnswerError(RetriableAPIError):
    """No answer within `request_timeout`."""


class PinterestClient:
    """Calls operations of the API; shared by all streams and threads of a run.

    One connection pool, one rate limiter and one authenticator serve every call. The throttle is
    inside the retry: an attempt that goes out again needs a permit again.
    """

    def __init__(  # noqa: PLR0913 - what one run shares, named one by one
        self,
        *,
        api_url: str,
        limiter: RateLimiter,
        clock: Clock,
        timeout: float,
        max_wait_seconds: float,
        connections: int,
    ) -> None:
        """A client that has called nothing yet; give it an `authenticator` before `get`."""
        self._url = api_url
        self._limiter = limiter
        self._clock = clock
        self._timeout = timeout
        self._max_wait = max_wait_seconds
        self._session = _Session()
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self.authenticator: Authenticator | None = None
        self.acts_for_the_app = False
        """Whether tokens come by client_credentials, which not every operation accepts."""
        # Downloads go elsewhere, and with nothing of ours: no token, no cookie.
        self._downloads = _Session()
        self.calls: dict[str, int] = {}
        """Calls by stream, or by path where they are of no one stream."""
        self.retries: dict[str, int] = {}
        self.waited: dict[str, float] = {}
        self._given_up: list[str] = []
        """What the calls since the last answer count for, of those that were in vain."""

    def get(  # noqa: PLR0913 - one call has these parts
        self,
        path: str,
        decode: Callable[[bytes], _T],
        *,
        ids: Mapping[str, str] | None = None,
        query: Query | None = None,
        split_instead: bool = False,
        stream: str | None = None,
    ) -> _T:
        """Call `GET path` and return what its good answer holds.

        Args:
            path: A path of the description, with its placeholders.
            decode: Reads the body; see `decoder`. A body that it refuses is asked for again.
            ids: Values of the placeholders.
            query: Query parameters; each list is written in the style its parameter has.
            split_instead: Report a slow answer at once, because the caller can ask for less.
            stream: The stream that the call counts for, where its path does not tell.

        Raises:
            AccessRefusedError: The token may not read this.
            GoneError: It is not there.
            TooLargeError: It asks for too much at once.
            TokenRefusedError: The credentials are not accepted.
            FatalAPIError: The request is refused for another reason.
            RetriableAPIError: The service stayed away for all attempts.
            AwayError: It does so for every call.
        """
        url = self.url(path, ids=ids, query=query)
        call = _Call("GET", path, url, stream or path)
        return self._call(call, decode, split_instead=split_instead)

    def post(  # noqa: PLR0913 - one call has these parts
        self,
        path: str,
        decode: Callable[[bytes], _T],
        body: Mapping[str, Any] | None = None,
        *,
        ids: Mapping[str, str] | None = None,
        query: Query | None = None,
        stream: str | None = None,
    ) -> _T:
        """Call `POST path`, with a body of JSON, and return what its good answer holds.

        What it creates may be created twice, when an answer is lost on its way.

        Raises:
            Exception: As `get`.
        """
        url = self.url(path, ids=ids, query=query, method="POST")
        content = None if body is None else msgspec.json.encode(body)
        return self._call(_Call("POST", path, url, stream or path, content), decode)

    def may_ask(self, operation: Operation) -> bool:
        """Whether Pinterest offers an operation to the kind of token that the client has."""
        return operation.client_credentials or not self.acts_for_the_app

    def _call(
        self, call: _Call, decode: Callable[[bytes], _T], *, split_instead: bool = False
    ) -> _T:
        """Make a call, again and again if need be, until it is answered or refused."""
        operation = api.operation(f"{call.method} {call.path}")
        if not self.may_ask(operation):
            msg = f"{call}: Pinterest does not offer it with auth_method client_credentials"
            raise AccessRefusedError(msg)
        refused = 0
        tries = self._tries(call.counts_for)
        while True:
            token = self._token()
            try:
                result = self._send(call, operation.category, token, decode)
            except _StaleTokenError as error:
                refused += 1
                self._renew_or_raise(token, refused, error)
            except RetriableAPIError as error:
                if split_instead and isinstance(error, SlowAnswerError):
                    raise
                self._wait(call.counts_for, tries, error)
            else:
                self._given_up.clear()
                return result

    def download(self, url: str, file: IO[bytes], what: str) -> None:
        """Write what a link of Pinterest's leads to into a file.

        The link is a secret and belongs to another host: it is told to nobody, and gets no token.

        Raises:
            LinkExpiredError: The link is no longer good.
            TooLargeError: There is more than `MAX_BODY_BYTES`.
            FatalAPIError: It is refused for another reason, or is no link to follow.
            RetriableAPIError: The host stayed away for all attempts.
        """
        _check_link(url, self._url, what)
        tries = self._tries(what)
        while True:
            self._clock.check()
            file.seek(0)
            file.truncate()
            try:
                self._write_to(url, file, what)
            except RetriableAPIError as error:
                self._wait(what, tries, error)
            else:
                return

    def _write_to(self, url: str, file: IO[bytes], what: str) -> None:
        deadline = time.monotonic() + self._timeout
        try:
            response = self._downloads.get(
                url, auth=_no_auth, timeout=self._timeout, allow_redirects=False, stream=True
            )
            with response:
                if response.status_code != requests.codes.ok:
                    _raise_for_download(response.status_code, what)
                _copy(response, file, deadline, what)
        except (requests.Timeout, ReadTimeoutError):
            msg = f"{what}: not downloaded within request_timeout ({self._timeout:.0f} s)"
            raise SlowAnswerError(msg) from None
        except (requests.RequestException, HTTPError) as error:
            msg = f"{what}: the connection failed ({_cause(error)})"
            raise RetriableAPIError(msg) from None

    def url(
        self,
        path: str,
        *,
        ids: Mapping[str, str] | None = None,
        query: Query | None = None,
        method: str = "GET",
    ) -> str:
        """The URL of a call: lists repeat their key or are joined by commas, as each parameter."""
        filled = path.format(**{name: quote(value, safe="") for name, value in (ids or {}).items()})
        parameters = api.operation(f"{method} {path}").parameters
        pairs = [
            f"{name}={text}"
            for parameter, given in (query or {}).items()
            for name, value in _members(parameter, given)
            for text in _texts(
                value,
                # An operation may have pages though it is not described with them.
                explode=parameter != "bookmark" and parameters[parameter].explode,
            )
        ]
        return f"{self._url}{filled}{'?' if pairs else ''}{'&'.join(pairs)}"

    def token_endpoint(self, client_id: str, client_secret: str) -> AskForToken:
        """The function that an authenticator asks Pinterest for tokens with."""
        basic = HTTPBasicAuth(client_id, client_secret)

        def ask(fields: Mapping[str, str]) -> TokenAnswer:
            return self._ask_for_token(
                _TokenRequest(
                    who="Pinterest",
                    path=TOKEN_PATH,
                    url=self._url + TOKEN_PATH,
                    data=fields,
                    auth=basic,
                    secrets=(
                        fields.get("refresh_token", ""),
                        fields.get("code", ""),
                        client_secret,
                    ),
                    to_check=_TO_CHECK[fields["grant_type"]],
                )
            )

        return ask

    def refresh_proxy(self, url: str, authorization: str) -> AskForToken:
        """The function that asks for tokens where somebody else holds the app's secret."""

        def ask(fields: Mapping[str, str]) -> TokenAnswer:
            body = {name: fields[name] for name in ("grant_type", "refresh_token")}
            headers = {"Content-Type": "application/json", "Accept": "application/json"}
            if authorization:
                headers["Authorization"] = authorization
            _, _, secret = authorization.rpartition(" ")
            return self._ask_for_token(
                _TokenRequest(
                    who="The refresh proxy",
                    path="refresh_proxy_url",
                    url=url,
                    data=msgspec.json.encode(body),
                    headers=headers,
                    secrets=(body["refresh_token"], authorization, secret),
                    to_check=f"oauth_credentials{_OR_AGAIN}",
                )
            )

        return ask

    def _ask_for_token(self, request: _TokenRequest) -> TokenAnswer:
        """One grant.

        Raises:
            TokenRefusedError: There is no token to be had: the run cannot go on.
        """
        tries = self._tries(request.path)
        try:
            while True:
                self._clock.check()
                try:
                    answer = self._exchange(
                        "POST",
                        request.path,
                        request.url,
                        data=request.data,
                        auth=request.auth,
                        headers=request.headers,
                    )
                    what = f"POST {request.path}"
                    _raise_for(answer, what, request.secrets)
                    return _decoded(_decode_token, answer, what)
                except RetriableAPIError as error:
                    self._wait(request.path, tries, error)
        except (RetriableAPIError, QuotaError, AwayError) as error:
            msg = f"{request.who} gives no access token: {error}. Try again later."
            raise TokenRefusedError(msg) from None
        except (FatalAPIError, SkippableAPIError, _StaleTokenError) as error:
            msg = f"{request.who} refuses the credentials: {error}. Check {request.to_check}."
            raise TokenRefusedError(msg) from None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._downloads.close()

    def _token(self) -> str:
        if self.authenticator is None:
            msg = "no authenticator"
            raise TokenRefusedError(msg)
        return self.authenticator.token()

    def _renew_or_raise(self, token: str, refused: int, error: _StaleTokenError) -> None:
        again = self.authenticator is not None and self.authenticator.refuse(token)
        if refused > 1 or not again:
            if error.code not in {None, _NOT_AUTHENTICATED}:
                # A reason that is not the token's, nor known: other calls may be answered.
                raise FatalAPIError(str(error))
            msg = (
                f"Pinterest refuses the access token: {error}. Give a new access_token, or "
                "client_id, client_secret and refresh_token, with which it is renewed."
            )
            raise TokenRefusedError(msg)

    def _send(self, call: _Call, category: str, token: str, decode: Callable[[bytes], _T]) -> _T:
        headers = {"Authorization": f"Bearer {token}"}
        if call.content is not None:
            headers["Content-Type"] = "application/json"
        asked = self._clock.monotonic()
        with self._limiter.call(category, str(call), call.url) as told:
            self._clock.check()
            self._note_wait(call.counts_for, self._clock.monotonic() - asked)
            self.calls[call.counts_for] = self.calls.get(call.counts_for, 0) + 1
            answer = self._exchange(
                call.method, call.path, call.url, data=call.content, headers=headers
            )
            told.headers, told.refused = answer.headers, answer.status == _TOO_MANY
        _raise_for(answer, str(call), (token,))
        return _decoded(decode, answer, str(call))

    def _exchange(  # noqa: PLR0913 - one HTTP exchange has these parts
        self,
        method: str,
        path: str,
        url: str,
        *,
        data: Mapping[str, str] | bytes | None = None,
        auth: HTTPBasicAuth | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> _Answer:
        """One attempt: the answer, good or not, if one came whole and in time."""
        what = f"{method} {path}"
        # Real seconds: an answer that drips byte by byte never lets the socket time out.
        deadline = time.monotonic() + self._timeout
        try:
            response = self._session.request(
                method,
                url,
                data=data,
                auth=auth or _no_auth,
                headers=headers,
                timeout=self._timeout,
                # A redirect would carry the token to wherever it points.
                allow_redirects=False,
                stream=True,
            )
            with response:
                body = _body(response, deadline, what)
        except (requests.Timeout, ReadTimeoutError):
            msg = f"{what}: no answer within request_timeout ({self._timeout:.0f} s)"
            raise SlowAnswerError(msg) from None
        except (OSError, HTTPError) as error:
            # requests raises a plain OSError for a bundle of certificates that is not there.
            msg = f"{what}: the connection failed ({_cause(error)})"
            raise RetriableAPIError(msg) from None
        answer = _Answer(response.status_code, response.reason or "", response.headers, body)
        if url.startswith(self._url):
            self._clock.hear(answer.headers.get("Date"))
        return answer

    def _note_wait(self, path: str, seconds: float) -> None:
        self.waited[path] = self.waited.get(path, 0.0) + seconds

    def _tries(self, path: str) -> _Tries:
        self.retries.setdefault(path, 0)
        return _Tries(self._max_wait)

    def _wait(self, path: str, tries: _Tries, error: RetriableAPIError) -> None:
        """Wait as the service asks, or else longer each time.

        Raises:
            RetriableAPIError: There is no more try: the same error.
            QuotaError: The service asks for more patience than `max_wait_seconds` allows.
            AwayError: There is no more try for this call, nor was for those before it.
        """
        try:
            if self._given_up.count(path) >= MOST_GIVEN_UP:
                raise error
            wait = tries.seconds_after(error)
        except RetriableAPIError:
            self._given_up.append(path)
            if (calls := len(self._given_up)) >= MOST_GIVEN_UP and len({*self._given_up}) > 1:
                msg = f"Pinterest has not answered {calls} calls in a row; the last: {error}"
                raise AwayError(msg) from None
            raise
        self.retries[path] += 1
        self._note_wait(path, wait)
        _logger.info("%s; trying again in %.0f s", error, wait)
        self._clock.sleep(wait)


def client_for(
    settings: Settings,
    limiter: RateLimiter,
    clock: Clock,
    kind: type[PinterestClient] = PinterestClient,
) -> PinterestClient:
    """A client that calls as the settings say, with the authenticator that they name."""
    client = kind(
        api_url=settings.api_url,
        limiter=limiter,
        clock=clock,
        timeout=settings.request_timeout,
        max_wait_seconds=settings.max_wait_seconds,
        connections=settings.max_requests_in_flight,
    )
    if settings.refresh_proxy_url and settings.auth_method == "refresh_token":
        ask = client.refresh_proxy(
            settings.refresh_proxy_url, settings.refresh_proxy_url_auth or ""
        )
    else:
        ask = client.token_endpoint(settings.client_id or "", settings.client_secret or "")
    client.authenticator = authenticator_for(settings, ask, clock)
    client.acts_for_the_app = settings.auth_method == "client_credentials"
    return client


class _Session(requests.Session):
    """Follows no redirect, nor reads one's body: it would carry the token to wherever it points."""

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Tries:
    """How often one call is tried again, and how long it may wait for quota."""

    def __init__(self, max_wait: float) -> None:
        waits = backoff.expo(base=2, factor=1, max_value=LONGEST_BACKOFF)
        next(waits)
        self._waits = itertools.islice(waits, ATTEMPTS - 1)
        self._max_wait = max_wait
        self._asked = 0.0

    def seconds_after(self, error: RetriableAPIError) -> float:
        """Seconds to wait before the next try: those asked for, or else more each time."""
        if isinstance(error, WaitError) and error.seconds:
            # At least a second each, so that an end comes also of very many short ones.
            self._asked += max(error.seconds, 1.0)
            if self._asked > self._max_wait:
                msg = f"{error}: longer than max_wait_seconds ({self._max_wait:.0f}) allows"
                raise QuotaError(msg)
            return error.seconds
        longest = next(self._waits, None)
        if isinstance(error, SlowAnswerError):
            # It has waited long enough to count twice.
            longest = next(self._waits, None)
        if longest is None:
            raise error
        return float(backoff.full_jitter(longest))


class _Call(NamedTuple):
    """One call: where to, what it counts for, and its body if it has one."""

    method: str
    path: str
    url: str
    counts_for: str
    content: bytes | None = None

    def __str__(self) -> str:
        """The call without what it asks for."""
        return f"{self.method} {self.path}"


class _Answer(NamedTuple):
    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


class _TokenRequest(NamedTuple):
    """How a token is asked for.

    Attributes:
        who: Who is asked.
        path: How errors name the place.
        url: The place.
        data: Form fields, or a body.
        secrets: What no error may repeat.
        to_check: Settings that a refusal is about.
        auth: Credentials of the app.
        headers: Headers beside the usual ones.
    """

    who: str
    path: str
    url: str
    data: Mapping[str, str] | bytes
    secrets: Collection[str]
    to_check: str
    auth: HTTPBasicAuth | None = None
    headers: Mapping[str, str] | None = None


class _StaleTokenError(Exception):
    """The access token is not accepted any more.

    Attributes:
        code: Pinterest's number of the reason, if it gives one.
    """

    def __init__(self, message: str, code: int | None) -> None:
        """An error with the number of its reason."""
        super().__init__(message)
        self.code = code


_decode_token = decoder(TokenAnswer)


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from taking credentials out of a netrc file."""
    return request


def _members(name: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """A parameter and its value; of an object each member, as `name[member]`."""
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, member in value.items():
        yield from _members(f"{name}%5B{key}%5D", member)


def _texts(value: str | float | Sequence[str], *, explode: bool) -> list[str]:
    match value:
        case bool():
            return [str(value).lower()]
        case str() | int() | float():
            return [quote(str(value), safe=":")]
    texts = [quote(item, safe=":") for item in value]
    return texts if explode else [",".join(texts)]


def _body(response: requests.Response, deadline: float, what: str) -> bytes:
    """The whole body, decompressed.

    Raises:
        requests.Timeout: It has not come by the deadline.
        TooLargeError: It is larger than any answer that a caller would know what to do with.
    """
    # Not `response.content`, which has no bound and holds a large body twice while it joins it.
    body = io.BytesIO()
    _copy(response, body, deadline, what)
    return body.getvalue()


def _copy(response: requests.Response, file: IO[bytes], deadline: float, what: str) -> None:
    """Write the whole body into a file, decompressed."""
    while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
        file.write(piece)
        if file.tell() > MAX_BODY_BYTES:
            msg = f"{what}: the answer is larger than {MAX_BODY_BYTES:,} bytes"
            raise TooLargeError(msg)
        if time.monotonic() > deadline:
            raise requests.Timeout


def _check_link(url: str, api_url: str, what: str) -> None:
    """Follow no link but to a host on the internet, unless Pinterest itself is on this machine.

    Raises:
        FatalAPIError: It is none.
    """
    local = urlsplit(api_url).scheme == "http"
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if not parts.hostname or (parts.scheme != "https" and not (local and parts.scheme == "http")):
        msg = f"{what}: the link that Pinterest gives is not one to an https address"
        raise FatalAPIError(msg)


def _raise_for_download(status: int, what: str) -> NoReturn:
    told = f"{what}: the download is answered with {status}"
    if status in {_FORBIDDEN, _NOT_FOUND, _GONE}:
        raise LinkExpiredError(told)
    if status in {*_SERVER_ERRORS, _TOO_MANY} or status >= 500:  # noqa: PLR2004 - as below
        raise RetriableAPIError(told)
    raise FatalAPIError(told)


def _cause(error: BaseException) -> str:
    """What lies at the bottom of a failed connection, in words that hold no URL."""
    while isinstance(deeper := _deeper(error), BaseException):
        error = deeper
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{type(error).__name__}: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    # A plain one is of a proxy that refuses, or of what requests looks for on this machine.
    return str(error) if type(error) is OSError else type(error).__name__


def _deeper(error: BaseException) -> object:
    """The error that this one is about."""
    inside = [each for each in error.args if isinstance(each, BaseException)]
    return getattr(error, "reason", None) or next(iter(inside), None) or error.__cause__


def _decoded(decode: Callable[[bytes], _T], answer: _Answer, what: str) -> _T:
    """What a body holds.

    Raises:
        UnreadableAnswerError: It is not what the API describes; `what` was asked for.
    """
    try:
        return decode(answer.body)
    except UnreadableAnswerError as error:
        msg = f"{what}: {error}"
        raise UnreadableAnswerError(msg) from None


def _raise_for(answer: _Answer, what: str, secrets: Collection[str]) -> None:
    """Nothing for a good answer; else the error that says what to do next."""
    status = answer.status
    if status == requests.codes.ok:
        return
    code, message = _error_body(answer)
    rid = answer.headers.get("x-pinterest-rid")
    told = f"{what}: {status}{f' (code {code})' if code is not None else ''} "
    told += fit_to_be_told(message, secrets)
    told = told.rstrip() + (f" [request {fit_to_be_told(rid, secrets)}]" if rid else "")
    if status in _TOO_LARGE:
        raise TooLargeError(told)
    if status == _TOO_MANY:
        reset = reset_seconds(answer.headers)
        raise WaitError(told, MINUTE if reset is None else reset)
    if match := _RETRY_AFTER.search(message):
        raise WaitError(told, float(match[1]))
    if status == _NOT_OFFERED:
        raise NotOfferedError(told)
    if status in _SERVER_ERRORS or status >= 500:  # noqa: PLR2004 - the class of server errors
        raise RetriableAPIError(told)
    _raise_for_refusal(status, code, told)


def fit_to_be_told(text: str, secrets: Collection[str] = ()) -> str:
    """A text of the service as part of one line, without what it should not have repeated."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return "".join(each if each.isprintable() else " " for each in text)[:MAX_ERROR_CHARACTERS]


def _raise_for_refusal(status: int, code: int | None, told: str) -> NoReturn:
    if status == _UNAUTHORISED and code not in _ACCESS_CODES:
        raise _StaleTokenError(told, code)
    if status in {_UNAUTHORISED, _FORBIDDEN}:
        raise AccessRefusedError(told)
    if status == _NOT_FOUND:
        raise GoneError(told)
    if status == _CONFLICT:
        raise NoCatalogError(told) if code == _NO_CATALOG else NotOfferedError(told)
    if code == _REPORT_EXPIRED:
        raise ReportExpiredError(told)
    if status == _INVALID:
        raise InvalidRequestError(told)
    raise FatalAPIError(told)


def _error_body(answer: _Answer) -> tuple[int | None, str]:
    """Pinterest's own number and text for an error, if the body has them."""
    try:
        body = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, answer.reason
    if not isinstance(body, dict):
        return None, ""
    code, message = body.get("code"), body.get("message")
    return (code if isinstance(code, int) else None, str(message or ""))
