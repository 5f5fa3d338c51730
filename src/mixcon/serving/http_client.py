"""The device's connection to the cloud: retries, and counts what it sends."""

from __future__ import annotations

import random
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from mixcon.errors import ConfigError, WireError
from mixcon.serving.messages import JSON_LENGTH
from mixcon.serving.tokens import check_token

__all__ = ["Answer", "Endpoint", "HttpClient"]

_RETRIED = {408, 429, 502, 503, 504}
_FIRST_WAIT = 0.1  # seconds
_LONGEST_WAIT = 10.0


@dataclass(frozen=True)
class Endpoint:
    """A server: where it is, whom the device trusts to be it, and how patient the device is.

    Attributes:
        url: ``http://...`` or ``https://...``, of a server of the Open Inference Protocol v2.
        model: what the server calls the model, if not as the contract does.
        token: bearer token.
        authority: PEM file with the authority that signed the server's certificate, where the
            system does not know it.
        certificate: PEM file with the device's certificate, for mutual TLS.
        key: PEM file with its private key.
        timeout: seconds for one try.
        retries: further tries where the server is away or busy; they send the same bytes, so that
            noise is not drawn twice.

    Raises:
        ConfigError: no such URL, a negative number, or a token that no header can carry.
    """

    url: str
    model: str | None = None
    token: str | None = field(default=None, repr=False)
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    timeout: float = 10.0
    retries: int = 5

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError(f"expected a URL of http:// or https://, but got {self.url!r}")
        if self.token is not None:
            check_token(self.token)
        if self.timeout <= 0 or self.retries < 0:
            raise ConfigError(
                f"expected a positive timeout and no negative retries, but got {self.timeout} and "
                f"{self.retries}"
            )

    def context(self) -> ssl.SSLContext:
        """For TLS 1.2 and later; certificates and names are checked.

        Raises:
            ConfigError: a file is missing, or is not what it should be.
        """
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


@dataclass(frozen=True)
class Answer:
    """An answer's body, and where its JSON ends (None if it is nothing else)."""

    body: bytes
    json_length: int | None


class HttpClient:
    """Requests to one server, one after the other.

    Args:
        endpoint: the server.

    Attributes:
        bytes_sent: of all requests so far, with their HTTP headers, before encryption.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        token = endpoint.token
        self._client = httpx2.Client(
            base_url=endpoint.url,
            headers={"User-Agent": "mixcon"}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
            timeout=endpoint.timeout,
            verify=endpoint.context() if endpoint.url.startswith("https://") else True,
        )
        self._retries = endpoint.retries
        self.bytes_sent = 0

    def get(self, path: str) -> Any:
        """The JSON of a path.

        Raises:
            WireError: the server is away or refuses, after all tries; or it sends no JSON.
        """
        response = self._send_with_retries(self._client.build_request("GET", path))
        try:
            return response.json()
        except ValueError as error:
            raise WireError(f"{response.url}: expected JSON, but got: {error}") from error

    def post(self, path: str, body: bytes, json_length: int | None) -> Answer:
        """The answer to a message; each try sends the same bytes.

        Raises:
            WireError: the server is away or refuses, after all tries.
        """
        headers = {"Content-Type": "application/json"}
        if json_length is not None:
            headers = {
                "Content-Type": "application/octet-stream", JSON_LENGTH: str(json_length)
            }  # fmt: skip
        request = self._client.build_request("POST", path, content=body, headers=headers)
        response = self._send_with_retries(request)
        length = response.headers.get(JSON_LENGTH)
        if length is not None and not length.isdigit():
            raise WireError(f"expected {JSON_LENGTH} to be a number, but got {length[:40]!r}")
        return Answer(response.content, None if length is None else int(length))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _send_with_retries(self, request: httpx2.Request) -> httpx2.Response:
        for turn in range(self._retries + 1):
            wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2**turn) * random.uniform(0.5, 1)  # noqa: S311
            try:
                response = self._client.send(request)
            except httpx2.TransportError as error:
                if turn == self._retries or _is_certificate_error(error):
                    raise _no_answer(request, error, turn + 1) from error
            else:
                self.bytes_sent += _size(request)
                if response.status_code == httpx2.codes.OK:
                    return response
                if turn == self._retries or response.status_code not in _RETRIED:
                    raise _refused(response, turn + 1)
                wait = max(wait, _retry_after(response))
            time.sleep(wait)
        raise AssertionError  # the last turn returns or raises


def _size(request: httpx2.Request) -> int:
    """Bytes of a request as HTTP/1.1 sends it."""
    line = len(request.method) + 1 + len(request.url.raw_path) + len(" HTTP/1.1\r\n")
    fields = sum(len(name) + len(value) + 4 for name, value in request.headers.raw)
    return line + fields + 2 + len(request.content)


def _is_certificate_error(error: BaseException | None) -> bool:
    """Whether certificates do not match, which trying again does not change."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _no_answer(request: httpx2.Request, error: Exception, tries: int) -> WireError:
    cure = (
        "pass the authority that signed its certificate (--ca), and check the name in the URL"
        if _is_certificate_error(error)
        else "check that it runs and that the URL is right"
    )
    return WireError(
        f"{request.url}: expected an answer, but got none in {tries} "
        f"{'try' if tries == 1 else 'tries'} ({type(error).__name__}: {error}); {cure}"
    )


def _refused(response: httpx2.Response, tries: int) -> WireError:
    try:
        reason = str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        reason = response.text
    return WireError(
        f"{response.url}: expected status 200, but got {response.status_code} after {tries} "
        f"{'try' if tries == 1 else 'tries'}: {reason[:300]}"
    )


def _retry_after(response: httpx2.Response) -> float:
    value = response.headers.get("retry-after", "")
    return min(_LONGEST_WAIT, float(value)) if value.isdigit() else 0.0
