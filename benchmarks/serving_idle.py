"""Honest clients beside thousands of connections that do nothing, or everything slowly.

    python -m benchmarks.serving_idle EXPORT [--minutes 1] [--connections 10000]

Once for plain HTTP and once for TLS: first the honest clients alone, for a fifth of the time, then
beside the others. A third of these say nothing at all, a third send the beginning of a handshake or
of headers a byte at a time, a third announce a body and send it so; whoever is let go comes back
after some seconds. The server takes as many connections as that and some more. They come from many
addresses of the loopback, from a process of their own. Ends with code 1 if an honest request was
refused or lost beside them. Processes run, or are ready and wait for a processor that other work
has: both in percent of the time, by the system's own count.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from benchmarks._certificates import certificate
from benchmarks._load import read_answer
from benchmarks._one_row import one_row
from benchmarks._processor import Usage
from benchmarks._record import print_record
from benchmarks._server import mixcon_process

_HONEST = 4  # clients
_EACH = 20  # requests on one connection
_PAUSE = 0.05  # seconds between them
_SLOW = 4.0  # seconds between two bytes
_BACK = 2.0  # seconds until who was let go comes back, on average
_HELD = 12.0  # seconds in which all come first, about as long as the server puts up with one
_ADDRESSES = 40
_SPARE = 200  # files for other things
_BODY = b" " * 9000
_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300)


@dataclass
class Seen:
    """What honest clients met.

    Attributes:
        seconds: latency of each answer, its connection included where it was opened for it.
        bad: refusals and losses by kind.
        lags: seconds by which a timer of the clients' own process was late.
        usage: of that process.
    """

    seconds: list[float] = field(default_factory=list)
    bad: Counter[str] = field(default_factory=Counter)
    lags: list[float] = field(default_factory=list)
    usage: Usage | None = None

    def milliseconds(self, percent: float) -> float:
        """A percentile of the latency."""
        return float(np.percentile(self.seconds, percent)) * 1e3

    def own_milliseconds(self, percent: float) -> float:
        """A percentile of what the clients' own process was late."""
        return float(np.percentile(self.lags, percent)) * 1e3


async def honest(host: str, port: int, context: ssl.SSLContext | None, message: bytes,
                 seconds: float) -> Seen:  # fmt: skip
    """Ask now and then, for so long."""
    seen, end = Seen(), time.perf_counter() + seconds

    async def client() -> None:
        while time.perf_counter() < end:
            started = time.perf_counter()
            try:
                reader, writer = await asyncio.open_connection(host, port, ssl=context)
                for _ in range(_EACH):
                    writer.write(message)
                    status, _ = await read_answer(reader)
                    seen.seconds.append(time.perf_counter() - started)
                    if status != 200:
                        seen.bad[f"status {status}"] += 1
                    await asyncio.sleep(_PAUSE)
                    started = time.perf_counter()
                writer.close()
            except (OSError, asyncio.IncompleteReadError) as error:
                seen.bad[type(error).__name__] += 1

    before, measuring = Usage.of(), asyncio.create_task(_measure_lag(seen))
    await asyncio.gather(*(client() for _ in range(_HONEST)))
    measuring.cancel()
    seen.usage = Usage.of().since(before)
    return seen


async def _measure_lag(seen: Seen) -> None:
    """How late this process itself is: a part of what its clients measure."""
    while True:
        due = time.perf_counter() + _PAUSE
        await asyncio.sleep(_PAUSE)
        seen.lags.append(time.perf_counter() - due)


async def hold(host: str, port: int, count: int, head: bytes, *, tls: bool) -> None:
    """Hold so many connections until killed; print how many are open, each second."""
    context = None
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    open_now = made = 0
    draw = random.Random(0)  # noqa: S311  no secrets here

    async def one(i: int) -> None:
        nonlocal open_now, made
        kind = i % 3
        await asyncio.sleep(i / count * _HELD)
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                own = (f"127.0.{1 + i % _ADDRESSES}.1", 0)
                secure = context if kind == 2 else None
                reader, writer = await asyncio.open_connection(
                    host, port, ssl=secure, local_addr=own
                )
                open_now, made = open_now + 1, made + 1
                try:
                    await _annoy(kind, reader, writer, _HELLO if tls else head[:-2], head)
                finally:
                    open_now -= 1
                    writer.transport.abort()
            await asyncio.sleep(draw.uniform(0, 2 * _BACK))  # they shall not come all at once

    tasks = [asyncio.create_task(one(i)) for i in range(count)]
    while tasks:
        print(open_now, made, flush=True)
        await asyncio.sleep(1)


