"""Downloads finished reports from other hosts, by links from Pinterest."""

from __future__ import annotations

from collections import deque
from typing import IO

import requests
from singer_sdk.exceptions import RetriableAPIError
from urllib3.exceptions import HTTPError, ReadTimeoutError

from tap_pinterest.clock import Clock
from tap_pinterest.http.addresses import PublicHosts, check_link, is_loopback
from tap_pinterest.http.errors import SlowAnswerError
from tap_pinterest.http.patience import Patience
from tap_pinterest.http.refusals import raise_for_download
from tap_pinterest.http.transport import Deadline, Session, cause_of, copied, no_auth

_LENGTHS = ("Content-Length", "Transfer-Encoding")
"""Headers that say how long the content is, or that it has an end of its own."""


class Downloads:
    """Downloads from other hosts, without a token or a cookie."""

    def __init__(self, api_url: str, *, timeout: float, clock: Clock, patience: Patience) -> None:
        self._is_local = is_loopback(api_url)
        self._timeout = timeout
        self._clock = clock
        self._patience = patience
        self._session = Session()
        if not self._is_local:
            self._session.mount("https://", PublicHosts())

    def write(self, url: str, file: IO[bytes], what: str) -> bool:
        """Write the content behind a link into a file, which may then be packed with gzip.

        The link is a secret and belongs to another host: no message names it.

        Returns:
            Whether the server said how long the content is; otherwise it may have been cut.

        Raises:
            LinkExpiredError: The link has expired.
            TooLargeError: The content is larger than `MAX_BODY_BYTES`.
            FatalAPIError: The download is refused for another reason, or the link is not allowed.
            RetriableAPIError: No attempt got the whole content.
        """
        check_link(url, what, is_local=self._is_local)
        tries = self._patience.tries(what)
        while True:
            self._clock.check()
            file.seek(0)
            file.truncate()
            try:
                return self._write_once(url, file, what)
            except RetriableAPIError as error:
                self._patience.wait(tries, error)

    def _write_once(self, url: str, file: IO[bytes], what: str) -> bool:
        deadline = Deadline(self._timeout)
        try:
            response = self._session.get(
                url, auth=no_auth, timeout=self._timeout, allow_redirects=False, stream=True
            )
            with response:
                if response.status_code != requests.codes.ok:
                    raise_for_download(response.status_code, response.headers, what)
                has_length = any(name in response.headers for name in _LENGTHS)
                # urllib3 takes half a gzip for the whole; who reads the file notices it. Storage
                # names other encodings beside gzip, such as aws-chunked, that are none of the file.
                is_gzip = response.headers.get("Content-Encoding", "").lower().count("gzip") == 1
                pieces = copied(response, file, deadline, what, decompressed=not is_gzip)
                deque(pieces, maxlen=0)
                return has_length
        except (requests.Timeout, ReadTimeoutError):
            msg = f"{what}: not downloaded within request_timeout ({self._timeout:.0f} s)"
            raise SlowAnswerError(msg) from None
        except (requests.RequestException, HTTPError) as error:
            msg = f"{what}: the connection failed ({cause_of(error)})"
            raise RetriableAPIError(msg) from None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
