"""Where the server is, whom the device trusts to be it, and how patient the device is."""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from mixcon.errors import ConfigError
from mixcon.serving.tokens import check_token

__all__ = ["Endpoint"]

_LONGEST = 86_400  # seconds
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Endpoint:
    """A server, as one device sees it.

    Attributes:
        url: ``https://...``, of a server of the Open Inference Protocol v2; ``http://...`` for this
            machine itself.
        model: what the server calls the model, if not as the contract does.
        token: bearer token.
        authority: PEM file with the authority that signed the server's certificate, where the
            system does not know it.
        certificate: PEM file with the device's certificate, for mutual TLS.
        key: PEM file with its private key.
        timeout: seconds for one try, from the first packet to the last byte of the answer.
        retries: further tries where the server is away or busy; they send the same bytes, so that
            noise is not drawn twice. Waits grow to 10 seconds: 8 of them outlast a restart.
        insecure: allow ``http://`` to another machine, where all on the way can read and change
            what is sent.
        proxy: go through the proxies that the environment names (HTTPS_PROXY and the like).
        notify: told in words of each wait of a second and more.

    Raises:
        ConfigError: no such URL, plain HTTP to another machine, a negative number, or a token that
            no header can carry.
    """

    url: str
    model: str | None = None
    token: str | None = field(default=None, repr=False)
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    timeout: float = 10.0
    retries: int = 8
    insecure: bool = False
    proxy: bool = False
    notify: Callable[[str], object] = field(default=lambda _: None, repr=False)

    def __post_init__(self) -> None:
        parts = _split(self.url)
        if parts.scheme == "http" and not (self.insecure or self.is_loopback):
            raise ConfigError(
                f"expected https:// for another machine, but got {self.url}: all on the way could "
                "read what is sent; serve with --cert, or pass --insecure to send it anyway"
            )
        if self.token is not None:
            check_token(self.token)
        if not 0 < self.timeout <= _LONGEST or self.retries < 0:
            raise ConfigError(
                f"expected a timeout from 0 to {_LONGEST} seconds and no negative retries, but got "
                f"{self.timeout} and {self.retries}"
            )

    @property
    def host(self) -> str:
        """Name or address."""
        return _split(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Of TCP."""
        parts = _split(self.url)
        return parts.port or _PORTS[parts.scheme]

    @property
    def authority_part(self) -> str:
        """Host and port, as the URL writes them."""
        return _split(self.url).netloc

    @property
    def prefix(self) -> str:
        """What stands before each path."""
        return _split(self.url).path.rstrip("/")

    @property
    def is_loopback(self) -> bool:
        """Whether nothing leaves this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def context(self) -> ssl.SSLContext | None:
        """For TLS 1.2 and later, with certificates and names checked; None for plain HTTP.

        Raises:
            ConfigError: a file is missing, or is not what it should be.
        """
        if _split(self.url).scheme == "http":
            return None
        try:
            context = ssl.create_default_context(cafile=self.authority)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"expected PEM files for TLS, but got {self.authority}, {self.certificate}, "
                f"{self.key}: {error}"
            ) from error
        return context


def _split(url: str) -> SplitResult:
    """The parts of a URL of letters that a request can carry; one with a password is not shown."""
    secret = "@" in url
    try:
        parts = urlsplit(url)
        good = bool(re.fullmatch(r"https?://[!-~]+", url)) and bool(parts.hostname)
        good = good and parts.port != 0  # ValueError: no port at all
        (parts.hostname or "").encode("idna")  # ValueError: no name that can be looked up
    except ValueError:
        good = False
    if not good or secret or parts.query or parts.fragment:
        raise ConfigError(
            "expected a URL such as https://cloud.example:8080, without name, password and query, "
            f"but got {'one with an @' if secret else repr(url[:100])}"
        )
    return parts
