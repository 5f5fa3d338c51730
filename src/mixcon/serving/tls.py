"""The certificates of a server."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates

from mixcon.errors import ConfigError

__all__ = ["Tls"]


@dataclass(frozen=True)
class Tls:
    """Certificates of a server.

    Attributes:
        certificate: PEM file with the server's certificate chain.
        key: PEM file with its private key.
        clients: PEM file with the authority that signs clients' certificates; clients without
            one are then refused (mutual TLS). None lets all of them in.
    """

    certificate: Path
    key: Path
    clients: Path | None = None

    def context(self, *protocols: str) -> ssl.SSLContext:
        """For TLS 1.2 and later.

        Args:
            protocols: what is offered by ALPN; nothing by default.

        Raises:
            ConfigError: a file is missing, or is not what it should be.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if protocols:
            context.set_alpn_protocols([*protocols])
        try:
            context.load_cert_chain(self.certificate, self.key)
            if self.clients is not None:
                context.load_verify_locations(self.clients)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"expected PEM files for TLS, but got {self.certificate}, {self.key}, "
                f"{self.clients}: {error}"
            ) from error
        return context

    @property
    def end(self) -> datetime:
        """When the first certificate of the chain ends.

        Raises:
            ConfigError: the file is missing, or holds no certificate.
        """
        try:
            found = load_pem_x509_certificates(self.certificate.read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{self.certificate}: expected PEM certificates, but got: {error}"
            ) from error
        return min(one.not_valid_after_utc for one in found)
