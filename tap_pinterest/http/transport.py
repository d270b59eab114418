"""Requests over the network: one pool of connections, bounded bodies, deadlines."""

from __future__ import annotations

import io
import logging
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import IO, TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from singer_sdk.exceptions import RetriableAPIError
from typing_extensions import override
from urllib3.exceptions import HTTPError, ReadTimeoutError

from tap_pinterest.http.errors import SlowAnswerError, TooLargeError, UnreachableError

if TYPE_CHECKING:
    from requests.sessions import _Settings

MAX_BODY_BYTES = 512 * 1024 * 1024
SMALL_BODY_BYTES = 16 * 1024 * 1024
"""Bodies above this size are read one at a time, which limits memory for all in flight."""
_PIECE_BYTES = 256 * 1024
_NOBODY = (socket.gaierror, ConnectionRefusedError, ssl.SSLError)
"""Causes of a failed connection that usually stay if they come before the first answer."""

# It logs URLs with their queries, at WARNING if a header is malformed, and some URLs give access to
# anybody who has them.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class Request(NamedTuple):
    """One request.

    Attributes:
        path: The path of its operation; errors name it, and not the URL.
    """

    method: str
    path: str
    url: str
    body: Mapping[str, str] | bytes | None = None
    auth: HTTPBasicAuth | None = None
    headers: Mapping[str, str] | None = None

    def __str__(self) -> str:
        """The request without its query."""
        return f"{self.method} {self.path}"


class Answer(NamedTuple):
    """The answer to a request, with its body decompressed."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


class Session(requests.Session):
    """Follows no redirect and reads no redirect's body: it would send the token elsewhere.

    It takes no cookie: a gateway's would send each further try to the machine that has just failed.
    It asks the environment once for each host: requests goes through all variables, several times,
    for each request, which takes a tenth of the time of a small one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._of_environment: dict[str, _Settings] = {}

    @override
    def merge_environment_settings(
        self,
        url: str | bytes | None,
        proxies: MutableMapping[str, str] | None,
        stream: bool | None,
        verify: bool | str | None,
        cert: str | tuple[str, str] | None,
    ) -> _Settings:
        # No request has proxies or certificates of its own.
        parts = urlsplit(str(url))
        host = f"{parts.scheme}://{parts.netloc}"
        if host not in self._of_environment:
            found = super().merge_environment_settings(url, proxies, stream, verify, cert)
            self._of_environment[host] = found
        return self._of_environment[host].copy()

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Transport:
    """Sends requests to Pinterest over one pool of connections."""

    def __init__(self, *, timeout: float, connections: int) -> None:
        """A transport that opens connections when needed.

        Args:
            timeout: Seconds that an answer may take, from the request to its last byte.
            connections: Most connections that stay open.
        """
        self._timeout = timeout
        self._is_answered = False
        self._large_body = threading.Lock()
        self._session = Session()
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def exchange(self, request: Request) -> Answer:
        """Send a request once, and return the answer, good or bad.

        Raises:
            SlowAnswerError: The answer did not come in time.
            UnreachableError: The host has not answered any request so far.
            TooLargeError: The answer is larger than `MAX_BODY_BYTES`.
            RetriableAPIError: The connection failed.
        """
        # Real seconds: an answer that drips byte by byte never lets the socket time out.
        deadline = Deadline(self._timeout)
        try:
            response = self._session.request(
                request.method,
                request.url,
                data=request.body,
                auth=request.auth or no_auth,
                headers=request.headers,
                timeout=self._timeout,
                # A redirect would send the token to another host.
                allow_redirects=False,
                stream=True,
            )
            with response:
                body = self._body(response, deadline, str(request))
        except (requests.Timeout, ReadTimeoutError):
            msg = f"{request}: no answer within request_timeout ({self._timeout:.0f} s)"
            raise SlowAnswerError(msg) from None
        except (OSError, HTTPError) as error:
            # requests raises a plain OSError for a bundle of certificates that is not there.
            msg = f"{request}: the connection failed ({cause_of(error)})"
            is_nobody = isinstance(_root_of(error), _NOBODY) and not self._is_answered
            raise (UnreachableError if is_nobody else RetriableAPIError)(msg) from None
        self._is_answered = True
        return Answer(response.status_code, response.reason or "", response.headers, body)

    def _body(self, response: requests.Response, deadline: Deadline, what: str) -> bytes:
        """The whole body, decompressed; an interim answer has none."""
        if response.status_code < requests.codes.ok:
            # Its connection is closed, because the real answer follows on it.
            return b""
        # Not `response.content`, which has no bound and holds a large body twice while it joins it.
        body = io.BytesIO()
        pieces = copied(response, body, deadline, what)
        if any(size > SMALL_BODY_BYTES for size in pieces):
            with deadline.waiting():
                self._large_body.acquire()
            try:
                deque(pieces, maxlen=0)
            finally:
                self._large_body.release()
        return body.getvalue()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from taking credentials out of a netrc file."""
    return request


class Deadline:
    """The moment, in real seconds, by which an answer must be complete."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def check(self) -> None:
        """Raise if the deadline has passed.

        Raises:
            requests.Timeout: The deadline has passed.
        """
        if time.monotonic() > self._at:
            raise requests.Timeout

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Extend the deadline by the time that the block takes."""
        begun = time.monotonic()
        yield
        self._at += time.monotonic() - begun


def copied(
    response: requests.Response,
    file: IO[bytes],
    deadline: Deadline,
    what: str,
    *,
    decompressed: bool = True,
) -> Iterator[int]:
    """Write the whole body into a file; the bytes so far, after each piece.

    Raises:
        requests.Timeout: It has not come by the deadline.
        TooLargeError: It is larger than `MAX_BODY_BYTES`.
    """
    while piece := response.raw.read1(_PIECE_BYTES, decode_content=decompressed):
        size = file.tell() + file.write(piece)
        if size > MAX_BODY_BYTES:
            msg = f"{what}: the answer is larger than {MAX_BODY_BYTES:,} bytes"
            raise TooLargeError(msg)
        deadline.check()
        yield size


def cause_of(error: BaseException) -> str:
    """The root cause of a failed connection, in words without a URL."""
    error = _root_of(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{type(error).__name__}: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    # A plain OSError comes from a proxy that refuses, or from requests if a file is missing.
    return str(error) if type(error) is OSError else type(error).__name__


def _root_of(error: BaseException) -> BaseException:
    while isinstance(deeper := _deeper(error), BaseException):
        error = deeper
    return error


def _deeper(error: BaseException) -> object:
    """The error inside this one."""
    inside = [each for each in error.args if isinstance(each, BaseException)]
    return getattr(error, "reason", None) or next(iter(inside), None) or error.__cause__
