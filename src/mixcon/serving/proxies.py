"""The proxies that the environment names; they are asked for a tunnel, and see TLS alone."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from mixcon.errors import ConfigError
from mixcon.serving.endpoint import Endpoint

__all__ = ["Proxy", "proxy_for"]


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy.

    Attributes:
        host: its name or address.
        port: of TCP.
        authorization: value of Proxy-Authorization, if it asks for one.
    """

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)


def proxy_for(endpoint: Endpoint) -> Proxy | None:
    """The proxy on the way to a server; none unless asked for, and none to this machine.

    Raises:
        ConfigError: what the environment names is no HTTP proxy.
    """
    if not endpoint.proxy or endpoint.is_loopback:
        return None
    # Not before it is asked for: with all that it imports it takes a tenth of a device's memory.
    from urllib.request import getproxies_environment, proxy_bypass  # noqa: PLC0415

    if proxy_bypass(endpoint.host):
        return None
    named = getproxies_environment()
    url = named.get(endpoint.url.partition("://")[0]) or named.get("all")
    return _parse(url) if url else None


def _parse(url: str) -> Proxy:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port or 80
        (host or "").encode("idna")  # ValueError: no name that can be looked up
    except ValueError:
        host, port = None, 0
    if not host or parts.scheme != "http":
        raise ConfigError(
            "expected proxies such as http://proxy.example:3128 in the environment, but got "
            "another; it is not shown, as it may hold a password"
        )
    if parts.username is None:
        return Proxy(host, port)
    secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(host, port, f"Basic {b64encode(secret.encode()).decode()}")