async def _annoy(
    kind: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, start: bytes, head: bytes
) -> None:
    """Until the server ends it."""
    ended = asyncio.ensure_future(reader.read(65536))
    if kind == 2:
        writer.write(head)
    slow = (b"", start, _BODY)[kind]
    for i in range(len(slow)):
        writer.write(slow[i : i + 1])
        done, _ = await asyncio.wait([ended], timeout=_SLOW)
        if done:
            break
    with contextlib.suppress(OSError):  # a reset is as good as an end
        await ended


def press(
    server: tuple[str, int],
    message: bytes,
    seconds: float,
    count: int,
    authority: Path | None = None,
) -> Iterator[str]:
    """Both phases against one server, as rows of a table; sys.exit where honest ones suffered."""
    url, process = server
    host, port = url.split("://")[1].split(":")
    context = ssl.create_default_context(cafile=authority) if authority else None
    before = Usage.of(process)
    kind = "TLS" if authority else "plain"
    alone = asyncio.run(honest(host, int(port), context, message, seconds / 5))
    yield _row(f"{kind}, alone", alone, "0", 1.0, Usage.of(process).since(before))
    path = message.split(b" ", 2)[1].decode()
    command = [sys.executable, "-m", "benchmarks.serving_idle", "--hold", url, str(count), path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as others:
        assert others.stdout is not None
        while int((first := others.stdout.readline()).split()[1]) < count:
            pass  # not all have come
        before = Usage.of(process)
        try:
            beside = asyncio.run(honest(host, int(port), context, message, seconds * 4 / 5))
            used = Usage.of(process).since(before)
        finally:
            others.terminate()
            said, _ = others.communicate()
    held = [
        tuple(map(int, line.split()))
        for line in [first, *said.splitlines()]
        if line.count(" ") == 1
    ]
    usual, made = statistics.median(now for now, _ in held), held[-1][1]
    ratio = beside.milliseconds(99) / alone.milliseconds(99)
    yield _row(f"{kind}, beside", beside, f"{usual:,.0f} at a time, {made:,} in all", ratio, used)
    if beside.bad:
        sys.exit(f"expected no honest request to suffer, but got {dict(beside.bad)}")


def _row(name: str, seen: Seen, others: str, ratio: float, server: Usage) -> str:
    bad = sum(seen.bad.values())
    return (
        f"| {name} | {others} | {len(seen.seconds):,} | {bad} | {seen.milliseconds(50):.1f} | "
        f"{seen.milliseconds(99):.1f} | {ratio:.2f} | {max(seen.seconds) * 1e3:.0f} | "
        f"{seen.own_milliseconds(99):.1f} | {server} | {seen.usage} |"
    )


def run(export: Path, minutes: float, count: int) -> Iterator[str]:
    """Plain, then TLS."""
    message = one_row(export)
    yield (
        "| honest clients | others | answers | bad | p50 (ms) | p99 (ms) | of p99 alone "
        "| worst (ms) | p99 of their own lag (ms) | server: runs / waits | clients: run / wait |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    room = ("--connections", str(count + _SPARE))
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder)
        certificate("server", own, certificate("authority", own))
        with mixcon_process(export, *room) as server:
            yield from press(server, message, minutes * 30, count)
        tls = ("--cert", str(own / "server.pem"), "--key", str(own / "server.key"))
        with mixcon_process(export, *room, *tls) as server:
            yield from press(server, message, minutes * 30, count, own / "authority.pem")


def allowed(count: int) -> int:
    """As many connections as this process may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return min(count, most - _SPARE)


def main() -> None:
    """Press, and print what came of it."""
    parser = argparse.ArgumentParser(prog="benchmarks.serving_idle", description=__doc__)
    parser.add_argument("export", type=Path, nargs="?")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--hold", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    count = allowed(args.connections)
    if args.hold:
        url, held, path = args.hold
        host, port = url.split("://")[1].split(":")
        lines = (f"POST {path} HTTP/1.1", "Host: a", f"Content-Length: {len(_BODY)}", "", "")
        head = "\r\n".join(lines).encode()
        asyncio.run(hold(host, int(port), int(held), head, tls=url.startswith("https")))
    options = f"--minutes {args.minutes:g} --connections {args.connections}"
    command = f"python -m benchmarks.serving_idle EXPORT {options}"
    fewer = [f"{count} connections, as this process may not open more files\n"]
    note = fewer if count < args.connections else []
    print_record(command, chain(note, run(args.export, args.minutes, count)))


if __name__ == "__main__":
    main()
