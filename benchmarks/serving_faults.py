"""The server under mixed load and faults: no answer may be another's, and no error unclear.

    python -m benchmarks.serving_faults EXPORT [--seconds 600] [--kill-every 15]

Honest clients send representations that nobody else sends, in every form, and compare each answer
with the head in this process. Beside them clients that die half-way, that send slowly and that send
garbage; and the server is killed (SIGKILL) and started again on its port. Loopback only. Ends with
code 1 if an answer was wrong, an error unclear, a client left waiting, or a connection lost while
the server was up.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks._load import read_answer, request
from benchmarks._record import print_record
from benchmarks._server import start
from mixcon.errors import WireError
from mixcon.serving import read_contract
from mixcon.serving.messages import JSON_LENGTH
from mixcon.serving.requests import build_request
from mixcon.serving.responses import parse_response
from mixcon.serving.runtime import session
from mixcon.serving.wire import Wire, array, pack, unpack

_TAGS = 500  # representations, each with logits of its own
_FORMS: tuple[tuple[Wire, bool], ...] = (("float32", True), ("int8", True), ("float32", False))
_AFTER = 1.0  # seconds after a restart in which a connection was lost to the kill
_WAIT = 20.0  # seconds in which the server must have answered or hung up
_CLIENTS = {"honest": 12, "dying": 2, "slow": 2, "garbage": 2}
_RANDOM = random.Random(0)  # noqa: S311  no secrets here
_BAD = ("WRONG", "UNCLEAR", "LOST")

Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Started, killed, and started again on the same port."""

    def __init__(self, export: Path) -> None:
        self.export = export
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[str] | None = None
        self.up, self.since = False, 0.0
        self.starts: list[float] = []

    async def start(self) -> None:
        """Start it, and wait until it serves."""
        begun = time.monotonic()
        options = ("--timeout", "2")
        self.process, _ = await asyncio.to_thread(start, self.export, *options, port=self.port)
        self.up, self.since = True, time.monotonic()
        self.starts.append(self.since - begun)

    def kill(self) -> None:
        """End it without a warning."""
        self.up = False
        if self.process:
            self.process.kill()
            self.process.communicate()

    @property
    def excused(self) -> bool:
        """Whether a connection may be lost just now."""
        return not self.up or time.monotonic() - self.since < _AFTER


class Clients:
    """The kinds of clients; each works on one connection until it is done with it."""

    def __init__(self, export: Path, found: Counter[str]) -> None:
        self.found = found
        self.contract = contract = read_contract(
            export / "cloud", "head", export / "public-key.pem"
        )
        self.path = f"/v2/models/{contract.name}/infer"
        shape = contract.representation.shape
        self.z = np.random.default_rng(0).random((_TAGS, *shape), np.float32)
        head = session((export / "cloud" / "head.onnx").read_bytes())
        self.logits = {}
        for wire in {wire for wire, _ in _FORMS}:
            sent = array(pack(self.z, wire, contract.scales), wire, self.z.shape)
            seen = unpack(sent, wire, shape, contract.scales)
            (self.logits[wire],) = head.run(None, {"z": seen})

    async def honest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Sends tagged requests, and knows every answer."""
        for _ in range(_RANDOM.randint(1, 200)):
            i, (wire, binary) = _RANDOM.randrange(_TAGS), _RANDOM.choice(_FORMS)
            tag = f"{i}-{_RANDOM.getrandbits(40)}"
            writer.write(self._request(i, wire, tag, binary=binary))
            status, answer = await read_answer(reader)
            self.found[self._judge(status, answer, i, wire, tag, binary=binary)] += 1

    async def dying(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Resets the connection somewhere within its request."""
        message = self._request(0, "float32", "dies", binary=True)
        writer.write(message[: _RANDOM.randrange(len(message))])
        await writer.drain()
        await asyncio.sleep(_RANDOM.random() / 20)
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.found["died half-way"] += 1

    async def slow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A byte now and then: let go with a 408 in its body, without a word in its headers."""
        message = self._request(0, "float32", "slow", binary=True)
        cut = _RANDOM.choice((0, message.index(b"\r\n\r\n") + 4))  # where it becomes slow
        writer.write(message[:cut])
        said = None
        for i in range(cut, len(message)):
            with contextlib.suppress(TimeoutError):
                said = await asyncio.wait_for(reader.read(65536), 0.05)
                break
            writer.write(message[i : i + 1])
        clear = said == b"" or (cut > 0 and (said or b"").startswith(b"HTTP/1.1 408 "))
        self.found[f"slow: {_status(said)}" if clear else f"UNCLEAR: slow, got {said!r}"] += 1

    async def garbage(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A request with some bytes changed, or no request at all: 4xx, or still a good one."""
        message = bytearray(self._request(0, "float32", "garbage", binary=_RANDOM.random() < 0.5))
        if _RANDOM.random() < 0.3:
            message = bytearray(_RANDOM.randbytes(2000))
        for _ in range(_RANDOM.randint(1, 8)):
            message[_RANDOM.randrange(len(message))] = _RANDOM.randrange(256)
        writer.write(bytes(message))
        said = await reader.read(65536)
        clear = said == b"" or said.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200 ", b"HTTP/1.1 503 "))
        self.found[f"garbage: {_status(said)}" if clear else f"UNCLEAR: garbage, got {said!r}"] += 1

    def _request(self, i: int, wire: Wire, tag: str, *, binary: bool) -> bytes:
        body, length = build_request(self.z[i : i + 1], wire, self.contract, tag, binary=binary)
        headers = {} if length is None else {JSON_LENGTH: str(length)}
        return request("http://127.0.0.1", self.path, body, headers)

    def _judge(
        self, status: int, answer: bytes, i: int, wire: Wire, tag: str, *, binary: bool
    ) -> str:
        if status == 503:
            return "refused: 503, to come back"
        if status != 200:
            return f"UNCLEAR: status {status} for a good request"
        length = len(answer) - 4 * self.logits[wire].shape[1] if binary else None
        try:
            logits = parse_response(answer, length, self.contract, tag, 1)
        except WireError:
            return "WRONG: not the answer to this request"
        right = np.allclose(logits, self.logits[wire][i], atol=1e-3)
        return "answered rightly" if right else "WRONG: the logits of another"


