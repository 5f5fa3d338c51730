"""Hostile answers for the device: `python -m benchmarks.client_fuzz [--answers N] [--seed S]`.

Good answers of every form are damaged, in their structure and in their bytes, cut into pieces and
given to the client in this process, which has to take each as good, or refuse it with one kind of
error whose words are fit for a terminal. Ends with code 1 and the answer that did it, where
anything else happens, or where the client reads on beyond its limits.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.serving_fuzz import CONTRACT
from mixcon.audit import environment_of
from mixcon.errors import ContractError, WireError
from mixcon.serving import Endpoint
from mixcon.serving.http_client import HttpClient
from mixcon.serving.messages import JSON_LENGTH
from mixcon.serving.metadata import METADATA_BYTES, ModelMetadata, ServerMetadata
from mixcon.serving.requests import InferRequest
from mixcon.serving.responses import answer_bytes, build_response, parse_response
from mixcon.serving.wire import Floats

_ROWS = 2
_TOKEN = "s3cr3t-" * 3
_ONES = np.ones((_ROWS, 2), np.float32)
_LIMIT = 2 * max(METADATA_BYTES, answer_bytes(CONTRACT, _ROWS)) + 2**18
_ODD = (
    b"\x00", b"\r", b"\n", b"\x1b[2J", b"\xff", b"\xc2\xb2", b"\xe2\x80\xae", b"-1", b"1e9", b"NaN",
    b"9" * 30, b"9" * 5000, b'"', b"[" * 300, b"{" * 300, b"null", b"Infinity", b"1" + b"0" * 400,
    _TOKEN.encode(), b"\\u0000", b"\\ud800", b" " * 100, b"\r\n\r\n", b"0\r\n\r\n",
    b"HTTP/1.1 100 X",
)  # fmt: skip
_HEADERS = (
    b"Content-Encoding: gzip", b"Content-Encoding: identity", b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked", b"Content-Length: 0", b"Content-Length: 99999999999",
    b"Content-Length: \xb2", b"Connection: close", b"Connection: upgrade", b"Upgrade: h2c",
    b"Retry-After: \xb2", b"Retry-After: 99999999999999999999", b"X: " + b"a" * 9000, b": x", b"X",
    JSON_LENGTH.encode() + b": \xb2\xb2", JSON_LENGTH.encode() + b": 99999999999999999999",
    JSON_LENGTH.encode() + b": -1", JSON_LENGTH.encode() + b": 7", b" folded: a", b"X : a",
)  # fmt: skip
_STATUS = (b"200", b"200", b"200", b"204", b"100", b"101", b"199", b"301", b"304", b"401", b"429",
           b"500", b"503", b"99", b"1000", b"2e2", b"\xb2\xb2\xb2")  # fmt: skip


class Given:
    """A connection on which these bytes come, in pieces; the last for ever, if so asked."""

    def __init__(self, pieces: list[bytes], *, endless: bool) -> None:
        self._pieces, self._endless, self._read = pieces, endless, 0

    def send(self, data: bytes, _: object) -> None:
        """Swallow what the client sends."""

    def receive(self, _: object) -> bytes:
        """The next piece."""
        if not self._pieces:
            return b""
        keep = self._endless and len(self._pieces) == 1
        piece = self._pieces[0] if keep else self._pieces.pop(0)
        self._read += len(piece)
        assert self._read < _LIMIT, "it reads on and on"
        return piece

    def has_news(self) -> bool:
        """Whether the server closed it: no."""
        return False

    def close(self) -> None:
        """Nothing to do."""


class FedClient(HttpClient):
    """The client, with answers that are given to it."""

    given: Given

    def _connect(self, _: object) -> Given:  # type: ignore[override]
        return self.given


class Fuzzer:
    """Makes answers, and looks at what the client makes of them.

    Args:
        seed: the same answers for the same seed.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  no secrets here
        self._client = FedClient(Endpoint("http://127.0.0.1:1", token=_TOKEN, retries=0))

    def one(self) -> str:
        """What came of one answer.

        Raises:
            AssertionError: anything but a good answer, or an error that is meant.
        """
        ask, body, length = self._random.choice(_ASKED)
        content = self._answer(body, length)
        pieces = self._cut(content)
        endless = self._random.random() < 0.002
        try:
            return try_answer(self._client, ask, pieces, endless=endless)
        except Exception as error:
            raise AssertionError(
                f"{type(error).__name__}: {error}, by {content[:3000]!r}"
            ) from error

    def _answer(self, body: bytes, length: int | None) -> bytes:
        """A whole answer, with damage at some places."""
        chance, choice = self._random.random, self._random.choice
        if chance() < 0.5:
            body = self._damaged(body)
        lines = [b"HTTP/1.1 200 OK", b"Content-Type: application/json"]
        if chance() < 0.2:
            lines[0] = b"HTTP/1.1 " + choice(_STATUS) + b" X"
        if length is not None:
            lines.append(f"{JSON_LENGTH}: {length}".encode())
        if chance() < 0.3:
            lines.append(b"Transfer-Encoding: chunked")
            body = self._chunked(body)
        elif chance() < 0.9:
            lines.append(b"Content-Length: %d" % len(body))
        for _ in range(choice((0, 0, 0, 1, 2))):
            lines.insert(self._random.randint(1, len(lines)), choice(_HEADERS))
        head = b"".join(line + b"\r\n" for line in lines) + b"\r\n"
        if chance() < 0.1:
            head = b"HTTP/1.1 100 Continue\r\n\r\n" * choice((1, 2, 20)) + head
        return (self._damaged(head) if chance() < 0.3 else head) + body

    def _chunked(self, body: bytes) -> bytes:
        size = self._random.choice((1, 7, 100, 1000))
        parts = [body[i : i + size] for i in range(0, len(body), size)]
        return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"

    def _damaged(self, content: bytes) -> bytes:
        """A few bytes replaced, put in, or taken out."""
        found = bytearray(content)
        for _ in range(self._random.randint(1, 3)):
            start = self._random.randint(0, len(found))
            end = start + self._random.choice((0, 0, 1, 5, 50))
            odd = self._random.choice((*_ODD, self._random.randbytes(2), b""))
            found[start:end] = odd
        return bytes(found)

    def _cut(self, content: bytes) -> list[bytes]:
        """In one piece or a few; the last may be missing."""
        places = sorted(
            self._random.randint(0, len(content)) for _ in range(self._random.choice((0, 0, 1, 4)))
        )
        pieces = [
            content[a:b]
            for a, b in zip([0, *places], [*places, len(content)], strict=True)
            if b > a
        ]
        return pieces[:-1] if self._random.random() < 0.05 else pieces


