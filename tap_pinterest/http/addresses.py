"""Decides which hosts a link from Pinterest may lead to: hosts on the internet, not nearby ones.

The address of a name is checked before the first request, and again once the connection is open,
because a name may have another address by then.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from singer_sdk.exceptions import FatalAPIError
from typing_extensions import override
from urllib3 import HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPSConnection

from tap_pinterest.http.errors import NearbyAddressError

_NAT64 = IPv6Network("64:ff9b::/96")
"""Addresses that lead to the IPv4 address in their last 32 bits."""


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check_link(url: str, what: str, *, is_local: bool) -> None:
    """Refuse a link that does not lead to the internet, unless Pinterest itself is on this machine.

    Raises:
        FatalAPIError: The link does not lead to the internet.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or (parts.scheme != "https" and not (is_local and parts.scheme == "http")):
        msg = f"{what}: the link that Pinterest gives does not lead to an https address"
        raise FatalAPIError(msg)
    if not is_local:
        for address in _addresses(host, port or 443):
            _check(address, what)


class PublicHosts(HTTPAdapter):
    """Connects to hosts on the internet only; a proxy may be nearby, and resolves names itself."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"https": _PublicPool}


class _PublicConnection(HTTPSConnection):
    @override
    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        try:
            _check(connection.getpeername()[0], "the download")
        except NearbyAddressError:
            connection.close()
            raise
        return connection


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


def _addresses(host: str, port: int) -> Iterator[str]:
    """The addresses of a host; empty if its name does not resolve, as behind a proxy."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    for *_, place in found:
        yield str(place[0])


def _check(address: str, what: str) -> None:
    if not all(each.is_global and not each.is_multicast for each in _destinations(address)):
        msg = f"{what}: the link leads to an address of this machine or of a network near it"
        raise NearbyAddressError(msg)


def _destinations(address: str) -> Iterator[IPv4Address | IPv6Address]:
    """The addresses that packets may end at: the address itself, or the IPv4 address inside it."""
    found = ip_address(address.partition("%")[0])
    if not isinstance(found, IPv6Address):
        yield found
    elif found.ipv4_mapped:
        yield found.ipv4_mapped
    else:
        yield found
        yield from filter(None, (found.sixtofour, (found.teredo or (None, None))[1]))
        if found in _NAT64:
            yield IPv4Address(int(found) & 0xFFFF_FFFF)
