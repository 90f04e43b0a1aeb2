"""Connects to public hosts alone: names are resolved once, each address is checked, and just that one is connected to.

So neither a name that leads into this network nor one that changes between check and connection reaches anything that
is not public. It knows nothing of pictures.
"""

import ipaddress
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore
import httpx

from mmdemo.core.errors import InputError


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet; of an IPv4 address within an IPv6 one, whether that is.

    >>> [is_public(a) for a in ("93.184.216.34", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1")]
    [True, False, False, False, False]
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner: list[ipaddress.IPv4Address | None] = []
    if isinstance(ip, ipaddress.IPv6Address):
        inner = [ip.sixtofour, *(ip.teredo or ())]
        ip = ip.ipv4_mapped or ip
    return all(_is_global(one) for one in (ip, *inner) if one is not None)


def _is_global(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


class _PublicBackend(httpcore.NetworkBackend):
    """Resolves, checks and connects, in this order."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed, self._backend = allowed, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name '{host[:80]}' is not known") from error
        addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
        if f"{host}:{port}" not in self._allowed and not all(map(is_public, addresses)):
            raise InputError("the host '{host}' is not a public one", host=host[:80])
        for address in addresses[:-1]:  # the last one's fault is the connection's
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
        return self._backend.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)


class PublicTransport(httpx.HTTPTransport):
    """The transport of a client that reaches public hosts alone, and of others those `allowed` ("127.0.0.1:8000")."""

    def __init__(self, allowed: frozenset[str] = frozenset()) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(), network_backend=_PublicBackend(allowed)
        )