def try_answer(
    client: FedClient, ask: Callable[[HttpClient], object], pieces: list[bytes], *, endless: bool
) -> str:
    """What the client makes of these bytes: ``good``, or the kind of its error."""
    client.given = Given(list(pieces), endless=endless)
    kind, said = "good", ""
    try:
        ask(client)
    except (WireError, ContractError) as error:
        kind, said = type(error).__name__, str(error)
    client.close()
    assert said.isprintable(), said
    assert len(said) < 2000, said
    assert _TOKEN not in said, said
    return kind


def ask_server(client: HttpClient) -> None:
    """Read what the server says of itself."""
    client.get("/v2", METADATA_BYTES, ServerMetadata.read)


def ask_model(client: HttpClient) -> None:
    """Read what it says of the model."""
    client.get(
        "/v2/models/fuzz", METADATA_BYTES, lambda body: ModelMetadata.read(body).checked(CONTRACT)
    )


def ask_labels(client: HttpClient) -> None:
    """Read logits."""
    most = answer_bytes(CONTRACT, _ROWS)

    def read(body: bytes, end: int | None) -> Floats:
        return parse_response(body, end, CONTRACT, "id", _ROWS)

    logits = client.post("/v2/models/fuzz/infer", b"z", None, most, read)
    assert logits.shape == (_ROWS, 2)
    assert np.isfinite(logits).all()


def _forms() -> Iterator[tuple[Callable[[HttpClient], object], bytes, int | None]]:
    """Good answers: who asks, body, and where its JSON ends."""
    yield ask_server, b'{"name":"mixcon","extensions":["binary_tensor_data"]}', None
    tensors = {
        side: [{"name": spec.name, "datatype": "FP32", "shape": [-1, *spec.shape]}]
        for side, spec in (("inputs", CONTRACT.representation), ("outputs", CONTRACT.logits))
    }
    named = {"contract_sha256": CONTRACT.sha256}
    yield ask_model, json.dumps({**tensors, "parameters": named}).encode(), None
    for binary in (False, True):
        request = InferRequest("id", np.ones((_ROWS, 2, 3), np.float32), "float32", binary)
        yield (ask_labels, *build_response(request, _ONES, CONTRACT, named))


_ASKED = (*_forms(),)


def run(answers: int, seed: int) -> Counter[str]:
    """Give the client so many answers; what came of them."""
    fuzzer, found, noted = Fuzzer(seed), Counter[str](), time.monotonic()
    for i in range(answers):
        found[fuzzer.one()] += 1
        if time.monotonic() - noted > 10:
            noted = time.monotonic()
            print(f"{i + 1:,} of {answers:,}", file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Fuzz, and print what came of the answers."""
    parser = argparse.ArgumentParser(prog="benchmarks.client_fuzz", description=__doc__)
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    where = environment_of(f"python -m benchmarks.client_fuzz --answers {args.answers}", args.seed)
    print(f"{where.command}\n{where.machine}, {json.dumps(where.versions)}, {where.started}\n")
    print("| what came of an answer | times |\n|---|--:|")
    for name, count in sorted(run(args.answers, args.seed).items()):
        print(f"| {name} | {count:,} |")


if __name__ == "__main__":
    main()
