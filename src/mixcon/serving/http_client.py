"""The device's requests to the cloud: tries again where that helps, and counts what it sends."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import h11

from mixcon.errors import MixconError, WireError
from mixcon.serving.endpoint import Endpoint
from mixcon.serving.http_connection import Answer, HttpConnection
from mixcon.serving.messages import JSON_LENGTH, Reason, json_length, parse
from mixcon.serving.proxies import proxy_for
from mixcon.serving.stream import Deadline, Stream
from mixcon.serving.text import printable

__all__ = ["HttpClient"]

_RETRIED = {408, 429, 502, 503, 504}
_FIRST_WAIT = 0.1  # seconds
_LONGEST_WAIT = 10.0
_NOTED_WAIT = 1.0
_PROXY_WORDS = 65_536  # bytes of what a proxy says


T = TypeVar("T")


class HttpClient:
    """Requests to one server, one after the other, each with a deadline of its own.

    Args:
        endpoint: the server.

    Attributes:
        bytes_sent: of all requests so far, with their HTTP headers, before encryption.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._context, self._proxy = endpoint.context(), proxy_for(endpoint)
        self._open: tuple[_TimedStream, HttpConnection] | None = None
        self.bytes_sent = 0

    def get(self, path: str, most: int, read: Callable[[bytes], T]) -> T:
        """What a path holds.

        Args:
            path: behind the server's URL.
            most: bytes of the answer at most.
            read: makes something of the answer's body, or raises a MixconError.

        Raises:
            WireError: the server is away or refuses, after all tries; or its answer is too large.
            MixconError: as `read` says.
        """
        answer = self._send_with_retries("GET", path, [], b"", most)
        with self._hiding_the_token():
            return read(answer.body)

    def post(
        self,
        path: str,
        body: bytes,
        length: int | None,
        most: int,
        read: Callable[[bytes, int | None], T],
    ) -> T:
        """The answer to a message; each try sends the same bytes.

        Args:
            path: behind the server's URL.
            body: the message.
            length: where its JSON ends; None if it is nothing else.
            most: bytes of the answer at most.
            read: makes something of the answer's body and of where its JSON ends, or raises a
                MixconError.

        Raises:
            WireError: the server is away or refuses, after all tries; or its answer is too large.
            MixconError: as `read` says.
        """
        headers = [("Content-Type", "application/json")]
        if length is not None:
            headers = [("Content-Type", "application/octet-stream"), (JSON_LENGTH, str(length))]
        answer = self._send_with_retries("POST", path, headers, body, most)
        with self._hiding_the_token():
            return read(answer.body, json_length(answer.headers.get(JSON_LENGTH.lower())))

    def close(self) -> None:
        """Close the connection."""
        if self._open:
            self._open[0].close()
        self._open = None

    @contextmanager
    def _hiding_the_token(self) -> Iterator[None]:
        """No error shows it, even where the server sends it back in one way or another."""
        try:
            yield
        except MixconError as error:
            token = self._endpoint.token
            if not token or token not in str(error):
                raise
            raise type(error)(str(error).replace(token, "***")) from None

    def _send_with_retries(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes, most: int
    ) -> Answer:
        with self._hiding_the_token():
            return self._repeat(method, path, headers, body, most)

    def _repeat(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes, most: int
    ) -> Answer:
        where = f"{self._endpoint.url.rstrip('/')}{path}"
        for turn in range(self._endpoint.retries + 1):
            last, tries = turn == self._endpoint.retries, _count(turn + 1)
            wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2**turn) * random.uniform(0.5, 1)  # noqa: S311
            try:
                answer = self._try(method, path, headers, body, most)
            except (OSError, h11.RemoteProtocolError) as error:
                self.close()
                if last or isinstance(error, ssl.SSLCertVerificationError):
                    raise _no_answer(where, error, tries) from error
                reason = type(error).__name__
            except WireError as error:
                self.close()
                raise WireError(f"{where}: {error}") from error
            else:
                if answer.status == 200:
                    return answer
                if last or answer.status not in _RETRIED:
                    raise _refused(where, answer, tries)
                wait, reason = max(wait, _retry_after(answer)), f"status {answer.status}"
            if wait >= _NOTED_WAIT:
                self._endpoint.notify(f"{reason} from the server; trying again in {wait:.0f} s")
            time.sleep(wait)
        raise AssertionError  # the last turn returns or raises

    def _try(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes, most: int
    ) -> Answer:
        deadline = Deadline(self._endpoint.timeout)
        stream, connection = self._connection(deadline)
        before = stream.sent
        try:
            return connection.ask(
                method, self._endpoint.prefix + path, [*self._headers(), *headers], body, most
            )
        finally:
            self.bytes_sent += stream.sent - before
            if not connection.is_open:
                self.close()

    def _headers(self) -> list[tuple[str, str]]:
        token = self._endpoint.token
        return [
            ("Host", self._endpoint.authority_part),
            ("User-Agent", "mixcon"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            *([("Authorization", f"Bearer {token}")] if token else []),
        ]

    def _connection(self, deadline: Deadline) -> tuple[_TimedStream, HttpConnection]:
        if self._open and self._open[0].stream.has_news():
            self.close()  # the server closed it meanwhile
        if not self._open:
            stream = _TimedStream(self._connect(deadline), deadline)
            self._open = stream, HttpConnection(stream)
        self._open[0].deadline = deadline
        return self._open

    def _connect(self, deadline: Deadline) -> Stream:
        to = self._proxy or self._endpoint
        stream = Stream(to.host, to.port, deadline)
        try:
            if self._proxy:
                self._tunnel(_TimedStream(stream, deadline))
            if self._context:
                stream.encrypt(self._context, self._endpoint.host, deadline)
        except BaseException:
            stream.close()
            raise
        return stream

    def _tunnel(self, stream: _TimedStream) -> None:
        """Ask the proxy to pass on what comes."""
        assert self._proxy  # noqa: S101
        secret = self._proxy.authorization
        host = f"[{self._endpoint.host}]" if ":" in self._endpoint.host else self._endpoint.host
        target = f"{host}:{self._endpoint.port}"
        headers = [("Host", target)] + ([("Proxy-Authorization", secret)] if secret else [])
        answer = HttpConnection(stream).ask("CONNECT", target, headers, b"", _PROXY_WORDS)
        if answer.status != 200:
            raise WireError(f"expected a tunnel from the proxy, but got status {answer.status}")


class _TimedStream:
    """A stream under the deadline of the request at hand, which counts what is sent."""

    def __init__(self, stream: Stream, deadline: Deadline) -> None:
        self.stream, self.deadline, self.sent = stream, deadline, 0

    def send(self, data: bytes) -> None:
        self.sent += len(data)
        self.stream.send(data, self.deadline)

    def receive(self) -> bytes:
        return self.stream.receive(self.deadline)

    def close(self) -> None:
        self.stream.close()


def _count(tries: int) -> str:
    return f"{tries} {'try' if tries == 1 else 'tries'}"


def _no_answer(where: str, error: Exception, tries: str) -> WireError:
    cure = (
        "pass the authority that signed its certificate (--ca), and check the name in the URL"
        if isinstance(error, ssl.SSLCertVerificationError)
        else "check that it runs and that the URL is right"
    )
    return WireError(
        f"{where}: expected an answer, but got none in {tries} "
        f"({type(error).__name__}: {printable(str(error))}); {cure}"
    )


def _refused(where: str, answer: Answer, tries: str) -> WireError:
    reason = answer.body.decode("latin1")
    with suppress(WireError):
        reason = parse(Reason, memoryview(answer.body)).error
    return WireError(
        f"{where}: expected status 200, but got {answer.status} after {tries}: {printable(reason)}"
    )


def _retry_after(answer: Answer) -> float:
    value = answer.headers.get("retry-after", "")
    good = value.isascii() and value.isdigit() and len(value) < 10
    return min(_LONGEST_WAIT, float(value)) if good else 0.0
