"""Start airbyte-source-pinterest with another address for Pinterest, in its own environment.

The source knows only one address. This script sends its calls, otherwise unchanged, to the address
of the first argument: `airbyte_at_sandbox.py URL read --config=… --catalog=…`.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

PINTEREST = "api.pinterest.com"


def at(address: str, url: str) -> str:
    """The URL; if it is Pinterest's, with scheme, host and port of `address`."""
    there, parts = urlsplit(address), urlsplit(url)
    if parts.hostname != PINTEREST:
        return url
    return parts._replace(scheme=there.scheme, netloc=there.netloc).geturl()


def main() -> None:
    """Send all calls to the address of the first argument, and run the source with the others."""
    address = sys.argv.pop(1)
    send = HTTPAdapter.send

    def send_there(
        adapter: HTTPAdapter,
        request: PreparedRequest,
        *arguments: Any,  # noqa: ANN401 - those of `send`
        **options: Any,  # noqa: ANN401 - those of `send`
    ) -> Response:
        request.url = at(address, request.url or "")
        return send(adapter, request, *arguments, **options)

    HTTPAdapter.send = send_there  # type: ignore[method-assign, assignment]
    (source,) = entry_points(group="console_scripts", name="source-pinterest")
    source.load()()


if __name__ == "__main__":
    main()
