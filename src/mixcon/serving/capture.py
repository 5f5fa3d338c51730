"""What crossed the wire, recorded, and read back as an attacker in the cloud would."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import h11
import numpy as np

from mixcon.errors import DataError, WireError
from mixcon.serving.contract import Contract
from mixcon.serving.messages import JSON_LENGTH
from mixcon.serving.requests import parse_request
from mixcon.serving.wire import Floats

__all__ = ["Recorder", "captured_inputs", "hashes", "read_capture"]

_ANY_ROWS = 2**31
_INPUTS = "Mixcon-Inputs"
_HASH = 16  # hexadecimal digits that stand for one input


class Recorder:
    """Writes requests to a file, as HTTP/1.1 sends them but without credentials.

    A header says which inputs they are of, by hash; it is in the file alone and is never sent.

    Args:
        path: the file; replaced if it is there.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")

    def add(self, path: str, body: bytes, json_length: int | None, inputs: Floats) -> None:
        """Append one request, and which inputs, (N, ...), it is of."""
        length = "" if json_length is None else f"{JSON_LENGTH}: {json_length}\r\n"
        head = f"POST {path} HTTP/1.1\r\nHost: capture\r\nContent-Length: {len(body)}\r\n{length}"
        about = f"{_INPUTS}: {','.join(hashes(inputs))}\r\n"
        self._file.write(f"{head}{about}\r\n".encode() + body)

    def close(self) -> None:
        """End the file."""
        self._file.close()


def read_capture(content: bytes, contract: Contract) -> Floats:
    """The representations that crossed, (N, ...), in the order of their requests.

    Args:
        content: bytes of one or more HTTP/1.1 requests, one after the other: a record of
            `EdgeClient`, or what a tap on the socket saw.
        contract: of the halves that spoke. A request sent twice (after a failure) counts once.

    Raises:
        DataError: no inference request is in it, or it is damaged.
    """
    found: dict[str | None, Floats] = {}
    rows: list[Floats] = []
    try:
        for body, headers in _requests(content):
            length = headers.get(JSON_LENGTH.lower())
            request = parse_request(body, int(length) if length else None, contract, _ANY_ROWS)
            if request.id is None or request.id not in found:
                found[request.id] = request.z
                rows.append(request.z)
    except (h11.RemoteProtocolError, WireError, ValueError) as error:
        raise DataError(f"expected a capture of inference requests, but got: {error}") from error
    if not rows:
        raise DataError("expected a capture of inference requests, but there is none in it")
    return np.concatenate(rows)


def captured_inputs(content: bytes) -> list[str]:
    """The `hashes` of the inputs that a capture is of, in order; none where a tap made it."""
    found = (headers.get(_INPUTS.lower()) for _, headers in _requests(content))
    return [each for line in found if line for each in line.split(",")]


def hashes(inputs: Floats) -> list[str]:
    """What stands for each of some inputs, float32 (N, ...), in a record."""
    rows = np.ascontiguousarray(inputs, np.float32)
    return [hashlib.sha256(row.tobytes()).hexdigest()[:_HASH] for row in rows]


def _requests(content: bytes) -> Iterator[tuple[bytes, dict[str, str]]]:
    """Body and headers, by their names in lower case, of each inference request."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=2**20)
    connection.receive_data(content)
    connection.receive_data(b"")  # the end
    request, body = None, bytearray()
    while not isinstance(event := connection.next_event(), h11.ConnectionClosed):
        if isinstance(event, h11.Request):
            request, body = event, bytearray()
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            if request.target.endswith(b"/infer"):
                yield (
                    bytes(body),
                    {
                        name.decode("latin1"): value.decode("latin1")
                        for name, value in request.headers
                    },
                )
            request = None
            connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            connection.send(h11.EndOfMessage())
            connection.start_next_cycle()