def _status(said: bytes | None) -> str:
    return (said or b"")[9:12].decode() or "hung up"


async def _work(name: str, client: Client, server: Server, found: Counter[str]) -> None:
    """One connection after another, for ever."""
    while True:
        if not server.up:
            await asyncio.sleep(0.05)
            continue
        writer = None
        try:
            async with asyncio.timeout(_WAIT):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                await client(reader, writer)
        except TimeoutError:
            found[f"UNCLEAR: {name}, left waiting for {_WAIT:g} s"] += 1
        except (OSError, asyncio.IncompleteReadError) as error:
            excused = server.excused or name != "honest"  # the others may be cut off at any time
            kind = type(error).__name__
            found[f"{name}: connection lost" if excused else f"LOST: {kind} while it was up"] += 1
        finally:
            if writer:
                writer.close()


async def press(export: Path, seconds: float, kill_every: float) -> tuple[Counter[str], Server]:
    """All kinds of clients at once, for so long; what they met."""
    found: Counter[str] = Counter()
    server, clients = Server(export), Clients(export, found)
    await server.start()
    tasks = [
        asyncio.create_task(_work(name, getattr(clients, name), server, found))
        for name, count in _CLIENTS.items()
        for _ in range(count)
    ]
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            await asyncio.sleep(min(kill_every, max(0.0, end - time.monotonic())))
            if time.monotonic() < end:
                server.kill()
                await server.start()
        for task in tasks:
            if task.done():
                task.result()  # a mistake of ours shall show
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.kill()
    return found, server


def run(export: Path, seconds: float, kill_every: float) -> Iterator[str]:
    found, server = asyncio.run(press(export, seconds, kill_every))
    yield "| what came of a request or connection | times |"
    yield "|---|--:|"
    for name, count in sorted(found.items()):
        yield f"| {name} | {count:,} |"
    bad = {kind: sum(n for name, n in found.items() if name.startswith(kind)) for kind in _BAD}
    yield f"| wrong answers | {bad['WRONG']} |"
    yield f"| unclear errors | {bad['UNCLEAR']} |"
    yield f"| connections lost while it was up | {bad['LOST']} |"
    yield f"| killed and started again | {len(server.starts) - 1} |"
    yield f"| seconds until it served again, median | {statistics.median(server.starts):.1f} |"
    yield f"| seconds until it served again, longest | {max(server.starts):.1f} |"
    if not found["answered rightly"] or any(bad.values()):
        sys.exit("\n".join(["expected right answers and clear errors alone, but got:", *found]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.serving_faults", description=__doc__)
    parser.add_argument("export", type=Path)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--kill-every", type=float, default=15)
    args = parser.parse_args()
    options = f"--seconds {args.seconds:g} --kill-every {args.kill_every:g}"
    print_record(
        f"python -m benchmarks.serving_faults EXPORT {options}",
        run(args.export, args.seconds, args.kill_every),
    )


if __name__ == "__main__":
    main()
